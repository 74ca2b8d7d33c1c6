"""T07 of facts/reliability.md: servers that must not be trusted, on every link that a station begins.

For each bad server one station with three links to it: OCPP (wss, profile 2), station link, MQTT (mqtts). None of
them says anything to it, each is tried again, the security log names what was wrong, the profile stays. Then one
station charges on while all three servers are bad.

bad_servers.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

import concurrent.futures
import contextlib
import datetime
import hashlib
import ipaddress
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

STATION, COMMAND, SIM = sys.argv[1:4]
WAIT_S = 40
SPEED = 8  # pauses between tries are the station's own time
NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
DAY = datetime.timedelta(days=1)
KEY, PASSWORD = "a-key-nobody-guesses", "only-for-this-test"
warnings.simplefilter("ignore")


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certify(subject, key, issuer, issuer_key, ca=False, begins=NOW - DAY, ends=NOW + DAY, hosts=("localhost",), fat=0):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(begins).not_valid_after(ends)
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.DNSName(host) for host in hosts]
            + ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if "localhost" in hosts else [])), critical=False)
    if fat:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"),
                                                                   b"x" * fat), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


CA_KEY, LEAF_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
CA = certify("ca", CA_KEY, "ca", CA_KEY, ca=True)


def revocations(*certificates):
    """The list of the authority: what it has taken back. It is a day out of date, and counts all the same."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(name("ca")).last_update(NOW - 2 * DAY).next_update(
        NOW - DAY)
    for one in certificates:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(
            one.serial_number).revocation_date(NOW - 2 * DAY).build())
    return builder.sign(CA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def long_chain(length):
    key, issuer, issuer_key, chain = None, "ca", CA_KEY, []
    for i in range(length - 1):
        key = ec.generate_private_key(ec.SECP256R1())
        chain.insert(0, certify(f"between {i}", key, issuer, issuer_key, ca=True))
        issuer, issuer_key = f"between {i}", key
    return [certify("leaf", LEAF_KEY, issuer, issuer_key), *chain]


class Server:
    """Takes every connection, remembers what came behind the handshake: it must be nothing."""

    def __init__(self, serve):
        self.tries, self.heard, self.serve = 0, b"", serve
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        client.settimeout(5)
        try:
            self.heard += self.serve(client)
        except OSError:
            pass
        finally:
            self.tries += 1
            client.close()

    def close(self):
        self.socket.close()


def tls(folder, certificates, key=LEAF_KEY, versions=None, ciphers=None):
    """A server of OpenSSL's that shows these certificates."""
    chain, secret = folder / "server.pem", folder / "server.key"
    chain.write_bytes(pem(*certificates))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
    if versions:
        context.minimum_version, context.maximum_version = versions
    context.load_cert_chain(chain, secret)

    def serve(client):
        with context.wrap_socket(client, server_side=True) as stream:
            return stream.recv(4096)
    return serve


def hello(suite, compression=0):
    """A ServerHello of TLS 1.2 that chooses what nobody offered."""
    def serve(client):
        client.recv(4096)
        body = b"\x03\x03" + os.urandom(32) + b"\x00" + suite.to_bytes(2, "big") + bytes([compression])
        shake = b"\x02" + len(body).to_bytes(3, "big") + body
        client.sendall(b"\x16\x03\x03" + len(shake).to_bytes(2, "big") + shake)
        answer = client.recv(4096)
        return b"" if answer[:1] in (b"", b"\x15") else answer
    return serve


OLD = "InvalidTLSVersion"
SUITE = "InvalidTLSCipherSuite"
CERTIFICATE = "InvalidCentralSystemCertificate"
V = ssl.TLSVersion


def good(key=LEAF_KEY, **what):
    return [certify("localhost", key, "ca", CA_KEY, **what)]


REVOKED = good()[0]

CASES = {
    "tls_1_0": (OLD, lambda f: tls(f, good(), versions=(V.TLSv1, V.TLSv1))),
    "tls_1_1": (OLD, lambda f: tls(f, good(), versions=(V.TLSv1_1, V.TLSv1_1))),
    "null": (SUITE, lambda f: tls(f, good(), versions=(V.TLSv1_2, V.TLSv1_2), ciphers="NULL:@SECLEVEL=0")),
    "cbc": (SUITE, lambda f: tls(f, good(RSA_KEY), RSA_KEY, (V.TLSv1_2, V.TLSv1_2), "AES128-SHA:@SECLEVEL=0")),
    "three_des": (SUITE, lambda f: hello(0x000A)),
    "rc4": (SUITE, lambda f: hello(0x0005)),
    "compression": (SUITE, lambda f: hello(0xC02B, 1)),
    "wrong_host": (CERTIFICATE, lambda f: tls(f, good(hosts=("central.example",)))),
    "expired": (CERTIFICATE, lambda f: tls(f, good(begins=NOW - 9 * DAY, ends=NOW - DAY))),
    # What a station sees whose clock was never set: the certificate begins in its future.
    "not_yet_valid": (CERTIFICATE, lambda f: tls(f, good(begins=NOW + 9 * DAY, ends=NOW + 99 * DAY))),
    "revoked": (CERTIFICATE, lambda f: tls(f, [REVOKED])),
    "self_signed": (CERTIFICATE, lambda f: tls(f, [certify("localhost", LEAF_KEY, "localhost", LEAF_KEY)])),
    "chain_of_100": (CERTIFICATE, lambda f: tls(f, long_chain(100))),
    "chain_of_10": (CERTIFICATE, lambda f: tls(f, long_chain(10))),
    "certificate_of_16_kib": (CERTIFICATE, lambda f: tls(f, good(fat=16384))),
}


class House:
    """One station, its files, and what it is connected to."""

    def __init__(self, folder, ports, station="", charges=False, wall=None):
        self.path, self.running = folder, []
        (folder / "ca.pem").write_bytes(pem(CA) + revocations(REVOKED))
        (folder / "secrets.yaml").write_text(
            f"ocpp: {{authorization_key: {KEY}}}\nmqtt: {{password: {PASSWORD}}}\n")
        (folder / "secrets.yaml").chmod(0o600)
        connector = "- kind: dc\n"
        now = int(time.time() * 1000)
        speed = SPEED
        if charges:
            speed = 2  # faster, a busy machine looks like a board that is silent
            with socket.create_server(("127.0.0.1", 0)) as probe:
                front = probe.getsockname()[1]
            (folder / "board.yaml").write_text(
                f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
            connector = "- kind: pilot\n  board: board.yaml\n"
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(folder / "s.sock"),
                            "PILOTWIRE_CLOCK": f"{now}:{wall or now}:{speed}"}
        if charges:
            self.start(SIM, "ac", "--listen", f"127.0.0.1:{front}", "--plugged", "--status", "0", "--control",
                       str(folder / "sim.sock"))
        (folder / "station.yaml").write_text(
            "station: {id: T07}\nconsole: {device: 'off'}\npage: {listen: ''}\n"
            f"can: {{bus0: 'mcast:239.74.163.2:{20000 + ports[0] % 20000}'}}\n"
            "session: {free_id_tag: FREE}\ncharging: {plug_and_charge: true}\n"
            f"ocpp: {{url: 'wss://localhost:{ports[0]}/ocpp', security_profile: 2, ca_file: '{folder}/ca.pem'}}\n"
            f"uplink: {{url: 'tls://localhost:{ports[1]}', ca_file: '{folder}/ca.pem'}}\n"
            f"mqtt: {{url: 'mqtts://localhost:{ports[2]}', username: me, ca_file: '{folder}/ca.pem'}}\n"
            f"{station}connectors:\n{connector}")
        self.start(STATION, "--config", str(folder / "station.yaml"), "--secrets", str(folder / "secrets.yaml"),
                   "--data", str(folder / "data"))

    def start(self, *command):
        with open(self.path / "log", "a") as log:
            self.running.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log))

    def log(self):
        return (self.path / "log").read_text()

    def ask(self, *words):
        done = subprocess.run([COMMAND, "--json", *words], env=self.environment, capture_output=True, text=True,
                              timeout=WAIT_S, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until(self, condition, what):
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}\n{self.log()}")
            time.sleep(0.05)

    def end(self):
        for program in reversed(self.running):
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def try_case(case):
    event, make = CASES[case]
    with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
        folder = pathlib.Path(at)
        servers = [Server(make(folder)) for _ in range(3)]
        house = House(folder, [server.port for server in servers])
        try:
            house.until(lambda: all(server.tries >= 2 for server in servers),
                        f"{case}: tries {[server.tries for server in servers]}")
            records = house.ask("seclog", "90")["records"]
            got = [r["event"] for r in records if r["event"].startswith("Invalid")]
            assert got == [event], f"{case}: {records}"
            assert all(server.heard == b"" for server in servers), f"{case}: {[s.heard for s in servers]}"
            assert KEY not in house.log() and PASSWORD not in house.log()
            for room in ("link refused", "uplink", "mqtt not-connected"):
                assert room in house.log(), f"{case}: {room}\n{house.log()}"
            assert "back from" not in house.log(), case  # never a lower profile
        finally:
            house.end()
            for server in servers:
                server.close()
    return case


