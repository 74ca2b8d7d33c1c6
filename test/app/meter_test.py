"""An outlet whose energy a Modbus meter counts, from the simulated car to the status.

meter_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

from programs import SIM, STATION, Case, free_port, main


class Outlet(Case):
    wait_s = 20
    speed = 2  # 200 ms without a word of the board are a fault: faster, a busy machine looks like one

    def open_all(self, meter_map):
        front, meter = free_port(), free_port()
        url = f"modbus:tcp:127.0.0.1:{meter}/1/{meter_map}"
        (self.folder / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.folder / "station.yaml").write_text(
            f"station: {{id: AC1}}\nconsole: {{device: 'off'}}\nsession: {{free_id_tag: FREE}}\n"
            f"charging: {{plug_and_charge: true}}\n"
            f"connectors:\n- kind: pilot\n  board: board.yaml\n  meter: '{url}'\n")
        self.start("sim", SIM, "ac", "--listen", f"127.0.0.1:{front}", "--meter", url, "--plugged", "--status", "0",
                   "--control", str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["plugged"], "the simulator")
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--data", str(self.folder / "data"))

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
        self.assertIn("meter up connector=1", self.text_of("station"))

    def test_a_url_that_cannot_be_is_refused_with_its_line(self):
        (self.folder / "station.yaml").write_text(
            "station: {id: AC1}\nconnectors:\n- kind: pilot\n  meter: modbus:tcp:h:502/300/abb\n")
        answer = self.once(STATION, "--config", str(self.folder / "station.yaml"), "--check", code=2)
        self.assertIn(':4: connectors[0].meter: "modbus:tcp:h:502/300/abb" is not allowed; the unit must be 1..247',
                      answer.stderr)


if __name__ == "__main__":
    main(100)
