"""python3-cryptography and python3-pymodbus as strangers: they have our simulated meter sign, take its data set apart
by the text of OCMF 1.4 and verify it; and what they sign with other curves and encodings, `pilotwire verify` accepts,
and refuses with one changed byte.

judge.py COMMAND SIM
"""

import base64
import contextlib
import datetime
import json
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from pymodbus.client import ModbusTcpClient

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # that nobody listens yet is no news
COMMAND, SIM = sys.argv[1:3]
WAIT_S = 20

# The makers' register list (BSM-WS36A): model 64900 at 40197, snapshots 64901 from 40521, OCMF 64903 from 41791.
EPOCH, META1, META2, KEY_BYTES, KEY = 40260, 40279, 40349, 40450, 40451
STATUS = {"B": 41286, "E": 41540, "C": 40524}
TEXT = {"B": 43295, "E": 43795, "C": 41795}
VALID, UPDATING = 0, 2


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def words(text, count):
    plain = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(plain[2 * i:2 * i + 2], "big") for i in range(count)]


def verify(key, payload, section):
    signature = base64.b64decode(section["SD"]) if section.get("SE") == "base64" else bytes.fromhex(section["SD"])
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, payload)
    else:
        key.verify(signature, payload, ec.ECDSA(hashes.SHA256()))