class T07(unittest.TestCase):
    def test_each_bad_server_is_refused_on_each_link_and_tried_again(self):
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            done = list(pool.map(try_case, CASES))
        print(f"{len(done)} bad servers on 3 links", file=sys.stderr)

    def test_charging_goes_on_while_no_server_can_be_trusted(self):
        with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
            folder = pathlib.Path(at)
            servers = [Server(CASES["self_signed"][1](folder)) for _ in range(3)]
            house = House(folder, [server.port for server in servers], charges=True)
            try:
                connector = lambda: (house.ask("status").get("connectors") or [{}])[0]
                house.until(lambda: connector().get("state") == "charging", "a charge")
                before = connector()["energy_wh"]
                house.until(lambda: all(server.tries >= 2 for server in servers), "two tries")
                house.until(lambda: connector()["energy_wh"] > before, "more energy")
                self.assertEqual(connector()["state"], "charging")
            finally:
                house.end()
                for server in servers:
                    server.close()

    def test_dates_are_judged_by_the_stations_clock_on_each_link(self):
        """Good servers whose certificates begin in the future of a clock that was set wrong."""
        with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
            folder = pathlib.Path(at)
            servers = [Server(tls(folder, good())) for _ in range(3)]
            house = House(folder, [server.port for server in servers], wall=1735689600000)  # 2025
            try:
                house.until(lambda: all(server.tries >= 2 for server in servers), "two tries")
                self.assertEqual([server.heard for server in servers], [b"", b"", b""])
                self.assertEqual(house.log().count("list-out-of-date"), 3)  # the machine's clock
                for room in ("link refused", "uplink", "mqtt not-connected"):
                    lines = [line for line in house.log().splitlines() if room in line and "not yet valid" in line]
                    self.assertTrue(lines, f"{room}\n{house.log()}")
            finally:
                house.end()
                for server in servers:
                    server.close()

    def test_renegotiation_is_refused(self):
        """The server asks to begin anew in the middle (TLS 1.2): the station does not."""
        with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
            folder = pathlib.Path(at)
            tls(folder, good())
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            server = subprocess.Popen(
                ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-cert", folder / "server.pem",
                 "-key", folder / "server.key", "-state"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            dead = [Server(hello(5)) for _ in range(2)]
            house = House(folder, [port, dead[0].port, dead[1].port])
            text = b""
            try:
                os.set_blocking(server.stdout.fileno(), False)
                asked = False
                end = time.monotonic() + WAIT_S
                while b"no renegotiation" not in text and time.monotonic() < end:
                    text += server.stdout.read() or b""
                    if b"GET /ocpp/T07" in text and not asked:
                        server.stdin.write(b"R\n")
                        server.stdin.flush()
                        asked = True
                    time.sleep(0.05)
                self.assertIn(b"no renegotiation", text)
            finally:
                server.kill()
                server.wait()
                server.stdin.close()
                server.stdout.close()
                house.end()

    def test_a_pin_opens_for_one_key_and_for_no_other(self):
        """A server that no authority vouches for, of another name: its pin is enough; another pin is not."""
        with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
            folder = pathlib.Path(at)
            alone = certify("x", LEAF_KEY, "x", LEAF_KEY, hosts=("else.example",))
            spki = LEAF_KEY.public_key().public_bytes(serialization.Encoding.DER,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo)
            key_pin = hashlib.sha256(spki).hexdigest()
            whole_pin = hashlib.sha256(alone.public_bytes(serialization.Encoding.DER)).hexdigest()
            for pins, opens in ((key_pin, True), (f"{'0' * 64},{whole_pin}", True), ("0" * 64, False)):
                room = folder / pins[-8:]
                room.mkdir()
                servers = [Server(tls(room, [alone])) for _ in range(3)]
                house = House(room, [server.port for server in servers])
                house.end()
                text = (room / "station.yaml").read_text()
                for section in ("ocpp", "uplink", "mqtt"):
                    text = text.replace(f"{section}: {{url", f"{section}: {{pin: '{pins}', url", 1)
                (room / "station.yaml").write_text(text)
                for server in servers:
                    server.tries, server.heard = 0, b""
                house.start(STATION, "--config", str(room / "station.yaml"), "--secrets", str(room / "secrets.yaml"),
                            "--data", str(room / "data"))
                try:
                    if opens:
                        house.until(lambda: servers[0].heard[:4] == b"GET " and servers[1].heard and
                                    b"MQTT" in servers[2].heard, "all three speak")
                    else:
                        house.until(lambda: all(server.tries >= 2 for server in servers), "two tries")
                        self.assertEqual([server.heard for server in servers], [b"", b"", b""])
                        self.assertIn(key_pin, house.log().lower())
                finally:
                    house.end()
                    for server in servers:
                        server.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
