"""pilotwire-station and pilotwire as people and scripts meet them: files, sockets, signals, TLS.

station_test.py STATION COMMAND CENTRAL SIM: the four programs. Loopback and free ports only.
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

from programs import CENTRAL, COMMAND, SIM, STATION, Case, free_port, main

KEY = "a-secret-key-0123456789"


class Peer(threading.Thread):
    """A central system in forty lines: upgrades, accepts BootNotification, answers all else."""

    def __init__(self, tls=None):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.tls = tls
        self.request = ""
        self.calls = []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                self.serve(self.tls.wrap_socket(connection, server_side=True) if self.tls else connection)
            except (OSError, EOFError, ValueError):
                if self.listener.fileno() < 0:
                    return

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += stream.readline()
            self.request = head.decode()
            key = next(line[19:] for line in self.request.split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            while True:
                self.frame(connection, stream)

    def frame(self, connection, stream):
        first, second = stream.read(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(stream.read(2), "big")
        mask = stream.read(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(stream.read(length)))
        if first & 0x0F == 8:
            raise EOFError
        if first & 0x0F != 1:
            return
        _, number, action, _ = json.loads(data)
        self.calls.append(action)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        answer = {"BootNotification": {"status": "Accepted", "interval": 300, "currentTime": now},
                  "Heartbeat": {"currentTime": now}}.get(action, {})
        text = json.dumps([3, number, answer]).encode()
        head = bytes([0x81, len(text)]) if len(text) < 126 else b"\x81\x7e" + len(text).to_bytes(2, "big")
        connection.sendall(head + text)

    def close(self):
        self.listener.close()


class Station(Case):
    wait_s = 20

    def settings(self, more="", bus=None):
        bus = bus or f"mcast:239.74.163.2:{free_port(socket.SOCK_DGRAM)}"
        return self.write("station.yaml", f'station: {{id: CP1}}\ncan: {{bus0: "{bus}"}}\n'
                                          f"console: {{device: 'off'}}\nconnectors:\n- kind: dc\n{more}")

    def start_station(self, *arguments, settings=None):
        starts = self.text_of("station").count("program start")
        program = self.start("station", STATION, "--config", settings or self.settings(), "--data",
                             str(self.folder / "data"), *arguments)
        self.until(lambda: program.poll() is not None or self.text_of("station").count("program start") > starts,
                   "the start")
        return program

    def task(self, *arguments):
        return self.once(STATION, *arguments, code=None)

    def ask(self, *arguments, **environment):
        return self.once(COMMAND, *arguments, code=None, env={**self.environment, **environment})


class Settings(Station):
    """Each wrong file gets file, line, key, value and what is allowed, and exit status 2."""

    ROWS = [
        ("station: {id: CP1, wallpaper: red}\n", ":1: station.wallpaper: there is no such setting"),
        ("station: {id: CP1}\nocp:\n  url: ''\n",
         ":3: ocp.url: there is no such setting; did you mean ocpp.url?"),
        ("ocpp:\n  heartbeat_intervall_s: 5\n",
         ":2: ocpp.heartbeat_intervall_s: there is no such setting; did you mean ocpp.heartbeat_interval_s?"),
        ("metering:\n  sample_interval_s: 90000\n",
         ':2: metering.sample_interval_s: "90000" is not allowed; it must be 0..86400'),
        ("metering:\n  sample_interval_s: often\n",
         ':2: metering.sample_interval_s: "often" is not allowed; it must be 0..86400'),
        ("connectors:\n- rectifier: other\n",
         ':2: connectors[0].rectifier: "other" is not allowed; it must be huawei or infypower'),
        ("connectors:\n- kind: dc\n- kind: dc\n- kind: dc\n- kind: dc\n- kind: dc\n",
         ":6: connectors[4].kind: there is no such setting; connectors are numbered 0..3"),
        ("ocpp:\n  authorization_key: x\n",
         ":2: ocpp.authorization_key is a secret and belongs in the secrets file"),
        ("ocpp:\n  url: http://a\n",
         ':2: ocpp.url: "http://a" is not allowed; it must begin with ws:// or wss://'),
        ("can:\n  bus0: canbus:0\n", ':2: can.bus0: "canbus:0" is not allowed; expected socketcan:can0, '
                                        "mcast:239.74.163.2:43113, slcan:/dev/ttyUSB0@250000, "
                                        "slcan:tcp:address:port or replay:file"),
        ("metering:\n  sampled_data: Voltage,Foo\n",
         ':2: metering.sampled_data: "Voltage,Foo" is not allowed; "Foo" is not measured here; there are '
         "Energy.Active.Import.Register, Power.Active.Import, Voltage, Current.Import, Current.Offered, Frequency, SoC, "
         "Temperature"),
        ("console:\n  device: ttyUSB0\n", ':2: console.device: "ttyUSB0" is not allowed; it must be stdin, or the '
                                          "path of a device, as in /dev/ttyUSB0@9600"),
        ("network: {plain_passwords: yes please}\n",
         ':1: network.plain_passwords: "yes please" is not allowed; it must be only_this_machine or trusted_network'),
        ("station:\n  id: a\n  id: b\n", ":3: station.id: is set twice, first in line 2"),
        ("connectors:\n- kind: dc\n", ": station.id is missing: the station needs a name"),
        ("station: {id: CP1}\n", ": connectors is missing: a station needs at least one connector"),
        ("station: {id: CP1}\ncan: {bus0: 'mcast:239.74.163.2:43113'}\nconnectors:\n"
         "- voltage_min_mv: 60000\n  voltage_max_mv: 50000\n",
         ": connectors[0]: voltage_min_mv must be below voltage_max_mv"),
    ]

    def test_each_wrong_file(self):
        for text, why in self.ROWS:
            with self.subTest(text=text):
                file = self.write("bad.yaml", text)
                answer = self.task("--config", file, "--check")
                self.assertEqual(answer.stderr, f"pilotwire-station: {file}{why}\n")
                self.assertEqual(answer.returncode, 2)

    def test_secrets_that_others_can_read(self):
        secrets = self.write("secrets.yaml", f"ocpp: {{authorization_key: {KEY}}}\n", 0o640)
        answer = self.task("--config", self.settings(), "--secrets", secrets, "--check")
        self.assertEqual(answer.returncode, 2)
        self.assertIn(f"others may read it (mode 0640); run: chmod 600 {secrets}", answer.stderr)
        os.chmod(secrets, 0o600)
        self.assertEqual(self.task("--config", self.settings(), "--secrets", secrets, "--check").returncode, 0)

    def test_a_key_that_is_too_short_is_not_shown(self):
        secrets = self.write("secrets.yaml", "ocpp: {authorization_key: tooshort}\n")
        answer = self.task("--config", self.settings(), "--secrets", secrets, "--check")
        self.assertEqual(answer.stderr, f"pilotwire-station: {secrets}:1: ocpp.authorization_key is not allowed; "
                                        "it must have 16 to 40 characters\n")

    def test_passwords_that_would_go_unencrypted_to_another_machine(self):
        """Loopback, TLS and the word that says what it does let them; nothing else."""
        secrets = self.write("secrets.yaml", f"ocpp: {{authorization_key: {KEY}}}\nmqtt: {{password: {KEY}}}\n")
        base = "station: {id: CP1}\ncan: {bus0: 'mcast:239.74.163.2:43113'}\nconnectors:\n- kind: dc\n"
        refused = ["ocpp: {url: 'ws://central.example/ocpp'}", "ocpp: {url: 'ws://127.0.0.1.evil.example/ocpp'}",
                   "ocpp: {url: 'ws://192.168.1.2:8180/ocpp'}", "mqtt: {url: 'mqtt://broker.lan'}",
                   "ocpp: {url: 'ws://[fd00::1]/ocpp'}"]
        taken = ["ocpp: {url: 'wss://central.example/ocpp'}", "ocpp: {url: 'ws://127.0.0.1:8180/ocpp'}",
                 "ocpp: {url: 'ws://localhost/ocpp'}", "ocpp: {url: 'ws://[::1]:1/ocpp'}", "mqtt: {url: 'mqtts://broker.lan'}",
                 "ocpp: {url: 'ws://central.example/ocpp', security_profile: 2}"]
        for line in refused:
            answer = self.task("--config", self.write("p.yaml", f"{line}\n{base}"), "--secrets", secrets, "--check")
            self.assertIn("network: {plain_passwords: trusted_network}", answer.stderr, line)
            self.assertEqual(answer.returncode, 2)
            told = f"{line}\nnetwork: {{plain_passwords: trusted_network}}\n{base}"
            answer = self.task("--config", self.write("p.yaml", told), "--secrets", secrets, "--check")
            self.assertEqual((answer.returncode, answer.stderr), (0, ""), line)
        for line in taken:
            answer = self.task("--config", self.write("p.yaml", f"{line}\n{base}"), "--secrets", secrets, "--check")
            self.assertEqual((answer.returncode, answer.stderr), (0, ""), line)

    def test_a_setting_that_is_no_secret(self):
        secrets = self.write("secrets.yaml", "station: {id: CP2}\n")
        answer = self.task("--config", self.settings(), "--secrets", secrets, "--check")
        self.assertEqual(answer.stderr, f"pilotwire-station: {secrets}:1: station.id is no secret and belongs in the "
                                        "configuration file\n")

    def test_a_bus_that_can_never_be(self):
        for bus, why in [("mcast:10.0.0.1:43113", "10.0.0.1"), ("slcan:/dev/ttyS0@0", "slcan:/dev/ttyS0@0")]:
            answer = self.task("--config", self.settings(bus=bus), "--data", str(self.folder / "data"))
            self.assertIn(why, answer.stderr)
            self.assertEqual(answer.returncode, 2)

    def test_a_board_that_two_connectors_name(self):
        for i in (0, 1):
            self.write(f"board{i}.yaml", f"board: {{kind: frontend}}\nfrontend: {{device: {self.folder}/line}}\n")
        file = self.write("shared.yaml", "station: {id: CP1}\nconnectors:\n- kind: pilot\n  board: board0.yaml\n"
                                         "- kind: pilot\n  board: board1.yaml\n")
        for arguments in [("--check",), ("--data", str(self.folder / "data"))]:
            answer = self.task("--config", file, *arguments)
            self.assertIn(f'connectors[1].board: "{self.folder}/line" is the board of connectors[0] already; '
                          "each needs its own\n", answer.stderr)
            self.assertEqual(answer.returncode, 2)

    def test_the_command_line(self):
        self.assertIn("--config FILE", self.task("--help").stdout)
        self.assertRegex(self.task("--version").stdout, r"^pilotwire-station \d+\.\d+\.\d+\n$")
        for arguments, why in [((), "--config: is missing"), (("--config",), "--config: needs a value"),
                               (("--fly",), "--fly: no such option"), (("--control-mode", "0777"), "0600 or 0660")]:
            answer = self.task(*arguments)
            self.assertIn(why, answer.stderr)
            self.assertEqual(answer.returncode, 2)
        self.assertIn("| `ocpp.url` |", self.task("--print-settings").stdout)


class Running(Station):
    def test_starts_without_its_can_device_and_ends_on_sigterm(self):
        program = self.start_station(settings=self.settings(bus="slcan:/dev/no-such-adapter@250000"))
        self.until(lambda: self.status()["connectors"][0]["can"] == ["down"], "the bus to be down")
        self.assertIn("wire-away", self.text_of("station"))
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(self.wait_s), 0)
        self.assertFalse((self.folder / "s.sock").exists())

    def test_two_stations_do_not_share_records_or_socket(self):
        self.start_station()
        second = self.task("--config", self.settings(), "--data", str(self.folder / "data"),
                           "--control", str(self.folder / "t.sock"))
        self.assertEqual((second.returncode, second.stdout), (1, ""))
        self.assertIn("station.db: is in use by another program", second.stderr)
        second = self.task("--config", self.settings(), "--data", str(self.folder / "data2"))
        self.assertEqual(second.returncode, 1)
        self.assertIn("another program answers there", second.stderr)

    def test_settings_set_by_hand_last_and_refusals_say_why(self):
        program = self.start_station()
        self.assertEqual(self.ask("get", "metering.sample_interval_s").stdout, "metering.sample_interval_s\t60\n")
        self.assertEqual(self.ask("set", "metering.sample_interval_s", "7").returncode, 0)
        self.assertEqual(json.loads(self.ask("--json", "get", "MeterValueSampleInterval").stdout),
                         {"metering.sample_interval_s": "7"})
        for arguments, why in [(("set", "metering.sample_interval_s", "-1"), "0..86400"),
                               (("set", "station.id", "X"), "can only be set in the configuration file"),
                               (("set", "no.such", "1"), "there is no such setting"),
                               (("set", "metering.sampled_data", "Foo"),
                                'metering.sampled_data: "Foo" is not measured here'),
                               (("set", "connectors[0].voltage_min_mv", "90000"),
                                "must be below voltage_max_mv"),
                               (("get", "no.such"), "there is no such setting"), (("stop",), "nothing is charging"),
                               (("start", "9"), "it must be 1..1")]:
            answer = self.ask(*arguments)
            self.assertEqual((answer.returncode, answer.stdout), (3, ""))
            self.assertIn(why, answer.stderr)
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(self.wait_s), 0)
        self.start_station()
        self.assertEqual(self.ask("get", "metering.sample_interval_s").stdout, "metering.sample_interval_s\t7\n")

    def records(self, key):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/data/station.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM record WHERE key = ?", (key.encode(),)).fetchone()[0]

    def test_kill_9_loses_no_setting_that_was_kept(self):
        program = self.start_station()
        self.ask("set", "session.local_id_tag", "FRONTDESK")
        self.until(lambda: self.records("set/session.local_id_tag") == 1, "the record")
        program.kill()
        program.wait()
        self.start_station()
        self.assertEqual(self.ask("get", "session.local_id_tag").stdout, "session.local_id_tag\tFRONTDESK\n")

    def test_forms_of_answers(self):
        self.start_station()
        titles, row = self.ask("--tsv", "status").stdout.splitlines()
        self.assertEqual(len(titles.split("\t")), len(row.split("\t")))
        self.assertTrue(titles.startswith("connector\tstatus\t"))
        self.assertEqual(self.status()["station"], "CP1")
        self.assertIn("program start", self.ask("log").stdout)
        self.assertEqual(self.ask("fly").returncode, 2)
        self.assertEqual(self.ask("set", "a").returncode, 2)
        self.assertEqual(self.ask("--station", str(self.folder / "none"), "status").returncode, 1)

    def test_a_schedule_is_set_by_name_of_its_zone_and_shown(self):
        self.start_station()
        wrong = self.ask("set", "schedule.time_zone", "Europe/Atlantis")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("Europe/Atlantis", wrong.stdout + wrong.stderr)
        wrong = self.ask("set", "schedule.weekly", "mon 25:00-06:00")
        self.assertIn("HH:MM-HH:MM", wrong.stdout + wrong.stderr)
        for path, value in (("schedule.time_zone", "Europe/Ljubljana"),
                            ("schedule.weekly", "mon-fri 22:00-06:00; sat,sun 00:00-24:00")):
            self.assertEqual(self.ask("set", path, value).returncode, 0)
        shown = json.loads(self.ask("--json", "schedule").stdout)
        self.assertEqual(shown["time_zone"], "Europe/Ljubljana")
        self.assertIn(shown["zone"], ("CET", "CEST"))
        self.assertIsNotNone(shown["connectors"][0]["changes_at"])
        titles, row = self.ask("--tsv", "schedule").stdout.splitlines()
        self.assertEqual(len(titles.split("\t")), len(row.split("\t")))
        self.assertIn("no vehicle", self.ask("now").stdout + self.ask("now").stderr)
        self.assertEqual(self.ask("until", "energy", "5000").returncode, 0)
        self.assertIn("0..1000000", self.ask("until", "energy", "x").stderr + self.ask("until", "energy", "x").stdout)
        self.assertEqual(self.ask("set", "schedule.weekly", "").returncode, 0)
        self.assertIsNone(json.loads(self.ask("--json", "schedule").stdout)["connectors"][0]["changes_at"])

    def test_watch_streams_one_title_line(self):
        self.start_station()
        watch = subprocess.Popen([COMMAND, "--tsv", "watch"], env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, watch)
        lines = [watch.stdout.readline() for _ in range(3)]
        watch.stdout.close()
        self.assertTrue(lines[0].startswith("uptime_s\tconnector"))
        self.assertRegex(lines[2], r"^\d+\.\d+\t1\t")


class Service(Station):
    def test_the_service_manager_hears_ready_alive_status_and_stopping(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.folder / "notify"))
            manager.settimeout(self.wait_s)
            self.environment.update(NOTIFY_SOCKET=str(self.folder / "notify"), WATCHDOG_USEC="200000")
            heard = []

            def hears(text):
                while not any(text in line for line in heard):
                    heard.append(manager.recv(4096).decode())
                heard.clear()

            program = self.start_station()
            hears("READY=1")
            hears("STATUS=CP1, central system offline")
            for _ in range(3):
                hears("WATCHDOG=1")
            program.send_signal(signal.SIGTERM)
            hears("STOPPING=1")
            self.assertEqual(program.wait(self.wait_s), 0)


class Hardware(Station):
    """A station that charges simulated hardware."""

    speed = 10

    def setUp(self):
        super().setUp()
        bus = f"mcast:239.74.163.2:{free_port(socket.SOCK_DGRAM)}"
        self.start("sim", SIM, "dc", "--can", bus, "--plugged", "--control", str(self.folder / "sim.sock"))
        # A central system that is away: what it is to hear waits.
        self.file = self.settings("ocpp: {url: 'ws://127.0.0.1:9/'}\nsession: {free_id_tag: FREE}\n"
                                  "charging: {plug_and_charge: true}\n", bus=bus)
        self.until((self.folder / "sim.sock").exists, "the simulator")
        self.station = self.start_station(settings=self.file)
        self.until(lambda: self.truth()["connector_a"] > 20, "the charge")

    def assert_open(self, wait_s=None):
        self.until(lambda: not self.truth()["contactor_closed"], "the contactor to open", wait_s)


class Charging(Hardware):
    def test_sigterm_ends_the_charge_in_order(self):
        self.station.send_signal(signal.SIGTERM)
        self.assertEqual(self.station.wait(self.wait_s), 0)
        truth = self.truth()
        self.assertEqual((truth["contactor_closed"], truth["opened_loaded"]), (False, 0))
        self.assertIn("at rest", self.text_of("station"))

    def test_on_a_full_disk_nothing_is_claimed_that_is_not_kept(self):
        # The kernel lets no file grow further: to SQLite's log that is a full disk.
        full = max(file.stat().st_size for file in self.folder.rglob("*-wal"))
        self.assertGreater(full, len(self.text_of("station")))
        resource.prlimit(self.station.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        self.until(lambda: "store-failed" in self.text_of("station"), "the store to be missed")
        kept = self.ask("get", "charging.stop_idle_s").stdout
        refused = self.ask("set", "charging.stop_idle_s", "321")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("could not be kept", refused.stdout + refused.stderr)
        self.assertEqual(self.ask("get", "charging.stop_idle_s").stdout, kept)
        stop = self.ask("stop", "1")
        self.assertIn("not safe", stop.stdout + stop.stderr)
        self.assert_open()
        resource.prlimit(self.station.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.until(lambda: "store-works-again" in self.text_of("station"), "the store to work again")
        self.assertEqual(self.ask("set", "charging.stop_idle_s", "321").returncode, 0)
        self.until(lambda: self.status()["messages_waiting"] >= 2, "the stop to be kept after all")

    def test_after_kill_9_the_next_start_switches_off_and_keeps_the_transaction(self):
        self.station.kill()
        self.station.wait()
        self.write("station.yaml", pathlib.Path(self.file).read_text().replace("plug_and_charge: true", "plug_and_charge: false"))
        self.start_station(settings=self.file)
        self.assert_open()
        self.until(lambda: self.status()["messages_waiting"] >= 2, "start and stop to wait for the central system")


class AtOnce(Hardware):
    """Sooner than the I/O node's own time-out of 2 s, which would open the contactor too."""

    speed = 1

    def test_a_second_signal_switches_off_at_once(self):
        self.station.send_signal(signal.SIGTERM)
        self.until(lambda: "to=stopping" in self.text_of("station"), "the first signal to be taken")
        self.station.send_signal(signal.SIGTERM)
        self.assertEqual(self.station.wait(self.wait_s), 0)
        self.assert_open(1.2)

    def test_a_crash_switches_off_on_its_way_out(self):
        self.station.send_signal(signal.SIGSEGV)
        self.assertEqual(self.station.wait(self.wait_s), -signal.SIGSEGV)
        self.assert_open(1.2)


