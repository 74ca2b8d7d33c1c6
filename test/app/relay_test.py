"""A station, the air, pilotwire-relay and a simulated board, as programs: a board behind a radio charges, follows its
limit, and falls back when the radio is silent.

relay_test.py STATION COMMAND SIM RELAY. Loopback and free ports only; every wait is bounded. The air is this file:
two modems that hand on what they hear, at 2400 bit/s of the programs' time.
"""

import contextlib
import select
import socket
import threading
import time

from programs import COMMAND, RELAY, SIM, STATION, Case, free_port, main

SPEED = 8
KEY = "a key of this test, 32 characters or more"


class Air(threading.Thread):
    """One channel between two TCP modems."""

    def __init__(self):
        super().__init__(daemon=True)
        self.servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [server.getsockname()[1] for server in self.servers]
        self.ends = [None, None]
        self.silent = False
        self.over = False
        self.heard = [0, 0]

    def take_ends(self):
        for i, server in enumerate(self.servers):
            if select.select([server], [], [], 0)[0]:
                self.ends[i] = server.accept()[0]

    def hand_on(self, i):
        try:
            piece = self.ends[i].recv(4096)
        except OSError:
            piece = b""
        if not piece:
            self.ends[i].close()
            self.ends[i] = None
            return
        self.heard[i] += len(piece)
        time.sleep((0.06 + len(piece) * 8 / 2400) / SPEED)
        if not self.silent and self.ends[1 - i] is not None:
            with contextlib.suppress(OSError):
                self.ends[1 - i].sendall(piece)

    def run(self):
        while not self.over:
            self.take_ends()
            there = [end for end in self.ends if end is not None]
            for ready in select.select(there, [], [], 0.01)[0]:
                self.hand_on(self.ends.index(ready))

    def end(self):
        self.over = True
        self.join()
        for each in self.servers + [end for end in self.ends if end is not None]:
            each.close()


class Radio(Case):
    speed = SPEED

    def setUp(self):
        super().setUp()
        self.air = Air()
        self.addCleanup(self.air.end)
        self.air.start()
        self.board = free_port()
        self.write("key", KEY + "\n")
        self.write("secrets.yaml", f"lora: {{key: '{KEY}'}}\n")
        self.write("station.yaml",
                   "station: {id: OE1}\nconsole: {device: 'off'}\ncharging: {plug_and_charge: true}\n"
                   "page: {listen: ''}\nconnectors:\n- kind: openevse\n  rapi_wire: lora\n"
                   f"  rapi_lora: 'tcp:127.0.0.1:{self.air.ports[0]}'\n")
        self.start("sim", SIM, "openevse", "--listen", f"127.0.0.1:{self.board}", "--plugged", "--status", "0",
                   "--control", str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["plugged"], "the simulator")
        self.start_relay()
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets",
                   str(self.folder / "secrets.yaml"), "--data", str(self.folder / "data"))

    def start_relay(self):
        self.start("relay", RELAY, "--board", f"tcp:127.0.0.1:{self.board}", "--modem",
                   f"tcp:127.0.0.1:{self.air.ports[1]}", "--key-file", str(self.folder / "key"))

    # Reason: all that doc/lora.md promises to a person, in one evening.
    def test_a_board_behind_a_radio_charges_and_falls_back_when_it_is_silent(self):
        self.until(lambda: self.connector()["state"] == "charging", "the charge")
        self.until(lambda: self.truth()["board_a"] > 10, "the offer")
        self.once(COMMAND, "limit", "8")
        self.until(lambda: self.truth()["board_a"] == 8, "a lower limit")
        self.air.silent = True
        self.until(lambda: self.truth()["board_a"] == 6, "the fall-back of a silent radio")
        self.assertNotIn("PW-OE-LIVE", self.text_of("station"), "a board that was not told to stop is not to blame")
        self.air.silent = False
        self.until(lambda: self.truth()["board_a"] == 8, "the limit back")
        self.running["relay"].kill()
        self.running["relay"].wait()
        self.until(lambda: self.truth()["board_a"] == 6, "the board's own fall-back")
        self.start_relay()
        self.until(lambda: self.truth()["board_a"] == 8, "the limit back from a relay that has started anew")
        self.assertGreater(min(self.air.heard), 100)


class Options(Case):
    def refused(self, *arguments):
        return self.once(RELAY, *arguments, code=2).stderr

    def test_what_is_wrong_is_said(self):
        key = self.write("key", "short\n")
        self.assertIn("32 to 64 characters", self.refused("--key-file", key))
        self.write("key", "short\n", 0o644)
        self.assertIn("mode 0600", self.refused("--key-file", key))
        self.assertIn("all three are needed", self.refused())
        self.assertIn("5 to 60", self.refused("--heartbeat-s", "99"))
        self.assertIn("--board: ", self.refused("--board", "tcp:nowhere"))
        self.assertIn("no such option", self.refused("--radio"))
        self.assertIn("value is missing", self.refused("--board"))
        self.assertIn("--key-file FILE", self.once(RELAY, "--help").stdout)


if __name__ == "__main__":
    main(170)
