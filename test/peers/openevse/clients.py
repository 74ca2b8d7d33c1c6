"""Two programs that owners point at an OpenEVSE gateway, as far as a station meets them: the requests
they make, in their order, and the fields they read. Written from the public behaviour of evcc's
`openevse` charger and of python-openevse-http, on which Home Assistant's integration stands; neither
knows anything of Pilotwire. Standard library only."""

import base64
import http.client
import json
import os
import socket
import struct
import urllib.parse


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Gateway:
    """One address with one user, a new connection for each request."""

    def __init__(self, port, user="", password=""):
        self.port = port
        self.headers = {}
        if user and password:
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = "Basic " + word

    def ask(self, method, path, body=None, form=None):
        headers = {"Accept": "application/json", **self.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        elif form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form) if isinstance(form, dict) else form
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            link.close()


class Evcc:
    """evcc: asks /status at most once a second, drives the manual override."""

    def __init__(self, port, user="", password=""):
        self.gateway = Gateway(port, user, password)
        self.current = 0
        self.on = False
        try:
            self.rapi("$G7")
        except Refused:
            self.switches_phases = False
        else:
            self.switches_phases = True
            self.rapi("$S8 0")

    def json(self, method, path, body=None):
        status, text, _ = self.gateway.ask(method, path, body)
        if not 200 <= status < 300:
            raise Refused(status, text)
        return json.loads(text)

    def rapi(self, command):
        answer = self.json("GET", "/r?json=1&rapi=" + urllib.parse.quote_plus(command))
        if not answer.get("ret", "").startswith("$OK"):
            raise Refused(200, answer)
        return answer["ret"]

    def _override(self):
        try:
            data = self.json("GET", "/override")
        except Refused as refused:
            if refused.status != 404:
                raise
            data = {}
        wanted = {"state": "active" if self.on else "disabled", "max_current": self.current,
                  "charge_current": data.get("charge_current", 0),
                  "auto_release": data.get("auto_release", False)}
        self.json("POST", "/override", {key: value for key, value in wanted.items() if value})

    def enable(self, on):
        self.on = on
        self._override()

    def max_current(self, ampere):
        self.current = ampere
        self._override()

    def look(self):
        """(status, enabled, power in W, charged kWh, total kWh, duration in s)"""
        s = self.json("GET", "/status")
        states = {1: "A", 2: "B" if s.get("vehicle") == 1 else "A", 3: "C"}
        for sleeping in (254, 255):
            states[sleeping] = "B" if s.get("vehicle") == 1 else "A"
        assert s["state"] in states, f"invalid status: {s['state']}"
        return (states[s["state"]], s.get("status") == "active",
                s.get("amp", 0) * s.get("voltage", 0) / 1e3, s["session_energy"] / 1e3,
                s["total_energy"], s.get("elapsed", 0))


SUCCESS = ["OK", "done", "no change", "Created", "Updated", "Deleted"]
VERSIONS = ["config_version", "claims_version", "override_version", "schedule_version",
            "schedule_plan_version", "limit_version"]


