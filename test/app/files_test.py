"""pilotwire-station moves files for pilotwire-central: it uploads a log that holds no secret, is
updated with a release that is signed, and refuses what is not; a new program that does not stay is
given up by pilotwire-boot. Real programs, real HTTP, well-known test keys, certificates made here.
That a program which stays is confirmed takes five minutes: `make test-install` waits for it.

files_test.py STATION CENTRAL SIM PILOTWIRE BOOT. Loopback and free ports only.
"""

import base64
import contextlib
import http.client
import http.server
import json
import pathlib
import platform
import re
import socket
import threading

from programs import BOOT, CENTRAL, COMMAND, SIM, STATION, Case, free_port, free_ports, main

CARD = "CARD-0123456789"


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
        with contextlib.suppress(ConnectionError):  # the station wants no more than the head
            self.wfile.write(body)


class Files(Case):
    def setUp(self):
        super().setUp()
        self.port = free_ports()
        depot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Depot)
        threading.Thread(target=depot.serve_forever, daemon=True).start()
        self.addCleanup(depot.server_close)
        self.addCleanup(depot.shutdown)
        self.depot = f"http://127.0.0.1:{depot.server_address[1]}"
        self.key = self.central_says("station", "add", "AC-1")
        self.slots = self.folder / "slots"
        self.slots.mkdir()
        self.machine = "linux-" + {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        self.make_root()

    def release(self, *words):
        self.once(COMMAND, "release", *words, cwd=self.folder)

    def make_root(self):
        for role, number in (("root", 1), ("root", 2), ("release", 1)):
            self.release("key", "test", role, str(number), f"{role}{number}.key")
        self.release("root", "new", "--version", "1", "--expires", "2100-01-01", "--root-key", "root1.key.pub",
                     "--root-key", "root2.key.pub", "--release-key", "release1.key.pub", "--out", "root.bin")
        for number in (1, 2):
            self.release("root", "sign", "root.bin", "--key", f"root{number}.key")

    def make_release(self, name, version):
        self.release("build", "--hardware", self.machine, "--version", version, "--component",
                     f"pilotwire-station={STATION}", "--out", name)
        self.release("sign", name, "--key", "release1.key")
        return self.folder / name

    def start_central(self):
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{self.port}")
        self.until(lambda: "Dashboard:" in self.text_of("central"), "the central")
        password = re.search(r"with the password (\S+)", self.text_of("central")).group(1)
        status, said = self.ask("POST", "/login", {"user": "admin", "password": password})
        self.assertEqual(status, 200, said)

    def start_station(self):
        board = self.folder / "board0"
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        self.until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: AC-1\nocpp:\n  url: ws://127.0.0.1:{self.port}/ocpp/\n"
            f"update:\n  folder: {self.slots}\n  root: {self.folder / 'root.bin'}\nsession:\n  allow_offline_unknown_id: true\n"
            "page:\n  listen: \"\"\nconsole:\n  device: \"off\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        self.write("secrets.yaml",
                   f"ocpp:\n  authorization_key: \"{self.key}\"\npage:\n  password: \"PAGE-PASSWORD-1\"\n")
        return self.run_station()

    def run_station(self):
        """As a service manager does: the boot loader starts what may be started."""
        station = self.start("station", BOOT, "--folder", str(self.slots), "--package", STATION, "--root",
                             str(self.folder / "root.bin"), "--hardware", self.machine, "--", "--config",
                             str(self.folder / "station.yaml"), "--secrets",
                             str(self.folder / "secrets.yaml"), "--data", str(self.folder / "data"),
                             "--control", str(self.folder / "station.sock"))
        self.until(lambda: self.control("json status").get("central") == "online", "the central system")
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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.wait_s)
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
            self.once("openssl", *words, cwd=self.folder)
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
        self.tell("plug")

        # A log, which holds what an engineer needs and nothing that a stranger may have (T15).
        self.control(f"card {CARD}")
        self.command("GetDiagnostics", {"location": f"{self.depot}/in/", "retries": 1, "retryInterval": 1})
        self.until(lambda: self.statuses("diagnostics")[-1:] == ["Uploaded"], "the upload")
        self.assertEqual(self.statuses("diagnostics"), ["Uploading", "Uploaded"])
        (path, log), = Depot.received.items()
        self.assertRegex(path, r"^/in/AC-1-diagnostics-\d{8}T\d{6}Z\.txt$")
        log = log.decode()
        for part in ("=== settings", "=== json status", "=== log", "ocpp.authorization_key: ***"):
            self.assertIn(part, log)
        for secret in (self.key, "PAGE-PASSWORD-1", CARD):
            self.assertNotIn(secret, log)

        # No release at all, and a release whose signature is another file's: no slot is touched.
        image = self.make_release("new.pwr", "9.9.9")
        root, certificate, signature = self.sign(image)
        other = self.make_release("other.pwr", "9.9.8")
        Depot.files = {"/new": image, "/other": other, "/elf": STATION}
        self.command("InstallCertificate", {"certificateType": "ManufacturerRootCertificate",
                                            "certificate": root})
        self.update(6, "elf", certificate, signature)
        self.until(lambda: self.statuses("signed firmware")[-1:] == ["InstallVerificationFailed"], "the refusal")
        self.update(7, "other", certificate, signature)
        self.until(lambda: self.statuses("signed firmware")[-1:] == ["InvalidSignature"], "the refusal")
        self.assertFalse((self.slots / "a").exists())

        # The security log, with a number, tells of it.
        self.command("GetLog", {"logType": "SecurityLog", "requestId": 4,
                                "log": {"remoteLocation": f"{self.depot}/security.txt"}})
        self.until(lambda: self.statuses("log")[-1:] == ["Uploaded"], "the security log")
        self.assertIn("InvalidFirmwareSignature", Depot.received["/security.txt"].decode())

        # The right one: the station ends, and the boot loader starts the new one, on trial.
        self.update(8, "new", certificate, signature)
        self.assertEqual(station.wait(self.wait_s), 75, self.text_of("station")[-3000:])
        self.assertEqual((self.slots / "a" / "pilotwire-station").read_bytes(), pathlib.Path(STATION).read_bytes())
        for _ in range(3):
            station = self.run_station()
            update = self.control("json update")["update"]
            self.assertTrue(update["trial"], update)
            self.assertEqual(update["version"], "9.9.9")
            station.kill()
            station.wait(self.wait_s)
        # It never stayed for five minutes: the one of the package comes back and says so.
        self.run_station()
        self.until(lambda: self.statuses("signed firmware")[-1:] == ["InstallationFailed"], "InstallationFailed")
        self.assertEqual(self.statuses("signed firmware"), [
            "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "InstallationFailed"])
        update = self.control("json update")["update"]
        self.assertFalse(update["trial"])
        self.assertEqual(update["returned"], "9.9.9")
        self.assertFalse((self.folder / "data" / "download").exists())

        # A person names a file that is not there, then hands one in.
        said = self.once(COMMAND, "--station", str(self.folder / "station.sock"), "update", "nowhere.pwr", code=1)
        self.assertEqual(said.stderr, "pilotwire: nowhere.pwr: No such file or directory\n")
        self.once(COMMAND, "--station", str(self.folder / "station.sock"), "update", str(other))
        self.until(lambda: self.control("json update")["update"].get("version") == "9.9.8", "the release")

    def tell_broker(self, topic, payload):
        self.once("mosquitto_pub", "-p", str(self.broker), "-t", f"Dinamics/AC-1/{topic}", "-m", payload)

    def test_over_a_broker_what_lies_at_the_source_is_taken_when_it_is_newer(self):
        self.broker = free_port()
        (self.folder / "broker.conf").write_text(f"listener {self.broker} 127.0.0.1\nallow_anonymous true\n")
        self.start("broker", "mosquitto", "-c", str(self.folder / "broker.conf"))
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: AC-1\nmqtt:\n  url: mqtt://127.0.0.1:{self.broker}\n"
            f"update:\n  folder: {self.slots}\n  root: {self.folder / 'root.bin'}\n  source: {self.depot}/latest\n"
            "page:\n  listen: \"\"\nconsole:\n  device: \"off\"\ncan:\n  bus0: mcast:239.74.163.77:43177\n"
            "connectors:\n  - kind: dc\n")
        station = self.start("station", BOOT, "--folder", str(self.slots), "--package", STATION, "--root",
                             str(self.folder / "root.bin"), "--hardware", self.machine, "--", "--config",
                             str(self.folder / "station.yaml"), "--data", str(self.folder / "data"), "--control",
                             str(self.folder / "station.sock"))
        Depot.files = {"/latest": self.make_release("old.pwr", "0.0.1")}
        self.until(lambda: self.control("json status"), "the station")

        def asked():
            self.tell_broker("set_update", "1")
            return "0.0.1" in json.dumps(self.control("json update"))
        self.until(asked, "the older one to be looked at")
        self.assertFalse((self.slots / "a").exists())
        self.assertIsNone(station.poll())
        Depot.files = {"/latest": self.make_release("newer.pwr", "9.9.9")}
        self.tell_broker("set_update_spiffs", "1")
        self.assertEqual(station.wait(self.wait_s), 75, self.text_of("station")[-3000:])
        self.assertEqual((self.slots / "a" / "pilotwire-station").read_bytes(), pathlib.Path(STATION).read_bytes())


if __name__ == "__main__":
    main(110)
