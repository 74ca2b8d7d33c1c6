"""A release goes from a maker's command line to the central, and from there to a station; a log comes
back. Real programs over real sockets: uploads that are cut, downloads that go on where they were cut, a
peer that reads nothing.

rollout_test.py STATION CENTRAL SIM PILOTWIRE. Loopback and free ports only.
"""


import http.client
import json
import pathlib
import re
import socket

from programs import CENTRAL, COMMAND, SIM, STATION, Case, free_port, main


class Rollout(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.key = self.central_says("station", "add", "AC-1")
        self.make_release()
        self.server = self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l",
                                 f"127.0.0.1:{self.port}", "--link-listen", "127.0.0.1:0",
                                 "--release-root", str(self.folder / "root"))
        self.until(lambda: "Dashboard:" in self.text_of("central"), "the central")
        password = re.search(r"with the password (\S+)", self.text_of("central")).group(1)
        self.write("password", password + "\n")

    def maker(self, *words):
        self.once(COMMAND, "release", *words, cwd=self.folder)

    def make_release(self):
        """With the well-known test keys; version 9.0.0 of the program that is there."""
        for role in ("root", "release"):
            for number in ("1", "2") if role == "root" else ("1",):
                self.maker("key", "test", role, number, f"{role}{number}")
        self.maker("root", "new", "--version", "1", "--expires", "2100-01-01", "--root-key", "root1.pub",
                   "--root-key", "root2.pub", "--release-key", "release1.pub", "--out", "root")
        self.maker("root", "sign", "root", "--key", "root1")
        self.maker("root", "sign", "root", "--key", "root2")
        self.maker("build", "--hardware", "wallbox-9", "--version", "9.0.0", "--counter", "1",
                   "--component", f"pilotwire-station={STATION}", "--out", "new.pwr")
        self.maker("sign", "new.pwr", "--key", "release1")
        self.release = (self.folder / "new.pwr").read_bytes()

    def people(self, *words, refused=False, form="--json"):
        """The command line at the central; its output, or what it says when it is refused."""
        done = self.once(COMMAND, "--central", f"http://127.0.0.1:{self.port}", "--password-file",
                         str(self.folder / "password"), form, *words, code=3 if refused else 0)
        if form != "--json":
            return done.stdout
        return done.stderr if refused else json.loads(done.stdout or "null")

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.wait_s)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer, said

    def kept(self):
        return sorted(one.name for one in (self.folder / "central" / "files").iterdir())

    def test_a_release_comes_in_whole_or_not_at_all_and_goes_out_in_parts(self):
        # Nobody may bring one without a login, and nothing is read before that is known.
        answer, said = self.ask("POST", "/api/v1/releases", self.release)
        self.assertEqual((answer.status, self.kept()), (401, []), said)
        damaged = bytearray(self.release)
        damaged[-5] ^= 1
        (self.folder / "damaged.pwr").write_bytes(damaged)
        self.assertIn("component pilotwire-station is not what the manifest says",
                      self.people("release", "add", str(self.folder / "damaged.pwr"), refused=True))
        self.assertEqual(self.kept(), [])
        release = self.people("release", "add", str(self.folder / "new.pwr"))
        self.assertEqual((release["manifest"]["version"], release["verdict"], release["size"]),
                         ("9.0.0", "fine", len(self.release)))
        self.assertIn("here already", self.people("release", "add", str(self.folder / "new.pwr"), refused=True))
        self.assertEqual(len(self.kept()), 1)

        # A station's download: cut, and gone on with; ranges of every kind; whole with If-None-Match.
        path = "/firmware/" + release["location"].rsplit("/", 1)[1]
        cut = len(self.release) * 2 // 5
        with socket.create_connection(("127.0.0.1", self.port)) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: station\r\n\r\n".encode())
            got = b""
            while len(got) < cut:
                got += one.recv(65536)
        head, part = got.split(b"\r\n\r\n", 1)
        self.assertIn(b" 200 ", head.split(b"\r\n")[0])
        etag = re.search(rb"(?i)etag: (\S+)", head).group(1).decode()
        answer, rest = self.ask("GET", path, headers={"Range": f"bytes={len(part)}-", "If-Range": etag})
        self.assertEqual(answer.status, 206)
        self.assertEqual(answer.getheader("Content-Range"),
                         f"bytes {len(part)}-{len(self.release) - 1}/{len(self.release)}")
        self.assertEqual(part + rest, self.release)
        self.assertEqual(self.ask("GET", path, headers={"Range": "bytes=-7"})[1], self.release[-7:])
        self.assertEqual(self.ask("GET", path, headers={"Range": "bytes=0-1,4-5"})[0].status, 200)
        self.assertEqual(self.ask("GET", path, headers={"Range": "bytes=999999999-"})[0].status, 416)
        self.assertEqual(self.ask("GET", path, headers={"If-None-Match": etag})[0].status, 304)
        self.assertEqual(self.ask("GET", path[:-1] + ("0" if path[-1] != "0" else "1"))[0].status, 404)
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")

        self.give_ocpp_signature(str(release["id"]))

        # Peers that read nothing cost the central no memory for the file.
        before = self.memory()
        idle = []
        for _ in range(20):
            one = socket.create_connection(("127.0.0.1", self.port))
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: station\r\n\r\n".encode())
            idle.append(one)
        self.assertEqual(self.ask("GET", path)[1], self.release)
        self.assertLess(self.memory() - before, 20 * 64 + 4096, "KiB for 20 that read nothing")
        for one in idle:
            one.close()

    def sign_as_maker(self):
        """With openssl, as a maker's people do: a root, a certificate for firmware, signatures of two files."""
        def openssl(*words):
            self.once("openssl", *words, cwd=self.folder)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *curve, "-days", "30", "-subj", "/O=Maker/CN=Root", "-keyout", "maker.key",
                "-out", "maker.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", *curve, "-subj", "/O=Maker/CN=Firmware", "-keyout", "sign.key", "-out", "sign.csr")
        (self.folder / "sign.ext").write_text("keyUsage=critical,digitalSignature\n")
        openssl("x509", "-req", "-in", "sign.csr", "-CA", "maker.pem", "-CAkey", "maker.key", "-CAcreateserial",
                "-days", "20", "-extfile", "sign.ext", "-out", "sign.pem")
        for name in ("new.pwr", "root"):
            openssl("dgst", "-sha256", "-sign", "sign.key", "-out", f"{name}.sig", name)

    def give_ocpp_signature(self, number):
        """One over another file is refused in words."""
        self.sign_as_maker()

        def give(signature):
            return ("release", "ocpp-signature", number, "--certificate", str(self.folder / "sign.pem"),
                    "--signature", str(self.folder / signature))
        self.assertIn("is not the signer's over this file", self.people(*give("root.sig"), refused=True))
        self.assertTrue(self.people(*give("new.pwr.sig"))["ocpp_signed"])
        self.assertEqual(self.people("release", "models", number, "AC 22", "DC 60")["only_models"], ["AC 22", "DC 60"])
        self.assertFalse(self.people("release", "ocpp-signature", number)["ocpp_signed"])
        self.assertEqual(self.people("release", "models", number)["only_models"], [])

    def memory(self):
        text = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def start_station(self):
        board = self.folder / "board0"
        slots = self.folder / "slots"
        slots.mkdir()
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        self.until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: AC-1\nocpp:\n  url: ws://127.0.0.1:{self.port}/ocpp/\n"
            f"update:\n  folder: {slots}\n  root: {self.folder / 'root'}\n  hardware: wallbox-9\n"
            "page:\n  listen: \"\"\nconsole:\n  device: \"off\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        secrets = self.write("secrets.yaml", f"ocpp:\n  authorization_key: \"{self.key}\"\n")
        station = self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets",
                             secrets, "--data", str(self.folder / "data"), "--control",
                             str(self.folder / "station.sock"))
        self.until(lambda: any(one["ocpp_online"] and one["firmware"] for one in self.people("stations")["stations"]),
              "the station")
        return station

    def test_a_station_is_updated_by_a_roll_out_and_brings_its_log(self):
        station = self.start_station()
        self.people("diagnostics", "AC-1")
        self.until(lambda: any(one["state"] == "here" for one in self.people("uploads", "AC-1")["uploads"]), "the log")
        upload = self.people("uploads", "AC-1")["uploads"][0]
        self.assertRegex(upload["name"], r"^AC-1-diagnostics-\d{8}T\d{6}Z\.txt$")
        fetched = self.folder / "fetched"
        self.people("fetch", str(upload["id"]), str(fetched), form="--tsv")
        log = fetched.read_text()
        self.assertIn("=== settings", log)
        self.assertNotIn(self.key, log)
        self.assertEqual(len(log.encode()), upload["size"])

        release = self.people("release", "add", str(self.folder / "new.pwr"))
        # A person is told the number that `rollout show` wants.
        made = self.people("rollout", "start", str(release["id"]), "stations=AC-1", "soak_s=0", form="--tsv").strip()
        seen = []

        def state():
            one = self.people("rollout", "show", made)["stations"][0]
            if seen[-1:] != [one["state"]]:
                seen.append(one["state"])
            return one
        self.until(lambda: state()["state"] in ("installing", "failed", "done"), "the installation", 60)
        self.assertEqual(state()["why"], None, self.text_of("station")[-3000:])
        self.assertEqual(station.wait(self.wait_s), 75, self.text_of("station")[-3000:])
        self.assertEqual((self.folder / "slots" / "a" / "pilotwire-station").read_bytes(),
                         pathlib.Path(STATION).read_bytes())
        self.assertEqual(seen[-1], "installing")

    def test_a_signed_update_is_taken_once_the_station_trusts_the_makers_root(self):
        station = self.start_station()
        self.sign_as_maker()
        release = str(self.people("release", "add", str(self.folder / "new.pwr"))["id"])
        self.people("release", "ocpp-signature", release, "--certificate", str(self.folder / "sign.pem"),
                    "--signature", str(self.folder / "new.pwr.sig"))
        plan = self.people("rollout", "plan", release, "stations=AC-1")
        self.assertEqual((plan["rollout"]["canary"], plan["rollout"]["canary_finds_percent"]), (1, 100))
        self.assertRegex(plan["kinds"][0]["kind"], r"^\S.*, .*, 1 connector$")
        made = self.people("rollout", "start", release, "stations=AC-1", "soak_s=0", "name=a\u202eb\u009b31mc\u20ac",
                           form="--tsv").strip()
        # What a terminal obeys, or turns, is shown as what it is not (T21).
        self.assertIn("\ta?b?31mc\u20ac\t", self.people("rollout", "list", form="--tsv"))

        def one():
            return self.people("rollout", "show", made)["stations"][0]
        # The station does not know who that is: the roll-out stops itself at its first station.
        self.until(lambda: one()["state"] == "failed", "the refusal")
        self.assertEqual(one()["why"], "the station refused the signed update: InvalidCertificate")
        self.until(lambda: self.people("rollout", "show", made)["rollout"]["state"] == "stopped", "the stop")
        self.people("trust", "AC-1", "maker", str(self.folder / "maker.pem"))
        self.people("rollout", "retry", made)
        self.assertEqual(station.wait(90), 75, self.text_of("station")[-3000:])
        self.until(lambda: one()["state"] == "installing", "the installation")
        job = self.people("files", "AC-1")["jobs"][0]
        self.assertEqual((job["kind"], job["request_id"] > 0), ("signed firmware", True))
        self.assertEqual([said["status"] for said in job["statuses"]],
                         ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"])


if __name__ == "__main__":
    main(100)
