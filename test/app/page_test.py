#!/usr/bin/env python3
"""The station's page over real sockets, as strangers, slow peers and many of them meet it.

page_test.py PILOTWIRE-STATION. No simulated hardware: the page must serve whatever the charger does."""
import atexit
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time

import rude

STATION = sys.argv[1]
PASSWORD = "correct horse"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Station:
    def __init__(self, folder, port):
        config = os.path.join(folder, "station.yaml")
        with open(config, "w") as f:
            f.write(f"station:\n  id: PAGE-1\ncan:\n  bus0: mcast:239.74.163.9:{free_port()}\n"
                    f"console:\n  device: 'off'\npage:\n  listen: 127.0.0.1:{port}\n"
                    f"lcd:\n  device: png:{folder}/lcd.png\nconnectors:\n  - kind: dc\n")
        secrets = os.path.join(folder, "secrets.yaml")
        with open(secrets, "w", opener=lambda p, fl: os.open(p, fl, 0o600)) as f:
            f.write(f"page:\n  password: {PASSWORD}\n")
        self.port = port
        self.log = open(os.path.join(folder, "log"), "w+")
        self.process = subprocess.Popen(
            [STATION, "--config", config, "--secrets", secrets, "--data", os.path.join(folder, "data"),
             "--control", os.path.join(folder, "control")], stdin=subprocess.DEVNULL, stderr=self.log)

    def logged(self, what, seconds=15):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.log.seek(0)
            if what in self.log.read():
                return
            time.sleep(0.05)
        raise AssertionError(f"not logged: {what}")

    def ask(self, method, path, body=None, headers=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            link.close()

    def worked(self):
        """Seconds of a processor that the program has used."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0


def events(port, seconds, source=None):
    """Arrival times of status events."""
    with socket.create_connection(("127.0.0.1", port), 5, source) as s:
        s.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        began = time.monotonic()
        times, buffer = [], b""
        while time.monotonic() - began < seconds:
            s.settimeout(3)
            buffer += s.recv(65536)
            while b"event: status\n" in buffer:
                times.append(time.monotonic() - began)
                buffer = buffer.split(b"event: status\n", 1)[1]
        return times


def strangers_are_refused(station):
    assert station.ask("GET", "/healthz")[0] == 200
    status, body, headers = station.ask("GET", "/")
    assert status == 200 and "default-src 'none'" in headers["content-security-policy"], headers
    assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
    assert station.ask("GET", "/healthz", headers={"Host": "evil.example"})[0] == 403
    assert station.ask("POST", "/api/v1/login", '{"password":"x"}', {"Origin": "http://evil.example"})[0] == 403
    assert station.ask("PUT", "/api/v1/settings/log.level", "x" * 5000)[0] == 413
    assert station.ask("GET", "/api/v1/nothing")[0] == 404
    assert station.ask("DELETE", "/api/v1/status")[0] == 405
    assert station.ask("GET", "/api/v1/log")[0] == 401
    status, body, headers = station.ask("GET", "/ws", headers={
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert status == 400, status


def who_logs_in_may_change(station):
    own = {"Origin": f"http://127.0.0.1:{station.port}"}
    status, body, headers = station.ask("POST", "/api/v1/login", f'{{"password":"{PASSWORD}"}}', own)
    assert status == 200, body
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
    own["Cookie"] = headers["set-cookie"].split(";")[0]
    own["X-CSRF"] = body.decode().split('"csrf":"')[1].split('"')[0]
    status, body, _ = station.ask("PUT", "/api/v1/settings/log.level", '{"value":"debug"}', own)
    assert (status, body) == (200, b'{"message":"set"}'), body
    status, body, _ = station.ask("GET", "/api/v1/log?limit=5", headers=own)
    assert status == 200 and b'"room":' in body, body
    assert PASSWORD.encode() not in station.ask("GET", "/api/v1/settings", headers=own)[1]


def many_idle_peers_keep_nobody_out(station):
    idle = [socket.create_connection(("127.0.0.1", station.port), 5) for _ in range(60)]
    half = socket.create_connection(("127.0.0.1", station.port), 5)
    half.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")  # and never more
    for s in idle:
        s.close()
    until = time.monotonic() + 12
    while True:
        try:
            assert station.ask("GET", "/healthz")[0] == 200
            break
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < until, "no answer after the peers had gone"
            time.sleep(0.2)
    half.close()


def what_nobody_reads_costs_nothing(station, quiet):
    """Bytes behind a request whose answer the peer does not take, bytes and an end on an event stream: nobody
    reads them, and nobody is woken for them again and again."""
    text = f"GET %s HTTP/1.1\r\nHost: 127.0.0.1:{station.port}\r\n\r\n"
    events(station.port, 0.1)  # and leaves
    held = [rude.call(station.port) for _ in range(3)]
    for s in held[:2]:
        s.sendall((text % "/api/v1/events").encode())
    held[2].sendall((text % "/").encode())
    time.sleep(0.2)
    held[0].sendall(b"x" * 100)
    held[1].shutdown(socket.SHUT_WR)
    held[2].sendall(b"x" * 100)
    work = station.worked()
    time.sleep(3.3)
    work = station.worked() - work
    for s in held:
        s.close()
    assert work < quiet + 0.2, (work, quiet)
    assert station.ask("GET", "/healthz")[0] == 200


def t20_sixteen_are_served_at_once(station):
    """Whoever comes beyond that, from wherever, finds the door closed; the others keep their places."""
    text = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{station.port}\r\n\r\n".encode()
    served, callers = 0, []
    for i in range(24):
        caller = rude.call(station.port, source=f"127.0.0.{10 + i}")
        callers.append(caller)
        try:
            caller.sendall(text)
            served += caller.recv(4096).startswith(b"HTTP/1.1 200 ")
        except OSError:
            pass
    for caller in callers:
        caller.close()
    assert served == 16, served


def t20_slow_loris_from_one_address_silences_nobody_else(station, quiet):
    """200 connections that send a byte now and then: eight of them are kept, the others closed at once. Whoever
    comes from elsewhere is answered as if they were not there, and the charger's turns keep their pace. `quiet`: the
    work of as long without them."""
    half = rude.call(station.port, source="127.0.0.3")
    half.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")  # and never more
    slow = []
    for i in range(200):
        s = socket.create_connection(("127.0.0.1", station.port), 5)
        try:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "[:20 + i % 20])
        except OSError:
            pass
        slow.append(s)
    worst = 0
    for _ in range(20):
        began = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", station.port, timeout=5, source_address=("127.0.0.2", 0))
        link.request("GET", "/healthz")
        assert link.getresponse().status == 200
        link.close()
        worst = max(worst, time.monotonic() - began)
        for s in slow[::10]:
            try:
                s.sendall(b"a")
            except OSError:
                pass
    work = station.worked()
    times = events(station.port, 3.5, ("127.0.0.2", 0))
    work = station.worked() - work
    assert work < quiet + 0.3, (work, quiet)
    assert len(times) >= 4 and all(b - a < 1.5 for a, b in zip(times, times[1:])), times
    kept = 0
    for s in slow:
        s.setblocking(False)
        try:
            kept += s.recv(1) != b""
        except BlockingIOError:
            kept += 1
        except OSError:
            pass
        s.close()
    assert kept <= 8, f"{kept} of 200 are still there"
    assert worst < 1, f"an answer took {worst} s"
    half.settimeout(12)
    answer = rude.heard(half)
    assert rude.status_of(answer) == 408, answer
    half.close()
    print(f"worked {work:.2f} s, {quiet:.2f} s without them")


def t20_requests_that_are_none(station):
    """What no browser sends has its answer, is never served, and costs nothing that lasts."""
    wrong = rude.refused(station.port, False)
    assert not wrong, wrong
    assert station.ask("GET", "/healthz")[0] == 200
    print(f"{len(rude.ROWS)} requests")


def main():
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with socket.socket() as taken:  # the port is somebody else's: the station charges all the same
            taken.bind(("127.0.0.1", port))
            taken.listen()
            station = Station(folder, port)
            atexit.register(station.process.kill)
            station.logged("not listening")
        station.logged("page listening")
        strangers_are_refused(station)
        who_logs_in_may_change(station)
        quiet = station.worked()
        times = events(port, 3.5)
        quiet = station.worked() - quiet
        assert times[0] < 0.5 and len(times) >= 4, times
        assert all(b - a < 1.5 for a, b in zip(times, times[1:])), times
        what_nobody_reads_costs_nothing(station, quiet)
        many_idle_peers_keep_nobody_out(station)
        t20_requests_that_are_none(station)
        t20_sixteen_are_served_at_once(station)
        t20_slow_loris_from_one_address_silences_nobody_else(station, quiet)
        assert os.path.getsize(os.path.join(folder, "lcd.png")) > 1000
        watcher = socket.create_connection(("127.0.0.1", port), 5)  # an open stream does not hold the end up
        watcher.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        time.sleep(0.2)
        station.stop()
        watcher.close()
    print("passed")


main()
