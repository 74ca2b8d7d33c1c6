#!/usr/bin/env python3
"""The doors of the central over real sockets: its certificates are renewed while links stand, a reverse proxy is
believed and nobody else is, strangers learn nothing (T19, T37 of facts/reliability.md).

doors_test.py PILOTWIRE-CENTRAL PILOTWIRE. Loopback and free ports only; every wait is bounded."""
import base64
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import rude

CENTRAL, COMMAND = sys.argv[1:3]
WAIT_S = 20
KEY = "a-key-nobody-guesses"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM
warnings.simplefilter("ignore")


class Authority:
    """Somebody else's authority for stations: its certificate, one that it signed, and its list."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "clients.pem"
        self.station = pathlib.Path(folder) / "station.pem"
        self.key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = self.certify("clients", self.key, True)
        self.signed = self.certify("CP1", key, False)
        self.pem = root.public_bytes(PEM)
        self.path.write_bytes(self.pem)
        self.station.write_bytes(self.signed.public_bytes(PEM) + key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def certify(self, subject, key, ca):
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("clients"))
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
                .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
                .sign(self.key, hashes.SHA256()))

    def revoke(self):
        row = x509.RevokedCertificateBuilder().serial_number(self.signed.serial_number).revocation_date(NOW).build()
        return (x509.CertificateRevocationListBuilder().issuer_name(self.signed.issuer).last_update(NOW - DAY)
                .next_update(NOW + DAY).add_revoked_certificate(row).sign(self.key, hashes.SHA256()).public_bytes(PEM))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Central(unittest.TestCase):
    options = ()
    tls = False
    speed = 1

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(self.folder.cleanup)
        self.data = pathlib.Path(self.folder.name) / "data"
        self.port, self.tls_port, self.link_port = free_port(), free_port(), free_port()
        self.task("--stdin", "station", "add", "CP1", given=KEY)
        self.password = self.task("user", "password", "admin")
        words = ["--listen", f"127.0.0.1:{self.port}", "--link-listen", f"127.0.0.1:{self.link_port}", *self.options]
        if self.tls:
            self.task("ca", "init", "Operator")
            self.task("ca", "server", "localhost")
            words += ["--tls-listen", f"127.0.0.1:{self.tls_port}"]
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+")
        self.process = subprocess.Popen([CENTRAL, "--data", str(self.data), *words], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log,
                                        env={**os.environ, "PILOTWIRE_CLOCK": self.clock()})
        self.addCleanup(self.end)
        self.until(lambda: "Dashboard:" in self.said(), "the start")

    def clock(self):
        now = int(time.time() * 1000)
        return f"{now}:{now}:{self.speed}"

    def end(self):
        self.process.terminate()
        self.assertEqual(self.process.wait(10), 0)
        self.log.close()

    def task(self, *words, given=""):
        done = subprocess.run([CENTRAL, "--data", str(self.data), *words], input=given, capture_output=True, text=True,
                              timeout=WAIT_S, check=True)
        return done.stdout.strip()

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def until(self, condition, what):
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}\n{self.said()}")
            time.sleep(0.05)

    def ask(self, method, path, body=None, headers=None, source="127.0.0.1"):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5, source_address=(source, 0))
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            link.close()

    def login(self, headers=None, source="127.0.0.1", password=None):
        body = json.dumps({"user": "admin", "password": password or self.password})
        return self.ask("POST", "/api/v1/login", body, headers, source)

    def upgrade(self, identity, password, headers="", source="127.0.0.1"):
        """Status, the answer without its header, and the socket."""
        basic = base64.b64encode(f"{identity}:{password}".encode()).decode() if password is not None else None
        s = socket.create_connection(("127.0.0.1", self.port), 5, (source, 0))
        s.sendall((f"GET /ocpp/{identity} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(b'0' * 16).decode()}\r\n"
                   "Sec-WebSocket-Protocol: ocpp1.6\r\n" + headers
                   + (f"Authorization: Basic {basic}\r\n" if basic else "") + "\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = s.recv(4096)
            if not more:
                break
            answer += more
        s.settimeout(0.2)
        if not answer.startswith(b"HTTP/1.1 101"):
            while True:
                try:
                    more = s.recv(4096)
                except OSError:
                    break
                if not more:
                    break
                answer += more
        return int(answer.split()[1]), answer.decode(), s


class Reload(Central):
    tls = True
    speed = 10  # files are looked at every ten seconds

    def setUp(self):
        self.given = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(self.given.cleanup)
        self.make_link()
        self.authority = Authority(self.given.name)
        self.options = ("--link-cert", f"{self.given.name}/link.crt", "--link-key", f"{self.given.name}/link.key",
                        "--tls-client-ca", str(self.authority.path))
        super().setUp()

    def make_link(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "link.key", "-out", "link.crt", "-subj", "/CN=link", "-days", "9"],
                       cwd=self.given.name, check=True, capture_output=True)

    def shown(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw) as stream:
            return stream.getpeercert(True)

    def stands(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5))
        stream.settimeout(3)
        return stream

    def test_a_renewed_certificate_is_shown_and_links_stay(self):
        before = self.shown(self.tls_port)
        status, _, headers = self.login()
        self.assertEqual(status, 200)
        stream = self.stands(self.tls_port)
        stream.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {headers['set-cookie']}\r\n\r\n".encode())
        self.assertIn(b"200 OK", stream.recv(4096))
        link = self.stands(self.link_port)
        link_before = self.shown(self.link_port)
        self.make_link()
        self.task("ca", "server", "localhost")
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.shown(self.tls_port) != before, "the new certificate")
        self.assertNotEqual(self.shown(self.link_port), link_before)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        # What stood before still carries: a change is told on the stream, the link says what is wrong with a frame.
        self.upgrade("CP1", KEY)[2].close()
        self.until(lambda: b"event:" in stream.recv(4096), "an event on the old stream")
        link.sendall(b"nonsense that is no frame of a station")
        try:
            link.recv(16)
        except TimeoutError:
            self.fail("the link was dead")
        except (ConnectionError, ssl.SSLError):
            pass
        stream.close()
        link.close()

    def test_a_file_that_is_none_changes_nothing_and_a_changed_one_is_seen(self):
        before = self.shown(self.tls_port)
        good = (self.data / "tls.crt").read_text()
        (self.data / "tls.crt").write_text(good[:200])
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: "certificate kept" in self.said(), "the refusal")
        self.assertEqual(self.shown(self.tls_port), before)
        self.task("ca", "server", "localhost")
        self.until(lambda: self.shown(self.tls_port) != before, "the changed file, without a signal")

    def lets_in(self):
        """Whether who shows the station's certificate is answered."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(self.authority.station)
        try:
            with socket.create_connection(("127.0.0.1", self.tls_port), 5) as raw, context.wrap_socket(raw) as stream:
                stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                return stream.recv(64).startswith(b"HTTP/1.1 200")
        except (ssl.SSLError, ConnectionError):
            return False

    def test_authorities_are_read_again_and_what_is_none_is_not_waited_for(self):
        self.assertTrue(self.lets_in())
        self.authority.path.write_bytes(self.authority.pem + self.authority.revoke())
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: not self.lets_in(), "the list")
        self.authority.path.write_bytes(self.authority.pem)
        self.until(self.lets_in, "the changed file, without a signal")
        self.authority.path.unlink()
        os.mkfifo(self.authority.path)
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.said().count("clients.pem: it is no file that can be read") >= 2, "both refusals")
        self.assertTrue(self.lets_in())  # as before

    def test_a_pipe_in_place_of_a_file_is_an_error_and_the_start_does_not_hang(self):
        pipe = pathlib.Path(self.given.name) / "pipe"
        os.mkfifo(pipe)
        certificate, key = f"{self.given.name}/link.crt", f"{self.given.name}/link.key"
        files = {"--tls-cert": certificate, "--tls-key": key, "--tls-client-ca": self.authority.path,
                 "--link-cert": certificate, "--link-key": key, "--link-client-ca": self.authority.path}
        for option in files:
            words = [str(word) for pair in {**files, option: pipe}.items() for word in pair]
            done = subprocess.run([CENTRAL, "--data", f"{self.given.name}/other", "--listen", "127.0.0.1:0",
                                   "--tls-listen", "127.0.0.1:0", *words], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, timeout=WAIT_S, check=False)
            self.assertEqual(done.returncode, 1, (option, done.stdout, done.stderr))
            self.assertIn(f"{pipe}: it is no file that can be read", done.stderr, option)

    def test_https_says_that_it_is_meant_to_stay_and_old_tls_is_refused(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        link = http.client.HTTPSConnection("127.0.0.1", self.tls_port, context=context, timeout=5)
        link.request("POST", "/api/v1/login", json.dumps({"user": "admin", "password": self.password}))
        answer = link.getresponse()
        self.assertIn("max-age=", answer.getheader("strict-transport-security"))
        self.assertIn("; Secure", answer.getheader("set-cookie"))
        link.close()
        for port in (self.tls_port, self.link_port):
            for words in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]):
                done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *words], input=b"",
                                      capture_output=True, timeout=WAIT_S, check=False)
                self.assertIn(b"alert", done.stderr, (port, words))


