"""A charge whose meter signs: simulated meter, station, central system, and `pilotwire verify` as the judge of
what arrived. The clocks run twice as fast.

signed_test.py STATION COMMAND CENTRAL SIM: the four programs. Loopback and free ports only; every wait is bounded.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "said"))
import traffic  # noqa: E402

STATION, COMMAND, CENTRAL, SIM = sys.argv[1:5]
SPEED = 2  # faster, a busy machine looks like a silent board
WAIT_S = 25
LIFE_S = 150
KEYS = "metering: {sign_sampled: true, sample_interval_s: 10, sign_wait_s: 4%s}\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Signed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(self.folder.name)
        self.running = []
        self.addCleanup(self.end_all)
        now = int(time.time() * 1000)
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(self.path / "s.sock"),
                            "PILOTWIRE_CLOCK": f"{now}:{now}:{SPEED}"}
        self.port = free_port()
        self.key = self.central_says("station", "add", "AC1")
        self.environment["PILOTWIRE_PASSWORD"] = self.central_says("user", "password", "admin")
        self.central_says("card", "add", "CARD7")

    def end_all(self):
        for program in reversed(self.running):
            program.kill()
            program.wait()
        traffic.write(self.path)
        self.folder.cleanup()

    def central_says(self, *words):
        done = subprocess.run([CENTRAL, "-d", str(self.path / "central"), *words], check=True, capture_output=True,
                              text=True, timeout=WAIT_S, env=self.environment)
        return done.stdout.strip()

    def start(self, *arguments):
        with open(self.path / "log", "a") as log:
            self.running.append(subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.DEVNULL, stderr=log))

    def log(self):
        return (self.path / "log").read_text(errors="replace")

    def until(self, true, what):
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, subprocess.CalledProcessError, json.JSONDecodeError, IndexError, KeyError):
                if true():
                    return
            time.sleep(0.05)
        raise AssertionError(f"gave up waiting for {what}\n{self.log()}")

    def command(self, *words, code=0):
        done = subprocess.run([COMMAND, *words], env=self.environment, capture_output=True, text=True, timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def at_central(self, *words, code=0):
        return self.command("--central", f"http://127.0.0.1:{self.port}", *words, code=code)

    def vehicle(self, *words):
        answer = subprocess.run([SIM, "tell", str(self.path / "sim.sock"), *words], env=self.environment,
                                capture_output=True, text=True, timeout=WAIT_S, check=True)
        return answer.stdout

    def sessions(self):
        return json.loads(self.at_central("--json", "sessions"))["sessions"]

    def open_all(self, more="", key_kind="p256"):
        front, meter = free_port(), free_port()
        url = f"modbus:tcp:127.0.0.1:{meter}/1/bsm"
        (self.path / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.path / "station.yaml").write_text(
            f"station: {{id: AC1}}\nconsole: {{device: 'off'}}\npage: {{listen: ''}}\n"
            f"session: {{free_id_tag: CARD7}}\ncharging: {{plug_and_charge: true}}\n"
            f"ocpp: {{url: 'ws://127.0.0.1:{self.port}/ocpp'}}\n" + KEYS % more +
            f"connectors:\n- kind: pilot\n  board: board.yaml\n  meter: '{url}'\n")
        secrets = self.path / "secrets.yaml"
        secrets.write_text(f"ocpp: {{authorization_key: '{self.key}'}}\n")
        secrets.chmod(0o600)
        self.start(CENTRAL, "-d", str(self.path / "central"), "-l", f"127.0.0.1:{self.port}", "--link-listen", "off")
        self.start(SIM, "ac", "--listen", f"127.0.0.1:{front}", "--meter", url, "--status", "0", "--meter-key",
                   str(self.path / "meter.pem"), "--meter-key-kind", key_kind, "--control",
                   str(self.path / "sim.sock"))
        self.until(lambda: self.vehicle("status") != "", "the simulator")
        self.start(STATION, "--config", str(self.path / "station.yaml"), "--secrets", str(secrets), "--data",
                   str(self.path / "data"))
        self.until(lambda: "event=public-key" in self.log() or " public-key" in self.log(), "the meter's key")
        self.until(lambda: "status=online" in self.log(), "the central")

    def charge(self, running=None):
        self.used = json.loads(self.vehicle("status"))["energy_wh_physical"]
        sessions = len(self.sessions())
        self.vehicle("plug")
        self.until(lambda: json.loads(self.vehicle("status"))["power_w"] > 3000, "the charge")
        self.until(lambda: json.loads(self.vehicle("status"))["energy_wh_physical"] > self.used + 20, "20 Wh")
        if running is not None:
            running(self.sessions()[0])
        self.vehicle("unplug")
        self.until(lambda: len(self.sessions()) > sessions and self.sessions()[0]["stop_at"] is not None,
                   "the end of the session")
        return self.sessions()[0]

    def signed(self, session):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
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
        file = self.path / "sets"
        file.write_text("\n".join(lines) + "\n")
        self.assertIn("valid: ", self.command("verify", str(file), "--key", key))
        forged = lines[1].replace('"RV":1', '"RV":2', 1) if '"RV":1' in lines[1] else lines[1].replace(
            '"RV":', '"RV":9', 1)
        self.assertNotEqual(forged, lines[1])
        for changed in (forged, lines[1].replace("CARD7", "CARD8"), lines[1].replace('"TX":"E"', '"TX":"L"')):
            file.write_text(lines[0] + "\n" + changed + "\n")
            self.assertIn("invalid: the signature does not fit", self.command("verify", str(file), "--key", key,
                                                                             code=3))
        file.write_text(lines[0] + "\n")
        self.assertIn("there is no signed end", self.command("verify", str(file), "--key", key, code=3))

    def test_a_meter_that_hangs_does_not_hold_the_charge(self):
        """Reason: a signature is worth less than a charged vehicle: after the wait it goes on, and says so."""
        self.open_all()
        self.vehicle("signing", "hangs")
        session = self.charge()
        self.assertIn("unsigned connector=1 reading=begin", self.log())
        self.assertIn("unsigned connector=1 reading=end", self.log())
        self.assertEqual(self.signed(session), [])
        self.assertIn("there is no signed value", self.at_central("verify", str(session["id"]), code=3))
        self.vehicle("signing", "ok")
        session = self.charge()
        self.assertIn("valid: ", self.at_central("verify", str(session["id"])).splitlines()[-1])

    def test_a_meter_that_forges_is_found_out(self):
        """Reason: a data set that says more than was signed is the fraud that signing is for."""
        self.open_all(key_kind="ed25519")
        self.vehicle("signing", "forges")
        session = self.charge()
        self.assertIn("invalid: the signature does not fit", self.at_central("verify", str(session["id"]), code=3))


if __name__ == "__main__":
    signal.alarm(LIFE_S)
    unittest.main(argv=sys.argv[:1])
