#!/bin/sh
# Runs a command in a user-mode Linux guest that has SocketCAN, with the host's files under the same
# paths, read-only. Interfaces lo, vcan0 and vcan1 are up; can-raw, can-bcm, vcan and slcan are
# loaded. The guest's exit status becomes this script's; 125 means that the guest itself failed.
#
#   run-in-guest.sh COMMAND [ARGUMENT...]
#
# The command starts in the current folder, as root, with PATH and HOME set and nothing else of the
# environment. Writable: TMPDIR (memory, gone afterwards) and the folder PW_GUEST_WRITABLE names, if
# any (the host's own). PW_GUEST_MEM: the guest's memory, default 192M. PW_GUEST_SECONDS: longest
# run, default 120; a command still running then is killed with its guest.
# Packages: user-mode-linux, busybox-static, iproute2.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 COMMAND [ARGUMENT...]" >&2; exit 125; }
command -v linux.uml >/dev/null || { echo "$0: user-mode-linux is not installed" >&2; exit 125; }

room=$(mktemp -d "${TMPDIR:-/tmp}/guest.XXXXXX")
trap 'rm -rf "$room"' EXIT
mkdir "$room/tmp" "$room/out"

# One word for the shell, whatever is in it.
quote() { printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }
{
  printf 'cd '; quote "$PWD"; echo
  printf 'exec '; for word in "$@"; do quote "$word"; done; echo
} >"$room/command"

# Nothing of the guest reads our input: a terminal left raw by it would be a nuisance.
timeout --signal=TERM --kill-after=5 "${PW_GUEST_SECONDS:-120}" linux.uml \
  mem="${PW_GUEST_MEM:-192M}" uml_dir="$room" root=98:0 rootfstype=hostfs rootflags=/ ro \
  init="$here/guest-init" con=null con0=null,fd:1 ssl=null quiet loglevel=1 \
  PW_ROOM="$room" PW_WRITABLE="${PW_GUEST_WRITABLE:-}" </dev/null 2>"$room/boot" || true

if [ ! -s "$room/out/status" ]; then
  echo "$0: the guest ended without a status" >&2
  tail -n 20 "$room/boot" >&2
  exit 125
fi
exit "$(cat "$room/out/status")"
