#!/bin/sh
# In the guest: the whole station charges the simulator's scooter over the kernel's SocketCAN; a
# bus-off of the controller stops the charge and is shown, and the station comes back by itself.
#   station-on-vcan.sh FOLDER_OF_THE_PROGRAMS
set -eu
bin=$1
cd "$TMPDIR"
umask 077
cat >station.yaml <<YAML
station:
  id: GUEST-1
can:
  bus0: socketcan:vcan0
console:
  device: "off"
session:
  free_id_tag: FREE
connectors:
  - kind: dc
YAML
"$bin/pilotwire-sim" dc --can socketcan:vcan0 --plugged --soc 40 --status 0 >sim.log 2>&1 </dev/null &
sim=$!
"$bin/pilotwire-station" --config station.yaml --data data --control control >station.log 2>&1 </dev/null &
station=$!

field() { # of the first connector
    "$bin/pilotwire" --station "$PWD/control" --json status 2>/dev/null |
        sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1
}
until_field() { # NAME VALUE SECONDS
    tries=$(($3 * 5))
    while [ "$tries" -gt 0 ]; do
        [ "$(field "$1")" = "$2" ] && return 0
        tries=$((tries - 1))
        sleep 0.2
    done
    echo "station-on-vcan: $1 is \"$(field "$1")\", not \"$2\", after $3 s" >&2
    tail -n 40 station.log sim.log >&2
    exit 1
}

until_field status Charging 40
echo "charging over vcan0"
cansend vcan0 20000040#0000000000000000
until_field status Faulted 5
until_field contactor false 5
grep -q 'state=bus-off' station.log || { echo "no log line about bus-off" >&2; exit 1; }
echo "stopped by bus-off"
# On a vcan everybody hears the error frame, so the simulator's own controller is off as well. The
# station restarts its own after the back-off; then the other one is told that it was restarted.
sleep 3
grep -q 'from=bus-off to=active' station.log || { echo "no restart after the back-off" >&2; exit 1; }
cansend vcan0 20000100#0000000000000000
until_field status Charging 45
echo "charging again"
kill -TERM "$station"
wait "$station"
kill -TERM "$sim"
wait "$sim"
