"""The real station on SQLite is cut off at the n-th operation on its database, n = 1, 2, 3, ..., while it charges.

cut_test.py STATION COMMAND SIM CUT [POINTS [FIRST]]: CUT is cut_disk.so. A point is an operation of the scenario (start,
boot, a charge that begins, goes on and ends, its messages), a way to go (as kill -9 does, or as a power cut, which
leaves nothing of what was not synchronised) and a central system that is there, away in the middle, or comes only after
the cut. POINTS of them are taken, spread over all, from the FIRST on (0, 1, ...). Then the station starts again, and when its queue is empty the central system's
book must hold: every charge that gave energy has one start and one stop, none has two, and no more energy is
told than flowed, at most MISSING_WH less.
"""

import base64
import concurrent.futures
import hashlib
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

STATION, COMMAND, SIM, CUT = sys.argv[1:5]
POINTS = int(sys.argv[5]) if len(sys.argv) > 5 else 20
FIRST = int(sys.argv[6]) if len(sys.argv) > 6 else 0
HOW = ("kill", "power")
AWAY = ("never", "middle", "all")
SPEED = 10
WAIT_S = 40
MISSING_WH = 20
AT_ONCE = 3


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Book(threading.Thread):
    """A central system that keeps count: a start or stop said again is the same one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.connection = None
        self.starts = {}
        self.stops = {}
        self.wrong = []
        self.start()

    def away(self, away):
        self.open = not away
        if away and self.connection:
            self.connection.shutdown(socket.SHUT_RDWR)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                if not self.open:
                    connection.close()
                    continue
                self.connection = connection
                self.serve(connection)
            except (OSError, EOFError, ValueError):
                self.connection = None
                if self.listener.fileno() < 0:
                    return

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = stream.readline()
                if not line:
                    raise EOFError
                head += line
            key = next(line[19:] for line in head.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            while True:
                self.frame(connection, stream)

    def frame(self, connection, stream):
        head = stream.read(2)
        if len(head) < 2:
            raise EOFError
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(stream.read(2), "big")
        mask = stream.read(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(stream.read(length)))
        if head[0] & 0x0F == 8:
            raise EOFError
        if head[0] & 0x0F == 9:
            connection.sendall(bytes([0x8A, len(data)]) + data)
        if head[0] & 0x0F != 1:
            return
        _, number, action, payload = json.loads(data)
        text = json.dumps([3, number, self.answer(action, payload)]).encode()
        head = bytes([0x81, len(text)]) if len(text) < 126 else b"\x81\x7e" + len(text).to_bytes(2, "big")
        connection.sendall(head + text)

    def answer(self, action, payload):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if action == "BootNotification":
            return {"status": "Accepted", "interval": 300, "currentTime": now}
        if action == "Heartbeat":
            return {"currentTime": now}
        if action == "StartTransaction":
            known = json.dumps(payload, sort_keys=True)
            number = self.starts.setdefault(known, len(self.starts) + 1)
            return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        if action == "StopTransaction":
            number, meter = payload["transactionId"], payload["meterStop"]
            if self.stops.setdefault(number, meter) != meter:
                self.wrong.append(f"two stops of {number}: {self.stops[number]} and {meter} Wh")
            return {}
        return {}

    def told_wh(self):
        meters = {number: json.loads(text)["meterStart"] for text, number in self.starts.items()}
        return sum(stop - meters.get(number, stop) for number, stop in self.stops.items())


class Place:
    """A station with a simulated charger and scooter, and its central system."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pilotwire-cut-"))
        self.book = Book()
        now = int(time.time() * 1000)
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(self.folder / "s.sock"),
                            "PILOTWIRE_CLOCK": f"{now}:{now}:{SPEED}"}
        for name in ("PILOTWIRE_PASSWORD", "STATE_DIRECTORY", "NOTIFY_SOCKET", "PW_OCPP_DUMP"):
            self.environment.pop(name, None)
        bus = f"mcast:239.74.163.2:{free_port(socket.SOCK_DGRAM)}"
        (self.folder / "station.yaml").write_text(
            f"station: {{id: CUT}}\ncan: {{bus0: '{bus}'}}\nconsole: {{device: 'off'}}\npage: {{listen: ''}}\n"
            "session: {free_id_tag: FREE}\ncharging: {plug_and_charge: true}\n"
            "metering: {sample_interval_s: 5}\n"
            f"ocpp: {{url: 'ws://127.0.0.1:{self.book.port}/ocpp', transaction_message_attempts: 100}}\n"
            "connectors:\n- kind: dc\n")
        self.log = open(self.folder / "log", "ab")
        self.sim = self.run(SIM, "dc", "--can", bus, "--control", str(self.folder / "sim.sock"))
        self.until(lambda: self.truth()["contactor_closed"] is False, "the simulator")
        self.station = None

    def run(self, *command, **more):
        return subprocess.Popen(command, env={**self.environment, **more}, stdin=subprocess.DEVNULL,
                                stdout=self.log, stderr=self.log)

    def start(self, cut_at=0, how="kill", count=None):
        more = {"LD_PRELOAD": CUT, "PW_CUT_AT": str(cut_at), "PW_CUT_HOW": how} if cut_at >= 0 else {}
        if count:
            more["PW_CUT_COUNT"] = str(count)
        self.station = self.run(STATION, "--config", str(self.folder / "station.yaml"), "--data",
                                str(self.folder / "data"), **more)

    def until(self, true, what, wait_s=WAIT_S):
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            try:
                if true():
                    return True
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.02)
        raise AssertionError(f"gave up waiting for {what}")

    def sim_says(self, line):
        with socket.socket(socket.AF_UNIX) as sim:
            sim.settimeout(WAIT_S)
            sim.connect(str(self.folder / "sim.sock"))
            sim.sendall(line.encode() + b"\n")
            return sim.makefile().readline()

    def truth(self):
        return json.loads(self.sim_says("status"))

    def status(self):
        done = subprocess.run([COMMAND, "--json", "status"], env=self.environment, capture_output=True, text=True,
                              timeout=WAIT_S, stdin=subprocess.DEVNULL, check=False)
        return json.loads(done.stdout)

    def gone(self):
        return self.station.poll() is not None

    def charge(self, away):
        """Until it is over, or the station is gone. `away`: the central system meanwhile."""
        self.until(lambda: self.gone() or self.status()["central"] == "online" or away == "all", "the boot")
        self.sim_says("plug")
        self.until(lambda: self.gone() or self.truth()["connector_a"] > 20, "the charge")
        used = self.truth()["energy_wh_physical"]
        if away == "middle":
            self.book.away(True)
        self.until(lambda: self.gone() or self.truth()["energy_wh_physical"] > used + 15, "15 Wh")
        self.sim_says("unplug")
        self.book.away(away == "all")
        self.until(lambda: self.gone() or self.status()["messages_waiting"] == 0 or away == "all", "the queue")
        time.sleep(0.3)

    def settle(self):
        """After the cut: the charge is over, the queue is empty."""
        self.sim_says("unplug")
        self.book.away(False)
        self.start(cut_at=-1)
        self.until(lambda: self.status()["central"] == "online", "the boot after the cut")
        self.until(lambda: self.status()["messages_waiting"] == 0, "the queue after the cut")
        self.until(lambda: not self.truth()["contactor_closed"], "the contactor")
        time.sleep(0.2)

    def judge(self):
        wrong = list(self.book.wrong)
        flowed, told = self.truth()["energy_wh_physical"], self.book.told_wh()
        if set(self.book.stops) != set(self.book.starts.values()):
            wrong.append(f"{len(self.book.starts)} starts, stops of {sorted(self.book.stops)}")
        if len(self.book.starts) > 1:
            wrong.append(f"{len(self.book.starts)} starts of one charge")
        if flowed >= 1 and not self.book.starts:
            wrong.append(f"{flowed} Wh flowed, and no start was told")
        if told > flowed + 1 or told < flowed - MISSING_WH:
            wrong.append(f"{flowed} Wh flowed, {told} were told")
        return wrong, flowed - told

    def end(self):
        for program in (self.station, self.sim):
            if program and program.poll() is None:
                program.kill()
            if program:
                program.wait()
        self.book.listener.close()
        self.log.close()
        shutil.rmtree(self.folder)