class Meter(unittest.TestCase):
    """Our meter, judged by strangers."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def simulate(self, kind):
        port = free_port()
        program = subprocess.Popen(
            [SIM, "meter", "--meter", f"modbus:tcp:127.0.0.1:{port}/7/bsm", "--meter-key-kind", kind, "--meter-key",
             str(self.path / f"{kind}.pem"), "--status", "0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        client = ModbusTcpClient("127.0.0.1", port=port, timeout=3)
        deadline = time.monotonic() + WAIT_S
        while not client.connect():
            self.assertLess(time.monotonic(), deadline, "no simulator")
            time.sleep(0.05)
        self.addCleanup(client.close)
        return client

    def read(self, client, address, count):
        registers = []
        while count > 0:
            part = min(count, 125)
            answer = client.read_holding_registers(address, part, slave=7)
            self.assertFalse(answer.isError(), answer)
            registers += answer.registers
            address, count = address + part, count - part
        return b"".join(word.to_bytes(2, "big") for word in registers)

    def snapshot(self, client, moment):
        self.assertFalse(client.write_registers(STATUS[moment], [UPDATING], slave=7).isError())
        deadline = time.monotonic() + WAIT_S
        while (status := self.read(client, STATUS[moment], 1)[1]) == UPDATING:
            self.assertLess(time.monotonic(), deadline, "still updating")
            time.sleep(0.05)
        self.assertEqual(status, VALID)
        return self.read(client, TEXT[moment], 496).split(b"\0")[0]

    def test_a_data_set_is_ocmf_and_its_signature_fits(self):
        for kind, algorithm in (("p256", "ECDSA-secp256r1-SHA256"), ("ed25519", "Ed25519")):
            with self.subTest(kind):
                client = self.simulate(kind)
                now = int(time.time())
                client.write_registers(EPOCH, [now >> 16, now & 0xFFFF, 60], slave=7)
                client.write_registers(META1, words('CARD "7"|x', 70), slave=7)
                client.write_registers(META2, words("STATION 1", 50), slave=7)
                time.sleep(0.3)
                der = self.read(client, KEY, 48)[:int.from_bytes(self.read(client, KEY_BYTES, 1), "big")]
                key = serialization.load_der_public_key(der)
                kept = serialization.load_pem_private_key((self.path / f"{kind}.pem").read_bytes(), None)
                self.assertEqual(os.stat(self.path / f"{kind}.pem").st_mode & 0o777, 0o600)
                form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
                self.assertEqual(kept.public_key().public_bytes(*form), der)
                pages = [self.judge(self.snapshot(client, moment), moment, key, algorithm, now) for moment in "BCE"]
                self.assertEqual(pages, [1, 2, 3])

    def judge(self, text, moment, key, algorithm, now):
        header, payload, section = text.split(b"|")
        self.assertEqual(header, b"OCMF")
        data, section = json.loads(payload), json.loads(section)
        self.assertEqual(section["SA"], algorithm)
        verify(key, payload, section)
        for at in range(0, len(payload), 37):
            forged = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1:]
            with self.assertRaises(InvalidSignature):
                verify(key, forged, section)
        self.assertEqual(data["FV"], "1.4")
        self.assertEqual((data["IS"], data["ID"], data["CT"], data["CI"]), (True, 'CARD "7"/x', "CBIDC", "STATION 1"))
        self.assertTrue(data["MS"])
        (reading,) = data["RD"]
        self.assertEqual((reading["TX"], reading["ST"], reading["RU"]), (moment, "G", "kWh"))
        self.assertRegex(reading["RI"], r"^01-00:01\.08\.00\*FF$")
        self.assertAlmostEqual(reading["RV"], 1234.5, delta=0.01)
        self.assertIn(b'"RV":1234.5', payload)
        stamp = re.fullmatch(r"(.{19}),(\d{3})([+-]\d{4}) S", reading["TM"])
        self.assertTrue(stamp, reading["TM"])
        at = datetime.datetime.strptime(stamp[1] + stamp[3], "%Y-%m-%dT%H:%M:%S%z")
        self.assertAlmostEqual(at.timestamp(), now - 3600, delta=30)  # told as local time, an hour ahead
        page = re.fullmatch(r"T(\d+)", data["PG"])
        return int(page[1])


class Verifier(unittest.TestCase):
    """Our judge, judged by what strangers signed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(folder.name)
        self.addCleanup(folder.cleanup)

    def data_set(self, key, algorithm, moment, kwh, page, encoding):
        payload = json.dumps({"FV": "1.4", "GS": "PEER", "PG": f"T{page}", "MS": "PEER", "IS": False, "IT": "NONE",
                              "RD": [{"TM": f"2026-03-01T1{page}:00:00,000+0100 S", "TX": moment, "RV": kwh,
                                      "RI": "1-0:1.8.0*255", "RU": "kWh", "ST": "G"}]}, indent=1).encode()
        if isinstance(key, ed25519.Ed25519PrivateKey):
            signature = key.sign(payload)
        else:
            signature = key.sign(payload, ec.ECDSA(hashes.SHA256()))
        section = {"SD": signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()}
        if algorithm:
            section["SA"] = algorithm
        if encoding != "hex":
            section["SE"] = encoding
        return b"OCMF|" + payload + b"|" + json.dumps(section).encode()

    def value(self, text, key=""):
        return json.dumps({"signedMeterData": base64.b64encode(text).decode(), "signingMethod": "",
                           "encodingMethod": "OCMF", "publicKey": key})

    def verify(self, lines, key):
        file = self.path / "values"
        file.write_text("\n".join(lines) + "\n")
        done = subprocess.run([COMMAND, "--json", "verify", str(file), "--key", key], capture_output=True, text=True,
                              timeout=WAIT_S, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def test_other_curves_and_encodings(self):
        kinds = [(ec.SECP256R1(), ""), (ec.SECP256R1(), "ECDSA-secp256r1-SHA256"),
                 (ec.SECP256K1(), "ECDSA-secp256k1-SHA256"), (ec.SECP384R1(), "ECDSA-secp384r1-SHA256"),
                 (ec.BrainpoolP256R1(), "ECDSA-brainpool256r1-SHA256"), (None, "Ed25519")]
        for curve, algorithm in kinds:
            for encoding in ("hex", "base64"):
                with self.subTest(f"{algorithm} {encoding}"):
                    key = ec.generate_private_key(curve) if curve else ed25519.Ed25519PrivateKey.generate()
                    public = key.public_key()
                    der = public.public_bytes(serialization.Encoding.DER,
                                              serialization.PublicFormat.SubjectPublicKeyInfo)
                    pem = public.public_bytes(serialization.Encoding.PEM,
                                              serialization.PublicFormat.SubjectPublicKeyInfo).decode()
                    oca = base64.b64encode(b"oca:base16:asn1:" + der.hex().encode()).decode()
                    (self.path / "key.pem").write_text(pem)
                    begin = self.data_set(key, algorithm, "B", 100.001, 1, encoding)
                    end = self.data_set(key, algorithm, "E", 107.251, 2, encoding)
                    lines = [self.value(begin), self.value(end, oca)]
                    for form in (der.hex(" "), oca, str(self.path / "key.pem"), "0x" + der.hex().upper()):
                        code, said = self.verify(lines, form)
                        self.assertEqual((code, said.get("energy_wh")), (0, 7250), said)
                    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
                        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
                    self.assertEqual(self.verify(lines, other.hex())[0], 3)
                    for at in (5, len(end) // 3, end.index(b'"RV"') + 7):
                        forged = end[:at] + bytes([end[at] ^ 1]) + end[at + 1:]
                        self.assertEqual(self.verify([self.value(begin), self.value(forged)], der.hex())[0], 3)

    def test_what_a_pair_must_be(self):
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(serialization.Encoding.DER,
                                               serialization.PublicFormat.SubjectPublicKeyInfo).hex()

        def sets(*rows):
            return [self.value(self.data_set(key, "", moment, kwh, page, "hex")) for moment, kwh, page in rows]
        cases = [(sets(("B", 5, 1)), "there is no signed end"), (sets(("E", 5, 1)), "there is no signed begin"),
                 (sets(("B", 5, 2), ("E", 6, 1)), "the end was signed before the begin"),
                 (sets(("B", 5, 1), ("E", 4, 2)), "begin and end measure nothing between them"), ([], "no signed value")]
        for lines, why in cases:
            code, said = self.verify(lines, public)
            self.assertEqual(code, 3, said)
            self.assertIn(why, said["why"])
        with contextlib.suppress(json.JSONDecodeError):
            self.assertEqual(self.verify(sets(("B", 5, 1)), "not a key")[0], 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
