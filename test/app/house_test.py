"""The house's meter in each way it may come: Modbus, a broker, current transformers. What the station takes for the
house is what the simulated house draws, and what each of them says when it fails is not believed.

house_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

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

STATION, COMMAND, SIM = sys.argv[1:4]
WAIT_S = 30
SPEED = 3


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class House(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(self.folder.name)
        self.running = []
        self.addCleanup(self.end_all)
        now = int(time.time() * 1000)
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(self.path / "s.sock"),
                            "PILOTWIRE_CLOCK": f"{now}:{now}:{SPEED}"}

    def end_all(self):
        for program in reversed(self.running):
            program.kill()
            program.wait()
        self.folder.cleanup()

    def start(self, *arguments):
        with open(self.path / "log", "a") as log:
            self.running.append(subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.DEVNULL, stderr=log))

    def until(self, true, what):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError, json.JSONDecodeError, KeyError, TypeError):
                if true():
                    return
            time.sleep(0.05)
        raise AssertionError(f"gave up waiting for {what}\n{(self.path / 'log').read_text()}\n{self.house()}")

    def ask(self, *command):
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=WAIT_S,
                                stdin=subprocess.DEVNULL, check=False)
        return json.loads(answer.stdout)

    def house(self):
        return self.ask(COMMAND, "--json", "status")["house"]

    def truth(self):
        return self.ask(SIM, "tell", str(self.path / "sim.sock"), "status")

    def tell(self, *words):
        subprocess.run([SIM, "tell", str(self.path / "sim.sock"), *words], check=True, timeout=WAIT_S,
                       capture_output=True)

    def agrees(self):
        seen = self.house()["grid_a"]
        true = self.truth()["grid_a"]
        return all(abs(abs(a) - abs(b)) < 0.3 for a, b in zip(seen, true))

    def open_all(self, url, settings, *options):
        (self.path / "station.yaml").write_text(
            f"station: {{id: H1}}\nconsole: {{device: 'off'}}\nmetering: {{house_meter: '{url}'}}\n"
            f"house: {{load_management: true, breaker_ma: 35000, cts: '123'}}\npage: {{listen: ''}}\n{settings}"
            f"connectors:\n- kind: openevse\n  rapi_cable: 'tcp:127.0.0.1:{free_port()}'\n")
        self.start(SIM, "house", *options, "--house-scale", "0", "--status", "0", "--control",
                   str(self.path / "sim.sock"))
        self.until(lambda: self.truth()["meter"] == "good", "the simulator")
        self.start(STATION, "--config", str(self.path / "station.yaml"), "--data", str(self.path / "data"))
        self.tell("house", "l1", "5")
        self.tell("house", "l3", "11.5")

    def check(self):
        self.until(self.agrees, "the house's currents")
        for mood in ("silent", "absurd"):
            self.tell("meter", mood)
            self.until(lambda: self.house()["failsafe"], f"the fail-safe: {mood}")
            self.tell("meter", "good")
            self.until(lambda: not self.house()["failsafe"] and self.agrees(), "the meter believed again")

    def test_on_modbus(self):
        url = f"modbus:tcp:127.0.0.1:{free_port()}/1/sdm630"
        self.open_all(url, "", "--meter", url)
        self.check()

    def test_on_a_broker(self):
        port = free_port()
        (self.path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        self.start("mosquitto", "-c", str(self.path / "mosquitto.conf"))
        self.open_all("mqtt:house/meter", f"mqtt: {{url: 'mqtt://127.0.0.1:{port}'}}\n",
                      "--mqtt", f"mqtt://127.0.0.1:{port}")
        self.check()

    def test_as_current_transformers(self):
        self.open_all(f"ct:{self.path}/ct@1000000", "", "--ct", str(self.path / "ct"))
        self.check()
        # Whoever calibrates sees what it does, without a new start.
        subprocess.run([COMMAND, "set", "house.ct_scale", "554"], env=self.environment, check=True,
                       timeout=WAIT_S, capture_output=True)
        self.until(lambda: abs(self.house()["grid_a"][2] - 2 * self.truth()["grid_a"][2]) < 0.6,
                   "twice the currents")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
