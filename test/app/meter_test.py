"""An outlet whose energy a Modbus meter counts, from the simulated car to the status.

meter_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
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
WAIT_S = 20
SPEED = 2  # 200 ms without a word of the board are a fault: faster, a busy machine looks like one


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Outlet(unittest.TestCase):
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
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, json.JSONDecodeError):
                if true():
                    return
            time.sleep(0.05)
        raise AssertionError(f"gave up waiting for {what}\n{(self.path / 'log').read_text()}")

    def connector(self):
        answer = subprocess.run([COMMAND, "--json", "status"], env=self.environment, capture_output=True, text=True,
                                timeout=WAIT_S, stdin=subprocess.DEVNULL, check=False)
        return json.loads(answer.stdout)["connectors"][0]

    def truth(self):
        answer = subprocess.run([SIM, "tell", str(self.path / "sim.sock"), "status"], capture_output=True, text=True,
                                timeout=WAIT_S, check=False)
        return json.loads(answer.stdout)

    def open_all(self, meter_map):
        front, meter = free_port(), free_port()
        url = f"modbus:tcp:127.0.0.1:{meter}/1/{meter_map}"
        (self.path / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.path / "station.yaml").write_text(
            f"station: {{id: AC1}}\nconsole: {{device: 'off'}}\nsession: {{free_id_tag: FREE}}\n"
            f"charging: {{plug_and_charge: true}}\n"
            f"connectors:\n- kind: pilot\n  board: board.yaml\n  meter: '{url}'\n")
        self.start(SIM, "ac", "--listen", f"127.0.0.1:{front}", "--meter", url, "--plugged", "--status", "0",
                   "--control", str(self.path / "sim.sock"))
        self.until(lambda: self.truth()["plugged"], "the simulator")
        self.start(STATION, "--config", str(self.path / "station.yaml"), "--data", str(self.path / "data"))

    def test_the_meters_register_is_the_energy_of_the_charge(self):
        self.open_all("sdm630")
        self.until(lambda: self.connector()["energy_wh"] > 40, "40 Wh")
        before = self.truth()
        seen = self.connector()
        after = self.truth()
        self.assertEqual(seen["state"], "charging")
        # A reading is at most two periods and a round trip old.
        lag_wh = before["power_w"] * 5 / 3600
        self.assertGreaterEqual(seen["register_wh"], before["energy_wh_physical"] - lag_wh)
        self.assertLessEqual(seen["register_wh"], after["energy_wh_physical"])
        for phase in range(3):
            self.assertAlmostEqual(seen["phase_current_a"][phase], before["phase_a"][phase], delta=0.2)
        self.assertIn("meter up connector=1", (self.path / "log").read_text())

    def test_a_url_that_cannot_be_is_refused_with_its_line(self):
        (self.path / "station.yaml").write_text(
            "station: {id: AC1}\nconnectors:\n- kind: pilot\n  meter: modbus:tcp:h:502/300/abb\n")
        answer = subprocess.run([STATION, "--config", str(self.path / "station.yaml"), "--check"],
                                capture_output=True, text=True, timeout=WAIT_S, check=False)
        self.assertEqual(answer.returncode, 2)
        self.assertIn(':4: connectors[0].meter: "modbus:tcp:h:502/300/abb" is not allowed; the unit must be 1..247',
                      answer.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