class Proxied(Central):
    options = ("--trusted-proxy", "127.0.0.3")

    def test_the_proxy_is_believed_and_nobody_else(self):
        https = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
        status, _, headers = self.login(https, "127.0.0.3")
        self.assertEqual(status, 200)
        self.assertIn("; Secure", headers["set-cookie"])
        self.assertIn("strict-transport-security", headers)
        status, _, headers = self.login(https, "127.0.0.4")
        self.assertNotIn("; Secure", headers["set-cookie"])
        forwarded = {"Forwarded": 'for="[2001:db8::9]:4711";proto=https'}
        status, _, headers = self.login(forwarded, "127.0.0.3")
        self.assertIn("; Secure", headers["set-cookie"])
        status, _, headers = self.login({**https, "X-Forwarded-Proto": "http", **forwarded}, "127.0.0.3")
        self.assertNotIn("; Secure", headers["set-cookie"])

    def test_of_two_kinds_of_header_neither_is_believed(self):
        """The proxy writes X-Forwarded-*, and passes on a Forwarded that whoever asks has made up."""
        def knock(i):
            status, _, s = self.upgrade("CP1", "wrong-wrong-wrong-1", f"Forwarded: for=203.0.113.{i};proto=https\r\n"
                                        "X-Forwarded-For: 198.51.100.30\r\n", "127.0.0.3")
            s.close()
            return status
        both = {"Forwarded": "for=203.0.113.1;proto=https", "X-Forwarded-For": "198.51.100.31"}
        status, _, headers = self.login(both, "127.0.0.3")
        self.assertNotIn("; Secure", headers["set-cookie"])
        self.assertEqual([knock(i) for i in range(11)], [401] * 10 + [429])

    def test_limits_count_whom_the_proxy_names(self):
        def knock(header):
            status, _, s = self.upgrade("CP1", "wrong-wrong-wrong-1", f"X-Forwarded-For: {header}\r\n", "127.0.0.3")
            s.close()
            return status
        # What a client writes there itself stands before what the proxy appends, and counts for nothing.
        self.assertEqual([knock(f"203.0.113.{i}, 198.51.100.9") for i in range(11)], [401] * 10 + [429])
        self.assertEqual(knock("198.51.100.10"), 401)
        # Nor does a header that this proxy does not write, and lets through as the client wrote it.
        self.assertEqual([knock(f"198.51.100.11\r\nForwarded: for=203.0.113.{i}") for i in range(11)], [401] * 10 + [429])

    def test_a_station_behind_the_proxy_is_known_by_its_address_and_as_encrypted(self):
        status, _, s = self.upgrade("CP1", "wrong-wrong-wrong-1",
                                    "X-Forwarded-For: 198.51.100.20\r\nX-Forwarded-Proto: https\r\n", "127.0.0.3")
        s.close()
        self.assertEqual(status, 401)
        self.assertIn("address=198.51.100.20", self.said())
        status, _, s = self.upgrade("CP1", KEY, "X-Forwarded-For: 198.51.100.21\r\nX-Forwarded-Proto: https\r\n",
                                    "127.0.0.3")
        self.assertEqual(status, 101)
        cookie = self.login()[2]["set-cookie"].split(";")[0]
        told = self.ask("GET", "/api/v1/stations/CP1/security", headers={"Cookie": cookie})[1]
        self.assertEqual(json.loads(told)["profile"], 2, told)
        s.close()


