"""pilotwire-station moves files for pilotwire-central: it uploads a log that holds no secret, is
updated with a program that is signed, and refuses one that is not. Real programs, real HTTP, keys
and certificates made here.

files_test.py STATION CENTRAL SIM. Loopback and free ports only.
"""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "said"))
import traffic  # noqa: E402

STATION, CENTRAL, SIM = sys.argv[1:4]
WAIT_S = 30
LIFE_S = 110
CARD = "CARD-0123456789"


def until(true, what, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("gave up waiting for " + what)


def free_ports():
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as one:
            port = one.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 10)):
                return port


class Depot(http.server.BaseHTTPRequestHandler):
    received = {}
    files = {}

    def log_message(self, *_):
        pass

    def do_PUT(self):
        Depot.received[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()

    def do_GET(self):
        body = pathlib.Path(Depot.files[self.path]).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pilotwire-files-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(traffic.write, self.folder)
        self.port = free_ports()
        depot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Depot)
        threading.Thread(target=depot.serve_forever, daemon=True).start()
        self.addCleanup(depot.server_close)
        self.addCleanup(depot.shutdown)
        self.depot = f"http://127.0.0.1:{depot.server_address[1]}"
        self.key = subprocess.run([CENTRAL, "-d", str(self.folder / "central"), "station", "add", "AC-1"],
                                  check=True, capture_output=True, text=True,
                                  timeout=WAIT_S).stdout.strip()
        self.slots = self.folder / "slots"
        (self.slots / "a").mkdir(parents=True)
        shutil.copy(STATION, self.slots / "a" / "pilotwire-station")
        (self.slots / "current").symlink_to("a")

    def start(self, name, *command):
        with (self.folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

        def end():
            with contextlib.suppress(ProcessLookupError):
                program.terminate()
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.addCleanup(end)
        return program

    def text_of(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_central(self):
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{self.port}")
        until(lambda: "Dashboard:" in self.text_of("central"), "the central")
        password = re.search(r"with the password (\S+)", self.text_of("central")).group(1)
        status, said = self.ask("POST", "/login", {"user": "admin", "password": password})
        self.assertEqual(status, 200, said)

    def start_station(self):
        board = self.folder / "board0"
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: AC-1\nocpp:\n  url: ws://127.0.0.1:{self.port}/ocpp/\n"
            f"update:\n  folder: {self.slots}\nsession:\n  allow_offline_unknown_id: true\n"
            "page:\n  listen: \"\"\nconsole:\n  device: \"off\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        secrets = self.folder / "secrets.yaml"
        secrets.write_text(f"ocpp:\n  authorization_key: \"{self.key}\"\npage:\n  password: \"PAGE-PASSWORD-1\"\n")
        secrets.chmod(0o600)
        return self.run_station()

    def run_station(self):
        """As a service manager does: whatever `current` names."""
        station = self.start("station", str(self.slots / "current" / "pilotwire-station"), "--config",
                             str(self.folder / "station.yaml"), "--secrets",
                             str(self.folder / "secrets.yaml"), "--data", str(self.folder / "data"),
                             "--control", str(self.folder / "station.sock"))
        until(lambda: self.control("json status").get("central") == "online", "the central system")
        return station

    def control(self, line):
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(str(self.folder / "station.sock"))
            one.sendall(line.encode() + b"\n")
            file = one.makefile("rb")
            word, size = file.readline().split()
            return json.loads(file.read(int(size)))
        return {}

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        headers = {"Content-Type": "application/json", **getattr(self, "login", {})}
        connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read() or b"null")
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self.login = {"Cookie": cookie.split(";")[0], "X-CSRF": said["csrf"]}
        connection.close()
        return answer.status, said

    def command(self, action, payload):
        status, said = self.ask("POST", "/stations/AC-1/commands", {"action": action, "payload": payload})
        self.assertIn(status, (200, 202), said)

    def statuses(self, kind):
        """Of the newest job of a kind, in order."""
        jobs = self.ask("GET", "/stations/AC-1/files")[1]["jobs"]
        for job in jobs:
            if job["kind"] == kind:
                return [one["status"] for one in job["statuses"]]
        return []

    def sign(self, image):
        """A manufacturer's root, a certificate it signed for firmware, and its signature."""
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *curve, "-days", "30", "-subj", "/O=Maker/CN=Root", "-keyout", "root.key",
                "-out", "root.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", *curve, "-subj", "/O=Maker/CN=Firmware", "-keyout", "sign.key", "-out", "sign.csr")
        (self.folder / "sign.ext").write_text("keyUsage=critical,digitalSignature\n")
        openssl("x509", "-req", "-in", "sign.csr", "-CA", "root.pem", "-CAkey", "root.key",
                "-CAcreateserial", "-days", "20", "-extfile", "sign.ext", "-out", "sign.pem")
        openssl("dgst", "-sha256", "-sign", "sign.key", "-out", "image.sig", str(image))
        return ((self.folder / "root.pem").read_text(), (self.folder / "sign.pem").read_text(),
                base64.b64encode((self.folder / "image.sig").read_bytes()).decode())

    def update(self, number, name, certificate, signature):
        self.command("SignedUpdateFirmware", {"requestId": number, "firmware": {
            "location": f"{self.depot}/{name}", "retrieveDateTime": "2020-01-01T00:00:00Z",
            "signingCertificate": certificate, "signature": signature}})

    def test_logs_go_up_and_a_signed_program_comes_down(self):
        self.start_central()
        station = self.start_station()
        subprocess.run([SIM, "tell", str(self.folder / "sim.sock"), "plug"], check=True, timeout=WAIT_S,
                       capture_output=True)

        # A log, which holds what an engineer needs and nothing that a stranger may have (T15).
        self.control(f"card {CARD}")
        self.command("GetDiagnostics", {"location": f"{self.depot}/in/", "retries": 1, "retryInterval": 1})
        until(lambda: self.statuses("diagnostics")[-1:] == ["Uploaded"], "the upload")
        self.assertEqual(self.statuses("diagnostics"), ["Uploading", "Uploaded"])
        (path, log), = Depot.received.items()
        self.assertRegex(path, r"^/in/AC-1-diagnostics-\d{8}T\d{6}Z\.txt$")
        log = log.decode()
        for part in ("=== settings", "=== json status", "=== log", "ocpp.authorization_key: ***"):
            self.assertIn(part, log)
        for secret in (self.key, "PAGE-PASSWORD-1", CARD):
            self.assertNotIn(secret, log)

        # A program whose signature is another file's: refused before a slot is touched.
        image = self.folder / "image"
        image.write_bytes(pathlib.Path(STATION).read_bytes() + b"the next version")
        root, certificate, signature = self.sign(image)
        Depot.files = {"/new": image, "/other": STATION}
        self.command("InstallCertificate", {"certificateType": "ManufacturerRootCertificate",
                                            "certificate": root})
        self.update(7, "other", certificate, signature)
        until(lambda: self.statuses("signed firmware")[-1:] == ["InvalidSignature"], "the refusal")
        self.assertFalse((self.slots / "b").exists())

        # The security log, with a number, tells of it.
        self.command("GetLog", {"logType": "SecurityLog", "requestId": 4,
                                "log": {"remoteLocation": f"{self.depot}/security.txt"}})
        until(lambda: self.statuses("log")[-1:] == ["Uploaded"], "the security log")
        self.assertIn("InvalidFirmwareSignature", Depot.received["/security.txt"].decode())

        # The right one: the station ends, and whoever starts it starts the new one.
        self.update(8, "new", certificate, signature)
        self.assertEqual(station.wait(WAIT_S), 75, self.text_of("station")[-3000:])
        self.assertEqual(os.readlink(self.slots / "current"), "b")
        self.assertEqual((self.slots / "b" / "pilotwire-station").read_bytes(), image.read_bytes())
        self.run_station()
        until(lambda: self.statuses("signed firmware")[-1:] == ["Installed"], "Installed")
        self.assertEqual(self.statuses("signed firmware"), [
            "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"])
        self.assertFalse((self.folder / "data" / "download").exists())


if __name__ == "__main__":
    signal.alarm(LIFE_S)
    unittest.main(argv=sys.argv[:1])
