"""mosquitto is the broker and paho the second client: what owners have at home, against a station
that charges a simulated car. A broker that is dead, hostile or wrong never disturbs the charge.

judge.py STATION COMMAND SIM. Loopback and free ports only; every wait is bounded.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import paho.mqtt.client as paho

STATION, COMMAND, SIM = sys.argv[1:4]
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
WAIT_S = 20
SPEED = 2  # 200 ms without a word of the board are a fault: faster, a busy machine looks like one
BASE = "Dinamics/AC1/"
USER, PASSWORD = "wallbox", "only-for-this-test"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def make_certificates(folder):
    """A certificate authority, and a broker it has signed: localhost, and nobody else."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder, timeout=WAIT_S)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "other"):
        openssl("req", "-x509", *curve, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                "-subj", f"/CN={name}")
    openssl("req", *curve, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "broker.pem")


class Broker:
    def __init__(self, folder, secure):
        self.folder, self.secure, self.port, self.process = folder, secure, free_port(), None
        lines = ["user root", "persistence false", f"listener {self.port} 127.0.0.1"]
        if secure:
            make_certificates(folder)
            passwords = folder / "passwords"
            subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), USER, PASSWORD], check=True,
                           capture_output=True, timeout=WAIT_S)
            lines += [f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key", "allow_anonymous false",
                      f"password_file {passwords}"]
        else:
            lines += ["allow_anonymous true"]
        (folder / "broker.conf").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        with open(self.folder / "broker.log", "a") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.folder / "broker.conf")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("the broker does not start")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Person:
    """A second client: what it has heard, newest last."""

    def __init__(self, broker, protocol=paho.MQTTv5):
        self.lock = threading.Lock()
        self.heard = []
        self.client = paho.Client("person", protocol=protocol)
        if broker.secure:
            self.client.username_pw_set(USER, PASSWORD)
            self.client.tls_set(str(broker.folder / "ca.pem"))
        self.client.on_message = self.hear
        self.client.on_connect = lambda client, *_: client.subscribe("#", 0)
        self.client.connect("localhost" if broker.secure else "127.0.0.1", broker.port)
        self.client.reconnect_delay_set(1, 1)
        self.client.loop_start()

    def hear(self, _client, _context, message):
        with self.lock:
            self.heard.append((message.topic, message.payload.decode(errors="replace"), message.retain))

    def newest(self, name):
        with self.lock:
            for topic, payload, _ in reversed(self.heard):
                if topic == BASE + name:
                    return payload
        return None

    def forget(self):
        with self.lock:
            self.heard.clear()

    def say(self, name, value, retain=False):
        self.client.publish(BASE + name, value, 1, retain).wait_for_publish(WAIT_S)

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()


class Home(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(self.folder.name)
        self.running, self.broker, self.person = [], None, None
        self.addCleanup(self.end_all)
        now = int(time.time() * 1000)
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(self.path / "s.sock"),
                            "PILOTWIRE_CLOCK": f"{now}:{now}:{SPEED}"}

    def end_all(self):
        if self.person:
            self.person.leave()
        for program in reversed(self.running):
            program.kill()
            program.wait()
        if self.broker:
            self.broker.kill()
        self.folder.cleanup()

    def log(self):
        return (self.path / "log").read_text()

    def start(self, *arguments):
        with open(self.path / "log", "a") as log:
            self.running.append(subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.DEVNULL, stderr=log))
        return self.running[-1]

    def until(self, true, what, wait_s=WAIT_S):
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, json.JSONDecodeError):
                if true():
                    return
            time.sleep(0.02)
        heard = self.person.heard[-40:] if self.person else []
        raise AssertionError(f"gave up waiting for {what}\n{self.log()}\n{heard}")

    def connector(self):
        answer = subprocess.run([COMMAND, "--json", "status"], env=self.environment, capture_output=True, text=True,
                                timeout=WAIT_S, stdin=subprocess.DEVNULL, check=False)
        return json.loads(answer.stdout)["connectors"][0]

    def open_broker(self, secure=False):
        self.broker = Broker(self.path, secure)

    def meet(self):
        self.person = Person(self.broker)
        return self.person

    def open_station(self, url, password="", ca="", charges=True):
        front = free_port()
        (self.path / "board.yaml").write_text(
            f"board: {{kind: frontend}}\nfrontend: {{device: 'tcp:127.0.0.1:{front}'}}\n")
        (self.path / "secrets.yaml").write_text(f"mqtt: {{password: '{password}'}}\n")
        (self.path / "secrets.yaml").chmod(0o600)
        (self.path / "station.yaml").write_text(
            "station: {id: AC1}\nconsole: {device: 'off'}\npage: {listen: ''}\nsession: {free_id_tag: FREE}\n"
            "charging: {plug_and_charge: true}\n"
            f"mqtt: {{url: '{url}', username: '{USER if password else ''}', ca_file: '{ca}', publish_ms: 200}}\n"
            "connectors:\n- kind: pilot\n  board: board.yaml\n")
        self.start(SIM, "ac", "--listen", f"127.0.0.1:{front}", "--plugged", "--status", "0", "--control",
                   str(self.path / "sim.sock"))
        program = self.start_station()
        if charges:
            self.until(lambda: self.connector()["state"] == "charging", "a charge")
        return program

    def start_station(self):
        return self.start(STATION, "--config", str(self.path / "station.yaml"), "--secrets",
                          str(self.path / "secrets.yaml"), "--data", str(self.path / "data"))

    def assert_still_charges(self, begun):
        """The same charge, and energy flows."""
        self.assertEqual(self.connector()["state"], "charging", self.log())
        self.assertEqual(self.log().count("to=charging"), 1, self.log())
        self.until(lambda: self.connector()["energy_wh"] > begun["energy_wh"], "more energy")