class Strangers(Central):
    def test_t37_whoever_is_not_a_station_learns_nothing(self):
        """No credentials, a known id, an unknown id: 401 before the upgrade, the same words, the same time."""
        cases = {"no credentials": ("CP1", None), "known, wrong": ("CP1", "wrong-wrong-wrong-1"),
                 "unknown": ("CP2", "wrong-wrong-wrong-1"), "unknown, none": ("CP2", None),
                 "the other's key": ("CP2", KEY)}
        answers, times = {}, {case: [] for case in cases}
        for turn in range(8):
            for i, (case, (identity, password)) in enumerate(cases.items()):
                source = f"127.0.{turn + 1}.{i + 1}"  # the limits on guessing are another test's
                began = time.monotonic()
                status, answer, s = self.upgrade(identity, password, source=source)
                s.close()
                times[case].append(time.monotonic() - began)
                self.assertEqual(status, 401, case)
                answers[case] = re.sub(r"date:.*\r\n", "", answer)
        self.assertEqual(len(set(answers.values())), 1, answers)
        middle = [statistics.median(t) for t in times.values()]
        self.assertLess(max(middle) - min(middle), 0.05, middle)

    def test_t19_other_sites_are_refused_before_anything_is_looked_at(self):
        cookie = self.login()[2]["set-cookie"].split(";")[0]
        for path in ("/", "/api/v1/stations", "/api/v1/nothing", "/healthz"):
            self.assertEqual(self.ask("GET", path, headers={"Host": "evil.example", "Cookie": cookie})[0], 403, path)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": "http://evil.example"}
        for path in ("/api/v1/logout", "/api/v1/stations", "/api/v1/login", "/api/v1/me/password"):
            self.assertEqual(self.ask("POST", path, "a=1", form)[0] in (403, 405), True, path)
        self.assertEqual(self.ask("POST", "/api/v1/logout", "", {"Cookie": cookie})[0], 403)  # no token
        self.assertEqual(self.ask("GET", "/api/v1/me", headers={"Cookie": cookie})[0], 200)  # still logged in
        # A WebSocket needs no permission of ours to be opened by a page of any site: only its Origin tells.
        for origin, expected in (("http://evil.example", 403), (f"https://127.0.0.1:{self.port + 1}", 403),
                                 ("http://" + "a" * 300, 403), ("http://127.0.0.1", 101), ("file://", 101)):
            status, _, s = self.upgrade("CP1", KEY, f"Origin: {origin}\r\n")
            s.close()
            self.assertEqual(status, expected, origin)


