#!/usr/bin/python3
"""Releases that bring an image of the whole system, given to RAUC over a D-Bus of the test's own.

    rauc_test.py SLOTS_TOOL

Debian's RAUC makes the bundles, says which system runs, marks it, and refuses what it must; it cannot install
here, where there is no dm-verity. So the way that ends well has RAUC played by python-dbusmock."""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

TOOL = sys.argv[1]
HERE = pathlib.Path(__file__).parent
BACKEND = """#!/bin/sh
# RAUC's boot loader: files.
cd "$(dirname "$0")"
echo "$*" >>asked
case "$1" in
get-primary) cat primary ;;
set-primary) echo "$2" >primary ;;
get-state) echo good ;;
esac
"""


def tool(*words, bus=None):
    environment = {**os.environ, **({"PW_RAUC_BUS": bus} if bus else {})}
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, timeout=10, env=environment)
    return done.stdout.decode().strip()


class Rauc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shelf = pathlib.Path(tempfile.mkdtemp(prefix="pilotwire-rauc-"))
        tool("root", cls.shelf / "root")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=maker", "-days", "9",
                        "-keyout", cls.shelf / "key", "-out", cls.shelf / "cert"], check=True, capture_output=True)
        for kind in ("verity", "plain"):
            content = cls.shelf / kind
            content.mkdir()
            (content / "rootfs.img").write_bytes(os.urandom(65536))
            (content / "manifest.raucm").write_text(
                f"[update]\ncompatible=pilotwire-test\nversion=1\n\n[bundle]\nformat={kind}\n\n"
                "[image.rootfs]\nfilename=rootfs.img\n")
            subprocess.run(["rauc", "bundle", f"--cert={cls.shelf}/cert", f"--key={cls.shelf}/key", content,
                            cls.shelf / f"{kind}.raucb"], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shelf)

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.shelf))
        self.folder = self.place / "slots"
        self.folder.mkdir(mode=0o755)
        self.bus = f"unix:path={self.place}/bus"
        self.programs = []
        self.run_program("dbus-daemon", "--session", "--nofork", f"--address={self.bus}")
        self.wait_for(lambda: (self.place / "bus").exists())

    def tearDown(self):
        while self.programs:
            self.stop_last()

    def run_program(self, *words, **environment):
        with open(self.place / "log", "a") as log:
            self.programs.append(subprocess.Popen(
                words, stdout=log, stderr=log, env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus,
                                                    "DBUS_SESSION_BUS_ADDRESS": self.bus, **environment}))

    def stop_last(self):
        program = self.programs.pop()
        program.terminate()
        program.wait(5)

    def wait_for(self, what):
        for _ in range(200):
            if what():
                return
            time.sleep(0.02)
        self.fail((self.place / "log").read_text())

    def said(self):
        return (self.place / "log").read_text()

    def call(self, *words):
        return subprocess.run(["dbus-send", f"--bus={self.bus}", "--print-reply", "--dest=de.pengutronix.rauc", "/",
                               *words], capture_output=True, timeout=10)

    def start_mock(self):
        self.run_program("/usr/bin/python3", "-m", "dbusmock", "--template", HERE / "rauc_mock.py")
        self.wait_for(lambda: self.call("de.pengutronix.rauc.Installer.GetPrimary").returncode == 0)

    def start_real(self):
        backend = self.place / "backend"
        backend.write_text(BACKEND)
        backend.chmod(backend.stat().st_mode | stat.S_IXUSR)
        (self.place / "primary").write_text("A\n")
        rows = "".join(f"[slot.rootfs.{i}]\ndevice={self.place}/disk{i}\ntype=raw\nbootname={'AB'[i]}\n" for i in (0, 1))
        for i in (0, 1):
            (self.place / f"disk{i}").write_bytes(bytes(131072))
        (self.place / "system.conf").write_text(
            f"[system]\ncompatible=pilotwire-test\nbootloader=custom\nstatusfile={self.place}/status\n"
            f"mountprefix={self.place}/mnt\n[handlers]\nbootloader-custom-backend={backend}\n"
            f"[keyring]\npath={self.shelf}/cert\n{rows}")
        (self.place / "mnt").mkdir()
        self.run_program("rauc", f"--conf={self.place}/system.conf", "--override-boot-slot=A", "service")
        self.wait_for(lambda: self.call("de.pengutronix.rauc.Installer.GetPrimary").returncode == 0)

    def release(self, version, bundle, counter=3):
        path = self.place / f"{version}.pwr"
        tool("bundle", path, version, counter, TOOL, bundle)
        return path

    def install(self, release):
        return tool("install", self.folder, self.shelf / "root", release, bus=self.bus)

    def state(self, command="state"):
        return tool(command, self.folder, self.shelf / "root", bus=self.bus)

    def boot(self, system):
        self.assertEqual(self.call("pilotwire.Test.Boot", f"string:{system}").returncode, 0)

    def test_rauc_itself_says_what_runs_and_refuses_a_bundle_it_cannot_mount(self):
        self.start_real()
        self.assertIn("able=1 running=a", self.state())
        said = self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        print("RAUC said:", said, file=sys.stderr)
        if os.path.exists("/dev/mapper/control"):
            return  # here it may have been able to
        self.assertTrue(said.startswith("failed"), said)
        self.assertIn("RAUC: Failed mounting bundle", said)
        # The one that runs is as it was, nothing is on trial, and the next attempt begins anew.
        self.assertIn("running=a current=a trial=0", self.state())
        self.assertEqual((self.place / "primary").read_text().strip(), "A")
        self.assertFalse(list(self.folder.glob("b/*")))

    def test_rauc_itself_marks_the_system_that_is_confirmed(self):
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.boot("B")
        self.assertIn("trial=1", self.state())
        self.stop_last()
        self.start_real_as("B")
        said = self.state("confirm")
        self.assertIn("settled\nstate able=1 running=b current=b trial=0", said)
        self.assertIn("set-state B good", (self.place / "asked").read_text())

    def start_real_as(self, system):
        self.start_real()
        self.stop_last()
        self.run_program("rauc", f"--conf={self.place}/system.conf", f"--override-boot-slot={system}", "service")
        self.wait_for(lambda: self.call("de.pengutronix.rauc.Installer.GetPrimary").returncode == 0)

    def test_an_image_is_installed_tried_and_confirmed(self):
        self.start_mock()
        said = self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.assertTrue(said.startswith("switched able=1 running=a current=b"), said)
        # Started again without a boot in between: still on its way.
        self.assertIn("running=a current=b trial=0", self.state())
        self.boot("B")
        self.assertIn("running=b current=b trial=1", self.state())
        self.assertIn("settled\nstate able=1 running=b current=b trial=0 tries=0 counter=3", self.state("confirm"))
        self.assertIn("Mark \"good\" \"booted\"", self.said())
        # And back the other way.
        self.assertIn("switched", self.install(self.release("1.2.0", self.shelf / "verity.raucb", 4)))
        self.boot("A")
        self.assertIn("running=a current=a trial=1", self.state())

    def test_a_system_that_is_unwell_is_marked_bad_and_said_so(self):
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.boot("B")
        self.assertIn("settled", self.state("reject"))
        self.assertEqual(self.marks()[-1], ("bad", "booted"))
        self.boot("A")
        self.assertIn("running=a current=a trial=0 tries=0 counter=0 returned=1.1.0 why=the central was not reached",
                      self.state())

    def test_a_boot_loader_that_went_back_is_noticed(self):
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.boot("A")
        self.assertIn("returned=1.1.0 why=the boot loader did not stay with it", self.state())
        # It may have tries left, and must not be started again as if it had been confirmed.
        self.assertEqual(self.marks()[-2:], [("good", "booted"), ("bad", "other")])

    def test_a_cut_while_rauc_writes_is_no_verdict_on_the_release(self):
        """Nothing was tried, so nothing was given up: the station begins again."""
        self.start_mock()
        release = self.release("1.1.0", self.shelf / "verity.raucb")
        environment = {**os.environ, "PW_RAUC_BUS": self.bus}
        writer = subprocess.Popen([TOOL, "install", self.folder, self.shelf / "root", release], env=environment)
        self.wait_for(lambda: "InstallBundle" in self.said())
        writer.kill()
        writer.wait(5)
        self.boot("A")
        self.assertIn("running=a current=a trial=0 tries=0 counter=0 returned= why=", self.state())
        self.assertIn("switched", self.install(release))
        self.boot("B")
        self.assertIn("running=b current=b trial=1", self.state())

    def marks(self):
        return re.findall(r'Mark "(\w+)" "(\w+)"', self.said())

    def test_a_confirmed_system_is_marked_good_at_every_start(self):
        """Boot loaders give a system that was once good so many boots, too, until they hear that it came up again."""
        self.start_mock()
        self.state()
        self.state()
        self.assertEqual(self.marks(), [("good", "booted")] * 2)
        # Not while it is on trial, and the one before no more once another is to be started.
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        before = len(self.marks())
        self.state()
        self.boot("B")
        self.state()
        self.assertEqual(len(self.marks()), before)

    def test_a_boot_loader_that_names_no_next_system_is_no_reason_to_be_unable(self):
        """GRUB's environment: each good system has had its try, so RAUC finds no primary until one is marked good."""
        self.start_mock()
        self.call("pilotwire.Test.NoPrimary")
        self.assertIn("able=1 running=a", self.state())
        self.assertIn("switched", self.install(self.release("1.1.0", self.shelf / "verity.raucb")))

    def test_a_system_with_a_lower_counter_is_none_to_fall_back_to(self):
        """The boot loader goes back by itself, and knows of no counter: so the older system is marked bad."""
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb", 3))
        self.boot("B")
        self.state("confirm")
        self.assertEqual(self.marks()[-2:], [("good", "booted"), ("bad", "other")])
        # Should it have been cut off there, the next start says it again.
        self.state()
        self.assertEqual(self.marks()[-2:], [("good", "booted"), ("bad", "other")])
        self.install(self.release("1.2.0", self.shelf / "verity.raucb", 3))
        self.boot("A")
        self.state("confirm")
        self.state()
        self.assertEqual(self.marks()[-2:], [("good", "booted")] * 2)
        # What RAUC does not begin with leaves the other system what it was.
        bad = self.place / "bad.raucb"
        bad.write_bytes(b"this one fails" + (self.shelf / "verity.raucb").read_bytes()[14:])
        self.install(self.release("1.3.0", bad, 3))
        self.state()
        self.assertEqual(self.marks()[-2:], [("good", "booted")] * 2)

    def test_a_program_that_was_started_too_often_on_trial_knows_it(self):
        """systemd starts it again and again in the same boot, and no boot loader counts that."""
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.boot("B")
        for left in (2, 1, 0):
            said = self.state()
            self.assertIn(f"trial=1 tries={left}", said)
            self.assertNotIn("worn", said)
        self.assertIn("worn", self.state())
        self.assertIn("worn", self.state())

    def test_a_rauc_that_does_not_answer_at_the_start_is_asked_again(self):
        """Else the station could neither confirm what is on trial, nor install anything until its next start."""
        self.start_mock()
        self.install(self.release("1.1.0", self.shelf / "verity.raucb"))
        self.boot("B")
        self.call("pilotwire.Test.Silence", "boolean:true")
        asked = self.said().count("GetSlotStatus")
        waiting = subprocess.Popen([TOOL, "await", self.folder, self.shelf / "root"], stdout=subprocess.PIPE,
                                   env={**os.environ, "PW_RAUC_BUS": self.bus})
        self.wait_for(lambda: self.said().count("GetSlotStatus") > asked)
        self.call("pilotwire.Test.Silence", "boolean:false")
        said = waiting.communicate(timeout=30)[0].decode()
        self.assertEqual(said.strip()[:60].split(" counter")[0], "state able=1 running=b current=b trial=1 tries=2")

    def test_what_rauc_cannot_install_leaves_all_as_it_was(self):
        self.start_mock()
        bad = self.place / "bad.raucb"
        whole = (self.shelf / "verity.raucb").read_bytes()
        bad.write_bytes(b"this one fails" + whole[14:])
        self.assertIn("RAUC: the image does not fit", self.install(self.release("1.1.0", bad)))
        self.assertIn("running=a current=a trial=0", self.state())

    def test_bundles_that_could_change_while_they_are_installed_are_refused(self):
        self.start_mock()
        for name, content in (("plain", (self.shelf / "plain.raucb").read_bytes()), ("cut", b"x" * 7),
                              ("noise", os.urandom(4096)), ("length", bytes(8) + b"\0\0\0\0\xff\xff\xff\xff")):
            bad = self.place / name
            bad.write_bytes(content)
            self.assertIn("not of RAUC's format verity", self.install(self.release("1.1.0", bad)), name)
        self.assertNotIn("InstallBundle", self.said())

    def test_a_release_without_an_image_is_refused(self):
        self.start_mock()
        path = self.place / "none.pwr"
        tool("make", path, "1.1.0", 1, TOOL, "confirm")
        self.assertIn("refused: the release brings no image of the system", self.install(path))

    def test_without_rauc_nothing_can_be_installed(self):
        self.assertIn("able=0", self.state())
        self.assertIn("refused: RAUC does not say which systems there are",
                      self.install(self.release("1.1.0", self.shelf / "verity.raucb")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