class Secure(Home):
    """TLS, user and password."""

    def open_all(self, host="localhost", password=PASSWORD, ca="ca.pem", charges=True):
        self.open_broker(secure=True)
        return self.open_station(f"mqtts://{host}:{self.broker.port}", password, str(self.path / ca), charges)

    def test_what_is_said_over_tls_is_done_and_told(self):
        station = self.open_all()
        person = self.meet()
        self.until(lambda: person.newest("connected") == "online", "online")
        self.until(lambda: person.newest("state") == "1", "the vehicle")
        self.until(lambda: float(person.newest("charging_current") or 0) > 13, "16 A")
        person.say("set_breaker", "25")
        self.until(lambda: person.newest("breaker") == "25", "the breaker's echo")
        person.say("set_c_limit", "10")
        self.until(lambda: float(person.newest("charging_current") or 99) < 10.5, "10 A")
        self.assertEqual(json.loads(person.newest("settings"))["MAXC"], 10)
        person.say("set_breaker", "300")
        self.until(lambda: person.newest("error"), "the refusal")
        self.assertEqual(json.loads(person.newest("error"))["topic"], "set_breaker")
        self.assertEqual(person.newest("breaker"), "25")
        with person.lock:
            self.assertFalse([text for text in person.heard if PASSWORD in text[1]])
        # Nobody says good-bye: the broker does, in its place.
        station.send_signal(signal.SIGKILL)
        self.until(lambda: person.newest("connected") == "offline", "the last will")
        self.assertNotIn(PASSWORD, self.log())

    def test_who_ends_says_so_himself(self):
        station = self.open_all(charges=False)
        person = self.meet()
        self.until(lambda: person.newest("connected") == "online", "online")
        station.terminate()
        self.until(lambda: person.newest("connected") == "offline", "the good-bye")
        self.assertEqual(station.wait(WAIT_S), 0)
        self.assertNotIn("exceeded timeout", (self.path / "broker.log").read_text())

    def test_a_wrong_password_is_said_and_charges(self):
        self.open_all(password="not-the-one")
        begun = self.connector()
        self.until(lambda: "mqtt not-connected why=\"Not authorized\"" in self.log(), "the reason")
        self.assert_still_charges(begun)
        self.assertNotIn("not-the-one", self.log())

    def test_a_broker_of_another_name_is_not_trusted(self):
        self.open_all(host="127.0.0.1", charges=False)
        self.until(lambda: "mqtt not-connected" in self.log(), "the reason")
        self.assertIn("the broker's certificate: IP address mismatch", self.log())

    def test_a_broker_that_somebody_else_signed_is_not_trusted(self):
        self.open_all(ca="other.pem", charges=False)
        self.until(lambda: "mqtt not-connected" in self.log(), "the reason")
        self.assertIn("the broker's certificate: unable to get local issuer certificate", self.log())


