#!/usr/bin/env python3
"""Runs every benchmark and prints one table, then one JSON object (also build/bench/bench.json).

Each figure stands beside a target, and beside something real measured in the same run or published.
Nothing here fails on a figure: numbers are for reading. A benchmark that cannot run does fail.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from demo import Demo, Failed  # noqa: E402

STARTS = 7
CHARGE_S = 20
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
TICKS = os.sysconf("SC_CLK_TCK")


def run_program(path):
    done = subprocess.run([path], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failed(f"{path}: {done.stderr.strip()}")
    return next(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_kb(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE_KB


def restart_station(demo, place):
    """Stops the station and starts it again; milliseconds from exec to an accepted boot."""
    command = place.station.process.args
    place.station.stop()
    demo.programs.remove(place.station)
    begun = time.monotonic()
    place.station = demo.start(f"{place.tag}-station", *command)
    place.station.wait_for(r"boot status=online", 20)
    return (time.monotonic() - begun) * 1000


def measure_charge(place):
    """CPU and memory of a station while it charges."""
    pid = place.station.process.pid
    before = cpu_s(pid)
    begun = time.monotonic()
    time.sleep(CHARGE_S)
    cpu = 100 * (cpu_s(pid) - before) / (time.monotonic() - begun)
    return {"rss_mb": round(rss_kb(pid) / 1024, 1), "cpu_percent_charging": round(cpu, 2)}


def measure_station(build):
    args = argparse.Namespace(build=build, data=os.path.join(build, "demo"), seconds=None, speed=1,
                              vehicle="classic", soc=30, car="honest")
    demo = Demo(args)
    try:
        demo.start_all()
        demo.dc.station.wait_for(r"boot status=online", 20)
        starts = [restart_station(demo, demo.dc) for _ in range(STARTS)]
        demo.dc.begin_charge()
        demo.house.begin_charge()
        time.sleep(3)
        return {"bench": "station", "start_to_accepted_ms_median": round(statistics.median(starts), 1),
                "start_to_accepted_ms_max": round(max(starts), 1), **measure_charge(demo.dc),
                "openevse": measure_charge(demo.house)}
    finally:
        demo.stop_all()


def read_sizes(path):
    sizes = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            name, value = line.split("\t")[:2]
            sizes[name] = int(value)
    return {"bench": "cortex-m4", **sizes,
            "text_total": sum(v for k, v in sizes.items() if k.endswith(".text")),
            "ram_station": sizes["struct.pw_station"]}


def rows(figures):
    codec, latency, street = figures["codec"], figures["latency"], figures["street"]
    edge, mqtt, house = figures["edge"], figures["mqtt"], figures["house"]
    station, sizes, load = figures["station"], figures["cortex-m4"], figures["load"]
    journal, ocpp, central = figures["journal"], figures["ocpp"], figures["central"]
    return [
        (f"codec parse, {codec['bytes']} B MeterValues", f"{codec['parse_ns']:.0f} ns",
         f"{codec['parse_ratio']:.1f}x cJSON ({codec['cjson_parse_ns']:.0f} ns)", ">= 5x"),
        ("codec parse+validate", f"{codec['check_ns']:.0f} ns",
         f"{codec['check_ratio']:.1f}x cJSON with the same checks ({codec['cjson_check_ns']:.0f} ns), "
         f"{codec['cjson_parse_ns'] / codec['check_ns']:.1f}x cJSON without any", ">= 5x"),
        ("codec encode", f"{codec['encode_ns']:.0f} ns",
         f"{codec['encode_ratio']:.1f}x cJSON ({codec['cjson_encode_ns']:.0f} ns)", ""),
        ("CAN frame to decision under flood, p50", f"{latency['p50_us']:.0f} us",
         f"loopback datagram {latency['loopback_p50_us']:.0f} us", ""),
        ("CAN frame to decision under flood, p99", f"{latency['p99_us']:.0f} us",
         f"{latency['seed_us'] / latency['p99_us']:.0f}x below the seed's 10 ms", "< 1000 us"),
        ("pilot edge to contactor command, link flooded",
         f"p50 {edge['contactor_p50_us'] / 1000:.1f} ms, p99 {edge['contactor_p99_us'] / 1000:.1f} ms",
         f"max {edge['contactor_max_us'] / 1000:.1f} ms, debouncing included", "max 100 ms"),
        ("pilot edge to event on the wire, link flooded",
         f"p50 {edge['event_p50_us'] / 1000:.1f} ms, p99 {edge['event_p99_us'] / 1000:.1f} ms",
         f"max {edge['event_max_us'] / 1000:.1f} ms, debouncing included", "max 50 ms"),
        ("MQTT setting, published to echoed",
         f"p50 {mqtt['p50_us'] / 1000:.2f} ms, p99 {mqtt['p99_us'] / 1000:.2f} ms",
         f"{mqtt['ratio']:.1f}x the same broker's bare echo ({mqtt['echo_p50_us'] / 1000:.2f} ms)", ""),
        ("start to BootNotification accepted", f"{station['start_to_accepted_ms_median']:.0f} ms",
         f"{5000 / station['start_to_accepted_ms_median']:.0f}x below the seed's 5 s", "< 200 ms"),
        ("station memory while charging", f"{station['rss_mb']:.1f} MB", "", "< 10 MB"),
        ("station CPU while charging", f"{station['cpu_percent_charging']:.2f} %",
         "seed 15 % of two small cores", "< 1 %"),
        ("OpenEVSE station with its house, memory while charging",
         f"{station['openevse']['rss_mb']:.1f} MB", "", "< 10 MB"),
        ("OpenEVSE station with its house, CPU while charging",
         f"{station['openevse']['cpu_percent_charging']:.2f} %", "", "< 1 %"),
        ("Cortex-M4 code, core + proto + station", f"{sizes['text_total'] / 1024:.0f} kB", "", ""),
        ("Cortex-M4 RAM of one whole station", f"{sizes['ram_station'] / 1024:.0f} kB",
         f"{180 * 1024 / sizes['ram_station']:.1f}x below the seed's 180 kB", ""),
        (f"journal opened, {journal['messages']} messages wait", f"{journal['open_ms']:.0f} ms",
         f"{journal['bytes']} B of memory; {journal['leave_per_s']:.0f} messages/s leave it", "< 1000 ms"),
        ("heartbeat at the central, p99", f"{central['quiet_p99_us']:.0f} us",
         f"while 1,000 keys/s are guessed from 1 address {central['keys_1_p99_us']:.0f} us, from 100 "
         f"{central['keys_100_p99_us']:.0f} us; passwords {central['passwords_1_p99_us']:.0f}, "
         f"{central['passwords_100_p99_us']:.0f} us", "<= 2x"),
        (f"OCPP of one charge, boot to stop, {ocpp['calls']} calls", f"{ocpp['best_us']:.0f} us",
         "MicroOcpp publishes 14212 us for authorize, start and stop, on an ESP32: another machine", ""),
        *([("Cortex-M4 code of OCPP 1.6", f"{sizes['ocpp.text']} B", "MicroOcpp publishes 143475 B", "")]
          if "ocpp.text" in sizes else []),
        ("street, charging", f"{street['charging_station_hours_per_s']:.0f} station-h/s", "", ""),
        ("street, idle", f"{street['idle_station_hours_per_s']:.0f} station-h/s",
         f"the world alone {street['idle_world_alone_hours_per_s']:.0f} h/s", ""),
        ("street, an outlet charging", f"{street['charging_outlet_hours_per_s']:.0f} station-h/s",
         f"idle {street['idle_outlet_hours_per_s']:.0f} station-h/s", ""),
        (f"load shared anew, {load['members']} stations, {load['circuits']} circuits", f"{load['median_ms']:.2f} ms",
         f"worst {load['worst_ms']:.2f} ms; one circuit by single mA {load['slow_ms']:.1f} ms, qsort {load['qsort_ms']:.2f} ms",
         "< 5 ms"),
        ("current transformer's sample to new duty, decision",
         f"p50 {house['decision_p50_us']:.0f} us, p99 {house['decision_p99_us']:.0f} us",
         f"{house['ratio']:.0f} turns without news; the samples themselves {house['samples_p99_ms']:.0f} ms",
         "< 1000 us"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/bench", help="folder of the bench preset")
    parser.add_argument("--sizes", default="build/cortex-m/sizes.tsv", help="Cortex-M4 sizes")
    args = parser.parse_args()
    figures = {}
    try:
        for name in ("codec", "latency", "edge", "mqtt", "street", "load", "house", "journal", "ocpp", "central"):
            print(f"bench: {name}", file=sys.stderr, flush=True)
            figures[name] = run_program(os.path.join(args.build, "bench", f"bench_{name}"))
        print("bench: station", file=sys.stderr, flush=True)
        figures["station"] = measure_station(args.build)
        figures["cortex-m4"] = read_sizes(args.sizes)
    except (Failed, OSError, subprocess.TimeoutExpired) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    table = [("what", "figure", "beside it", "target")] + rows(figures)
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    text = json.dumps(figures)
    with open(os.path.join(args.build, "bench.json"), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
