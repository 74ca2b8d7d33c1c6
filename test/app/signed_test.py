"""A charge whose meter signs: simulated meter, station, central system, and `pilotwire verify` as the judge of
what arrived. The clocks run twice as fast.

signed_test.py STATION COMMAND CENTRAL SIM: the four programs. Loopback and free ports only; every wait is bounded.
"""

import base64
import http.client
import json

from programs import CENTRAL, COMMAND, SIM, STATION, Case, free_port, main

KEYS = "metering: {sign_sampled: true, sample_interval_s: 10, sign_wait_s: 4%s}\n"


class Signed(Case):
    wait_s = 25
    speed = 2  # faster, a busy machine looks like a silent board

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.key = self.central_says("station", "add", "AC1")
        self.environment["PILOTWIRE_PASSWORD"] = self.central_says("user", "password", "admin")
        self.central_says("card", "add", "CARD7")

    def at_central(self, *words, code=0):
        return self.once(COMMAND, "--central", f"http://127.0.0.1:{self.port}", *words, code=code).stdout

    def sessions(self):
        return json.loads(self.at_central("--json", "sessions"))["sessions"]

    def open_all(self, more="", key_kind="p256"):
        front, meter = free_port(), free_port()
        url = f"modbus:tcp:127.0.0.1:{meter}/1/bsm"
        (self.folder / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.folder / "station.yaml").write_text(
            f"station: {{id: AC1}}\nconsole: {{device: 'off'}}\npage: {{listen: ''}}\n"
            f"session: {{free_id_tag: CARD7}}\ncharging: {{plug_and_charge: true}}\n"
            f"ocpp: {{url: 'ws://127.0.0.1:{self.port}/ocpp'}}\n" + KEYS % more +
            f"connectors:\n- kind: pilot\n  board: board.yaml\n  meter: '{url}'\n")
        secrets = self.write("secrets.yaml", f"ocpp: {{authorization_key: '{self.key}'}}\n")
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{self.port}", "--link-listen", "off")
        self.start("sim", SIM, "ac", "--listen", f"127.0.0.1:{front}", "--meter", url, "--status", "0", "--meter-key",
                   str(self.folder / "meter.pem"), "--meter-key-kind", key_kind, "--control",
                   str(self.folder / "sim.sock"))
        self.until(self.truth, "the simulator")
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets", secrets, "--data",
                   str(self.folder / "data"))
        self.until(lambda: "event=public-key" in self.text_of("station") or " public-key" in self.text_of("station"), "the meter's key")
        self.until(lambda: "status=online" in self.text_of("station"), "the central")

    def charge(self, running=None):
        self.used = self.truth()["energy_wh_physical"]
        sessions = len(self.sessions())
        self.tell("plug")
        self.until(lambda: self.truth()["power_w"] > 3000, "the charge")
        self.until(lambda: self.truth()["energy_wh_physical"] > self.used + 20, "20 Wh")
        if running is not None:
            running(self.sessions()[0])
        self.tell("unplug")
        self.until(lambda: len(self.sessions()) > sessions and self.sessions()[0]["stop_at"] is not None,
                   "the end of the session")
        return self.sessions()[0]

    def signed(self, session):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.wait_s)
        login = json.dumps({"user": "admin", "password": self.environment["PILOTWIRE_PASSWORD"]})
        connection.request("POST", "/api/v1/login", login, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.request("GET", f"/api/v1/sessions/{session['id']}",
                           headers={"Cookie": answer.getheader("Set-Cookie").split(";")[0]})
        document = json.loads(connection.getresponse().read())
        connection.close()
        return document["signed_values"]

    def test_a_charge_is_signed_from_begin_to_end(self):
        """Reason: whoever pays must be able to hold the bill against what the meter signed."""
        self.open_all(", start_sampled_data: Energy.Active.Import.Register, sign_started: true, sign_updated: true")

        def running(session):
            # Nothing is wrong with a charge that goes on: that is not "invalid".
            self.assertIn("not ended: ", self.at_central("verify", str(session["id"]), code=3).splitlines()[-1])

        session = self.charge(running)
        text = self.at_central("verify", str(session["id"]))
        self.assertIn("valid: ", text.splitlines()[-1])
        said = json.loads(self.at_central("--json", "verify", str(session["id"])))
        self.assertTrue(said["valid"], said)
        self.assertEqual(said["user"], "CARD7")
        self.assertAlmostEqual(said["energy_wh"], session["energy_wh"], delta=20)
        self.assertGreater(said["energy_wh"], 15)
        values = self.signed(session)
        contexts = {value["context"] for value in values}
        self.assertTrue({"Transaction.Begin", "Transaction.End", "Sample.Periodic"} <= contexts, contexts)
        # The key is in StopTransaction alone, once: what came with MeterValues has none.
        keys = [json.loads(value["value"])["publicKey"] for value in values]
        self.assertEqual(sum(key != "" for key in keys), 1, keys)
        answer = json.loads(self.at_central("--json", "get", "AC1", "MeterPublicKey1"))
        told = answer["answer"]["configurationKey"][0]
        self.assertEqual((told["key"], told["readonly"]), ("MeterPublicKey1", True))
        self.assertIn(told["value"], keys)
        self.assertTrue(base64.b64decode(told["value"]).startswith(b"oca:base16:asn1:"))
        self.tampered(values, told["value"])

    def tampered(self, values, key):
        """Reason: one changed character anywhere in what was signed must be seen."""
        pair = [next(json.loads(v["value"]) for v in values if v["context"] == "Transaction." + end)
                for end in ("Begin", "End")]
        lines = [base64.b64decode(value["signedMeterData"]).decode() for value in pair]
        file = self.folder / "sets"
        file.write_text("\n".join(lines) + "\n")
        self.assertIn("valid: ", self.once(COMMAND, "verify", str(file), "--key", key).stdout)
        forged = lines[1].replace('"RV":1', '"RV":2', 1) if '"RV":1' in lines[1] else lines[1].replace(
            '"RV":', '"RV":9', 1)
        self.assertNotEqual(forged, lines[1])
        for changed in (forged, lines[1].replace("CARD7", "CARD8"), lines[1].replace('"TX":"E"', '"TX":"L"')):
            file.write_text(lines[0] + "\n" + changed + "\n")
            self.assertIn("invalid: the signature does not fit",
                          self.once(COMMAND, "verify", str(file), "--key", key, code=3).stdout)
        file.write_text(lines[0] + "\n")
        self.assertIn("there is no signed end",
                      self.once(COMMAND, "verify", str(file), "--key", key, code=3).stdout)

    def test_a_meter_that_hangs_does_not_hold_the_charge(self):
        """Reason: a signature is worth less than a charged vehicle: after the wait it goes on, and says so."""
        self.open_all()
        self.tell("signing", "hangs")
        session = self.charge()
        self.assertIn("unsigned connector=1 reading=begin", self.text_of("station"))
        self.assertIn("unsigned connector=1 reading=end", self.text_of("station"))
        self.assertEqual(self.signed(session), [])
        self.assertIn("there is no signed value", self.at_central("verify", str(session["id"]), code=3))
        self.tell("signing", "ok")
        session = self.charge()
        self.assertIn("valid: ", self.at_central("verify", str(session["id"])).splitlines()[-1])

    def test_a_meter_that_forges_is_found_out(self):
        """Reason: a data set that says more than was signed is the fraud that signing is for."""
        self.open_all(key_kind="ed25519")
        self.tell("signing", "forges")
        session = self.charge()
        self.assertIn("invalid: the signature does not fit", self.at_central("verify", str(session["id"]), code=3))


if __name__ == "__main__":
    main(150)
