"""pilotwire-boot with real programs in real slots, started again and again as a service manager does.

    boot_test.py PILOTWIRE_BOOT SLOTS_TOOL

SLOTS_TOOL makes releases signed with the test keys, installs them through the station's own port, and is
the program in them: it does what the component `behaviour` says. A folder of its own, nothing else.
"""
import fcntl
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BOOT, TOOL = sys.argv[1:3]
KILLS = int(os.environ.get("PW_BOOT_KILLS", "25"))


class Slots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shelf = pathlib.Path(tempfile.mkdtemp(prefix="pilotwire-boot-"))
        cls.program = cls.shelf / "program"
        subprocess.run(["strip", "-o", cls.program, TOOL], check=True)
        subprocess.run([TOOL, "root", cls.shelf / "root"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shelf)

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.shelf))
        self.folder = self.place / "slots"
        self.folder.mkdir(mode=0o755)
        shutil.copy(self.shelf / "root", self.place / "root")
        self.package = self.place / "package"
        shutil.copy(self.program, self.package)

    def make(self, version, behaviour="confirm", counter=1, program=None, *more):
        path = self.place / f"{version}.pwr"
        subprocess.run([TOOL, "make", path, version, str(counter), program or self.program, behaviour, *more],
                       check=True)
        return path

    def install(self, release, **environment):
        done = subprocess.run([TOOL, "install", self.folder, self.place / "root", release], capture_output=True,
                              env={**os.environ, **environment}, timeout=30)
        return done.stdout.decode().strip()

    def boot(self, *more, hangs=False):
        """One start, as by the service manager: what is said on both, and killed when it hangs."""
        process = subprocess.Popen([BOOT, "--folder", self.folder, "--package", self.package, "--root",
                                    self.place / "root", *more, "--", "state", self.folder, self.place / "root"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = process.stdout.readline() if hangs else b""
        if hangs:
            process.kill()
        out, log = process.communicate(timeout=30)
        self.log = log.decode()
        return (said + out).decode().strip()

    def status(self):
        done = subprocess.run([BOOT, "status", "--folder", self.folder, "--json"], capture_output=True, check=True)
        return json.loads(done.stdout)

    def confirmed(self, version, counter=1):
        self.assertIn("switched", self.install(self.make(version, "confirm", counter)))
        said = self.boot()
        self.assertIn("trial=1 tries=2", said)
        said = self.boot()
        self.assertIn("run ", said)
        self.assertIn("trial=0", said)

    def test_nothing_in_the_slots_runs_the_package(self):
        self.assertIn("state able=1 running=- current=- trial=0", self.boot())
        self.assertIn("the program of the package", self.log)

    def test_a_new_program_is_tried_confirmed_and_stays(self):
        self.confirmed("1.0.0", 3)
        self.assertIn("slot=a version=1.0.0", self.log)
        self.confirmed("1.1.0", 4)
        self.assertIn("slot=b version=1.1.0", self.log)
        status = self.status()
        self.assertEqual((status["confirmed"], status["trial"], status["counter"]), ("b", None, 4))
        self.assertEqual(os.stat(self.folder / "b" / "pilotwire-station").st_mode & 0o777, 0o755)

    def test_whoever_crashes_hangs_eats_or_leaves_is_given_up_after_three_starts(self):
        self.confirmed("1.0.0")
        for number, behaviour in enumerate(("crash", "hang", "eat", "leave"), 1):
            self.assertIn("switched", self.install(self.make(f"1.0.{number}", behaviour)))
            for left in (2, 1, 0):
                said = self.boot(hangs=behaviour == "hang")
                self.assertIn(f"running=b current=b trial=1 tries={left}", said, behaviour)
            said = self.boot()
            self.assertIn("running=a current=a trial=0", said, behaviour)
            self.assertIn(f"returned=1.0.{number} why=it was started 3 times and never confirmed", said)
        self.assertEqual(self.status()["b"]["use"], "given-up")

    def test_whoever_says_that_it_is_unwell_is_given_up_at_once(self):
        self.confirmed("1.0.0")
        self.install(self.make("1.1.0", "reject", 7))
        self.assertIn("running=b", self.boot())
        self.assertIn("running=a current=a trial=0 tries=0 counter=1 returned=1.1.0 why=the central was not reached",
                      self.boot())

    def test_a_program_that_cannot_be_executed_is_passed_over_without_a_loop(self):
        self.confirmed("1.0.0")
        stump = self.place / "stump"
        stump.write_bytes(self.program.read_bytes()[:100])
        self.assertIn("switched", self.install(self.make("1.1.0", "confirm", 1, stump)))
        for left in (2, 1, 0):
            self.assertIn("running=a", self.boot())
            self.assertEqual(self.status()["tries"], left)
        self.boot()
        self.assertEqual(self.status()["returned"], "1.1.0")

    def test_what_is_not_what_was_signed_is_not_started(self):
        def flip(path):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)

        def link(path):
            shutil.move(path, self.place / "moved")
            path.symlink_to(self.place / "moved")

        changes = {"flipped": flip, "a link": link, "open to all": lambda path: path.chmod(0o777),
                   "gone": lambda path: path.unlink(), "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
                   "longer": lambda path: path.write_bytes(path.read_bytes() + b"x")}
        for what, change in changes.items():
            for file in ("pilotwire-station", "release", "behaviour"):
                shutil.rmtree(self.folder)
                self.folder.mkdir(mode=0o755)
                self.assertIn("switched", self.install(self.make("1.1.0")))
                change(self.folder / "a" / file)
                self.assertIn("state", self.boot(), f"{file} {what}")
                self.assertIn("the program of the package", self.log)

    def test_what_changes_after_it_was_written_is_not_switched_to(self):
        """A charge may lie between: what is in the slot is hashed once more before it is the next."""
        self.confirmed("1.0.0")
        slot = "b" if self.status()["confirmed"] == "a" else "a"
        for file in ("pilotwire-station", "release", "behaviour"):
            said = self.install(self.make("1.1.0"), PW_SLOTS_SPOIL=str(self.folder / slot / file))
            self.assertTrue(said.startswith("altered"), said)
            self.assertIsNone(self.status()["trial"])

    def test_others_may_not_write_where_programs_lie(self):
        self.confirmed("1.0.0")
        for path in (self.folder / "a", self.folder):
            path.chmod(0o777)
            self.assertIn("state", self.boot())
            path.chmod(0o755)
            self.assertIn("run ", self.boot() if path == self.folder else "run ")

    def test_nothing_that_lies_in_the_folder_or_locks_it_keeps_the_station_from_starting(self):
        for kinds in ((os.mkfifo, os.mkfifo), (os.mkdir, os.mkfifo)):
            for number, make in enumerate(kinds):
                make(self.folder / f"boot.{number}")
            self.assertIn("state", self.boot())
            self.assertIn("none can be written", self.log)
            shutil.rmtree(self.folder)
            self.folder.mkdir(mode=0o755)
        self.confirmed("1.0.0")
        holder = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(holder, fcntl.LOCK_EX)
        self.assertIn("state", self.boot())
        self.assertIn("cannot be locked", self.log)
        os.close(holder)
        self.assertIn("run ", self.boot())

    def test_a_release_for_other_hardware_is_not_started(self):
        self.assertIn("switched", self.install(self.make("1.0.0", "confirm", 1, None, "other-board")))
        self.assertIn("state", self.boot("--hardware", "generic"))
        self.assertIn("hardware is other-board", self.log)
        self.assertEqual(self.status()["returned"], "1.0.0")

    def test_a_release_of_a_stranger_is_not_started(self):
        self.assertIn("switched", self.install(self.make("1.0.0", "confirm", 1, None, "generic", "a stranger")))
        self.assertIn("state", self.boot())
        self.assertIn("good signatures", self.log)

    def test_without_the_makers_root_nothing_in_the_slots_is_started(self):
        self.confirmed("1.0.0")
        (self.place / "root").write_bytes(b"nothing")
        self.assertIn("state", self.boot())
        shutil.copy(self.shelf / "root", self.place / "root")
        self.assertIn("run ", self.boot())

    def test_a_newer_package_runs_and_an_older_one_does_not(self):
        self.confirmed("1.1.0")
        for version, runs in (("1.0.9", "run "), ("1.1.0", "run "), ("1.2.0", "state ")):
            subprocess.run([BOOT, "prefer-package", "--folder", self.folder, "--version", version], check=True,
                           capture_output=True)
            self.assertTrue(self.boot().startswith(runs), version)
        # It is missing: what was confirmed once is better than nothing.
        self.package.unlink()
        self.assertIn("run ", self.boot())
        # And the next release from over the air is newer again.
        self.confirmed("1.3.0")

    def test_the_writing_program_is_killed_at_any_moment(self):
        seed = int(os.environ.get("PW_SEED", time.time_ns() % 1000000))
        chance = random.Random(seed)
        self.confirmed("1.0.0", 5)
        large = self.place / "large"
        large.write_bytes(self.program.read_bytes() + bytes(4000000))
        newer = self.make("1.1.0", "leave", 6, large)
        shutil.copytree(self.folder, self.place / "before")
        began = time.monotonic()
        self.assertIn("switched", self.install(newer))
        whole = time.monotonic() - began
        ends = {"old": 0, "new": 0}
        for kill in range(KILLS):
            shutil.rmtree(self.folder)
            shutil.copytree(self.place / "before", self.folder)
            process = subprocess.Popen([TOOL, "install", self.folder, self.place / "root", newer],
                                       stdout=subprocess.DEVNULL)
            time.sleep(chance.random() * whole * 1.2)
            process.kill()
            process.wait()
            said = self.boot()
            self.assertIn("run able=1", said, f"seed {seed}, kill {kill}: {self.log}")
            new = "trial=1" in said
            self.assertIn(f"version=1.{int(new)}.0", self.log, f"seed {seed}, kill {kill}")
            self.assertEqual(self.status()["counter"], 5)
            ends["new" if new else "old"] += 1
        self.assertIn("switched", self.install(newer))
        self.assertIn("trial=1 tries=2", self.boot())
        print(f"{KILLS} kills while writing: {ends}, seed {seed}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
