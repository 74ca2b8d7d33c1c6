"""A house whose meter is on a broker: what it leaves is offered, and when the broker dies the fail-safe current is, in time.

broker_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

import contextlib
import json
import socket
import subprocess
import threading
import time

from programs import SIM, STATION, Case, free_port, main

HOLD_S = 5


class House(Case):
    wait_s = 40
    speed = 2

    def setUp(self):
        super().setUp()
        self.other_a = 2.0
        self.ended = threading.Event()

    def house(self):
        return self.status()["house"]["connectors"][0]

    def start_broker(self):
        (self.folder / "broker.conf").write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_type none\n")
        self.broker = self.start("broker", "mosquitto", "-c", str(self.folder / "broker.conf"))
        self.until(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None, "the broker")

    def measure(self):
        """The meter: what the house and the car draw, four times a second."""
        odd = 0.0
        while not self.ended.wait(0.25):
            with contextlib.suppress(OSError, json.JSONDecodeError, KeyError, subprocess.SubprocessError):
                odd = 0.01 - odd
                amps = [self.other_a + odd + car for car in self.truth()["phase_a"]]
                payload = json.dumps({f"l{p + 1}_a": amps[p] for p in range(3)})
                subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", "home/meter", "-m", payload],
                               capture_output=True, timeout=5, check=False)

    def test_the_broker_dies_in_the_middle_of_a_charge_and_comes_back(self):
        front, self.port = free_port(), free_port()
        (self.folder / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.folder / "station.yaml").write_text(
            f"station: {{id: H1}}\nconsole: {{device: 'off'}}\npage: {{listen: ''}}\n"
            f"charging: {{plug_and_charge: true}}\nmqtt: {{url: 'mqtt://127.0.0.1:{self.port}'}}\n"
            f"metering: {{house_meter: 'mqtt:home/meter'}}\n"
            f"house: {{load_management: true, breaker_ma: 16000, hold_s: {HOLD_S}}}\n"
            f"connectors:\n- kind: pilot\n  board: board.yaml\n")
        self.start_broker()
        self.start("sim", SIM, "ac", "--listen", f"127.0.0.1:{front}", "--plugged", "--status", "0",
                   "--control", str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["plugged"], "the simulator")
        threading.Thread(target=self.measure, daemon=True).start()
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--data", str(self.folder / "data"))
        self.until(lambda: self.house()["state"] == "following", "the meter to be believed")
        self.until(lambda: max(self.truth()["phase_a"]) > 10, "more than the fail-safe current")
        self.broker.kill()
        self.broker.wait()
        died = time.monotonic()
        self.until(lambda: self.status()["house"]["failsafe"], "the fail-safe current")
        took_s = (time.monotonic() - died) * self.speed
        self.assertLess(took_s, HOLD_S + 2)  # and the looking
        self.assertEqual(self.house()["offered_a"], 6)
        self.assertEqual(self.house()["why"], "the house's meter is silent")
        self.until(lambda: max(self.truth()["phase_a"]) < 6.2, "the car to follow")
        self.start_broker()
        self.until(lambda: self.house()["state"] == "following", "the meter to be believed again")

    def test_a_meter_that_cannot_be_is_refused_with_its_reason(self):
        for meter, mqtt, why in (
                ("mqtt:home/meter", "", "a meter on the broker needs mqtt.url"),
                ("mqtt:home/#", "", "a topic of the meter has no wildcard"),
                ("ct:/dev/ttyACM0@1000000", "", "must say which phases carry a current transformer")):
            (self.folder / "station.yaml").write_text(
                f"station: {{id: H1}}\n{mqtt}metering: {{house_meter: '{meter}'}}\ncan: {{bus0: 'slcan:/dev/ttyACM9'}}\nconnectors:\n- kind: dc\n")
            answer = self.once(STATION, "--config", str(self.folder / "station.yaml"), "--check", code=2)
            self.assertIn(why, answer.stderr)


if __name__ == "__main__":
    main(110)