def operations():
    """How many there are in the scenario without a cut."""
    place = Place()
    try:
        count = place.folder / "count"
        place.start(count=count)
        place.charge("never")
        assert not place.gone(), (place.folder / "log").read_text()
        place.station.send_signal(signal.SIGTERM)
        place.station.wait(WAIT_S)
        assert place.judge()[0] == [], place.judge()
        return int(count.read_text())
    finally:
        place.end()


def point(number):
    cut_at, way = divmod(number, len(HOW) * len(AWAY))
    cut_at, how, away = cut_at + 1, HOW[way % 2], AWAY[way // 2]
    place = Place()
    try:
        place.book.away(away == "all")
        place.start(cut_at, how)
        place.charge(away)
        reached = place.gone()
        if not reached:
            place.station.kill()
        place.station.wait()
        place.settle()
        wrong, missing = place.judge()
    except AssertionError as failure:
        wrong, missing, reached = [str(failure)], 0, True
    finally:
        if "wrong" in locals() and wrong:
            place.log.flush()
            lines = (place.folder / "log").read_text(errors="replace").splitlines()
            print("\n".join([line for line in lines if " sim status" not in line][-40:]))
        place.end()
    return cut_at, how, away, reached, wrong, missing


def main():
    most = operations()
    there = most * len(HOW) * len(AWAY)
    points = sorted({(FIRST + i * there // POINTS) % there for i in range(POINTS)})
    failed, reached, worst = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for cut_at, how, away, was_reached, wrong, missing in pool.map(point, points):
            reached += was_reached
            worst = max(worst, missing)
            for text in wrong:
                failed += 1
                print(f"cut at {cut_at} ({how}, central away: {away}): {text}")
    print(f"{len(points)} of {there} points at {most} operations, {reached} reached; at most {worst:.1f} Wh not told; {failed} faults")
    return 1 if failed or reached < len(points) // 2 else 0


sys.exit(main())
