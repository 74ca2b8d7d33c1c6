"""pilotwire-station at the station link of pilotwire-central: TLS with a pin, limits from the REST
interface, a central that freezes in the middle of a lease. All clocks run three times as fast.

link_test.py STATION CENTRAL SIM: the three programs. Loopback and free ports only.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

STATION, CENTRAL, SIM = sys.argv[1:4]
SPEED = 3  # faster, a busy machine looks like a silent board, and a silent board has no plug
WAIT_S = 20
LIFE_S = 90


def free_ports():
    """A port for the central whose tenth successor is free too."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as one:
            port = one.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 10)):
                return port


def until(true, what, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("gave up waiting for " + what)


class Link(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        now_ms = int(time.time() * 1000)
        self.environment = dict(os.environ, PILOTWIRE_CLOCK=f"{now_ms}:{now_ms}:{SPEED}")
        self.port = free_ports()
        self.key = self.central_says("station", "add", "AC-1")
        self.pin = self.central_says("link", "pin")

    if not hasattr(unittest.TestCase, "enterContext"):
        def enterContext(self, manager):
            result = manager.__enter__()
            self.addCleanup(manager.__exit__, None, None, None)
            return result

    def central_says(self, *words):
        done = subprocess.run([CENTRAL, "-d", str(self.folder / "central"), *words], check=True,
                              capture_output=True, text=True, timeout=WAIT_S, env=self.environment)
        return done.stdout.strip()

    def start(self, name, *command):
        log = (self.folder / f"{name}.log").open("wb")
        program = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        log.close()

        def end():
            with contextlib.suppress(ProcessLookupError):
                program.send_signal(signal.SIGCONT)
                program.terminate()
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.addCleanup(end)
        return program

    def text_of(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_central(self):
        central = self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l",
                             f"127.0.0.1:{self.port}")
        until(lambda: "Dashboard:" in self.text_of("central"), "the central")
        return central

    def start_station(self, pin):
        board = self.folder / "board0"
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            "station:\n  id: AC-1\n"
            f"uplink:\n  url: tls://127.0.0.1:{self.port + 10}\n  pin: \"{pin}\"\n  failsafe_ma: 8000\n"
            "page:\n  listen: \"\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        secrets = self.folder / "secrets.yaml"
        secrets.write_text(f"ocpp:\n  authorization_key: \"{self.key}\"\n")
        secrets.chmod(0o600)
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets",
                   str(secrets), "--data", str(self.folder / "data"), "--control",
                   str(self.folder / "station.sock"))

    def tell_vehicle(self, *words):
        subprocess.run([SIM, "tell", str(self.folder / "sim.sock"), *words], check=True, timeout=WAIT_S,
                       capture_output=True, env=self.environment)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        headers = {"Content-Type": "application/json", **getattr(self, "login", {})}
        connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read() or b"null")
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self.login = {"Cookie": cookie.split(";")[0], "X-CSRF": said["csrf"]}
        connection.close()
        return answer.status, said

    def log_in(self):
        password = re.search(r"with the password (\S+)", self.text_of("central")).group(1)
        self.assertEqual(self.ask("POST", "/login", {"user": "admin", "password": password})[0], 200)

    def limit(self):
        connector = self.ask("GET", "/stations")[1]["stations"][0]["connectors"][0]
        return connector.get("limit") or {}

    def events(self):
        return self.ask("GET", "/stations/AC-1/link/events?limit=200")[1]["events"]

    def test_a_limit_a_freeze_and_what_happened_meanwhile(self):
        central = self.start_central()
        self.start_station(self.pin)
        until(lambda: "to=online why=welcome" in self.text_of("station"), "the link")
        self.log_in()
        for wrong in (5.9, "NaN", 1000000):
            status, said = self.ask("POST", "/stations/AC-1/link/limit", {
                "connector_id": 1, "current_a": wrong, "lease_s": 60, "fallback_a": 6})
            self.assertEqual(status, 400, said)
            self.assertIn("current_a", said["error"]["message"])
        status, _ = self.ask("POST", "/stations/AC-1/link/limit", {
            "connector_id": 1, "current_a": 12, "lease_s": 20, "fallback_a": 7})
        self.assertIn(status, (200, 202))
        until(lambda: any(e["kind"] == "limit" and e["value"] == 12000 for e in self.events()), "the limit")

        # The central freezes: the lease runs out, the dead connection is found, and what happens
        # meanwhile is told when it wakes.
        central.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        self.tell_vehicle("plug")
        until(lambda: "lease-over connector=1 fallback_a=7" in self.text_of("station"), "the fall-back")
        until(lambda: "to=ending why=\"nothing was heard\"" in self.text_of("station"), "the end of the link")
        self.assertLess((time.monotonic() - begun) * SPEED, 30 + SPEED)
        central.send_signal(signal.SIGCONT)
        until(lambda: self.text_of("station").count("why=welcome") == 2, "the second welcome")
        until(lambda: any(e["kind"] == "plug" and e["value"] == 1 for e in self.events()), "the plug")
        numbers = [event["seq"] for event in self.events()]
        self.assertEqual(sorted(numbers), list(range(min(numbers), max(numbers) + 1)))
        until(lambda: self.limit().get("why") == "lease over", "the reason at the central")

    def test_another_pin_is_another_server(self):
        self.start_central()
        wrong = ("0" if self.pin[0] != "0" else "1") + self.pin[1:]
        self.start_station(wrong)
        until(lambda: "another public key than uplink.pin says" in self.text_of("station"), "the refusal")
        self.assertNotIn("why=welcome", self.text_of("station"))


if __name__ == "__main__":
    signal.alarm(LIFE_S)
    unittest.main(argv=sys.argv[:1])
