#!/usr/bin/env python3
"""Runs the central system, a simulated dc charging bay and a station together.

Interactive (make run): charges until Ctrl-C, vehicle after vehicle.
Unattended (make run DEMO_SECONDS=90): one charge on a faster clock that all programs share; ends by
itself, compares the energies of station, central system and physics, and prints one JSON object as
its last line. Exit status 0 only when all of it holds.
"""
import argparse
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

STATION = "PW-DEMO-1"
CARD = "DEMO-CARD"
BUS_GROUP = "239.74.163.2"
AGREE = 0.005  # energies agree within half a percent ...
AGREE_WH = 1.0  # ... or one watt hour, the grain of OCPP's meter registers


class Failed(Exception):
    pass


def free_port(preferred, kind, address="127.0.0.1"):
    """A port nobody has at that very address: a multicast bus is bound to its group, not to us."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # A connection of an earlier run that is still fading away does no harm.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise Failed("no free port")


class Program:
    """One of our programs: its output goes to a log file, and to whoever waits for a line."""

    def __init__(self, name, command, folder, env):
        self.name = name
        self.lines = []
        self.changed = threading.Condition()
        self.log_path = os.path.join(folder, name + ".log")
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=env, text=True, bufsize=1,
                                        start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
            self.log.write(line)
            self.log.flush()
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, pattern, seconds):
        end = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                if self.process.poll() is not None:
                    raise Failed(f"{self.name} ended; its log is {self.log_path}")
                left = end - time.monotonic()
                if left <= 0:
                    raise Failed(f"{self.name} did not say \"{pattern}\"; see {self.log_path}")
                self.changed.wait(min(left, 0.5))

    def stop(self, seconds=10):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(2)
        self.log.close()
        return self.process.returncode


class Central:
    """The central system's REST interface."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.csrf = ""

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method)
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.csrf:
            request.add_header("X-CSRF", self.csrf)
        with self.opener.open(request, data, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def login(self, password):
        self.csrf = self.call("POST", "/api/v1/login",
                              {"user": "admin", "password": password})["csrf"]

    def station(self):
        return self.call("GET", f"/api/v1/stations/{STATION}")

    def sessions(self):
        return self.call("GET", f"/api/v1/sessions?station={STATION}&limit=50")["sessions"]


class Demo:
    def __init__(self, args):
        self.args = args
        self.bin = os.path.join(args.build, "bin")
        self.folder = os.path.abspath(args.data)
        self.programs = []
        self.speed = args.speed if args.speed else (10 if args.seconds else 1)
        self.env = dict(os.environ)
        if self.speed != 1:
            now = int(time.time() * 1000)
            self.env["PILOTWIRE_CLOCK"] = f"{now}:{now}:{self.speed}"

    def program(self, name):
        return os.path.join(self.bin, name)

    def run(self, *command):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=30,
                              check=False)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {done.stdout}{done.stderr}".strip())
        return done.stdout.strip()

    def start(self, name, *command):
        program = Program(name, command, self.folder, self.env)
        self.programs.append(program)
        return program

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return path

    def start_all(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, mode=0o700)
        port = free_port(8180, socket.SOCK_STREAM)
        bus = f"mcast:{BUS_GROUP}:{free_port(43113, socket.SOCK_DGRAM, BUS_GROUP)}"
        data = os.path.join(self.folder, "central")
        os.makedirs(data)
        central = self.program("pilotwire-central")
        key = self.run(central, "--data", data, "station", "add", STATION).split()[-1]
        self.run(central, "--data", data, "card", "add", CARD, "Demo card")
        self.central = self.start("central", central, "--data", data, "--listen",
                                  f"127.0.0.1:{port}")
        password = self.central.wait_for(r"admin with the password (\S+)", 20).group(1)
        self.central.wait_for(r"Dashboard:", 20)
        self.rest = Central(f"http://127.0.0.1:{port}")
        self.rest.login(password)
        self.sim = self.start("sim", self.program("pilotwire-sim"), "dc", "--can", bus, "--vehicle",
                              self.args.vehicle, "--soc", str(self.args.soc), "--control",
                              os.path.join(self.folder, "sim.sock"), "--card-reader",
                              "pty:" + os.path.join(self.folder, "card"))
        self.wait_until(lambda: os.path.exists(os.path.join(self.folder, "card")), 10,
                        "the simulator's card reader")
        config = self.write("station.yaml", f"""station:
  id: {STATION}
  vendor: Pilotwire
  model: DC station
can:
  bus0: "{bus}"
card_reader:
  device: {os.path.join(self.folder, 'card')}
ocpp:
  url: ws://127.0.0.1:{port}/ocpp
metering:
  sample_interval_s: 10
connectors:
  - kind: dc
""")
        secrets = self.write("secrets.yaml", f"ocpp:\n  authorization_key: {key}\n")
        self.station_started = time.monotonic()
        self.station = self.start("station", self.program("pilotwire-station"), "--config", config,
                                  "--secrets", secrets, "--data",
                                  os.path.join(self.folder, "station"), "--control",
                                  os.path.join(self.folder, "station.sock"))
        return port, password

    def wait_until(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except (OSError, ValueError, LookupError, TypeError):
                pass
            for program in self.programs:
                if program.process.poll() is not None:
                    raise Failed(f"{program.name} ended; its log is {program.log_path}")
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {seconds:.0f} s; logs are in {self.folder}")
            time.sleep(0.1)

    def ask(self, name, line):
        """One line to a control socket; the answer, up to the line that ends it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(5)
            link.connect(os.path.join(self.folder, name + ".sock"))
            link.sendall((line + "\n").encode())
            text = b""
            while True:
                part = link.recv(65536)
                text += part
                if not part or text.endswith(b"\n.\n") or b"}\n" in text or b"\n\n" in text:
                    break
        return text.decode()

    def status(self):
        text = self.ask("station", "json status")
        return json.loads(text[text.index("{"):text.rindex("}") + 1])

    def truth(self):
        text = self.ask("sim", "status")
        return json.loads(text[text.index("{"):text.rindex("}") + 1])

    def tell_sim(self, line):
        self.sim.process.stdin.write(line + "\n")
        self.sim.process.stdin.flush()

    def connector(self):
        return self.status()["connectors"][0]

    def is_charging(self):
        at = self.connector()
        return at["status"] == "Charging" and (at["current_a"] or 0) > 1

    def begin_charge(self):
        self.wait_until(lambda: self.status()["central"] == "online", 30,
                        "the station at the central system")
        self.tell_sim("plug")
        self.wait_until(lambda: self.connector()["status"] == "Preparing", 20, "plugged in")
        self.tell_sim(f"card {CARD}")
        self.wait_until(self.is_charging, 40, "the charge")

    def end_charge(self):
        self.tell_sim(f"card {CARD}")
        self.wait_until(lambda: self.connector()["status"] in ("Finishing", "Available"), 40,
                        "the end of the charge")
        self.tell_sim("unplug")
        self.wait_until(lambda: self.connector()["status"] == "Available", 60, "unplugged")

    def stop_all(self):
        codes = {}
        for program in reversed(self.programs):
            codes[program.name] = program.stop()
        self.programs = []
        return codes

    # -----------------------------------------------------------------------------------------

    def interactive(self):
        port, password = self.start_all()
        print(f"""
  Dashboard   http://127.0.0.1:{port}/
  Log in      user admin, password {password}

  Station     {self.program('pilotwire')} --station {self.folder}/station.sock status
  Logs        {self.folder}/*.log
  Ctrl-C ends everything.
""", flush=True)
        self.begin_charge()
        print("  A scooter is charging.", flush=True)
        waiting = 0
        shown = time.monotonic()
        while True:
            time.sleep(1)
            for program in self.programs:
                if program.process.poll() is not None:
                    raise Failed(f"{program.name} ended; its log is {program.log_path}")
            try:
                at = self.connector()
            except (OSError, ValueError):
                continue
            if time.monotonic() - shown >= 30:
                shown = time.monotonic()
                soc = at["soc_percent"]
                print(f"  {at['status']}: {at['power_w'] or 0:.0f} W, "
                      f"{'?' if soc is None else soc} %, {at['energy_wh']:.0f} Wh", flush=True)
            # A full scooter leaves after a while and the next one comes.
            waiting = waiting + 1 if at["status"] == "Finishing" else 0
            if waiting >= 60:
                self.tell_sim("unplug")
                self.wait_until(lambda: self.connector()["status"] == "Available", 60, "unplugged")
                self.tell_sim(f"soc {self.args.soc}")
                self.begin_charge()
                waiting = 0

    def unattended(self):
        begun = time.monotonic()
        port, password = self.start_all()
        print(f"demo: dashboard http://127.0.0.1:{port}/ (admin, {password}), {self.speed} times "
              f"real speed, {self.args.seconds} s", flush=True)
        self.begin_charge()
        first = self.connector()
        print(f"demo: charging {first['vehicle_model'] or 'a scooter'} at "
              f"{first['power_w']:.0f} W, {time.monotonic() - begun:.1f} s after the start",
              flush=True)
        # The central system must show it live, not only afterwards.
        self.wait_until(lambda: (self.rest.station()["connectors"][-1]["power_w"] or 0) > 100, 20,
                        "the charge at the central system")
        end = begun + self.args.seconds - 12
        while time.monotonic() < end:
            time.sleep(min(5, max(0.1, end - time.monotonic())))
            at = self.connector()
            print(f"demo: {at['status']} {at['power_w'] or 0:.0f} W {at['soc_percent']} % "
                  f"{at['energy_wh']:.0f} Wh", flush=True)
        last = self.connector()
        vehicle = self.rest.station()["connectors"][-1].get("vehicle") or {}
        self.end_charge()
        self.wait_until(lambda: self.rest.sessions() and
                        all(s["stop_at"] for s in self.rest.sessions()), 20,
                        "the receipt at the central system")
        result = self.result(last, vehicle)
        codes = self.stop_all()
        result["exit_codes"] = codes
        problems = self.problems(result)
        for problem in problems:
            print(f"demo: {problem}", file=sys.stderr)
        print(json.dumps(result), flush=True)
        return 1 if problems else 0

    def result(self, last, vehicle):
        status = self.status()
        truth = self.truth()
        sessions = self.rest.sessions()
        return {
            "station": STATION,
            "vehicle_model": sessions[0]["vehicle_model"],
            "soc_start": sessions[0]["soc_start"],
            "soc_end": sessions[0]["soc_end"],
            "range_km": vehicle.get("range_km"),
            "energy_wh_station": round(last_energy(status, last), 1),
            "energy_wh_central": sum(s["energy_wh"] for s in sessions),
            "energy_wh_physical": truth["energy_wh_physical"],
            "transactions": len(sessions),
            "lost": status["messages_waiting"] + status["messages_parked"] +
                    status["messages_dropped"],
            # In real milliseconds: the station counts on the clock that all programs share.
            "ocpp_connect_ms": round(status["connect_ms"] / self.speed, 1),
            "speed": self.speed,
        }

    @staticmethod
    def problems(result):
        found = []
        physical = result["energy_wh_physical"]
        if physical < 20:
            found.append(f"only {physical} Wh were delivered")
        for name in ("energy_wh_station", "energy_wh_central"):
            off = abs(result[name] - physical)
            if off > max(AGREE * physical, AGREE_WH):
                found.append(f"{name} is {result[name]}, physics says {physical}")
        for name in ("vehicle_model", "soc_start", "soc_end", "range_km"):
            if result[name] in (None, ""):
                found.append(f"{name} is not known")
        if result["transactions"] != 1:
            found.append(f"{result['transactions']} transactions instead of 1")
        if result["lost"] != 0:
            found.append(f"{result['lost']} messages did not arrive")
        for name, code in result["exit_codes"].items():
            if code != 0:
                found.append(f"{name} ended with status {code}")
        return found


def last_energy(status, last):
    """The station's own register of the charge: its last word, after the contactor opened."""
    now = status["connectors"][0]["energy_wh"]
    return now if now >= last["energy_wh"] else last["energy_wh"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/release", help="folder of the built programs")
    parser.add_argument("--data", default="build/demo", help="folder made anew for data and logs")
    parser.add_argument("--seconds", type=int, help="run unattended for so long (40..3600)")
    parser.add_argument("--speed", type=float, help="times real speed (1; unattended 10)")
    parser.add_argument("--vehicle", default="classic", choices=["classic", "pro", "max"])
    parser.add_argument("--soc", type=int, default=35, help="state of charge at the start, percent")
    args = parser.parse_args()
    if args.seconds is not None and not 40 <= args.seconds <= 3600:
        parser.error(f"--seconds: {args.seconds} is not allowed; it must be 40..3600")
    if args.speed is not None and not 0.1 <= args.speed <= 100:
        parser.error(f"--speed: {args.speed} is not allowed; it must be 0.1..100")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    demo = Demo(args)
    try:
        if args.seconds is None:
            demo.interactive()
            return 0
        return demo.unattended()
    except KeyboardInterrupt:
        print("\ndemo: ending", flush=True)
        codes = demo.stop_all()
        return 0 if all(code == 0 for code in codes.values()) else 1
    except Failed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    finally:
        demo.stop_all()


if __name__ == "__main__":
    sys.exit(main())
