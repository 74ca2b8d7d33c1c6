#!/usr/bin/env python3
"""Runs the central system with three stations, each before its simulator: a dc bay, an AC outlet,
and a house with an OpenEVSE board that is kept below its main breaker.

Interactive (make run): charges until Ctrl-C, vehicle after vehicle.
Unattended (make run DEMO_SECONDS=90): one charge at each station, at real speed unless told otherwise (a
busy machine is late for a board at twice the speed); ends by itself, compares the energies of stations, central system and physics, and prints one
JSON object as its last line. Exit status 0 only when all of it holds.
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

DC = "PW-DEMO-1"
AC = "PW-DEMO-2"
HOUSE = "PW-DEMO-3"
BUS_GROUP = "239.74.163.2"
AGREE = 0.005  # energies agree within half a percent ...
AGREE_WH = 1.0  # ... and one watt hour, the grain of OCPP's meter registers
# An OpenEVSE board's own ammeter reads up to a percent low, and averages over 1.9 s: at each end of
# a charge of 11 kW that is 6 Wh.
BOARD_AGREE = 0.015
BOARD_AGREE_WH = 8.0


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

    def station(self, name):
        return self.call("GET", f"/api/v1/stations/{name}")

    def sessions(self, name):
        return self.call("GET", f"/api/v1/sessions?station={name}&limit=50")["sessions"]


class Place:
    """One station with the simulator of its hardware and its vehicle."""

    def __init__(self, demo, name, tag):
        self.demo = demo
        self.name = name
        self.tag = tag  # of files and programs, and the simulator's kind
        self.id_tag = f"DEMO-{tag.upper()}"  # a card charges at one place at a time
        self.card = demo.path(f"{tag}-card")
        self.sim = None
        self.station = None
        self.started = 0.0

    def simulate(self, *options):
        demo = self.demo
        self.sim = demo.start(f"{self.tag}-sim", demo.program("pilotwire-sim"), self.tag, *options,
                              "--soc", str(demo.args.soc), "--control",
                              demo.path(f"{self.tag}-sim.sock"), "--card-reader",
                              "pty:" + self.card)
        demo.wait_until(lambda: os.path.exists(self.card), 10, "the simulator's card reader")

    def start(self, config, key):
        demo = self.demo
        file = demo.write(f"{self.tag}-station.yaml", config)
        secrets = demo.write(f"{self.tag}-secrets.yaml", f"ocpp:\n  authorization_key: {key}\n")
        self.started = time.monotonic()
        self.station = demo.start(f"{self.tag}-station", demo.program("pilotwire-station"),
                                  "--config", file, "--secrets", secrets, "--data",
                                  demo.path(f"{self.tag}-station"), "--control",
                                  demo.path(f"{self.tag}-station.sock"))

    def status(self):
        return self.demo.ask(f"{self.tag}-station", "json status")

    def truth(self):
        return self.demo.ask(f"{self.tag}-sim", "status")

    def connector(self):
        return self.status()["connectors"][0]

    def tell_sim(self, line):
        self.sim.process.stdin.write(line + "\n")
        self.sim.process.stdin.flush()

    def is_charging(self):
        at = self.connector()
        return at["status"] == "Charging" and (at["power_w"] or 0) > 100

    def has_status(self, *words):
        return self.connector()["status"] in words

    def begin_charge(self):
        wait = self.demo.wait_until
        wait(lambda: self.status()["central"] == "online", 30, f"{self.name} at the central system")
        wait(lambda: self.has_status("Available"), 30, f"{self.name} available")
        self.tell_sim("plug")
        wait(lambda: self.has_status("Preparing"), 20, f"{self.name} plugged in")
        self.tell_sim(f"card {self.id_tag}")
        wait(self.is_charging, 40, f"the charge at {self.name}")

    def end_charge(self):
        wait = self.demo.wait_until
        self.tell_sim(f"card {self.id_tag}")
        wait(lambda: self.has_status("Finishing", "Available"), 40,
             f"the end of the charge at {self.name}")
        self.tell_sim("unplug")
        wait(lambda: self.has_status("Available"), 60, f"{self.name} unplugged")

    def line(self):
        at = self.connector()
        soc = at["soc_percent"]
        return (f"{self.name} {at['status']} {at['power_w'] or 0:.0f} W "
                f"{'?' if soc is None else soc} % {at['energy_wh']:.0f} Wh")


class Demo:
    def __init__(self, args):
        self.args = args
        self.bin = os.path.join(args.build, "bin")
        self.folder = os.path.abspath(args.data)
        self.programs = []
        # A board that is not heard for 200 ms of the shared clock is lost: no faster than that.
        self.speed = args.speed if args.speed else 1
        self.env = dict(os.environ)
        if self.speed != 1:
            now = int(time.time() * 1000)
            self.env["PILOTWIRE_CLOCK"] = f"{now}:{now}:{self.speed}"
        self.dc = Place(self, DC, "dc")
        self.ac = Place(self, AC, "ac")
        self.house = Place(self, HOUSE, "openevse")
        self.places = (self.dc, self.ac, self.house)

    def path(self, name):
        return os.path.join(self.folder, name)

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
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return path

    def start_central(self):
        """Keys of the stations, the password, and the lines of a station's file that name it."""
        port = free_port(8180, socket.SOCK_STREAM)
        link = free_port(8190, socket.SOCK_STREAM)
        data = self.path("central")
        os.makedirs(data)
        central = self.program("pilotwire-central")
        keys = [self.run(central, "--data", data, "station", "add", place.name).split()[-1]
                for place in self.places]
        for place in self.places:
            self.run(central, "--data", data, "card", "add", place.id_tag, "Demo card")
        pin = self.run(central, "--data", data, "link", "pin").split()[-1]
        program = self.start("central", central, "--data", data, "--listen", f"127.0.0.1:{port}",
                             "--link-listen", f"127.0.0.1:{link}")
        password = program.wait_for(r"admin with the password (\S+)", 20).group(1)
        program.wait_for(r"Dashboard:", 20)
        self.rest = Central(f"http://127.0.0.1:{port}")
        self.rest.login(password)
        lines = f"""ocpp:
  url: ws://127.0.0.1:{port}/ocpp
uplink:
  url: tls://127.0.0.1:{link}
  pin: {pin}
metering:
  sample_interval_s: 10
"""
        return keys, password, port, lines

    def start_all(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, mode=0o700)
        keys, password, port, central = self.start_central()
        bus = f"mcast:{BUS_GROUP}:{free_port(43113, socket.SOCK_DGRAM, BUS_GROUP)}"
        front = self.path("ac-front")
        self.dc.simulate("--can", bus, "--vehicle", self.args.vehicle)
        signing, signer = "", ""
        options = ["--link", front, "--report", "10", "--car", self.args.car]
        if self.args.signing:
            signer = f"modbus:tcp:127.0.0.1:{free_port(1503, socket.SOCK_STREAM)}/1/bsm"
            options += ["--meter", signer, "--meter-key", self.path("ac-meter.pem")]
            signing = "  sign_sampled: true\n"
            signer = f"    meter: {signer}\n"
        self.ac.simulate(*options)
        self.write("board.yaml", f"board:\n  kind: frontend\nfrontend:\n  device: {front}\n")
        board = self.path("openevse-board")
        meter = f"modbus:tcp:127.0.0.1:{free_port(1502, socket.SOCK_STREAM)}/1/sdm630"
        self.house.simulate("--link", board, "--board", "8.2.3-eu", "--meter", meter,
                            "--car", self.args.car)
        self.dc.start(f"""station:
  id: {DC}
  vendor: Pilotwire
  model: DC station
can:
  bus0: "{bus}"
{self.common(self.dc, 8181)}{central}connectors:
  - kind: dc
""", keys[0])
        self.ac.start(f"""station:
  id: {AC}
  vendor: Pilotwire
  model: AC station
{self.common(self.ac, 8182)}{central}{signing}connectors:
  - kind: pilot
    board: board.yaml
    ac_current_max_ma: 16000
{signer}""", keys[1])
        self.house.start(f"""station:
  id: {HOUSE}
  vendor: Pilotwire
  model: OpenEVSE station
{self.common(self.house, 8183)}{central}  house_meter: "{meter}"
house:
  load_management: true
  breaker_ma: 25000
connectors:
  - kind: openevse
    rapi_cable: "serial:{board}@115200"
    ac_current_max_ma: 16000
""", keys[2])
        return port, password

    def common(self, place, page):
        return f"""card_reader:
  device: {place.card}
page:
  listen: 127.0.0.1:{free_port(page, socket.SOCK_STREAM)}
"""

    def wait_until(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except (OSError, ValueError, LookupError, TypeError):
                pass
            self.check_programs()
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {seconds:.0f} s; logs are in {self.folder}")
            time.sleep(0.1)

    def check_programs(self):
        for program in self.programs:
            if program.process.poll() is not None:
                raise Failed(f"{program.name} ended; its log is {program.log_path}")

    def ask(self, name, line):
        """One line to a control socket; the JSON object of the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(5)
            link.connect(self.path(name + ".sock"))
            link.sendall((line + "\n").encode())
            text = b""
            while True:
                part = link.recv(65536)
                text += part
                if not part or text.endswith(b"\n.\n") or b"}\n" in text or b"\n\n" in text:
                    break
        answer = text.decode()
        return json.loads(answer[answer.index("{"):answer.rindex("}") + 1])

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

  DC station  {self.program('pilotwire')} --station {self.path('dc-station.sock')} status
  AC station  {self.program('pilotwire')} --station {self.path('ac-station.sock')} status
  Its car     {self.program('pilotwire-sim')} tell {self.path('ac-sim.sock')} help
  House       {self.program('pilotwire')} --station {self.path('openevse-station.sock')} status
  Its meter   {self.program('pilotwire-sim')} tell {self.path('openevse-sim.sock')} help
{self.signed_line(port)}  Logs        {self.folder}/*.log
  Ctrl-C ends everything.
""", flush=True)
        for place in self.places:
            place.begin_charge()
        print("  A scooter and two cars are charging.", flush=True)
        waiting = {place: 0 for place in self.places}
        shown = time.monotonic()
        while True:
            time.sleep(1)
            self.check_programs()
            if time.monotonic() - shown >= 30:
                shown = time.monotonic()
                for place in self.places:
                    print("  " + place.line(), flush=True)
            for place in self.places:
                # A full vehicle leaves after a while and the next one comes.
                full = place.has_status("Finishing", "SuspendedEV")
                waiting[place] = waiting[place] + 1 if full else 0
                if waiting[place] >= 60:
                    waiting[place] = 0
                    self.next_vehicle(place)

    def next_vehicle(self, place):
        """Who tries out what can go wrong may have left it wrong: that ends no demo."""
        try:
            place.tell_sim("unplug")
            self.wait_until(lambda: place.has_status("Available"), 60, f"{place.name} unplugged")
            place.tell_sim(f"soc {self.args.soc}")
            place.begin_charge()
        except Failed as failure:
            self.check_programs()
            print(f"  no next vehicle yet: {failure}", flush=True)

    def signed_line(self, port):
        return f"""  Signed      {self.program('pilotwire')} --central http://127.0.0.1:{port} verify SESSION
              what the AC station's meter signed, once a charge has ended there
""" if self.args.signing else ""

    def verify(self, port, password):
        """What pilotwire verify says of the AC station's session."""
        session = self.rest.sessions(AC)[0]["id"]
        done = subprocess.run([self.program("pilotwire"), "--central", f"http://127.0.0.1:{port}", "--json", "verify",
                               str(session)], env={**os.environ, "PILOTWIRE_PASSWORD": password},
                              capture_output=True, text=True, timeout=20, check=False)
        return json.loads(done.stdout or "{}")

    def unattended(self):
        begun = time.monotonic()
        port, password = self.start_all()
        print(f"demo: dashboard http://127.0.0.1:{port}/ (admin, {password}), {self.speed} times "
              f"real speed, {self.args.seconds} s", flush=True)
        for place in self.places:
            place.begin_charge()
            print(f"demo: {place.line()}, {time.monotonic() - begun:.1f} s after the start",
                  flush=True)
        # The central system must show it live, not only afterwards.
        for place in self.places:
            self.wait_until(lambda at=place: (self.rest.station(at.name)["connectors"][-1]
                                              ["power_w"] or 0) > 100,
                            20, f"the charge at {place.name} at the central system")
        end = begun + self.args.seconds - 15
        while time.monotonic() < end:
            time.sleep(min(5, max(0.1, end - time.monotonic())))
            print("demo: " + ", ".join(place.line() for place in self.places), flush=True)
        last = {place: place.connector() for place in self.places}
        vehicle = self.rest.station(DC)["connectors"][-1].get("vehicle") or {}
        for place in self.places:
            place.end_charge()
            self.wait_until(lambda at=place: self.rest.sessions(at.name) and
                            all(s["stop_at"] for s in self.rest.sessions(at.name)), 20,
                            "the receipt at the central system")
        result = self.result(self.dc, last[self.dc])
        session = self.rest.sessions(DC)[0]
        result.update({
            "vehicle_model": session["vehicle_model"],
            "soc_start": session["soc_start"],
            "soc_end": session["soc_end"],
            "range_km": vehicle.get("range_km"),
            "speed": self.speed,
            "ac": self.result(self.ac, last[self.ac]),
            "openevse": self.result(self.house, last[self.house]),
        })
        for place in (self.ac, self.house):
            result[place.tag]["link_online"] = self.rest.station(place.name)["link"]["online"]
        if self.args.signing:
            result["ac"]["signed"] = self.verify(port, password)
        codes = self.stop_all()
        result["exit_codes"] = codes
        problems = self.problems(result)
        for problem in problems:
            print(f"demo: {problem}", file=sys.stderr)
        print(json.dumps(result), flush=True)
        return 1 if problems else 0

    def result(self, place, last):
        status = place.status()
        sessions = self.rest.sessions(place.name)
        return {
            "station": place.name,
            "energy_wh_station": round(last_energy(status, last), 1),
            "energy_wh_central": sum(s["energy_wh"] for s in sessions),
            "energy_wh_physical": place.truth()["energy_wh_physical"],
            "transactions": len(sessions),
            "lost": status["messages_waiting"] + status["messages_parked"] +
                    status["messages_dropped"],
            # In real milliseconds: the station counts on the clock that all programs share.
            "ocpp_connect_ms": round(status["connect_ms"] / self.speed, 1),
        }

    @staticmethod
    def problems(result):
        found = []
        for at in (result, result["ac"], result["openevse"]):
            agree, agree_wh = ((BOARD_AGREE, BOARD_AGREE_WH) if at is result["openevse"] else
                               (AGREE, AGREE_WH))
            physical = at["energy_wh_physical"]
            if physical < 10:
                found.append(f"{at['station']}: only {physical} Wh were delivered")
            for name in ("energy_wh_station", "energy_wh_central"):
                off = abs(at[name] - physical)
                if off > agree * physical + agree_wh:
                    found.append(f"{at['station']}: {name} is {at[name]}, physics says {physical}")
            if abs(at["energy_wh_station"] - at["energy_wh_central"]) > AGREE_WH:
                found.append(f"{at['station']}: the station counted {at['energy_wh_station']} Wh, "
                             f"the central system {at['energy_wh_central']}")
            if at["transactions"] != 1:
                found.append(f"{at['station']}: {at['transactions']} transactions instead of 1")
            if at["lost"] != 0:
                found.append(f"{at['station']}: {at['lost']} messages did not arrive")
        for name in ("vehicle_model", "soc_start", "soc_end", "range_km"):
            if result[name] in (None, ""):
                found.append(f"{name} is not known")
        if not result["ac"].get("signed", {"valid": True}).get("valid"):
            found.append(f"the AC station's signed values: {result['ac']['signed']}")
        for at in (result["ac"], result["openevse"]):
            if not at["link_online"]:
                found.append(f"{at['station']} has no station link")
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
    parser.add_argument("--speed", type=float, help="times real speed (1)")
    parser.add_argument("--vehicle", default="classic", choices=["classic", "pro", "max"])
    parser.add_argument("--car", default="honest", help="temperament of the AC car")
    parser.add_argument("--signing", action="store_true", help="the AC station's meter signs its readings")
    parser.add_argument("--soc", type=int, default=35, help="state of charge at the start, percent")
    args = parser.parse_args()
    if args.seconds is not None and not 40 <= args.seconds <= 3600:
        parser.error(f"--seconds: {args.seconds} is not allowed; it must be 40..3600")
    if args.speed is not None and not 0.1 <= args.speed <= 4:
        parser.error(f"--speed: {args.speed} is not allowed; it must be 0.1..4")
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
