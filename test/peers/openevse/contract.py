#!/usr/bin/env python3
"""evcc's and Home Assistant's requests against the running station, once with our own control pilot and
once with an OpenEVSE board behind it; boards and cars are simulated.

contract.py FOLDER-OF-PROGRAMS. Loopback and free ports only; ends by itself."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import clients

PROGRAMS = pathlib.Path(sys.argv[1])
SPEED = 2  # faster, a busy machine looks like a silent board
WAIT_S = 30
USER, PASSWORD = "evcc", "correct horse"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def until(true, what, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("gave up waiting for " + what)


class Place(unittest.TestCase):
    """A station with its simulated hardware, made anew for each test."""

    kind = "pilot"
    plug_and_charge = False
    password = PASSWORD

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        now_ms = int(time.time() * 1000)
        self.environment = dict(os.environ, PILOTWIRE_CLOCK=f"{now_ms}:{now_ms}:{SPEED}")
        self.port = free_port()
        connector = self.start_board()
        (self.folder / "station.yaml").write_text(
            "station:\n  id: OE-1\n  serial: \"4711\"\nconsole:\n  device: 'off'\n"
            f"page:\n  listen: \"\"\ncharging:\n  plug_and_charge: {str(self.plug_and_charge).lower()}\n"
            f"openevse_api:\n  listen: 127.0.0.1:{self.port}\n  username: {USER}\n"
            f"connectors:\n{connector}    ac_rated_ma: 32000\n    ac_current_max_ma: 20000\n")
        secrets = self.folder / "secrets.yaml"
        secrets.write_text(f"openevse_api:\n  password: {self.password}\n" if self.password else "{}\n")
        secrets.chmod(0o600)
        self.start("station", "pilotwire-station", "--config", self.folder / "station.yaml",
                   "--secrets", secrets, "--data", self.folder / "data", "--control",
                   self.folder / "station.sock")
        until(lambda: "openevse_api listening" in self.log_of("station"), "the interface")

    def start_board(self):
        board = self.folder / "board0"
        sim = "ac" if self.kind == "pilot" else "openevse"
        self.start("sim", "pilotwire-sim", sim, "--link", board, "--control", self.folder / "sim.sock")
        until(board.exists, "the board")
        if self.kind == "openevse":
            return f"  - kind: openevse\n    rapi_cable: serial:{board}@115200\n"
        (self.folder / "board.yaml").write_text(
            f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        return f"  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n"

    def start(self, name, program, *arguments):
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([PROGRAMS / program, *arguments], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env=self.environment)

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.addCleanup(end)

    def log_of(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def tell(self, *words):
        subprocess.run([PROGRAMS / "pilotwire-sim", "tell", self.folder / "sim.sock", *words],
                       check=True, timeout=WAIT_S, capture_output=True, env=self.environment)

    def evcc(self):
        return clients.Evcc(self.port, USER, PASSWORD)

    def home(self):
        home = clients.Home(self.port, USER, PASSWORD)
        home.update()
        return home

    def state(self):
        return self.evcc().json("GET", "/status")

    def wait_for(self, **wanted):
        last = {}

        def there():
            last.update(self.state())
            return all(last.get(key) == value for key, value in wanted.items())
        try:
            until(there, str(wanted))
        except AssertionError as error:
            shown = {key: last.get(key) for key in ("state", "status", "vehicle", "pilot", "amp")}
            raise AssertionError(f"{error}; last {shown}") from None


class Pilot(Place):
    # Reason: the way evcc is set up first; every request of its driver, in its order.
    def test_evcc_drives_a_charge(self):
        evcc = self.evcc()
        self.assertFalse(evcc.switches_phases)
        self.wait_for(state=1)
        self.assertEqual(evcc.look()[0], "A")
        evcc.enable(False)
        evcc.max_current(10)
        self.tell("plug")
        self.wait_for(vehicle=1)
        self.assertEqual(evcc.look()[:2], ("B", False))
        evcc.enable(True)
        self.wait_for(state=3, status="active")
        until(lambda: evcc.look()[2] > 1000, "power")
        status, enabled, power, charged, total, seconds = evcc.look()
        self.assertEqual((status, enabled), ("C", True))
        self.assertLessEqual(power, 10.5 * 250)
        evcc.max_current(16)
        self.wait_for(pilot=16)
        until(lambda: evcc.look()[2] > 11 * 230, "more power")
        evcc.enable(False)
        self.wait_for(status="disabled", vehicle=1, amp=0)
        self.assertEqual(evcc.look()[0], "B")
        evcc.enable(True)
        self.wait_for(state=3, status="active")
        until(lambda: evcc.look()[3] > charged, "energy")
        self.assertGreaterEqual(evcc.look()[4], total)
        self.assertGreater(evcc.look()[5], seconds)
        # What was asked for this vehicle goes with it.
        self.tell("unplug")
        self.wait_for(state=1, manual_override=0)
        with self.assertRaises(clients.Refused) as refused:
            evcc.json("GET", "/override")
        self.assertEqual(refused.exception.status, 404)

    # Reason: a second program that lowers must not be outvoted, nor lower for ever.
    def test_home_assistant_reads_overrides_and_limits(self):
        home = self.home()
        self.assertEqual(home.test_and_get(), {"serial": "4711", "model": "pilotwire"})
        self.assertGreaterEqual(home.version(), (5, 0, 0))
        self.assertEqual(home.override_state(), "auto")
        self.tell("plug")
        self.wait_for(vehicle=1)
        home.toggle_override()  # off as nobody has started it: on
        self.wait_for(state=3, manual_override=1)
        self.assertEqual(home.override_state(), "active")
        home.set_current(12)
        self.wait_for(pilot=12)
        self.assertEqual(home.charge_current(), 12)
        home.make_claim(max_current=8)
        self.wait_for(pilot=8)
        self.assertEqual({claim["client"] for claim in home.claims()}, {20, 65537})
        home.release_claim()
        self.wait_for(pilot=12)
        home.set_override(state="disabled")
        self.wait_for(status="disabled", amp=0)
        home.clear_override()
        self.wait_for(state=3, status="active", pilot=20, manual_override=0)
        self.assertEqual(home.set_limit("energy", 100000)["msg"], "done")
        self.assertEqual(home.request("GET", "/limit"),
                         {"type": "energy", "value": 100000, "auto_release": True})
        self.wait_for(has_limit=True)
        home.clear_limit()
        self.wait_for(has_limit=False)
        home.set_limit("energy", 1)
        self.wait_for(state=2, status="disabled", vehicle=1)

    def test_home_assistants_switches(self):
        home = self.home()
        for on in (True, False):
            home.set_shaper(on)
            home.update()
            self.assertEqual(home.status["shaper"], 1 if on else 0)
        home.set_divert_mode("eco")
        home.update()
        self.assertEqual(home.status["divertmode"], 2)
        self.assertEqual(home.config["charge_mode"], "eco")
        home.set_charge_mode("fast")
        home.update()
        self.assertEqual(home.status["divertmode"], 1)
        with self.assertRaises(clients.Refused):
            home.request("POST", "/config", {"led_brightness": 20})
        with self.assertRaises(clients.Refused):
            home.set_limit("range", 300)

    # Reason: Home Assistant fetches everything again whenever a message carries a version, so only
    # what has changed may be in one.
    def test_the_web_socket_tells_changes_and_only_those(self):
        ws = clients.Socket(self.port, USER, PASSWORD)
        self.addCleanup(ws.close)
        first = ws.hear(5)
        self.assertEqual(first["state"], 1)
        self.assertIn("config_version", first)
        ws.say({"ping": 1})
        ws.ping()
        heard = [ws.hear(5)]
        while heard[-1] != {"pong": 1}:
            heard.append(ws.hear(5))
        self.tell("plug")
        changes = {}
        while changes.get("vehicle") != 1:
            message = ws.hear(WAIT_S)
            changes.update(message)
            for version in clients.VERSIONS:
                self.assertNotIn(version, message)
        self.evcc().max_current(8)
        while "override_version" not in changes:
            changes.update(ws.hear(WAIT_S))
        self.assertEqual(changes["manual_override"], 1)

    def test_who_has_no_password_gets_nothing(self):
        nobody = clients.Gateway(self.port)
        for method, path in (("GET", "/status"), ("GET", "/config"), ("POST", "/override"),
                             ("GET", "/r?json=1&rapi=$GS")):
            status, _, headers = nobody.ask(method, path, {} if method == "POST" else None)
            self.assertEqual(status, 401)
            self.assertIn("Basic", headers["www-authenticate"])
        with self.assertRaises(clients.Refused) as refused:
            clients.Socket(self.port)
        self.assertEqual(refused.exception.status, 401)
        wrong = clients.Gateway(self.port, USER, "wrong horse")
        said = [wrong.ask("GET", "/status")[0] for _ in range(7)]
        self.assertEqual(said, [401] * 5 + [429] * 2)
        self.assertEqual(clients.Gateway(self.port, USER, PASSWORD).ask("GET", "/status")[0], 429)

    # Reason: the raw console of a board that is none must say so the way a board does.
    def test_no_board_answers_raw_commands(self):
        home = self.home()
        self.assertEqual(home.send_command("$GS")[1], "$NK")


class OpenEvse(Place):
    kind = "openevse"

    def test_evcc_drives_a_board(self):
        self.wait_for(evse_connected=1)
        evcc = self.evcc()
        self.assertFalse(evcc.switches_phases)
        evcc.max_current(10)
        self.tell("plug")
        self.wait_for(vehicle=1)
        evcc.enable(True)
        self.wait_for(state=3, status="active", pilot=10)
        until(lambda: evcc.look()[2] > 1000, "power")
        evcc.enable(False)
        self.wait_for(status="disabled", vehicle=1)
        until(lambda: evcc.look()[0] == "B", "the relay to open")
        evcc.enable(True)
        self.wait_for(state=3, status="active")

    # Reason: the board's line is shared with the station; an answer has to be waited for, and what
    # would undo the station's work is refused.
    def test_raw_commands_reach_the_board(self):
        self.wait_for(evse_connected=1)
        home = self.home()
        self.assertRegex(home.send_command("$GV")[1], r"^\$OK \S+ \S+")
        self.assertRegex(self.evcc().rapi("$GS"), r"^\$OK ")
        self.assertRegex(home.send_command("$GQ")[1], r"^\$NK")
        status, text, _ = home.gateway.ask("POST", "/r", form={"json": 1, "rapi": "$SY 0 0"})
        self.assertEqual((status, json.loads(text)["error"]), (403, "RAPI_RESPONSE_BLOCKED"))
        status, _, headers = home.gateway.ask("GET", "/r?json=1&rapi=$FP+0+0+hello")
        self.assertEqual((status, headers["allow"]), (405, "POST"))
        self.assertFalse(home.restart_evse())  # not because somebody asks
        self.wait_for(gfcicount=0, nogndcount=0, stuckcount=0)


class Restart(Place):
    def test_home_assistant_restarts_the_gateway(self):
        home = self.home()
        home.restart_wifi()

        def back():
            with contextlib.suppress(OSError):
                return self.log_of("station").count("openevse_api listening") >= 2 and self.state()
        until(back, "the new start")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
