"""pilotwire-station at the station link of pilotwire-central: TLS with a pin, limits from the REST
interface, a central that freezes in the middle of a lease. All clocks run three times as fast.

link_test.py STATION CENTRAL SIM: the three programs. Loopback and free ports only.
"""

import http.client
import json
import re
import signal
import time

from programs import CENTRAL, SIM, STATION, Case, free_ports, main


class Link(Case):
    wait_s = 20
    speed = 3  # faster, a busy machine looks like a silent board, and a silent board has no plug

    def setUp(self):
        super().setUp()
        self.port = free_ports()
        self.key = self.central_says("station", "add", "AC-1")
        self.pin = self.central_says("link", "pin")

    def start_central(self):
        central = self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l",
                             f"127.0.0.1:{self.port}")
        self.until(lambda: "Dashboard:" in self.text_of("central"), "the central")
        return central

    def start_station(self, pin):
        board = self.folder / "board0"
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        self.until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            "station:\n  id: AC-1\n"
            f"uplink:\n  url: tls://127.0.0.1:{self.port + 10}\n  pin: \"{pin}\"\n  failsafe_ma: 8000\n"
            "page:\n  listen: \"\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        secrets = self.write("secrets.yaml", f"ocpp:\n  authorization_key: \"{self.key}\"\n")
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets",
                   secrets, "--data", str(self.folder / "data"), "--control",
                   str(self.folder / "station.sock"))

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.wait_s)
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
        self.until(lambda: "to=online why=welcome" in self.text_of("station"), "the link")
        self.log_in()
        for wrong in (5.9, "NaN", 1000000):
            status, said = self.ask("POST", "/stations/AC-1/link/limit", {
                "connector_id": 1, "current_a": wrong, "lease_s": 60, "fallback_a": 6})
            self.assertEqual(status, 400, said)
            self.assertIn("current_a", said["error"]["message"])
        status, _ = self.ask("POST", "/stations/AC-1/link/limit", {
            "connector_id": 1, "current_a": 12, "lease_s": 20, "fallback_a": 7})
        self.assertIn(status, (200, 202))
        self.until(lambda: any(e["kind"] == "limit" and e["value"] == 12000 for e in self.events()), "the limit")

        # The central freezes: the lease runs out, the dead connection is found, and what happens
        # meanwhile is told when it wakes.
        central.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        self.tell("plug")
        self.until(lambda: "lease-over connector=1 fallback_a=7" in self.text_of("station"), "the fall-back")
        self.until(lambda: "to=ending why=\"nothing was heard\"" in self.text_of("station"), "the end of the link")
        self.assertLess((time.monotonic() - begun) * self.speed, 30 + self.speed)
        central.send_signal(signal.SIGCONT)
        self.until(lambda: self.text_of("station").count("why=welcome") == 2, "the second welcome")
        self.until(lambda: any(e["kind"] == "plug" and e["value"] == 1 for e in self.events()), "the plug")
        numbers = [event["seq"] for event in self.events()]
        self.assertEqual(sorted(numbers), list(range(min(numbers), max(numbers) + 1)))
        self.until(lambda: self.limit().get("why") == "lease over", "the reason at the central")

    def test_another_pin_is_another_server(self):
        self.start_central()
        wrong = ("0" if self.pin[0] != "0" else "1") + self.pin[1:]
        self.start_station(wrong)
        self.until(lambda: "another public key than the pin says" in self.text_of("station"), "the refusal")
        self.assertNotIn("why=welcome", self.text_of("station"))


if __name__ == "__main__":
    main(90)
