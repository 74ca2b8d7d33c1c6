"""Requests that are none, and what is answered to each: facts/reliability.md T20, over raw sockets, for any HTTP server
of ours.

A row is the bytes, and the status of the answer; a peer hears it whole, however much it went on sending, and then the
connection ends."""
import contextlib
import socket
import ssl
import time

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /api/v1/login HTTP/1.1\r\n" + HOST

ROWS = {
    "a path of 64 KiB": (b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a query of 64 KiB": (b"GET /?" + b"a=b&" * 16384 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a line without end": (b"a" * 65536, 414),
    "1,000 fields": (b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n", 431),
    "1,000 times one field": (b"GET / HTTP/1.1\r\n" + HOST + b"Accept: x\r\n" * 1000 + b"\r\n", 431),
    "a field of 64 KiB": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"b" * 65536 + b"\r\n\r\n", 431),
    "a name of 64 KiB": (b"GET / HTTP/1.1\r\n" + HOST + b"X" * 65536 + b": b\r\n\r\n", 431),
    "a long cookie": (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"b" * 3000 + b"\r\n\r\n", 431),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}", 400),
    "one length twice": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a negative length": (POST + b"Content-Length: -2\r\n\r\n{}", 400),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "a list of lengths": (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400),
    "a length that is none": (POST + b"Content-Length: 2x\r\n\r\n{}", 400),
    "a length beyond all": (POST + b"Content-Length: 18446744073709551617\r\n\r\n{}", 400),
    "a length behind a space": (POST + b"Content-Length : 2\r\n\r\n{}", 400),
    "a body of 10 GB": (POST + b"Content-Length: 10000000000\r\n\r\n{}", 413),
    "a length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
    "chunks and a length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk beyond all": (POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", 411),
    "a negative chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 411),
    "another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 411),
    "no length": (POST + b"\r\n", 411),
    "an expectation": (POST + b"Content-Length: 2\r\nExpect: a-miracle\r\n\r\n", 417),
    "bare LF": (b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n", 400),
    "bare CR": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\rX: y\r\n\r\n", 400),
    "a NUL in the path": (b"GET /healthz\x00x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a NUL in a field": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: \x00\r\n\r\n", 400),
    "an escaped NUL": (b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an escaped line end": (b"GET /healthz%20HTTP/1.1%0d%0aHost:evil HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tab before a value": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length:\t2\r\n\r\n{}", 400),
    "half an escape": (b"GET /%2 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a folded field": (b"GET /healthz HTTP/1.1\r\n" + HOST + b" folded\r\n\r\n", 400),
    "a field without colon": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X\r\n\r\n", 400),
    "two hosts": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n", 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "an absolute target": (b"GET http://127.0.0.1/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "HTTP/0.9": (b"GET /healthz\r\n", 400),
    "a word": (b"GET\r\n\r\n", 400),
    "a greeting of TLS within": (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", 400),
    "an empty line first": (b"\r\nGET /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1.2": (b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    "no such method": (b"BREW /pot HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a tunnel": (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a trace": (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
}


def call(port, tls=False, source="127.0.0.1"):
    stream = socket.create_connection(("127.0.0.1", port), 8, (source, 0))
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = context.wrap_socket(stream)
    return stream


def heard(stream):
    """All that comes until the end; how it ends is no matter."""
    answer = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while more := stream.recv(65536):
            answer += more
    return answer


def answer(stream):
    """One answer, on a connection that stays."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += stream.recv(65536) or b"\r\n\r\n"
    head, _, body = got.partition(b"\r\n\r\n")
    length = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while length and len(body) < length[0] and (more := stream.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def status_of(text):
    return int(text.split()[1]) if text.startswith(b"HTTP/1.1 ") else None


def refused(port, tls):
    """What was answered otherwise than the rows say."""
    wrong = {}
    for name, (request, status) in ROWS.items():
        with call(port, tls) as stream:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                stream.sendall(request)
            said = heard(stream)
        head, _, body = said.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        good = (status_of(said) == status and b"connection: close" in lines and b"x-frame-options: deny" in lines
                and body.endswith(b"\n") and b"content-length: %d" % len(body) in lines)
        if not good:
            wrong[name] = (status, said[:400])
    return wrong


def is_served(port, tls, request, parts=1, source="127.0.0.1"):
    """The answer to a good request that comes in so many parts; the connection stays."""
    with call(port, tls, source) as stream:
        step = max(1, len(request) // parts)
        for at in range(0, len(request), step):
            stream.sendall(request[at:at + step])
            time.sleep(0.002 if parts > 1 else 0)
        return answer(stream)
