"""A house with an OpenEVSE station, as programs: what holds when each thing is killed while a car charges.

openevse_test.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded. The limits of time are
those of doc/openevse-connector.md and doc/house.md, in the station's time, which runs faster.
"""

import signal
import time

from programs import SIM, STATION, Case, free_port, main

BREAKER_A = 25


class House(Case):
    speed = 6

    def setUp(self):
        super().setUp()
        board, meter = free_port(), free_port()
        url = f"modbus:tcp:127.0.0.1:{meter}/1/sdm630"
        (self.folder / "station.yaml").write_text(
            "station: {id: OE1}\nconsole: {device: 'off'}\n"
            "charging: {plug_and_charge: true}\nsession: {after_power_loss: resume}\n"
            f"house: {{load_management: true, breaker_ma: {BREAKER_A * 1000}}}\n"
            f"metering: {{house_meter: '{url}'}}\npage: {{listen: ''}}\n"
            f"connectors:\n- kind: openevse\n  rapi_cable: 'tcp:127.0.0.1:{board}'\n")
        self.start("sim", SIM, "openevse", "--board", "8.2.3-eu", "--listen", f"127.0.0.1:{board}", "--meter", url,
                   "--plugged", "--house-scale", "0", "--status", "0", "--control", str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["plugged"], "the simulator")
        self.start_station()
        self.until(lambda: self.connector()["state"] == "charging", "the charge")
        self.until(lambda: self.truth()["phase_a"][0] > 9, "current")

    def start_station(self):
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--data", str(self.folder / "data"))

    def until(self, true, what, station_s=None):
        """True within so many seconds of the station's time; a machine that is busy gets a little more."""
        return super().until(true, what, station_s and station_s / self.speed + 1.5)

    def most_a(self):
        return max(self.truth()["grid_a"])

    # Reason: this is what all of it is for.
    def test_the_house_stays_below_its_breaker_and_the_offer_comes_back(self):
        self.until(lambda: self.truth()["board_a"] >= 12, "an offer that has risen")
        writes = self.truth()["eeprom_writes"]
        self.tell("house", "all", "14")
        self.until(lambda: self.most_a() < BREAKER_A, "the house below its breaker", 12)
        seen = self.connector()
        self.assertEqual(seen["limit_source"], "house")
        self.assertGreater(seen["offered_a"], 5)
        self.tell("house", "all", "0")
        self.until(lambda: self.truth()["board_a"] >= 12, "the offer back", 120)
        self.assertEqual(self.truth()["eeprom_writes"], writes)  # every limit was volatile

    # Reason: without a meter nobody knows what the house draws.
    def test_a_meter_that_dies_leaves_the_fail_safe_current_within_ten_seconds(self):
        self.until(lambda: self.truth()["board_a"] > 8, "an offer above the fail-safe")
        self.tell("meter", "silent")
        self.until(lambda: self.truth()["board_a"] <= 6, "the fail-safe current", 15)
        limits = self.status()
        self.assertTrue(limits["house"]["failsafe"])
        self.assertEqual(self.connector()["limit_source"], "house")
        self.tell("meter", "good")
        self.until(lambda: self.truth()["board_a"] > 8, "the offer back", 90)

    # Reason: the board must not go on with a full current that nobody minds any more.
    def test_a_station_that_is_killed_leaves_the_boards_own_fall_back_and_no_energy_is_lost(self):
        self.until(lambda: self.truth()["board_a"] > 8, "an offer above the fall-back")
        self.running["station"].send_signal(signal.SIGKILL)
        self.running["station"].wait()
        self.until(lambda: self.truth()["board_a"] <= 6, "the board's own fall-back", 12)
        time.sleep(20 / self.speed)
        self.start_station()
        self.until(lambda: self.connector()["state"] == "charging", "the charge that goes on")
        self.until(lambda: self.truth()["board_a"] > 6, "the offer back", 120)
        # The board's counter is read every 10 s, its ammeter is up to 1 % low.
        truth = self.truth()
        lag_wh = truth["power_w"] * 12 / 3600
        self.until(lambda: self.connector()["register_wh"] > truth["energy_wh_physical"] * 0.97 - lag_wh,
                   "the energy of the time without a station")

    # Reason: a board that says nothing limits itself, and the connector says that it is lost.
    def test_a_board_that_falls_silent_is_a_fault_and_comes_back(self):
        self.tell("board", "silent")
        self.until(lambda: self.connector()["vendor_code"] == "PW-BOARD", "the fault", 12)
        self.tell("board", "good")
        self.until(lambda: self.connector()["state"] == "charging", "the charge", 40)

    # Reason: a board forgets its limit when it restarts, and would go on with its maximum.
    def test_a_board_that_restarts_never_gets_more_than_it_had(self):
        self.tell("house", "all", "12")
        self.until(lambda: self.truth()["board_a"] < 12 and self.most_a() < BREAKER_A, "a lower offer")
        self.tell("reboot")
        end = time.monotonic() + 30 / self.speed
        while time.monotonic() < end:
            truth = self.truth()
            self.assertFalse(truth["relay"] and max(truth["grid_a"]) > BREAKER_A, truth)
            time.sleep(0.03)
        self.until(lambda: self.connector()["state"] == "charging", "the charge", 60)


if __name__ == "__main__":
    main(170)
