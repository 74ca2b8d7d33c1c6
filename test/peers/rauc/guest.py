"""The guest: qemu runs its disk, and a shell on its second serial line does what it is told."""
import base64
import shutil
import socket
import subprocess
import tempfile
import time


class Restarted(Exception):
    """The guest booted while it was asked for something."""


class Guest:
    def __init__(self, work):
        self.work, self.place, self.process, self.line = work, "", None, None
        self.received, self.number, self.starts = b"", 0, 0
        self.system, self.boot = "", ""

    # -- power

    def start(self):
        """Puts the power on. At a boot qemu ends, and is started again: each boot is a cold one."""
        self.starts += 1
        # A short path: a socket's name has little room.
        self.place = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-M", "q35", "-no-reboot", "-m", "768", "-nodefaults", "-display", "none",
             "-drive", f"file={self.work}/disk,if=virtio,format=raw,cache=writeback",
             "-drive", f"file={self.work}/shelf.img,if=virtio,format=raw,readonly=on",
             "-serial", f"file:{self.work}/console-{self.starts}", "-chardev", f"socket,id=shell,path={self.place}/shell,server=on,wait=off",
             "-serial", "chardev:shell"],
            stdin=subprocess.DEVNULL)
        by = time.monotonic() + 20
        while self.line is None:
            try:
                line = socket.socket(socket.AF_UNIX)
                line.connect(f"{self.place}/shell")
                self.line = line
            except OSError:
                if time.monotonic() > by or self.process.poll() is not None:
                    raise AssertionError("qemu does not start") from None
                time.sleep(0.1)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.line is not None:
                self.line.close()
                self.line, self.received = None, b""
            shutil.rmtree(self.place)
            self.process = None

    def cut(self):
        """Power off and on again: nothing is written any more that was not."""
        self.stop()
        self.start()

    def console(self):
        return (self.work / f"console-{self.starts}").read_bytes().decode(errors="replace").replace("\r", "")

    # -- words

    def read_line(self, by):
        while b"\n" not in self.received:
            if time.monotonic() > by:
                raise AssertionError(f"the guest says nothing; its console ends in:\n{self.console()[-2000:]}")
            self.line.settimeout(max(0.1, by - time.monotonic()))
            try:
                got = self.line.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                got = b""
            if not got:
                self.stop()
                self.start()
            self.received += got
        line, self.received = self.received.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def noted_boot(self, line):
        words = line.split()
        if len(words) != 3 or words[0] != "ready" or words[2] == self.boot:
            return False
        self.system, self.boot = words[1], words[2]
        return True

    def wait_boot(self, seconds):
        """Until it has booted; the name of the system that runs."""
        by = time.monotonic() + seconds
        while not self.noted_boot(self.read_line(by)):
            pass
        return self.system

    def run(self, words, check=True, seconds=600):
        """What `words`, of its shell, say. With check: they must end with 0."""
        self.number += 1
        self.line.sendall(f"{self.number} {base64.b64encode(words.encode()).decode()}\n".encode())
        by = time.monotonic() + seconds
        while True:
            line = self.read_line(by)
            if self.noted_boot(line):
                raise Restarted
            answer = line.split()
            if answer and answer[0] == str(self.number):
                break
        said = base64.b64decode(answer[2]).decode(errors="replace") if len(answer) > 2 else ""
        if check and answer[1] != "0":
            raise AssertionError(f"{words} ended with {answer[1]}:\n{said[-2000:]}")
        return said.strip()

    def wait(self, what, ask, seconds):
        """Until ask() is true, over boots."""
        by, last = time.monotonic() + seconds, None
        while time.monotonic() < by:
            try:
                last = ask()
            except Restarted:
                last = "it boots"
                continue
            if last:
                return last
            time.sleep(0.5)
        raise AssertionError(f"{what}: not within {seconds} s; {last!r}")