class Link(Station):
    def station(self, url, *arguments):
        secrets = self.write("secrets.yaml", f"ocpp: {{authorization_key: {KEY}}}\n")
        return self.start_station("--secrets", secrets, *arguments, settings=self.settings(url))

    def test_boots_with_its_key_and_never_logs_it(self):
        peer = Peer()
        self.addCleanup(peer.close)
        program = self.station(f"ocpp: {{url: 'ws://127.0.0.1:{peer.port}/ocpp'}}\nlog: {{level: debug}}\n")
        self.until(lambda: "StatusNotification" in peer.calls, "StatusNotification")
        self.assertEqual(peer.calls[0], "BootNotification")
        self.assertIn("GET /ocpp/CP1 HTTP/1.1", peer.request)
        self.assertIn(base64.b64encode(f"CP1:{KEY}".encode()).decode(), peer.request)
        self.assertEqual(self.ask("get", "ocpp.authorization_key").stdout, "ocpp.authorization_key\t***\n")
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(self.wait_s), 0)
        self.assertNotIn(KEY, self.text_of("station"))

    def certificate(self, name):
        file, key = self.folder / (name + ".pem"), self.folder / (name + ".key")
        self.once("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                  "-keyout", key, "-out", file)
        return str(file), str(key)

    def tls_peer(self, name):
        file, key = self.certificate(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        peer = Peer(context)
        self.addCleanup(peer.close)
        return peer, file

    def test_tls_with_the_right_certificate(self):
        peer, file = self.tls_peer("right")
        self.station(f"ocpp: {{url: 'wss://localhost:{peer.port}', ca_file: '{file}'}}\n")
        self.until(lambda: "BootNotification" in peer.calls, "BootNotification")

    def test_tls_with_a_certificate_nobody_signed(self):
        peer, _ = self.tls_peer("right")
        other, _ = self.certificate("other")
        self.station(f"ocpp: {{url: 'wss://localhost:{peer.port}', ca_file: '{other}'}}\n")
        self.until(lambda: "link refused" in self.text_of("station"), "the refusal")
        self.assertEqual(peer.request, "")

    def test_tls_with_a_certificate_of_another_host(self):
        peer, file = self.tls_peer("right")
        self.station(f"ocpp: {{url: 'wss://127.0.0.1:{peer.port}', ca_file: '{file}'}}\n")
        self.until(lambda: "link refused" in self.text_of("station"), "the refusal")
        self.assertEqual(peer.request, "")


class Central(Station):
    """The command line, a station and a real central system."""

    def setUp(self):
        super().setUp()
        port = free_port()
        key = self.central_says("station", "add", "CP1")
        self.password = self.central_says("user", "password", "admin")
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{port}")
        self.url = f"http://127.0.0.1:{port}"
        secrets = self.write("secrets.yaml", f"ocpp: {{authorization_key: {key}}}\n")
        self.start_station("--secrets", secrets, settings=self.settings(f"ocpp: {{url: 'ws://127.0.0.1:{port}/ocpp'}}\n"))
        self.until(lambda: self.status()["central"] == "online", "the station to be online")

    def central(self, *arguments):
        return self.ask("--central", self.url, *arguments, PILOTWIRE_PASSWORD=self.password)

    def test_lists_commands_and_restart(self):
        rows = [line.split("\t") for line in self.central("stations").stdout.splitlines()]
        self.assertEqual(rows[0][:4], ["station", "online", "profile", "connector"])
        self.assertEqual([[row[0], row[1], row[3]] for row in rows[1:]], [["CP1", "true", "0"], ["CP1", "true", "1"]])
        self.assertIn("BootNotification", self.central("log", "CP1").stdout)
        self.assertEqual(self.central("set", "CP1", "MeterValueSampleInterval", "11").stdout, "Accepted\n")
        self.assertEqual(self.ask("get", "metering.sample_interval_s").stdout, "metering.sample_interval_s\t11\n")
        self.assertIn("MeterValueSampleInterval\tfalse\t11", self.central("get", "CP1", "MeterValueSampleInterval").stdout)
        self.until(lambda: self.status()["connectors"][0]["status"] == "Faulted", "the missing hardware to be noticed")
        refused = self.central("start", "CP1", "--card", "A1")
        self.assertEqual((refused.returncode, refused.stdout), (3, ""))
        self.assertIn("Rejected", refused.stderr)
        self.assertEqual(self.central("stop", "CP1").returncode, 3)
        self.assertEqual(self.central("start", "NOBODY", "--card", "A1").returncode, 3)
        self.assertEqual(self.central("start", "CP1").returncode, 2)
        self.assertEqual(self.central("reset", "CP1").stdout, "Accepted\n")
        self.until(lambda: self.text_of("station").count("program start") == 2, "the restart")
        self.until(lambda: self.status()["central"] == "online", "the station to be online again")

    def test_passwords(self):
        wrong = self.ask("--central", self.url, "stations", PILOTWIRE_PASSWORD="wrong")
        self.assertEqual(wrong.returncode, 3)
        none = self.ask("--central", self.url, "stations")
        self.assertEqual(none.returncode, 2)
        self.assertIn("no password", none.stderr)
        file = self.write("password", self.password + "\n")
        right = self.ask("--central", self.url, "--password-file", file, "--json", "stations")
        self.assertEqual(json.loads(right.stdout)["stations"][0]["id"], "CP1")
        self.assertEqual(self.ask("--central", "http://127.0.0.1:1", "--password-file", file, "stations").returncode, 1)


if __name__ == "__main__":
    main(170)
