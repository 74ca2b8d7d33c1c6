"""What the tests of programs have in common: the programs, a folder of their own, and waiting with a bound.

The programs are known by their names, in whatever order they are given; names of tests may follow: test.py PROGRAM...
[CLASS.TEST...]. Loopback and free ports only.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "said"))
import traffic  # noqa: E402

GIVEN = {pathlib.Path(one).name: one for one in sys.argv[1:]}
STATION, CENTRAL, SIM, COMMAND, BOOT, RELAY = map(GIVEN.get, (
    "pilotwire-station", "pilotwire-central", "pilotwire-sim", "pilotwire", "pilotwire-boot", "pilotwire-relay"))
OURS = ("PILOTWIRE_CLOCK", "PILOTWIRE_PASSWORD", "STATE_DIRECTORY", "NOTIFY_SOCKET")
NOT_YET = (OSError, subprocess.CalledProcessError, json.JSONDecodeError, LookupError, TypeError)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports():
    """A port for a central whose tenth successor, the station link's, is free too."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as one:
            port = one.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 10)):
                return port


class Case(unittest.TestCase):
    """A folder, and programs that end with the test. Their clocks run `speed` times as fast."""

    wait_s = 30
    speed = 1

    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)
        self.addCleanup(traffic.write, self.folder)
        self.running = {}
        self.environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment["PILOTWIRE_CONTROL"] = str(self.folder / "s.sock")
        if self.speed != 1:
            now = int(time.time() * 1000)
            self.environment["PILOTWIRE_CLOCK"] = f"{now}:{now}:{self.speed}"

    def start(self, name, *command, **environment):
        """Starts a program that writes NAME.log; it ends with the test at the latest."""
        with (self.folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env={**self.environment, **environment})
        self.running[name] = program
        self.addCleanup(self.end, program)
        return program

    @staticmethod
    def end(program):
        with contextlib.suppress(ProcessLookupError):
            program.send_signal(signal.SIGCONT)
            program.terminate()
        try:
            program.wait(8)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    def text_of(self, name):
        """What the program of that name has written; nothing before its first start."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def once(self, *command, code=0, given="", **more):
        """Runs a program to its end; it reads `given`. `code`: what it must end with; None: anything."""
        done = subprocess.run(command, **{"env": self.environment, "input": given, "timeout": self.wait_s,
                                          "capture_output": True, "text": True, "check": False, **more})
        if code is not None:
            self.assertEqual(done.returncode, code, (command, done.stdout, done.stderr))
        return done

    def until(self, true, what, wait_s=None):
        """Waits until it is true, and returns it; what cannot be asked yet is not."""
        deadline = time.monotonic() + (wait_s or self.wait_s)
        while time.monotonic() < deadline:
            with contextlib.suppress(*NOT_YET):
                found = true()
                if found:
                    return found
            time.sleep(0.03)
        logs = "".join(f"\n--- {name}\n{self.text_of(name)[-4000:]}" for name in self.running)
        raise AssertionError(f"gave up waiting for {what}{logs}")

    def write(self, name, text, mode=0o600):
        file = self.folder / name
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    def tell(self, *words):
        """A word to the simulator whose control socket is sim.sock; what it answers."""
        return self.once(SIM, "tell", str(self.folder / "sim.sock"), *words).stdout

    def truth(self):
        """What is so in the simulated world."""
        with socket.socket(socket.AF_UNIX) as sim:
            sim.settimeout(self.wait_s)
            sim.connect(str(self.folder / "sim.sock"))
            sim.sendall(b"status\n")
            return json.loads(sim.makefile().readline())

    def status(self):
        return json.loads(self.once(COMMAND, "--json", "status", code=None).stdout)

    def connector(self):
        return self.status()["connectors"][0]

    def central_says(self, *words, given=""):
        return self.once(CENTRAL, "-d", str(self.folder / "central"), *words, given=given).stdout.strip()


def main(life_s=120):
    """Runs the tests of the program; whatever hangs ends it after `life_s`."""
    signal.alarm(life_s)
    unittest.main(module="__main__", argv=sys.argv[:1] + [one for one in sys.argv[1:] if "/" not in one], verbosity=2)
