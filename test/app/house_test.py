"""The house's meter in each way it may come: Modbus, a broker, current transformers. What the station takes for the
house is what the simulated house draws, and what each of them says when it fails is not believed.

house_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

from programs import COMMAND, SIM, STATION, Case, free_port, main


class House(Case):
    speed = 3

    def house(self):
        return self.status()["house"]

    def agrees(self):
        seen = self.house()["grid_a"]
        true = self.truth()["grid_a"]
        return all(abs(abs(a) - abs(b)) < 0.3 for a, b in zip(seen, true))

    def open_all(self, url, settings, *options):
        (self.folder / "station.yaml").write_text(
            f"station: {{id: H1}}\nconsole: {{device: 'off'}}\nmetering: {{house_meter: '{url}'}}\n"
            f"house: {{load_management: true, breaker_ma: 35000, cts: '123'}}\npage: {{listen: ''}}\n{settings}"
            f"connectors:\n- kind: openevse\n  rapi_cable: 'tcp:127.0.0.1:{free_port()}'\n")
        self.start("sim", SIM, "house", *options, "--house-scale", "0", "--status", "0", "--control",
                   str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["meter"] == "good", "the simulator")
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--data", str(self.folder / "data"))
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
        (self.folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        self.start("broker", "mosquitto", "-c", str(self.folder / "mosquitto.conf"))
        self.open_all("mqtt:house/meter", f"mqtt: {{url: 'mqtt://127.0.0.1:{port}'}}\n",
                      "--mqtt", f"mqtt://127.0.0.1:{port}")
        self.check()

    def test_as_current_transformers(self):
        self.open_all(f"ct:{self.folder}/ct@1000000", "", "--ct", str(self.folder / "ct"))
        self.check()
        # Whoever calibrates sees what it does, without a new start.
        self.once(COMMAND, "set", "house.ct_scale", "554")
        self.until(lambda: abs(self.house()["grid_a"][2] - 2 * self.truth()["grid_a"][2]) < 0.6,
                   "twice the currents")


if __name__ == "__main__":
    main(110)