class Home:
    """python-openevse-http, as Home Assistant drives it."""

    def __init__(self, port, user="", password=""):
        self.gateway = Gateway(port, user, password)
        self.status = {}
        self.config = {}
        self.fetched = 0

    def request(self, method, path, body=None, form=None):
        status, text, _ = self.gateway.ask(method, path, body, form)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text
        assert isinstance(answer, (dict, list, str, bool)), text
        if status in (400, 401):
            raise Refused(status, answer)
        if method != "GET" and isinstance(answer, dict) and any(key in answer for key in VERSIONS):
            self.update()
        return answer

    def test_and_get(self):
        answer = self.request("GET", "/config")
        return {"serial": answer["wifi_serial"], "model": answer.get("buildenv", "unknown")}

    def update(self):
        self.status.update(self.request("GET", "/status"))
        self.config = self.request("GET", "/config")
        self.fetched += 1

    def version(self):
        return tuple(int(part) for part in self.config["version"].split(".")[:3])

    def get_override(self):
        return self.request("GET", "/override")

    def override_state(self):
        return self.get_override().get("state", "auto")

    def set_override(self, **wanted):
        answer = self.get_override()
        assert not (len(answer) == 1 and "msg" in answer), answer
        kept = {key: answer[key] for key in ("state", "charge_current", "max_current",
                                             "auto_release") if key in answer}
        said = self.request("POST", "/override", {**kept, **wanted})
        assert said["msg"] in SUCCESS, said

    def toggle_override(self):
        assert self.request("PATCH", "/override")["msg"] in SUCCESS

    def clear_override(self):
        assert self.request("DELETE", "/override")["msg"] in SUCCESS

    def set_current(self, ampere):
        assert self.config["min_current_hard"] <= ampere <= self.config["max_current_hard"]
        self.set_override(charge_current=ampere)

    def set_limit(self, kind, value):
        answer = self.request("GET", "/limit")
        kept = {key: answer[key] for key in ("type", "value", "release") if key in answer}
        return self.request("POST", "/limit", {**kept, "type": kind, "value": value})

    def clear_limit(self):
        return self.request("DELETE", "/limit")

    def make_claim(self, client=20, auto_release=True, **wanted):
        return self.request("POST", f"/claims/{client}", {"auto_release": auto_release, **wanted})

    def release_claim(self, client=20):
        return self.request("DELETE", f"/claims/{client}")

    def claims(self, target=False):
        return self.request("GET", "/claims/target" if target else "/claims")

    def charge_current(self):
        current = self.claims(True)["properties"].get("charge_current")
        if current is None:
            return self.config.get("max_current_soft")
        return min(int(current), int(self.config.get("max_current_hard", 48)))

    def set_shaper(self, on):
        msg = self.request("POST", "/shaper", form={"shaper": 1 if on else 0}).get("msg")
        assert msg in SUCCESS or msg == "Current Shaper state changed", msg

    def set_divert_mode(self, mode):
        said = self.request("POST", "/divertmode", form=f"divertmode={ {'fast': 1, 'eco': 2}[mode] }")
        assert "divert" in said.lower() and "changed" in said.lower(), said

    def set_charge_mode(self, mode):
        assert self.request("POST", "/config", {"charge_mode": mode})["msg"] in SUCCESS

    def send_command(self, command):
        answer = self.request("POST", "/r", form={"json": 1, "rapi": command})
        return answer.get("cmd"), answer.get("ret", answer.get("msg"))

    def restart_wifi(self):
        answer = self.request("POST", "/restart", {"device": "gateway"})
        assert answer.get("result") == "OK" and not answer.get("error"), answer
        assert "ok" in str(answer.get("msg", "ok")).lower(), answer

    def restart_evse(self):
        answer = self.request("POST", "/restart", {"device": "evse"})
        return answer.get("result") in (None, 0, "OK", "ok", True) and not answer.get("error")


class Socket:
    """/ws, as a client library opens it: RFC 6455 with masked frames and no subprotocol."""

    def __init__(self, port, user="", password=""):
        gateway = Gateway(port, user, password)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /ws HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"{name}: {value}" for name, value in gateway.headers.items()]
        self.link = socket.create_connection(("127.0.0.1", port), 10)
        self.link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self._more()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        self.answer = int(head.split()[1])
        if self.answer != 101:
            self.link.close()
            raise Refused(self.answer, head.decode())

    def _more(self):
        got = self.link.recv(65536)
        if not got:
            raise ConnectionError("closed")
        self.bytes += got

    def _frame(self, opcode, payload):
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        assert len(payload) < 126
        self.link.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def say(self, value):
        self._frame(1, json.dumps(value).encode())

    def hear(self, seconds):
        """The next text message as JSON."""
        self.link.settimeout(seconds)
        while True:
            while len(self.bytes) < 2:
                self._more()
            size, begin = self.bytes[1], 2
            if size == 126:
                while len(self.bytes) < 4:
                    self._more()
                size, begin = struct.unpack(">H", self.bytes[2:4])[0], 4
            while len(self.bytes) < begin + size:
                self._more()
            opcode, payload = self.bytes[0] & 15, self.bytes[begin:begin + size]
            self.bytes = self.bytes[begin + size:]
            if opcode == 1:
                return json.loads(payload)
            if opcode == 9:
                self._frame(10, payload)
            if opcode == 8:
                raise ConnectionError("closed by the station")

    def ping(self):
        self._frame(9, b"beat")

    def close(self):
        self.link.close()
