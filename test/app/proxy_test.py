"""Connections through an HTTP proxy: pilotwire-station and its carrier of files behind Debian's tinyproxy, and behind
proxies that misbehave. What ends in .test is known to nobody but the proxy, so a station that looked a name up by
itself, or went past the proxy, would reach nothing.

proxy_test.py STATION CENTRAL SIM CARRIER_TOOL. Loopback and free ports only.
"""

import contextlib
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

from programs import CENTRAL, SIM, STATION, Case, free_port, free_ports, main

TOOL = next(one for one in sys.argv[1:] if one.endswith("carrier_tool"))
PASSWORD = "Proxy-Password-1"
BODY = bytes(i % 251 for i in range(200000))
FLOOD = 4 << 20


class Server:
    """Accepts on loopback until the test ends; each connection has a thread with `serve`."""

    def __init__(self, case, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self.accept, daemon=True).start()
        case.addCleanup(self.listener.close)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.listener.accept()
                threading.Thread(target=self.guard, args=(one,), daemon=True).start()

    def guard(self, one):
        with contextlib.suppress(OSError), one:
            one.settimeout(30)
            self.serve(one)


def head_of(one):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = one.recv(1)
        if not byte:
            raise OSError
        head += byte
    return head.decode()


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def lead(one, answer=(b"HTTP/1.1 200 OK\r\n\r\n",)):
    """A proxy that knows names: all of them are this machine. Its answer leaves in these pieces."""
    port = int(re.match(r"CONNECT \S+\.test:(\d+) ", head_of(one)).group(1))
    with socket.create_connection(("127.0.0.1", port)) as server:
        for piece in answer:
            one.sendall(piece)
            time.sleep(0.2 if len(answer) > 1 else 0)
        threading.Thread(target=pump, args=(server, one), daemon=True).start()
        pump(one, server)


