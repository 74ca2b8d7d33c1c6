"""Half-open links: a middleman lets everything through, then swallows every byte both ways and closes nothing, as a
NAT that forgot or a modem that hangs does. The station finds all three of its links dead within 60 s of real time
(OCPP ping 20 s and pong 30 s, here 5 s and 30 s; station link; MQTT keep-alive 15 s), says so, and is back when the
middleman is.

black_hole.py STATION CENTRAL. Loopback and free ports only; every wait is bounded.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

STATION, CENTRAL = sys.argv[1:3]
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
KEY = "a-key-nobody-guesses"
FOUND_S = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Middleman:
    def __init__(self, to):
        self.to, self.swallows, self.began = to, False, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            client, _ = self.socket.accept()
            self.began += 1
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", self.to), 5)
                hole = self.swallows  # who comes while it swallows stays in the hole
                for a, b in ((client, server), (server, client)):
                    threading.Thread(target=self.carry, args=(a, b, hole), daemon=True).start()

    def carry(self, a, b, hole):
        with contextlib.suppress(OSError):
            while True:
                bytes_ = a.recv(65536)
                if self.swallows:
                    hole = True  # what fell in once never comes out, nor does its end
                if hole:
                    if not bytes_:
                        return
                    continue
                if not bytes_:
                    break
                b.sendall(bytes_)
            b.shutdown(socket.SHUT_WR)


def until(what, condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.1)


def main():
    with tempfile.TemporaryDirectory(prefix="pilotwire-") as at:
        folder = pathlib.Path(at)
        running = []
        logs = {}

        def start(name, *command):
            logs[name] = folder / f"{name}.log"
            with open(logs[name], "a") as log:
                running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                env={**os.environ, "PILOTWIRE_CONTROL": str(folder / "s.sock")}))

        def said(name, text):
            return logs[name].read_text().count(text)

        try:
            ocpp, link, broker = free_port(), free_port(), free_port()
            data = str(folder / "central")
            subprocess.run([CENTRAL, "--data", data, "--stdin", "station", "add", "HOLE"], input=KEY, text=True, check=True,
                           capture_output=True)
            pin = subprocess.run([CENTRAL, "--data", data, "link", "pin"], text=True, check=True,
                                 capture_output=True).stdout.strip()
            start("central", CENTRAL, "--data", data, "--listen", f"127.0.0.1:{ocpp}", "--link-listen",
                  f"127.0.0.1:{link}")
            (folder / "broker.conf").write_text(f"user root\npersistence false\nallow_anonymous true\n"
                                                f"listener {broker} 127.0.0.1\n")
            start("broker", MOSQUITTO, "-c", str(folder / "broker.conf"))
            until("the central", lambda: said("central", "Dashboard:"), 10)
            men = [Middleman(port) for port in (ocpp, link, broker)]
            (folder / "secrets.yaml").write_text(f"ocpp: {{authorization_key: {KEY}}}\n")
            (folder / "secrets.yaml").chmod(0o600)
            (folder / "station.yaml").write_text(
                "station: {id: HOLE}\nconsole: {device: 'off'}\npage: {listen: ''}\n"
                f"can: {{bus0: 'mcast:239.74.163.2:{20000 + ocpp % 20000}'}}\n"
                f"ocpp: {{url: 'ws://127.0.0.1:{men[0].port}/ocpp', websocket_ping_interval_s: 5}}\n"
                f"uplink: {{url: 'tls://127.0.0.1:{men[1].port}', pin: '{pin}'}}\n"
                f"mqtt: {{url: 'mqtt://127.0.0.1:{men[2].port}'}}\nconnectors:\n- kind: dc\n")
            start("station", STATION, "--config", str(folder / "station.yaml"), "--secrets",
                  str(folder / "secrets.yaml"), "--data", str(folder / "data"))
            up = {"link open": 0, "uplink state from=greeting to=online": 0, "mqtt connected": 0}
            until("all three links", lambda: all(said("station", text) for text in up), 20)
            for man in men:
                man.swallows = True
            began = time.monotonic()
            down = {"link closed": None, "uplink state from=online": None, "mqtt not-connected": None}
            while None in down.values():
                assert time.monotonic() - began < FOUND_S, (down, logs["station"].read_text())
                for text in down:
                    if down[text] is None and said("station", text):
                        down[text] = round(time.monotonic() - began, 1)
                time.sleep(0.1)
            print("found dead after", down)
            for text in up:
                up[text] = said("station", text)
            for man in men:
                man.swallows = False
            until("all three are back", lambda: all(said("station", text) > n for text, n in up.items()), 60)
        except AssertionError:
            for name, log in logs.items():
                print(f"--- {name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            for program in reversed(running):
                program.terminate()
                try:
                    program.wait(10)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.wait()


main()