class Plain(Home):
    def open_all(self):
        self.open_broker()
        self.open_station(f"mqtt://127.0.0.1:{self.broker.port}")
        self.until(lambda: self.meet_once().newest("connected") == "online", "online")

    def meet_once(self):
        return self.person or self.meet()

    def test_a_broker_that_dies_and_comes_back_does_not_touch_the_charge(self):
        self.open_all()
        begun = self.connector()
        self.broker.kill()
        self.until(lambda: "mqtt disconnected" in self.log(), "the loss")
        self.assert_still_charges(begun)
        self.person.forget()
        begun = self.connector()
        self.broker.start()
        self.until(lambda: self.person.newest("connected") == "online", "the station again")
        self.until(lambda: self.person.newest("energy"), "its values")
        self.person.say("set_breaker", "20")
        self.until(lambda: self.person.newest("breaker") == "20", "an echo")
        self.assert_still_charges(begun)

    def test_a_host_that_swallows_everything_does_not_touch_the_charge(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.open_station(f"mqtts://127.0.0.1:{mute.getsockname()[1]}")
            self.assert_still_charges(self.connector())

    def test_ten_thousand_commands_do_not_touch_the_charge(self):
        del self.environment["PILOTWIRE_CLOCK"]  # the board keeps its whole 200 ms
        self.open_all()
        begun = self.connector()
        slowest_s = 0
        for i in range(10000):
            topic, value = (("set_breaker", str(16 + i % 20)), ("get_status", "1"), ("set_debug", "1" * 900),
                            ("rapi_request", "GS"))[i % 4]
            self.person.client.publish(BASE + topic, value, 0)
            if i % 1000 == 0:
                asked = time.monotonic()
                self.assertEqual(self.connector()["state"], "charging")
                slowest_s = max(slowest_s, time.monotonic() - asked)
        self.assertLess(slowest_s, 2)
        self.assert_still_charges(begun)
        self.until(lambda: "mqtt flood" in self.log(), "the flood in the log")

        def works_again():
            self.person.say("set_breaker", "50")
            time.sleep(0.2)
            return self.person.newest("breaker") == "50"
        self.until(works_again, "a single command after the flood")

    def test_t24_a_command_that_the_broker_kept_is_not_carried_out(self):
        self.open_broker()
        self.meet().say("set_breaker", "40", retain=True)
        self.open_station(f"mqtt://127.0.0.1:{self.broker.port}", charges=False)
        self.until(lambda: self.person.newest("breaker"), "the breaker")
        self.person.say("set_plugandcharge", "1")
        self.until(lambda: "topic=set_plugandcharge" in self.log(), "a command after it")
        self.assertEqual(self.person.newest("breaker"), "16")
        self.assertNotIn("topic=set_breaker", self.log())

    def test_a_broker_of_the_old_version_is_spoken_to_in_it(self):
        self.open_broker()
        with socket.create_server(("127.0.0.1", 0)) as old:
            threading.Thread(target=self.be_old, args=(old,), daemon=True).start()
            self.open_station(f"mqtt://127.0.0.1:{old.getsockname()[1]}", charges=False)
            person = Person(self.broker, paho.MQTTv311)
            self.person = person
            self.until(lambda: person.newest("connected") == "online", "online")
            person.say("set_breaker", "32")
            self.until(lambda: person.newest("breaker") == "32", "the echo")

    def be_old(self, listener):
        """Between station and broker: refuses protocol level 5, passes 4 on."""
        with contextlib.suppress(OSError):
            while True:
                station, _ = listener.accept()
                first = station.recv(4096)
                if b"MQTT" not in first:
                    continue  # the station was ended as it connected
                level = first[first.index(b"MQTT") + 4]
                if level != 4:
                    station.sendall(b"\x20\x02\x00\x01")
                    station.close()
                    continue
                broker = socket.create_connection(("127.0.0.1", self.broker.port), WAIT_S)
                broker.sendall(first)
                for a, b in ((station, broker), (broker, station)):
                    threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)

    def test_a_packet_without_an_end_is_not_waited_for(self):
        with socket.create_server(("127.0.0.1", 0)) as hostile:
            sent = []
            threading.Thread(target=self.be_endless, args=(hostile, sent), daemon=True).start()
            station = self.open_station(f"mqtt://127.0.0.1:{hostile.getsockname()[1]}", charges=False)
            self.until(lambda: "a packet that is too long" in self.log(), "the reason")
            self.assertTrue(sent)
            peak_kb = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{station.pid}/status").read_text()
                           .splitlines() if line.startswith("VmHWM"))
            self.assertLess(peak_kb, 60000)

    @staticmethod
    def be_endless(listener, sent):
        """Says yes to 3.1.1, then begins a message of 256 MB."""
        with contextlib.suppress(OSError):
            while True:
                station, _ = listener.accept()
                first = station.recv(4096)
                if first[first.index(b"MQTT") + 4] != 4:
                    station.sendall(b"\x20\x02\x00\x01")
                    station.close()
                    continue
                with contextlib.suppress(OSError):
                    station.sendall(b"\x20\x02\x00\x00\x30\xff\xff\xff\x7f\x00\x01a")
                    while len(sent) < 4000:
                        station.sendall(b"x" * 65536)
                        sent.append(1)

    def test_a_url_that_cannot_be_is_refused_with_its_line(self):
        (self.path / "station.yaml").write_text("station: {id: AC1}\nmqtt:\n  url: http://broker\n")
        answer = subprocess.run([STATION, "--config", str(self.path / "station.yaml"), "--check"],
                                capture_output=True, text=True, timeout=WAIT_S, check=False)
        self.assertEqual(answer.returncode, 2)
        self.assertIn(':3: mqtt.url: "http://broker" is not allowed; it must begin with mqtt:// or mqtts://',
                      answer.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