class Depot(http.server.BaseHTTPRequestHandler):
    received = {}

    def log_message(self, *_):
        pass

    def do_PUT(self):
        Depot.received[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()

    def do_GET(self):
        where = re.match(r"/to/(.*)", self.path)
        self.send_response(302 if where else 200)
        if where:
            self.send_header("Location", where.group(1))
        self.send_header("Content-Length", "0" if where else str(len(BODY)))
        self.end_headers()
        if not where:
            self.wfile.write(BODY)


class Behind(Case):
    wait_s = 40

    def setUp(self):
        super().setUp()
        self.central, self.tls = free_ports(), free_port()
        self.key = self.central_says("station", "add", "AC-1")
        self.central_says("card", "add", "CARD-1")
        self.central_says("ca", "init", "Operator")
        self.central_says("ca", "server", "central.test")
        self.ca = self.write("ca.pem", self.central_says("ca", "show") + "\n")
        self.pin = self.central_says("link", "pin")
        self.proxy = free_port()

    def start_central(self):
        self.start("central", CENTRAL, "-d", str(self.folder / "central"), "-l", f"127.0.0.1:{self.central}",
                   "--tls-listen", f"127.0.0.1:{self.tls}")
        self.until(lambda: "Dashboard:" in self.text_of("central"), "the central")

    def start_tinyproxy(self):
        names = Server(self, lead).port
        proxy = self.start("proxy", "/usr/bin/tinyproxy", "-d", "-c", self.write(
            "tinyproxy.conf", f"Port {self.proxy}\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nLogLevel Connect\n"
            f"BasicAuth depot {PASSWORD}\nUpstream http 127.0.0.1:{names} \".test\"\n"))
        self.until(lambda: socket.create_connection(("127.0.0.1", self.proxy), 1).close() is None, "tinyproxy")
        return proxy

    def start_station(self, port, password=PASSWORD, **environment):
        board = self.folder / "board0"
        self.start("sim", SIM, "ac", "--link", str(board), "--control", str(self.folder / "sim.sock"))
        self.until(board.exists, "the board")
        (self.folder / "board.yaml").write_text(f"board:\n  kind: frontend\nfrontend:\n  device: {board}\n")
        (self.folder / "station.yaml").write_text(
            f"station:\n  id: AC-1\nnetwork:\n  proxy: http://depot@127.0.0.1:{port}\n"
            f"ocpp:\n  url: wss://central.test:{self.tls}/ocpp\n  security_profile: 2\n  ca_file: {self.ca}\n"
            f"uplink:\n  url: tls://central.test:{self.central + 10}\n  pin: \"{self.pin}\"\n"
            "session:\n  allow_offline_unknown_id: true\npage:\n  listen: \"\"\nconsole:\n  device: \"off\"\n"
            f"connectors:\n  - kind: pilot\n    board: {self.folder / 'board.yaml'}\n")
        secrets = self.write("secrets.yaml", f"ocpp:\n  authorization_key: \"{self.key}\"\n"
                             f"network:\n  proxy_password: \"{password}\"\n")
        self.start("station", STATION, "--config", str(self.folder / "station.yaml"), "--secrets", secrets, "--data",
                   str(self.folder / "data"), "--control", str(self.folder / "s.sock"), **environment)

    def control(self, line):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(str(self.folder / "s.sock"))
            one.sendall(line.encode() + b"\n")
            file = one.makefile("rb")
            size = int(file.readline().split()[1])
            return file.read(size).decode()

    def online(self):
        return json.loads(self.control("json status")).get("central") == "online"

    def said(self):
        return self.text_of("station")

    def charges(self):
        return json.loads(self.control("json status"))["connectors"][0]["state"] == "charging"

    def tool(self, *words, proxy=None, password=PASSWORD, user="depot@", text=b""):
        proxy = proxy or self.proxy
        folder = self.folder / f"files{proxy}"
        folder.mkdir(exist_ok=True)
        done = subprocess.run([TOOL, words[0], str(folder), self.ca, *words[1:]], input=text, timeout=self.wait_s,
                              capture_output=True, env={**os.environ, "CARRIER_PROXY": f"http://{user}127.0.0.1:{proxy}",
                                                        "CARRIER_PROXY_PASSWORD": password}, check=True)
        return done.stdout.decode().strip()

    def down(self, url, **more):
        return self.tool("down", url, "-", "10000000", "20", **more)

    def depot(self, tls=False):
        """The port of a server of files; with TLS it is files.test, and vouches for itself."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Depot)
        if tls:
            self.once("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-days", "2", "-subj", "/CN=files.test", "-addext", "subjectAltName=DNS:files.test", "-keyout",
                      "files.key", "-out", "files.pem", cwd=self.folder)
            self.ca = str(self.folder / "files.pem")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca, self.folder / "files.key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]


class Proxies(Behind):
    def test_station_and_central_find_each_other_through_tinyproxy_and_again_after_it_died(self):
        self.start_central()
        proxy = self.start_tinyproxy()
        # Reason: libraries read these by themselves; a station goes where its settings say.
        nowhere = "http://127.0.0.1:9"
        self.start_station(self.proxy, http_proxy=nowhere, https_proxy=nowhere, ALL_PROXY=nowhere)
        self.until(self.online, "OCPP over wss")
        self.until(lambda: "to=online why=welcome" in self.said(), "the station link")
        for port in (self.tls, self.central + 10):
            self.assertIn(f"CONNECT central.test:{port} ", self.text_of("proxy"))
        # The proxy dies, the charge does not.
        self.until(lambda: "why=\"self-test passed\"" in self.said(), "the outlet")
        self.tell("plug")
        self.until(lambda: "evse plugged" in self.said(), "the plug")
        self.control("card CARD-1")
        self.until(self.charges, "the charge")
        proxy.kill()
        proxy.wait()
        self.until(lambda: re.search(r'refused why="no connection to the proxy: Connection refused"', self.said()),
                   "OCPP's reason")
        self.until(lambda: self.said().count("no connection to the proxy") >= 2, "the link's reason")
        self.until(lambda: json.loads(self.control("json status"))["central_reason"].startswith("no connection to the p"),
                   "the reason in the status")
        self.until(lambda: "no connection to the proxy" in self.control("uplink"), "the link's in its report")
        self.until(self.charges, "the charge without the proxy")
        opened = self.said().count("link open")
        self.start_tinyproxy()
        self.until(self.online, "OCPP again")
        self.until(lambda: self.said().count("why=welcome") >= 2, "the station link again")
        self.assertGreater(self.said().count("link open"), opened)
        self.until(self.charges, "the charge beside all this")
        self.assertNotIn(PASSWORD, self.said() + self.control("settings") + self.control("log"))

    def test_a_certificate_of_another_name_is_refused_behind_the_proxy_too(self):
        self.central_says("ca", "server", "other.test")
        self.start_central()
        self.start_tinyproxy()
        self.start_station(self.proxy)
        self.until(lambda: "the server's certificate: " in self.said(), "the refusal")
        self.assertFalse(self.online())

    def test_a_wrong_password_is_named(self):
        self.start_tinyproxy()
        self.start_station(self.proxy, password="Not-The-Password-2")
        why = "the proxy does not accept user and password (HTTP status 401)"  # its word for a wrong one
        self.until(lambda: self.said().count(why) >= 2, "OCPP's and the link's reason")
        self.assertNotIn("Not-The-Password-2", self.said())
        self.assertIn(why, self.down("http://files.test:1/a", password="x"))
        self.assertIn("user and password (HTTP status 407)", self.down("http://files.test:1/a", user=""))

    def test_files_come_and_go_through_tinyproxy(self):
        port = self.depot(tls=True)
        self.start_tinyproxy()
        self.assertRegex(self.down(f"https://files.test:{port}/a"), f"^done {len(BODY)} ")
        self.assertEqual((self.folder / f"files{self.proxy}" / "download").read_bytes(), BODY)
        self.tool("up", f"https://files.test:{port}/in/", "log.txt", "1000000", "20", text=b"a log")
        self.assertEqual(Depot.received.get("/in/log.txt"), b"a log")
        self.assertEqual(self.text_of("proxy").count(f"CONNECT files.test:{port} "), 2)
        # The certificate is the server's, and names whom the URL names.
        self.assertIn("untrusted", self.down(f"https://other.test:{port}/a"))
        port = self.depot()
        # T11: the proxy must not be made to reach what the URL's own network does not.
        for where in (f"http://127.0.0.2.test:{port}/a", f"http://10.0.0.1:{port}/a", f"http://router:{port}/a",
                      f"http://0x7f000001:{port}/a", f"http://nas.local:{port}/a", f"http://127.0.0.1:{port}/a"):
            end = self.down(f"http://files.test:{port}/to/{where}").split(" ")[0]
            self.assertEqual(end, "done" if where.startswith("http://127.0.0.2.test") else "forbidden", where)


class Hostile(Behind):
    speed = 10  # of the pauses between tries; how long a proxy may take is real time

    def test_proxies_that_misbehave_are_given_up_in_time_and_by_name(self):
        self.start_central()
        modes = {}
        flooded = []

        def serve(one):
            mode = modes["now"]
            if mode == "pieces":
                lead(one, (b"HTTP/1.", b"1 200 OK\r\nVia: a\r", b"\n\r\n"))
                return
            head_of(one)
            if mode == "endless":
                line, sent = b"X-More: " + b"y" * 1000 + b"\r\n", 0
                one.sendall(b"HTTP/1.1 200 OK\r\n")
                while sent < FLOOD:
                    one.sendall(line)
                    sent += len(line)
                flooded.append(sent)
            elif mode == "silent":
                one.recv(1)
            else:
                one.sendall(mode)

        hostile = Server(self, serve)
        rows = ((b"SSH-2.0-OpenSSH\r\n", "the proxy's answer is no HTTP", "the proxy makes no tunnel: "),
                (b"HTTP/1.1 403 No\r\n\r\n", "the proxy does not let us go there (HTTP status 403)", None),
                (b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", "the proxy does not reach the server (HTTP status 502)",
                 None),
                (b"HTTP/1.1 200 O", "the proxy ends the connection", "the proxy makes no tunnel: "),
                (b"", "the proxy ends the connection", "the proxy makes no tunnel: "),
                ("endless", "the head of the proxy's answer has no end", None))
        modes["now"] = rows[0][0]
        self.start_station(hostile.port)
        for mode, why, files in rows:
            modes["now"] = mode
            before = len(self.said())
            self.until(lambda b=before, w=why: self.said()[b:].count(w) >= 1, f"{mode}: {why}")
            self.assertIn(files or why, self.down("http://files.test:1/a", proxy=hostile.port), mode)
        self.assertEqual(flooded, [])
        modes["now"] = "silent"
        begun = time.monotonic()
        self.until(lambda: "the proxy does not answer in time" in self.said(), "the time-out")
        self.assertLess(time.monotonic() - begun, 35)
        modes["now"] = "pieces"
        self.until(self.online, "a proxy whose answer comes in pieces")


if __name__ == "__main__":
    main(170)