class Rude(Central):
    """T20 of facts/reliability.md, with TLS and without."""

    tls = True

    def ports(self):
        return (self.port, False), (self.tls_port, True)

    def test_t20_requests_that_are_none_have_their_answer(self):
        for port, tls in self.ports():
            self.assertEqual(rude.refused(port, tls), {}, tls)

    def test_t20_a_request_may_come_in_pieces_but_not_forever(self):
        good = b"GET /healthz HTTP/1.1\r\n" + rude.HOST + b"\r\n"
        slow = []
        for port, tls in self.ports():
            for sent in (b"G", good[:-3]):
                slow.append(rude.call(port, tls))
                slow[-1].sendall(sent)
            for parts in (1, 2, 7, len(good)):
                self.assertEqual(rude.status_of(rude.is_served(port, tls, good, parts)), 200, (tls, parts))
        for stream in slow:
            stream.settimeout(15)
            self.assertEqual(rude.status_of(rude.heard(stream)), 408, stream)
            stream.close()

    def test_t20_the_second_request_of_a_connection_is_judged_as_the_first(self):
        """A proxy sends what all kinds of people ask over one connection: none may hide in another's."""
        good = b"GET /healthz HTTP/1.1\r\n" + rude.HOST
        for port, tls in self.ports():
            with rude.call(port, tls) as stream:
                for _ in range(300):  # often enough to come while the answer before is just being ended
                    stream.sendall(good + b"\r\n")
                    self.assertEqual(rude.status_of(rude.answer(stream)), 200)
                stream.sendall(good + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n")
                self.assertEqual(rude.status_of(rude.heard(stream)), 400, tls)
            with rude.call(port, tls) as stream:  # two at once are none
                stream.sendall(good + b"\r\n" + good + b"Transfer-Encoding: chunked\r\n\r\n")
                answer = rude.heard(stream)
                self.assertEqual((rude.status_of(answer), answer.count(b"HTTP/1.1 ")), (400, 1), (tls, answer))
            with rude.call(port, tls) as stream:  # a body that looks like a request is a body
                stream.sendall(rude.POST + b"Content-Length: %d\r\n\r\n" % (len(good) + 2) + good + b"\r\n")
                self.assertEqual(rude.status_of(rude.answer(stream)), 400)
                stream.sendall(good + b"\r\n")
                self.assertEqual(rude.status_of(rude.answer(stream)), 200)

    def test_t20_half_a_head_behind_a_request_is_not_read_with_what_comes_later(self):
        """It would be a head that nobody has judged: this one is longer than there is room for."""
        good = b"GET /healthz HTTP/1.1\r\n" + rude.HOST + b"\r\n"
        half = b"GET /healthz?" + b"&".join([b"a" * 900] * 4) + b" HTTP/1.1\r\nX: "
        post = rude.POST + b"Content-Length: 2\r\n\r\n"
        for port, tls in self.ports():
            for parts, status in (((good + half,), 400), ((good, half), 200), ((post + b"{}" + half,), 400), ((post, b"{}" + half), 400),
                                  ((post, b"{", b"}" + half), 400)):
                with rude.call(port, tls) as stream:
                    for part in parts:
                        stream.sendall(part)
                        time.sleep(0.1)  # a segment, and a record, of its own
                    said = rude.answer(stream)
                    self.assertEqual(rude.status_of(said), status, (tls, parts))
                    with contextlib.suppress(OSError):
                        stream.sendall(good)
                        said = rude.heard(stream)
                        self.assertNotIn(b"200 OK", said, (tls, parts))
            with rude.call(port, tls) as stream:  # a body in a packet of its own is nothing bad
                stream.sendall(post)
                time.sleep(0.1)
                stream.sendall(b"{}")
                said = rude.answer(stream)
                self.assertEqual((rude.status_of(said), b"connection: close" in said), (400, tls), said)
            self.assertEqual(rude.status_of(rude.is_served(port, tls, good)), 200, tls)

    def test_t20_whoever_waits_to_be_told_is_told_to_go_on(self):
        body = json.dumps({"user": "admin", "password": self.password}).encode()
        for port, tls in self.ports():
            with rude.call(port, tls) as stream:
                stream.sendall(rude.POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
                self.assertEqual(stream.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
                stream.sendall(body)
                self.assertEqual(rude.status_of(rude.answer(stream)), 200)


class CommandLine(Central):
    tls = True

    def command(self, *words, **environment):
        return subprocess.run([COMMAND, *words], env={**os.environ, **environment}, capture_output=True, text=True,
                              timeout=WAIT_S, stdin=subprocess.DEVNULL, check=False)

    def test_a_script_shows_a_token_and_no_password_goes_out_in_the_clear(self):
        cookie = self.login()
        token = self.ask("POST", "/api/v1/tokens", json.dumps({"name": "script", "role": "viewer"}), {
            "Cookie": cookie[2]["set-cookie"].split(";")[0], "X-CSRF": json.loads(cookie[1])["csrf"]})
        secret = json.loads(token[1])["token"]
        url = f"http://127.0.0.1:{self.port}"
        done = self.command("--central", url, "--json", "stations", PILOTWIRE_TOKEN=secret)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("CP1", done.stdout)
        done = self.command("--central", url, "accept", "CARD", PILOTWIRE_TOKEN=secret)
        self.assertEqual(done.returncode, 3)
        self.assertIn("needs the role operator: you are viewer", done.stderr)
        # A proxy of the environment would hear it: nobody is asked but the central itself.
        done = self.command("--central", url, "stations", PILOTWIRE_PASSWORD=self.password, http_proxy="http://127.0.0.1:9")
        self.assertEqual(done.returncode, 0, done.stderr)
        for elsewhere in ("http://192.0.2.1", "http://localhost:80@192.0.2.1", "http://127.0.0.1.example.org"):
            done = self.command("--central", elsewhere, "stations", PILOTWIRE_PASSWORD="secret-enough")
            self.assertEqual(done.returncode, 2, elsewhere)
            self.assertIn("--trusted-network", done.stderr)

    def test_https_with_an_authority_of_ones_own(self):
        ca = pathlib.Path(self.folder.name) / "ca.crt"
        ca.write_text(self.task("ca", "show") + "\n")
        url = f"https://localhost:{self.tls_port}"
        words = ("--central", url, "--json", "stations")
        self.assertEqual(self.command(*words, PILOTWIRE_PASSWORD=self.password).returncode, 1)
        done = self.command("--ca-file", str(ca), *words, PILOTWIRE_PASSWORD=self.password)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_users_on_the_command_line(self):
        self.assertRegex(self.task("user", "add", "olga", "--role", "operator"), r"^[a-z2-9]{20}$")
        self.assertRegex(self.task("user", "list"), r"admin +admin\nolga +operator")
        self.task("user", "role", "olga", "viewer")
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            self.task("user", "remove", "admin")
        self.assertIn("last admin", refused.exception.stderr)
        self.task("user", "remove", "olga")


class HalfOpen(Central):
    """A peer whose packets vanish: nobody closes anything. Found in a minute of the central's time."""

    speed = 20

    def test_stations_that_fell_silent_are_given_up_within_a_minute(self):
        status, _, silent = self.upgrade("CP1", KEY)  # it never answers a ping
        self.assertEqual(status, 101)
        cookie = self.login()[2]["set-cookie"].split(";")[0]
        online = lambda: json.loads(self.ask("GET", "/api/v1/stations/CP1", headers={"Cookie": cookie})[1])["online"]
        self.assertTrue(online())
        began = time.monotonic()
        self.until(lambda: not online(), "given up")
        self.assertLess((time.monotonic() - began) * self.speed, 65)
        silent.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
