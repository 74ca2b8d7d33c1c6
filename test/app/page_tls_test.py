#!/usr/bin/env python3
"""The station's page and OpenEVSE interface over TLS, as browsers and programs meet them: whose certificate, whose
key, what is refused, what is shown to compare, what happens when files or names change.

page_tls_test.py PILOTWIRE-STATION PILOTWIRE. No simulated hardware; every wait is bounded. Where this machine has
another address than loopback, requests come from there too."""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

STATION, COMMAND = map(os.path.abspath, sys.argv[1:3])
PASSWORD = "correct horse"
WAIT_S = 20


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def elsewhere():
    """An address of this machine that is not loopback; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") or address == "0.0.0.0" else address


class Page(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.port, self.tls_port = free_port(), free_port()
        self.api_port, self.api_tls_port = free_port(), free_port()
        self.process = None
        self.addCleanup(self.stop)

    def run_station(self, page="", more="", clock=None):
        listen = f"  listen: 0.0.0.0:{self.port}\n" if "listen: " not in page.replace("tls_listen", "") else ""
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: PAGE-1\ncan:\n  bus0: mcast:239.74.163.9:{free_port()}\nconsole:\n  device: 'off'\n"
            f"page:\n{listen}  tls_listen: 0.0.0.0:{self.tls_port}\n{page}{more}connectors:\n  - kind: dc\n")
        secrets = self.folder / "secrets.yaml"
        secrets.write_text(f"page:\n  password: {PASSWORD}\n")
        secrets.chmod(0o600)
        self.log = open(self.folder / "log", "w+")
        environment = {**os.environ, **({"PILOTWIRE_CLOCK": clock} if clock else {})}
        self.process = subprocess.Popen(
            [STATION, "--config", self.folder / "station.yaml", "--secrets", secrets, "--data", self.folder / "data",
             "--control", self.folder / "control", "--tpm", "off"], stdin=subprocess.DEVNULL, stderr=self.log,
            env=environment)
        self.until(lambda: "program start" in self.said(), "the start")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.assertEqual(self.process.wait(10), 0, self.said())
            self.log.close()
            self.process = None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def until(self, condition, what):
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"{what}\n{self.said()}")
            time.sleep(0.05)

    def control(self, *words):
        return subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=WAIT_S, check=True,
                              env={**os.environ, "PILOTWIRE_CONTROL": str(self.folder / "control")}).stdout

    def context(self, trusted=None):
        context = ssl.create_default_context(cafile=trusted)
        if trusted is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def ask(self, method, path, body=None, headers=None, trusted=None, host="127.0.0.1", port=None):
        link = http.client.HTTPSConnection(host, port or self.tls_port, timeout=10, context=self.context(trusted))
        return self.answer(link, method, path, body, headers)

    def ask_plain(self, method, path, body=None, headers=None, host="127.0.0.1"):
        return self.answer(http.client.HTTPConnection(host, self.port, timeout=5), method, path, body, headers)

    def answer(self, link, method, path, body, headers):
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            link.close()

    def login(self):
        """Headers of a browser that has logged in over TLS."""
        own = {"Origin": f"https://127.0.0.1:{self.tls_port}"}
        status, body, headers = self.ask("POST", "/api/v1/login", json.dumps({"password": PASSWORD}), own)
        self.assertEqual(status, 200, body)
        self.cookie = headers["set-cookie"]
        return {**own, "Cookie": self.cookie.split(";")[0], "X-CSRF": json.loads(body)["csrf"]}

    def shown(self, port=None):
        """SHA-256 of the certificate that a new connection is shown, as people compare it."""
        with socket.create_connection(("127.0.0.1", port or self.tls_port), 5) as s, \
                self.context().wrap_socket(s) as tls:
            digest = hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest().upper()
        return ":".join(digest[i:i + 2] for i in range(0, 64, 2))

    def fingerprints(self):
        return re.findall(r"page certificate .*sha256=(\S+)", self.said())

    # --- The station's own certificate.

    def test_the_certificate_it_makes_is_the_one_it_says_and_stays(self):
        self.run_station()
        first = self.shown()
        self.assertEqual(self.fingerprints(), [first])
        self.assertIn(first, self.control("certificate"))
        status, body, _ = self.ask("GET", "/api/v1/certificate")
        told = json.loads(body)
        self.assertEqual((status, told["fingerprint"], told["own"], told["port"], told["why"]),
                         (200, first, True, self.tls_port, ""))
        # Who has the certificate and trusts it finds names, addresses and dates in order.
        file = self.folder / "data" / "trust" / "page.crt"
        trusted = shutil.copy(file, self.folder / "known.pem")
        for host in ("localhost", "127.0.0.1"):
            self.assertEqual(self.ask("GET", "/healthz", trusted=trusted, host=host)[0], 200)
        text = subprocess.run(["openssl", "x509", "-in", file, "-noout", "-text"], capture_output=True, text=True,
                              check=True).stdout
        for line in ("ASN1 OID: prime256v1", "CA:FALSE", "TLS Web Server Authentication", f"DNS:{socket.gethostname()}",
                     "DNS:localhost"):
            self.assertIn(line, text)
        # Its key lies sealed.
        key = self.folder / "data" / "trust" / "page.key"
        self.assertTrue(key.read_bytes().startswith(b"PWS"))
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.stop()
        self.run_station()
        self.assertEqual(self.shown(), first)
        self.assertNotIn("made=", self.said())
        # Another one, for whoever may change things; connections that stand stay.
        with socket.create_connection(("127.0.0.1", self.tls_port), 5) as s, self.context().wrap_socket(s) as tls:
            status, body, _ = self.ask("POST", "/api/v1/certificate/new", "", self.login())
            self.assertEqual(status, 200, body)
            self.until(lambda: len(self.fingerprints()) == 2, "another certificate")
            second = self.shown()
            self.assertNotEqual(second, first)
            self.assertEqual(self.fingerprints(), [first, second])
            tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(tls.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertIn(second, self.control("certificate"))
        self.stop()
        done = subprocess.run([STATION, "--config", self.folder / "station.yaml", "--data", self.folder / "data",
                               "--tpm", "off", "--factory-reset", "--discard-unsent"], capture_output=True, text=True,
                              timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(key.exists() or file.exists())
        self.run_station()
        self.assertNotIn(self.shown(), (first, second))

    def test_another_name_or_a_near_end_makes_another_certificate_with_the_same_key(self):
        def public_key():
            return subprocess.run(["openssl", "x509", "-in", self.folder / "data" / "trust" / "page.crt", "-noout",
                                   "-pubkey"], capture_output=True, check=True).stdout
        self.run_station()
        first, key = self.shown(), public_key()
        self.stop()
        self.run_station(f"  url: https://wallbox.lan:{self.tls_port}/\n")
        second = self.shown()
        self.assertNotEqual(second, first)
        self.assertIn('made="a name of the station has changed"', self.said())
        self.assertEqual(public_key(), key)
        self.stop()
        now = int(time.time() * 1000)
        self.run_station(f"  url: https://wallbox.lan:{self.tls_port}/\n", clock=f"{now}:{now + 771 * 86400000}:1")
        self.assertNotEqual(self.shown(), second)
        self.assertIn('made="the one before ends soon"', self.said())
        self.assertEqual(public_key(), key)
        self.stop()
        # The key of the device is lost: what it sealed goes, and nothing is served with a key nobody has.
        (self.folder / "data" / "device.key").unlink()
        self.run_station()
        self.assertIn("cannot be opened", self.said())
        self.assertNotEqual(public_key(), key)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)

    def test_a_certificate_from_a_clock_that_was_ahead_is_made_anew(self):
        """Until its first day, years away, every browser would refuse it."""
        now = int(time.time() * 1000)
        self.run_station(clock=f"{now}:{now + 700 * 86400000}:1")
        first = self.shown()
        self.stop()
        self.run_station()
        self.assertNotEqual(self.shown(), first)
        self.assertIn('made="the one before begins later', self.said())

    def test_a_new_key_of_the_device_keeps_the_certificate(self):
        self.run_station()
        first = self.shown()
        self.stop()
        done = subprocess.run([STATION, "--config", self.folder / "station.yaml", "--data", self.folder / "data",
                               "--tpm", "off", "--rotate-device-key"], capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.run_station()
        self.assertEqual(self.shown(), first)
        self.assertNotIn("made=", self.said())

    # --- The owner's.

    def owner(self, name="wallbox.lan", kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        for file in ("cert.pem", "key.pem"):
            (self.folder / file).unlink(missing_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName=DNS:{name},DNS:localhost", "-keyout", self.folder / "key.pem",
                        "-out", self.folder / "cert.pem"], check=True, capture_output=True)
        (self.folder / "key.pem").chmod(0o640)
        digest = subprocess.run(["openssl", "x509", "-in", self.folder / "cert.pem", "-noout", "-fingerprint",
                                 "-sha256"], check=True, capture_output=True, text=True).stdout
        return digest.strip().split("=")[1]

    def owned(self):
        return f"  certificate: {self.folder}/cert.pem\n  key: {self.folder}/key.pem\n"

    def test_the_owners_certificate_is_shown_and_taken_anew_when_its_file_changes(self):
        first = self.owner()
        now = int(time.time() * 1000)
        self.run_station(self.owned(), clock=f"{now}:{now}:20")  # it looks every 10 s
        self.assertEqual(self.shown(), first)
        self.assertEqual(self.ask("GET", "/healthz", trusted=self.folder / "cert.pem", host="localhost")[0], 200)
        self.assertFalse((self.folder / "data" / "trust" / "page.crt").exists())
        refused = subprocess.run([COMMAND, "certificate", "new"], capture_output=True, text=True, timeout=WAIT_S,
                                 env={**os.environ, "PILOTWIRE_CONTROL": str(self.folder / "control")})
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("page.certificate", refused.stderr + refused.stdout)
        # An RSA one, for clients of 1.2 too.
        second = self.owner("other.lan", ("rsa:2048",))
        self.until(lambda: self.shown() == second, "the new file")
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", self.tls_port), 5) as s, context.wrap_socket(s) as tls:
            self.assertTrue(tls.cipher()[0].startswith("ECDHE-RSA-"), tls.cipher())
        # What cannot be used is named, and the one before stays.
        (self.folder / "cert.pem").write_text("nothing")
        self.until(lambda: re.search(r"certificate refused.*cert\.pem", self.said()), "the refusal")
        self.assertEqual(self.shown(), second)
        self.assertIn("cert.pem", self.control("certificate"))

    def test_files_that_cannot_be_used_are_named_and_hold_nothing_up(self):
        def pipe():
            (self.folder / "key.pem").unlink()
            os.mkfifo(self.folder / "key.pem", 0o600)
        rows = (
            (lambda: (self.folder / "cert.pem").unlink(), "cert.pem: No such file"),
            (pipe, "key.pem: it is no file that can be read"),
            (lambda: (self.folder / "key.pem").chmod(0o644), "key.pem: others can read this private key"),
            (lambda: shutil.copy(self.folder / "other.pem", self.folder / "key.pem"), "cert.pem"),
        )
        self.owner()
        shutil.copy(self.folder / "key.pem", self.folder / "other.pem")
        for change, sentence in rows:
            good = self.owner()
            change()
            self.run_station(self.owned())
            self.until(lambda: "certificate refused" in self.said(), "the refusal")
            self.assertIn(sentence, self.said())
            with self.assertRaises((ssl.SSLError, OSError)):
                self.shown()
            self.assertEqual(self.ask_plain("GET", "/healthz")[0], 200)  # and the rest goes on
            self.stop()
        self.assertNotEqual(good, "")

    def test_a_key_that_was_open_to_others_is_taken_once_it_is_not(self):
        good = self.owner()
        (self.folder / "key.pem").chmod(0o644)
        now = int(time.time() * 1000)
        self.run_station(self.owned(), clock=f"{now}:{now}:200")
        self.until(lambda: "others can read this private key: chmod o= it" in self.said(), "the refusal")
        time.sleep(0.5)  # it has looked several times, and seen nothing new
        (self.folder / "key.pem").chmod(0o640)
        self.until(lambda: self.fingerprints() == [good], "the certificate")
        self.assertEqual(self.shown(), good)

    def test_settings_that_contradict_each_other_are_refused_at_the_start(self):
        rows = (
            (f"  tls_listen: 127.0.0.1:{self.tls_port}\n  certificate: /c\n", "page.certificate and page.key"),
            ("  plain: redirect\n", "page.plain: redirect wants page.tls_listen"),
            ("  tls_listen: everywhere\n", "page.tls_listen"),
        )
        for page, sentence in rows:
            (self.folder / "bad.yaml").write_text(
                f"station:\n  id: PAGE-1\ncan:\n  bus0: mcast:239.74.163.9:{free_port()}\npage:\n{page}"
                "connectors:\n  - kind: dc\n")
            done = subprocess.run([STATION, "--config", self.folder / "bad.yaml", "--check"], capture_output=True,
                                  text=True, timeout=WAIT_S)
            self.assertEqual((done.returncode, sentence in done.stderr), (2, True), done.stderr)

    # --- The connection.

    def test_old_versions_and_weak_suites_are_refused(self):
        self.run_station()
        rows = (
            (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], False),
            (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], False),
            (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], False),
            (["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"], False),
            (["-tls1_2"], True),
            (["-tls1_3"], True),
        )
        for words, works in rows:
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls_port}", *words],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S)
            self.assertEqual("BEGIN CERTIFICATE" in done.stdout, works, words)
        # Whoever speaks HTTP there learns nothing.
        with socket.create_connection(("127.0.0.1", self.tls_port), 5) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"200", s.recv(100))

    def test_a_login_over_tls_stays_there(self):
        self.run_station()
        own = self.login()
        self.assertTrue(self.cookie.startswith("__Host-pw_station="))
        self.assertIn("; Secure", self.cookie)
        self.assertEqual(self.ask("GET", "/api/v1/settings", headers=own)[0], 200)
        self.assertEqual(self.ask_plain("GET", "/api/v1/settings", headers=own)[0], 401)
        for origin in ("http://evil.example", f"http://127.0.0.1:{self.tls_port}", f"https://127.0.0.1:{self.port}"):
            status, body, _ = self.ask("PUT", "/api/v1/settings/log.level", '{"value":"debug"}', {**own, "Origin": origin})
            self.assertEqual((status, b"Origin" in body), (403, True), (origin, body))
        status, body, headers = self.ask("PUT", "/api/v1/settings/log.level", '{"value":"debug"}', own)
        self.assertEqual(status, 200, body)
        # Browsers keep that for every port of a name: the page without TLS would be out of reach.
        self.assertNotIn("strict-transport-security", headers)
        self.assertEqual(self.ask("GET", "/healthz", headers={"Host": "evil.example"})[0], 403)

    def test_others_are_sent_to_tls_and_this_machine_is_not(self):
        self.run_station("  plain: redirect\n")
        self.assertEqual(self.ask_plain("GET", "/healthz")[0], 200)
        address = elsewhere()
        if address is None:
            self.skipTest("this machine has no address but loopback")
        for method, path in (("GET", "/"), ("GET", "/api/v1/history?connector=1"), ("POST", "/api/v1/login")):
            status, body, headers = self.ask_plain(method, path, f'{{"password":"{PASSWORD}"}}' if method == "POST" else None,
                                                   host=address)
            self.assertEqual((status, body, headers.get("location")),
                             (308, b"", f"https://{address}:{self.tls_port}{path}"))
        status, body, headers = self.ask_plain("PUT", "/api/v1/update/file", b"x" * 100_000, host=address)
        self.assertEqual(status, 308)
        # The certificate has that address too.
        trusted = self.folder / "data" / "trust" / "page.crt"
        self.assertEqual(self.ask("GET", "/healthz", trusted=trusted, host=address)[0], 200)

    def test_with_tls_alone_nothing_else_listens(self):
        self.run_station('  listen: ""\n')
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port), 5)

    def test_an_event_stream_tells_every_second(self):
        self.run_station()
        with socket.create_connection(("127.0.0.1", self.tls_port), 5) as s, self.context().wrap_socket(s) as tls:
            tls.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            times, buffer, began = [], b"", time.monotonic()
            while len(times) < 3 and time.monotonic() - began < 8:
                buffer += tls.recv(65536)
                while b"event: status\n" in buffer:
                    times.append(time.monotonic() - began)
                    buffer = buffer.split(b"event: status\n", 1)[1]
        self.assertEqual(len(times), 3, times)
        self.assertTrue(all(b - a < 1.5 for a, b in zip(times, times[1:])), times)

    # --- A release.

    def maker(self, *words):
        subprocess.run([COMMAND, "release", *words], check=True, cwd=self.folder, timeout=WAIT_S, capture_output=True)

    def test_a_release_is_uploaded_over_tls(self):
        for name in ("a", "b", "k"):
            self.maker("key", "new", name, "--no-passphrase")
        self.maker("root", "new", "--expires", "2090-01-01", "--root-key", "a.pub", "--root-key", "b.pub",
                   "--release-key", "k.pub", "--out", "root")
        self.maker("root", "sign", "root", "--key", "a", "--key", "b")
        (self.folder / "program").write_bytes(os.urandom(6_000_000))
        self.maker("build", "--hardware", "wallbox-9", "--version", "9.0.0", "--counter", "1", "--component",
                   "pilotwire-station=program", "--out", "new.pwr")
        self.maker("sign", "new.pwr", "--key", "k")
        release = (self.folder / "new.pwr").read_bytes()
        slots = self.folder / "slots"
        slots.mkdir()
        self.run_station(more=f"update:\n  folder: {slots}\n  root: {self.folder}/root\n  hardware: wallbox-9\n")
        own = self.login()
        began = time.monotonic()
        status, body, _ = self.ask("PUT", "/api/v1/update/file", b"no release" * 10_000, own)
        self.assertEqual(status, 409, body)
        status, body, _ = self.ask("PUT", "/api/v1/update/file", release, own)
        self.assertEqual(status, 200, body)
        print(f"{len(release)} bytes in {time.monotonic() - began:.1f} s")
        self.until(lambda: json.loads(self.ask("GET", "/api/v1/update", headers=own)[1])["update"]["version"] == "9.0.0",
                   "the update")

    # --- The OpenEVSE interface.

    def test_the_openevse_interface_speaks_wss_with_the_same_certificate(self):
        self.run_station(more=f"openevse_api:\n  listen: 127.0.0.1:{self.api_port}\n"
                              f"  tls_listen: 127.0.0.1:{self.api_tls_port}\n")
        self.until(lambda: "openevse_api listening with TLS" in self.said(), "the interface")
        self.assertEqual(self.shown(self.api_tls_port), self.shown())
        status, body, _ = self.ask("GET", "/status", port=self.api_tls_port)
        self.assertEqual(status, 200, body)
        status, body, _ = self.ask("POST", "/override", "{}", {"Origin": "https://evil.example"}, port=self.api_tls_port)
        self.assertEqual(status, 403, body)
        with socket.create_connection(("127.0.0.1", self.api_tls_port), 5) as s, self.context().wrap_socket(s) as tls:
            key = base64.b64encode(os.urandom(16)).decode()
            tls.sendall((f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self.api_tls_port}\r\nUpgrade: websocket\r\n"
                         f"Origin: https://127.0.0.1:{self.api_tls_port}\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
            heard = b""
            while b"}" not in heard:
                more = tls.recv(65536)
                self.assertTrue(more, heard)
                heard += more
        head, _, rest = heard.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 101"), head)
        self.assertEqual(rest[0], 0x81)  # one whole text message
        self.assertIn(b'"', rest)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
