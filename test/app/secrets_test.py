"""Secrets at rest, and nowhere else: a secret of its own in every place there is, everything said and kept searched
for it; passwords after a factory reset; programs cut off while they seal.

secrets_test.py STATION COMMAND CENTRAL CUT: three programs, and cut_files.so. facts/reliability.md T14, T15, F01.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading

from programs import CENTRAL, COMMAND, GIVEN, STATION, Case, free_port, free_ports, main

CUT = GIVEN["cut_files.so"]


def forms(secret):
    """How a secret may look in what is written: in clear, hexadecimal, base64 at each of its three places."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        begin, end = (0, 2, 3)[shift], len(text) - (4 if (shift + len(raw)) % 3 else 0)
        found.add(text[begin:end])
    return found


def secret_settings():
    """All that are one, from the station's own table: a new one cannot be forgotten here."""
    table = subprocess.run([STATION, "--print-settings"], check=True, capture_output=True, text=True).stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    return [row[1].strip("`") for row in rows if len(row) > 5 and row[4] == "Secret"]


class Depot(http.server.BaseHTTPRequestHandler):
    received = []

    def log_message(self, *_):
        pass

    def do_PUT(self):
        Depot.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(201)
        self.end_headers()


class Secrets(Case):
    wait_s = 20

    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.port, self.page, self.api = free_ports(), free_port(), free_port()
        self.said = []  # what was answered to anybody
        self.values = {}

    def make_files(self, more="", ocpp=""):
        self.write("station.yaml", f"station:\n  id: CP1\npage:\n  listen: 127.0.0.1:{self.page}\n"
                                   f"openevse_api:\n  listen: 127.0.0.1:{self.api}\n  username: evcc\n"
                                   "console:\n  device: 'off'\n"
                                   "can:\n  bus0: 'mcast:239.74.163.9:%d'\n%sconnectors:\n  - kind: dc\n%s"
                   % (free_port(), ocpp, more))
        lines = {}
        for path in secret_settings():
            value = self.values.setdefault(path, "Zq" + secrets.token_hex(16))
            room, name = path.split(".")
            lines.setdefault(room, []).append(f"  {name}: \"{value}\"\n")
        self.write("secrets.yaml", "".join(f"{room}:\n" + "".join(rows) for room, rows in lines.items()))

    def arguments(self, *more):
        return [STATION, "--config", str(self.folder / "station.yaml"), "--secrets",
                str(self.folder / "secrets.yaml"), "--data", str(self.data), "--control",
                str(self.folder / "s.sock"), "--tpm", "off", *more]

    def run_task(self, *more, code=0, **environment):
        return self.once(*self.arguments(*more), code=code, env={**self.environment, **environment})

    def start_station(self, **environment):
        starts = self.text_of("station").count("program start")
        station = self.start("station", *self.arguments(), **environment)
        self.until(lambda: self.text_of("station").count("program start") > starts, "the station")
        return station

    def command(self, *words, status=0):
        done = self.once(COMMAND, "--station", str(self.folder / "s.sock"), *words, code=status)
        self.said.append(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def ask(self, port, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.wait_s)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            self.said.append(str(answer.getheaders()) + text)
            return answer.status, text, answer.getheader("Set-Cookie")
        finally:
            connection.close()

    def log_in(self, port, body):
        status, text, cookie = self.ask(port, "POST", "/api/v1/login", body)
        if status != 200:
            return status, None
        return status, {"Cookie": cookie.split(";")[0], "X-CSRF": json.loads(text)["csrf"]}

    def search(self, what, needles):
        """No form of any secret in what is kept and what was said; `what`: (name, bytes)."""
        looked = 0
        for name, found in what:
            looked += len(found)
            for path, secret in needles:
                for form in forms(secret):
                    self.assertNotIn(form, found, f"{path} stands in {name}")
        return looked

    def kept(self, *folders):
        for folder in folders:
            for file in folder.rglob("*"):
                if file.is_file():
                    yield str(file), file.read_bytes()

    # --- T15: nothing of a secret in anything that is written or said.

    def start_broker(self):
        port = free_port()
        self.write("mosquitto.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        self.start("broker", "/usr/sbin/mosquitto", "-c", str(self.folder / "mosquitto.conf"))
        self.until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, "the broker")
        self.start("mqtt", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "#", "-v")
        return port

    def start_central(self):
        key = self.values["ocpp.authorization_key"]
        self.central_says("station", "add", "CP1", "--stdin", given=key + "\n")
        pin = self.central_says("link", "pin")
        self.central_says("ca", "init", "Operator")
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{self.port}",
                   "--log-level", "debug")
        password = self.until(lambda: re.search(r"with the password (\S+)", self.text_of("central")), "the central").group(1)
        log = self.folder / "central.log"  # shown to the person who started it, and meant for him
        log.write_text(log.read_text().replace(password, "(shown once)"))
        self.values["central admin"] = password
        status, self.admin = self.log_in(self.port, {"user": "admin", "password": password})
        self.assertEqual(status, 200)
        # A server that runs would go on with the old key, and could read its own files no more.
        done = self.once(CENTRAL, "-d", str(self.folder / "central"), "key", "rotate", code=1)
        self.assertIn("stop it first", done.stderr)
        return pin

    def central_ask(self, method, path, body=None):
        return self.ask(self.port, method, "/api/v1" + path, body, self.admin)

    def central_command(self, action, payload):
        status, text, _ = self.central_ask("POST", "/stations/CP1/commands", {"action": action, "payload": payload})
        return status, text

    def visit_page(self):
        self.assertEqual(self.log_in(self.page, {"password": "Zqwrong-password"})[0], 401)
        status, login = self.log_in(self.page, {"password": self.values["page.password"]})
        self.assertEqual(status, 200)
        for path in ("/me", "/status", "/settings", "/network", "/debug", "/security", "/about", "/log?limit=200"):
            self.assertEqual(self.ask(self.page, "GET", "/api/v1" + path, None, login)[0], 200, path)
        status, _, _ = self.ask(self.page, "PUT", "/api/v1/settings/lora.key", {"value": "short"}, login)
        for path in secret_settings():  # a refusal must not say the value either
            long = self.values[path] * 20
            self.ask(self.page, "PUT", f"/api/v1/settings/{path}", {"value": long}, login)
        basic = base64.b64encode(f"evcc:{self.values['openevse_api.password']}".encode()).decode()
        for path in ("/status", "/config", "/override"):
            self.ask(self.api, "GET", path, None, {"Authorization": "Basic " + basic})

    def change_secrets(self):
        """Set while running: over the console, and the station's key over OCPP."""
        for path in secret_settings():
            if path != "ocpp.authorization_key":
                self.values[path + " (old)"] = self.values[path]
                self.values[path] = "Zq" + secrets.token_hex(16)
                said = self.command("set", path, self.values[path], status=None)
                self.assertTrue(said == "" or "concern" in said, said)
        status, text, _ = self.central_ask("POST", "/stations/CP1/key")
        self.assertIn(status, (200, 202), text)
        self.until(lambda: "link-down" in self.text_of("station"), "the station to come with its new key")
        self.until(lambda: json.loads(self.central_ask("GET", "/stations/CP1")[1]).get("ocpp_online"), "the station's return")

    def look_everywhere(self):
        for words in (["status"], ["get"], ["seclog"], ["files"], ["network"], ["limits"], ["log"]):
            self.command(*words, status=None)
        for path in secret_settings():
            self.command("get", path, status=None)
        for action, payload in (("GetConfiguration", {}),
                                ("GetConfiguration", {"key": ["AuthorizationKey", "X-page.password"]}),
                                ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "ZqNo" + "0" * 20}),
                                ("GetDiagnostics", {"location": self.depot}),
                                ("GetLog", {"logType": "DiagnosticsLog", "requestId": 7,
                                            "log": {"remoteLocation": self.depot}})):
            before = len(Depot.received)
            self.central_command(action, payload)
            if self.depot in str(payload):
                self.until(lambda: len(Depot.received) > before, "the upload of " + action)
        for path in ("/stations", "/stations/CP1", "/stations/CP1/configuration", "/stations/CP1/commands",
                     "/stations/CP1/files", "/stations/CP1/security", "/stations/CP1/messages?limit=500",
                     "/users", "/metrics", "/stations/CP1/log"):
            self.central_ask("GET", path)

    def test_T15_no_secret_in_logs_uploads_answers_messages_or_on_the_disk(self):
        depot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Depot)
        threading.Thread(target=depot.serve_forever, daemon=True).start()
        self.addCleanup(depot.server_close)
        self.addCleanup(depot.shutdown)
        self.values["password of an address"] = "Zq" + secrets.token_hex(12)
        self.depot = (f"http://maker:{self.values['password of an address']}"
                      f"@127.0.0.1:{depot.server_address[1]}/in/")
        for path in secret_settings():
            self.values[path] = "Zq" + secrets.token_hex(16)
        broker = self.start_broker()
        pin = self.start_central()
        self.make_files(more=f"mqtt:\n  url: mqtt://127.0.0.1:{broker}\n  username: wallbox\nlog:\n  level: debug\n"
                             f"uplink:\n  url: tls://127.0.0.1:{self.port + 10}\n  pin: {pin}\n"
                             "network:\n  ssid1: home\n  ssid2: shed\n",
                        ocpp=f"ocpp:\n  url: ws://127.0.0.1:{self.port}/ocpp\n")
        self.assertIn("removed", self.run_task("--seal-secrets").stdout)
        self.assertFalse((self.folder / "secrets.yaml").exists())
        station = self.start_station()
        self.until(lambda: '"central":"online"' in self.command("status", "--json", status=None).replace(" ", ""),
              "the central system")
        limits = pathlib.Path(f"/proc/{station.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size\s+0\s+0")
        self.visit_page()
        self.change_secrets()
        self.visit_page()
        self.look_everywhere()
        self.end(station)
        files = [(name, found) for name, found in self.kept(self.folder)]
        uploads = [(f"upload {name}", found) for name, found in Depot.received]
        answers = [(f"answer {i}", text.encode()) for i, text in enumerate(self.said)]
        programs = [(name, pathlib.Path(name).read_bytes()) for name in (STATION, COMMAND, CENTRAL)]
        needles = sorted(self.values.items())
        self.assertTrue(all(len(secret) >= 16 for _, secret in needles))
        looked = self.search(files + uploads + answers + programs, needles)
        self.assertGreater(len(answers), 40)
        self.assertTrue(any(b"PWS\x01" in found for _, found in files), "nothing was sealed at all")
        for name, found in files:
            self.assertNotIn(b"PRIVATE KEY", found, name)
        print(f"{len(needles)} secrets, {looked} bytes looked through: "
              f"{len(files)} files, {len(uploads)} uploads, {len(answers)} answers", file=sys.stderr)

    # --- T14: no old password after a reset, and no default one.

    def logins(self):
        page = self.log_in(self.page, {"password": self.values["page.password"]})[0]
        basic = base64.b64encode(f"evcc:{self.values['openevse_api.password']}".encode()).decode()
        api = self.ask(self.api, "GET", "/config", None, {"Authorization": "Basic " + basic})[0]
        return page, api

    def test_T14_after_a_factory_reset_no_old_password_works_and_none_is_built_in(self):
        self.make_files(more="update:\n  folder: %s\n" % (self.folder / "data" / "slots"))
        slots = self.data / "slots"
        slots.mkdir(parents=True)
        self.data.chmod(0o750)
        (slots / "counter").write_text("7")
        station = self.start_station()
        self.assertEqual(self.logins(), (200, 200))
        self.command("set", "log.level", "debug")
        before = (self.data / "device.key").read_bytes()
        self.assertIn("say the name", self.command("factory-reset", "CP2", status=None))
        login = self.log_in(self.page, {"password": self.values["page.password"]})[1]
        self.assertEqual(self.ask(self.page, "POST", "/api/v1/factory-reset", {"name": "CP2"}, login)[0], 422)
        self.assertEqual(self.ask(self.page, "POST", "/api/v1/factory-reset", {"name": "CP1"})[0], 401)
        self.assertEqual(self.logins()[0], 200)
        self.command("factory-reset", "CP1")
        self.until(lambda: self.text_of("station").count("program start") == 2, "the station that has forgotten")
        self.assertIsNone(station.poll())
        page, api = self.logins()
        self.assertEqual(page, 403)
        self.assertIn("view_only", self.said[-2])
        self.assertEqual(api, 200)  # reading is open while no password is set, as on the first day
        for built_in in ("", "admin", "pilotwire", "password", "CP1", "0000", "12345678"):
            self.assertEqual(self.log_in(self.page, {"password": built_in})[0], 403)
        for path in secret_settings():
            self.assertNotIn("***", self.command("get", path, status=None))
        self.assertNotIn("debug", self.command("get", "log.level"))
        self.assertIn("factory reset", self.command("seclog"))
        self.end(station)
        self.assertNotEqual((self.data / "device.key").read_bytes(), before)
        self.assertFalse((self.folder / "secrets.yaml").exists())
        self.assertEqual((slots / "counter").read_text(), "7")
        self.assertEqual({entry.name for entry in self.data.iterdir()} - {"station.db-wal", "station.db-shm"},
                         {"device.key", "station.db", "station.db.lock", "trust", "slots"})
        self.search(self.kept(self.data), sorted(self.values.items()))

    # --- Another key, and values of systemd.

    def test_with_another_key_each_secret_is_named_and_nothing_goes_on_as_if_it_were_empty(self):
        with socket.create_server(("127.0.0.1", 0)) as central:
            central.settimeout(1)
            self.make_files(ocpp=f"ocpp:\n  url: ws://127.0.0.1:{central.getsockname()[1]}/ocpp\n")
            self.run_task("--seal-secrets")
            (self.data / "device.key").unlink()
            self.start_station()
            for path in secret_settings():
                self.assertIn(f"vault locked secret=set/{path} ", self.text_of("station"))
                if path != "lora.key":  # replaced by chance, so that nobody is believed
                    self.assertIn("locked", self.command("get", path, status=None))
            for password in (self.values["page.password"], "", "\x01"):
                self.assertEqual(self.log_in(self.page, {"password": password})[0], 403)
            for password in (self.values["openevse_api.password"], "", "\x01"):
                basic = base64.b64encode(f"evcc:{password}".encode()).decode()
                self.assertEqual(self.ask(self.api, "GET", "/status", None, {"Authorization": "Basic " + basic})[0], 401)
            with self.assertRaises(TimeoutError):
                central.accept()
            self.assertIn("ocpp.authorization_key cannot be opened", self.text_of("station"))
            self.command("set", "page.password", "a-new-password")
            self.assertEqual(self.log_in(self.page, {"password": "a-new-password"})[0], 200)

    def test_a_credential_of_systemd_is_a_secret_and_may_be_the_key(self):
        self.make_files()
        (self.folder / "creds").mkdir()
        self.write("creds/page.password", "from-the-service-manager\n", 0o440)
        self.write("creds/device.key", secrets.token_hex(32), 0o440)
        station = self.start_station(CREDENTIALS_DIRECTORY=str(self.folder / "creds"))
        self.assertIn("key=credential", self.text_of("station"))
        self.assertFalse((self.data / "device.key").exists())
        self.assertEqual(self.log_in(self.page, {"password": "from-the-service-manager"})[0], 200)
        self.assertEqual(self.log_in(self.page, {"password": self.values["page.password"]})[0], 401)
        self.command("set", "mqtt.password", "set-while-running")
        self.end(station)
        station = self.start_station()  # without the credentials: another key is made, and the value stays locked
        self.assertIn("vault locked secret=set/mqtt.password", self.text_of("station"))

    # --- The program is cut off at every operation on a file.

    def cut_everywhere(self, prepare, arguments, check):
        """Runs a task, cut off at operation 1, 7, 13, ... (PW_CUT_STEP=1: each one) until it is not any more."""
        count = self.folder / "count"
        step = int(os.environ.get("PW_CUT_STEP", "6"))
        at = 1 - step
        while True:
            at += step
            shutil.rmtree(self.data, ignore_errors=True)
            prepare()
            count.unlink(missing_ok=True)
            done = self.run_task(*arguments, code=None, LD_PRELOAD=CUT, PW_CUT_AT=str(at), PW_CUT_COUNT=str(count))
            check(at, done)
            if done.returncode == 0:
                return (at - 1) // step
            self.assertEqual(done.returncode, 137, done.stderr)

    def sealed(self):
        """The page's password as the store has it, by what a rotation says of it."""
        done = self.run_task("--rotate-device-key")
        return re.search(r"(\d+) secret\(s\) of the store are sealed with it, (\d+) cannot", done.stdout).groups()

    def test_F01_sealing_changing_the_key_and_forgetting_survive_being_cut_off_anywhere(self):
        self.make_files()
        plain = (self.folder / "secrets.yaml").read_text()
        all_of_them = str(len(secret_settings()))

        def fresh():
            self.write("secrets.yaml", plain)

        def sealed_or_still_there(at, _):
            self.run_task("--seal-secrets")
            self.assertEqual(self.sealed(), (all_of_them, "0"), f"cut at {at}")
            self.assertFalse((self.folder / "secrets.yaml").exists())

        sealing = self.cut_everywhere(fresh, ["--seal-secrets"], sealed_or_still_there)

        def with_secrets():
            fresh()
            self.run_task("--seal-secrets")

        def opens(at, _):
            self.assertEqual(self.sealed(), (all_of_them, "0"), f"cut at {at}")

        changing = self.cut_everywhere(with_secrets, ["--rotate-device-key"], opens)

        def all_or_nothing(at, done):
            unfinished = (self.data / "reset.db").exists()
            self.run_task("--rotate-device-key")  # any start goes on with it
            self.assertFalse((self.data / "reset.db").exists())
            after, locked = self.sealed()
            self.assertEqual(locked, "0", f"cut at {at}")
            self.assertEqual(after, "0" if unfinished or done.returncode == 0 else after)
            self.assertIn(after, ("0", all_of_them), f"cut at {at}")

        forgetting = self.cut_everywhere(with_secrets, ["--factory-reset"], all_or_nothing)
        print(f"cut off at {sealing} operations of sealing, {changing} of changing the key, "
              f"{forgetting} of forgetting", file=sys.stderr)


if __name__ == "__main__":
    main(110)
