#!/bin/sh
# In the guest: the whole station charges the simulator's scooter over the kernel's SocketCAN. First
# with both on one vcan; then the station on a serial adapter's slcan interface, whose controller
# goes bus-off alone: the charge stops and is shown, the interface is restarted as a technician (or
# the network setup) does it, and the same transaction charges on.
#   station-on-can.sh FOLDER_OF_THE_PROGRAMS ADAPTER
set -eu
bin=$1
adapter=$2
cd "$TMPDIR"
umask 077

fail() {
    echo "station-on-can: $*" >&2
    tail -n 40 station.log sim.log adapter.log >&2 || true
    exit 1
}

start() { # INTERFACE_OF_THE_STATION
    rm -rf data control
    cat >station.yaml <<YAML
station:
  id: GUEST-1
can:
  bus0: socketcan:$1
console:
  device: "off"
session:
  free_id_tag: FREE
charging:
  plug_and_charge: true
connectors:
  - kind: dc
YAML
    "$bin/pilotwire-sim" dc --can socketcan:vcan0 --plugged --soc 40 --status 0 \
        --control "$PWD/sim" >sim.log 2>&1 </dev/null &
    sim=$!
    "$bin/pilotwire-station" --config station.yaml --data data --control control \
        >station.log 2>&1 </dev/null &
    station=$!
}

end() { # NAME PID
    kill -TERM "$2" || fail "$1 has ended before it was told to"
    wait "$2" || fail "$1 ended with status $?"
}

status() { "$bin/pilotwire" --station "$PWD/control" --json status 2>/dev/null || true; }
truth() { "$bin/pilotwire-sim" tell "$PWD/sim" status 2>/dev/null || true; }
field() { # SOURCE NAME
    "$1" | sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1
}
until_field() { # SOURCE NAME VALUE SECONDS
    last=$(($(date +%s) + $4))
    until [ "$(field "$1" "$2")" = "$3" ]; do
        [ "$(date +%s)" -le "$last" ] || fail "$1: $2 is \"$(field "$1" "$2")\", not \"$3\", after $4 s"
        sleep 0.1
    done
}
must_be() { # SOURCE NAME VALUE
    is=$(field "$1" "$2")
    [ "$is" = "$3" ] || fail "$1: $2 is \"$is\", not \"$3\""
}
log_has() { grep -q "$1" station.log || fail "no line of the station's log has: $1"; }

# "Charging" comes with the transaction; this is what the driver would call charging.
must_charge() {
    until_field status status Charging 30
    until_field truth contactor_closed true 15
    until_field status contactor true 5
    last=$(($(date +%s) + 10))
    until [ "$(field truth connector_a | cut -d. -f1)" -ge 20 ] 2>/dev/null; do
        [ "$(date +%s)" -le "$last" ] || fail "current is \"$(field truth connector_a)\" A, not 20 A or more"
        sleep 0.1
    done
}

start vcan0
must_charge
echo "charging over vcan0: $(field truth connector_a) A"
end station "$station"
end simulator "$sim"

"$adapter" vcan0 >adapter.name 2>adapter.log </dev/null &
serial=$!
tries=50
until [ -s adapter.name ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "the adapter made no interface"
    sleep 0.1
done
ip link set "$(cat adapter.name)" name slcan0
ip link set slcan0 type can bitrate 250000
ip link set slcan0 up
start slcan0
must_charge
sleep 2 # some energy, so that a second count from zero would show
before=$(field status energy_wh)
echo "charging over slcan0: $(field truth connector_a) A, $before Wh"

kill -USR1 "$serial"
told=$(date +%s%3N)
until_field status status Faulted 5
until_field status contactor false 5
until_field truth contactor_closed false 5
took=$(($(date +%s%3N) - told))
[ "$took" -le 5000 ] || fail "contactor open only $took ms after bus-off"
must_be truth connector_a 0
must_be truth bus0 active # the simulator's own controller is well
status | grep -q '"can":\["bus-off"\]' || fail "status shows no bus-off: $(status)"
log_has 'can bus bus=0 state=bus-off'
still=$(field truth energy_wh_physical)
sleep 4 # the station opens its wire again meanwhile, which restarts no controller
ip -d link show slcan0 | grep -q 'state BUS-OFF' || fail "bus-off went by itself"
must_be status status Faulted
must_be status phase active
must_be truth connector_a 0
must_be truth energy_wh_physical "$still"
echo "stopped by bus-off: $(field status info), contactor open after $took ms, $still Wh stays"

ip link set slcan0 down
ip link set slcan0 up
must_charge
after=$(field status energy_wh)
awk -v a="$after" -v b="$before" 'BEGIN { exit !(b > 0 && a >= b) }' ||
    fail "the session counts $after Wh, before bus-off $before Wh"
[ "$(grep -c 'from=beginning to=active' station.log)" = 1 ] || fail "not one transaction"
! grep -q 'session phase .*from=active' station.log || fail "bus-off ended the transaction"
echo "charging again after the restart, same transaction: $(field truth connector_a) A, $after Wh" \
    "(simulator: $(field truth energy_wh_physical) Wh," \
    "contactor opened under load $(field truth opened_loaded) times)"

end station "$station"
end simulator "$sim"
end adapter "$serial"
