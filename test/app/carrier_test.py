#!/usr/bin/python3
"""Uploads and downloads against real servers: Python's http.server and ssl, Debian's pyftpdlib
and vsftpd.
    carrier_test.py CARRIER_TOOL
Loopback, free ports, a folder of its own.
"""
import datetime
import hashlib
import http.server
import logging
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

TOOL = sys.argv[1]
FOLDER = tempfile.mkdtemp(prefix="pilotwire-carrier-")
BIG = 10 * 1000 * 1000
BODY = bytes((i * 7 + i // 251) & 0xFF for i in range(300000))
SHA = hashlib.sha256(BODY).hexdigest()
failures = []
logging.basicConfig(level=logging.ERROR)
socketserver.BaseServer.handle_error = lambda *_: None  # a station that hangs up is no error


def check(truth, what):
    if not truth:
        failures.append(what)
        print("FAILED:", what, file=sys.stderr)


def tool(*words, text=b""):
    ca = os.path.join(FOLDER, "ca.pem")
    words = [words[0], os.path.join(FOLDER, "station"), ca, *words[1:]]
    done = subprocess.run([TOOL, *words], input=text, capture_output=True, timeout=60)
    line = done.stdout.decode().strip()
    check(done.returncode == 0, f"{words}: {done.returncode} {done.stderr.decode()}")
    parts = line.split(" ", 3)
    return parts + [""] * (4 - len(parts))


def down(url, resume=False, most=BIG, patience=20, first=0):
    return tool("down", url, "-", str(most), str(patience), *(["resume"] if resume else []),
                *([str(first)] if first else []))


def hand(total, start, piece, resume=False, most=BIG):
    return tool("hand", str(total), str(start), str(most), "20", *(["resume"] if resume else []), text=piece)


def up(url, text, name="STATION-diagnostics.txt", most=BIG):
    return tool("up", url, name, str(most), "20", text=text)


# --- Servers.

received = {}
cuts = {"left": 0}
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def take(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/post-only") and self.command == "PUT":
            return self.answer(405)
        if self.path.startswith("/secret") and self.headers.get("Authorization") is None:
            return self.answer(401, WWW_Authenticate='Basic realm="x"')
        if self.path.startswith("/refuse/"):
            return self.answer(int(self.path.split("/")[2]), b"a page that explains")
        if self.path.startswith("/moved/"):
            return self.answer(307, Location="/in/" + self.path.split("/")[-1])
        received[self.path] = (self.command, body)
        return self.answer(201)

    do_PUT = take
    do_POST = take

    def do_GET(self):
        path = self.path
        asked.append((path, self.headers.get("Range")))
        if path.startswith("/to?"):
            return self.answer(302, Location=path[4:])
        if path == "/loop":
            return self.answer(302, Location="/loop")
        if path == "/missing":
            return self.answer(404, b"<html>no such file</html>")
        if path == "/huge":  # 10 GB announced
            self.send_response(200)
            self.send_header("Content-Length", str(10 * 1000**3))
            self.end_headers()
            return self.wfile.write(b"x" * 1000)
        if path == "/endless":  # as much as anybody takes, without a length
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
            self.close_connection = True
            return None
        if path == "/head":  # lines of a head, as many as anybody reads
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(2000):
                    self.wfile.write(b"X-Line: " + b"x" * 4000 + b"\r\n")
            except OSError:
                pass
            self.close_connection = True
            return None
        if path == "/slow":  # one byte a second
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            try:
                for _ in range(30):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(1)
            except OSError:
                pass
            self.close_connection = True
            return None
        return self.file()

    def file(self):
        """The file, with ranges; cut in the middle while cuts["left"] lasts."""
        version = '"two"' if self.path == "/changed" and cuts["left"] == 0 else '"one"'
        body = BODY[::-1] if version == '"two"' else BODY
        start = 0
        wanted = self.headers.get("Range")
        ranged = wanted and self.headers.get("If-Range", version) == version and self.path != "/no-ranges"
        whole = len(body)
        if ranged:
            first, last = wanted.split("=")[1].split("-")
            start = int(first)
            body = body[: int(last) + 1] if last else body
        self.send_response(206 if ranged else 200)
        self.send_header("ETag", version)
        self.send_header("Content-Length", str(len(body) - start))
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{whole}")
        self.end_headers()
        if cuts["left"] > 0:
            cuts["left"] -= 1
            self.wfile.write(body[start : start + 100000])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(body[start:])


def serve_http(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_ftp():
    users = DummyAuthorizer()
    root = os.path.join(FOLDER, "ftp")
    os.makedirs(os.path.join(root, "in"), exist_ok=True)
    users.add_user("service", "hush", root, perm="elradfmw")
    handler = type("Handler", (FTPHandler,), {})
    handler.authorizer = users
    handler.log = handler.logline = lambda *_, **__: None
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.address[1], root


def serve_ftps(certificate):
    """vsftpd, which wants TLS for password and data; run by whoever runs the test."""
    root = os.path.join(FOLDER, "ftps")
    os.makedirs(os.path.join(root, "in"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = os.path.join(FOLDER, "vsftpd.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"""listen=YES
listen_port={port}
listen_address=127.0.0.1
background=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_root={root}
ssl_enable=YES
ssl_ciphers=HIGH
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
rsa_cert_file={certificate}
secure_chroot_dir={root}
no_anon_password=YES
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
allow_writeable_chroot=YES
xferlog_enable=NO
""")
    server = subprocess.Popen(["/usr/sbin/vsftpd", config])
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    return server, port, root


def certificate(name, host):
    path = os.path.join(FOLDER, name + ".pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=" + host, "-addext", "subjectAltName=" + host,
         "-keyout", path + ".key", "-out", path], check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as both, open(path + ".key", encoding="ascii") as key:
        both.write(key.read())
    return path


# --- What must work.

def http_uploads(port):
    url = f"http://127.0.0.1:{port}"
    text = b"diagnostics\n" * 20000
    check(up(f"{url}/in/", text)[0] == "done", "PUT to a folder")
    check(received.get("/in/STATION-diagnostics.txt") == ("PUT", text), "what the folder has")
    check(up(f"{url}/in/named.txt", text)[0] == "done", "PUT to a file")
    check(received.get("/in/named.txt") == ("PUT", text), "what the file has")
    check(up(f"{url}/in?token=abc", b"x")[0] == "done" and "/in?token=abc" in received, "a query stays")
    check(up(f"{url}/post-only/", text)[0] == "done", "a server without PUT")
    check(received.get("/post-only/STATION-diagnostics.txt") == ("POST", text), "gets a POST")
    check(up(f"{url}/moved/x.txt", text)[0] == "done", "a redirect of an upload")
    check(received.get("/in/x.txt") == ("PUT", text), "what came behind it")
    check(up(url.replace("//", "//me:pass@") + "/secret/", b"s")[0] == "done", "name and password")
    check(up(f"{url}/secret/", b"s")[0] == "denied", "no password")
    for status, end in ((403, "denied"), (404, "missing"), (400, "strange"), (413, "large"),
                        (500, "cut"), (507, "full")):
        result = up(f"{url}/refuse/{status}/x.txt", b"s")
        check(result[0] == end and str(status) in result[3], f"HTTP {status} is {end}: {result}")
    check(up(f"{url}/in/", b"x" * 5000, most=4000)[0] == "large", "an upload that is too long")


def http_downloads(port):
    url = f"http://127.0.0.1:{port}"
    check(down(f"{url}/file")[:3] == ["done", str(len(BODY)), SHA], "a download")
    check(down(f"{url}/missing")[0] == "missing", "no such file")
    cuts["left"] = 1
    check(down(f"{url}/file")[0] == "cut", "a download that breaks off")
    asked.clear()
    check(down(f"{url}/file", resume=True)[:3] == ["done", str(len(BODY)), SHA], "goes on")
    check(asked[-1][1] == "bytes=100000-", f"where it was: {asked}")
    cuts["left"] = 1
    check(down(f"{url}/changed")[0] == "cut", "another one breaks off")
    result = down(f"{url}/changed", resume=True)
    check(result[2] == hashlib.sha256(BODY[::-1]).hexdigest(), f"and is another version now: {result}")
    cuts["left"] = 1
    check(down(f"{url}/no-ranges")[0] == "cut", "a third one breaks off")
    check(down(f"{url}/no-ranges", resume=True)[2] == SHA, "and its server knows no ranges")


def heads(port):
    """The head of a release is loaded and judged before the rest of it."""
    url = f"http://127.0.0.1:{port}"
    part = os.path.join(FOLDER, "station", "download")
    for path in ("file", "no-ranges"):
        asked.clear()
        check(down(f"{url}/{path}", first=25000)[:2] == ["done", "25000"], f"the head of {path}")
        check(asked == [(f"/{path}", "bytes=0-24999")], f"what is asked for: {asked}")
        with open(part, "rb") as file:
            check(file.read() == BODY[:25000], "and no byte more")
        check(down(f"{url}/{path}", resume=True, first=25000)[:2] == ["done", "25000"], "once more")
        check(len(asked) == 1, "asks nobody")
        check(down(f"{url}/{path}", resume=True)[:3] == ["done", str(len(BODY)), SHA], "and the rest")
        check(path == "no-ranges" or asked[-1][1] == "bytes=25000-", f"from there: {asked}")
    check(down(f"{url}/file", first=2 * len(BODY))[:3] == ["done", str(len(BODY)), SHA], "a shorter file")


def handed_in():
    whole = str(len(BODY))
    check(hand(len(BODY), 0, BODY)[:3] == ["done", whole, SHA], "a file that is handed in")
    check(hand(len(BODY), 0, BODY[:50000])[:2] == ["waits", "50000"], "a part of it")
    check(hand(len(BODY), 60000, BODY[60000:], resume=True)[:2] == ["waits", "50000"], "a gap")
    check(hand(len(BODY), 40000, BODY[40000:], resume=True)[:3] == ["done", whole, SHA],
          "what is there is skipped")
    check(hand(len(BODY), 0, BODY[:50000])[:2] == ["waits", "50000"], "another one begins anew")
    check(hand(len(BODY), 0, BODY, most=1000)[0] == "refused", "one that is too long")


def what_is_refused(port):
    """facts/reliability.md T11."""
    url = f"http://127.0.0.1:{port}"
    check(down("file:///etc/passwd")[0] == "refused", "file://")
    check(down(f"{url}/to?file:///etc/passwd")[0] == "forbidden", "a redirect to file://")
    check(down(f"{url}/to?http://169.254.169.254/latest")[0] == "forbidden", "a redirect to metadata")
    check(down(f"{url}/to?http://10.0.0.1/")[0] == "forbidden", "a redirect to a private network")
    check(down(f"{url}/to?http://[fe80::1]/")[0] in ("forbidden", "unreachable"), "to link-local")
    check(down(f"{url}/loop")[0] == "forbidden", "a redirect without an end")
    began = time.monotonic()
    check(down(f"{url}/huge")[0] == "large", "10 GB announced")
    check(time.monotonic() - began < 5, "at once")
    check(down(f"{url}/endless")[0] == "large", "10 MB, and more, unannounced")
    result = down(f"{url}/head")
    check(result[0] == "strange", f"a head without an end: {result}")
    check(os.path.getsize(os.path.join(FOLDER, "station", "download")) <= BIG, "no byte above the cap")
    check(down(f"{url}/slow", patience=3)[0] == "slow", "one byte a second")
    check(down("http://127.0.0.1:1/x")[0] == "unreachable", "nobody there")
    check(down("http://no-such-host.invalid/x")[0] == "unreachable", "no such name")


def ftp(url, root):
    text = b"diagnostics\n" * 20000
    scheme = url.split(":")[0]
    result = up(f"{url}/in", text)
    check(result[0] == "done", f"{scheme} upload to a folder: {result}")
    with open(os.path.join(root, "in", "STATION-diagnostics.txt"), "rb") as file:
        check(file.read() == text, f"{scheme}: what the folder has")
    with open(os.path.join(root, "image.bin"), "wb") as file:
        file.write(BODY)
    check(down(f"{url}/image.bin")[:3] == ["done", str(len(BODY)), SHA], f"{scheme} download")
    with open(os.path.join(FOLDER, "station", "download"), "r+b") as part:
        part.truncate(123456)
    check(down(f"{url}/image.bin", resume=True)[2] == SHA, f"{scheme} download goes on")
    check(down(f"{url}/none.bin")[0] == "missing", f"{scheme}: no such file")


def ftp_servers(own):
    port, root = serve_ftp()
    ftp(f"ftp://service:hush@localhost:{port}", root)
    check(down(f"ftp://service:wrong@localhost:{port}/image.bin")[0] == "denied", "wrong password")
    server, port, root = serve_ftps(own)
    try:
        ftp(f"ftps://anonymous:x@localhost:{port}", root)
        check(up(f"ftp://anonymous:x@localhost:{port}/in", b"x")[0] == "denied",
              "a server that wants TLS, and ftp")
        check(down(f"ftps://anonymous:x@127.0.0.1:{port}/image.bin")[0] == "untrusted",
              "another host's certificate")
    finally:
        server.terminate()
        server.wait()


def https(port, stranger):
    check(down(f"https://localhost:{port}/file")[2] == SHA, "https")
    check(up(f"https://localhost:{port}/in/", b"tls")[0] == "done", "https upload")
    check(down(f"https://127.0.0.1:{port}/file")[0] == "untrusted", "another host's certificate")
    check(down(f"https://localhost:{stranger}/file")[0] == "untrusted", "a certificate nobody knows")
    check(down(f"https://localhost:{port}/to?http://localhost/x")[0] == "forbidden", "back to http")


def lists(port, own):
    """Reason: what the list beside the authorities takes back must not bring a release or take a log either."""
    ca = os.path.join(FOLDER, "ca.pem")
    with open(own, "rb") as file:
        text = file.read()
    signer, key = x509.load_pem_x509_certificate(text), serialization.load_pem_private_key(text, None)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    for serial, expected in ((signer.serial_number + 1, "done"), (signer.serial_number, "untrusted")):
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        made = (x509.CertificateRevocationListBuilder().issuer_name(signer.subject)
                .last_update(now - datetime.timedelta(1)).next_update(now + datetime.timedelta(1))
                .add_revoked_certificate(row).sign(key, hashes.SHA256()))
        with open(ca, "wb") as file:
            file.write(text + made.public_bytes(serialization.Encoding.PEM))
        check(up(f"https://localhost:{port}/in/", b"tls")[0] == expected, f"a list: {expected}")
    shutil.copy(own, ca)


def disk_full(port):
    """A file size limit stands for a disk without room."""
    import resource
    done = subprocess.run(
        [TOOL, "down", os.path.join(FOLDER, "station"), "", f"http://127.0.0.1:{port}/file", "-", str(BIG), "20"],
        capture_output=True, timeout=30,
        preexec_fn=lambda: (resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
                            __import__("signal").signal(__import__("signal").SIGXFSZ,
                                                        __import__("signal").SIG_IGN)))
    check(done.stdout.decode().startswith("full 65536"), f"disk full: {done.stdout}")


def disk_nearly_full(port):
    """Reason: a download that took the last byte took it from the journal: the charge that ran could not be
    ended in writing, and what was loaded kept the disk full."""
    place = os.path.join(FOLDER, "small")
    os.mkdir(place)
    words = [TOOL, "down", place, "", f"http://127.0.0.1:{port}/endless", "-", str(50 * 1000**2), "20"]
    done = subprocess.run(["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=20m tmpfs "$0" && exec "$@"', place, *words],
                          capture_output=True, timeout=30)
    if b"unshare" in done.stderr or b"mount" in done.stderr:
        print("a disk that is nearly full: not tried, no mount here:", done.stderr)
        return
    word, size = done.stdout.decode().split()[:2]
    check(word == "full" and 3 << 20 < int(size) <= 4 << 20, f"16 MiB are left to the journal: {done.stdout}")


def main():
    os.mkdir(os.path.join(FOLDER, "station"))
    own = certificate("own", "DNS:localhost")
    other = certificate("other", "DNS:localhost")
    shutil.copy(own, os.path.join(FOLDER, "ca.pem"))
    contexts = []
    for path in (own, other):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        contexts.append(context)
    port = serve_http()
    http_uploads(port)
    http_downloads(port)
    heads(port)
    handed_in()
    what_is_refused(port)
    secure = serve_http(contexts[0])
    https(secure, serve_http(contexts[1]))
    lists(secure, own)
    ftp_servers(own)
    disk_nearly_full(port)
    disk_full(port)
    shutil.rmtree(FOLDER)
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
