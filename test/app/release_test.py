"""`pilotwire release` as a maker meets it: keys, roots, releases, signing without network, and what is refused.

release_test.py COMMAND: pilotwire. No network, no station.
"""

import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

COMMAND = str(pathlib.Path(sys.argv[1]).absolute())
WAIT_S = 30


class Release(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def says(self, *words):
        return subprocess.run([COMMAND, "release", *map(str, words)], capture_output=True, text=True, timeout=WAIT_S,
                              cwd=self.path, stdin=subprocess.DEVNULL)

    def does(self, *words):
        done = self.says(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, code, sentence, *words):
        before = sorted((file.name, file.read_bytes()) for file in self.path.iterdir())
        done = self.says(*words)
        self.assertEqual((done.returncode, sentence in done.stderr), (code, True), (words, done.stderr))
        self.assertEqual(before, sorted((file.name, file.read_bytes()) for file in self.path.iterdir()), words)

    def key(self, name):
        self.does("key", "new", name, "--no-passphrase")

    def root(self):
        """root-1 of three keys, signed by two; release key k."""
        for name in ("a", "b", "c", "k"):
            self.key(name)
        self.does("root", "new", "--expires", "2090-01-01", "--root-key", "a.pub", "--root-key", "b.pub", "--root-key",
                  "c.pub", "--release-key", "k.pub", "--out", "root-1")
        self.does("root", "sign", "root-1", "--key", "a", "--key", "c")

    def build(self, out, *words, program=b"a program\n" * 1000):
        (self.path / "program").write_bytes(program)
        (self.path / "mcu").write_bytes(b"\x7fsomething else")
        self.does("build", "--hardware", "generic", "--component", "pilotwire-station=program", "--component",
                  "mcu.bin=mcu", "--out", out, *words)
        return (self.path / out).read_bytes()

    # --- Keys.

    def test_a_private_key_is_for_its_owner_only(self):
        self.key("k")
        self.assertEqual(stat.S_IMODE((self.path / "k").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((self.path / "k.pub").stat().st_mode), 0o644)
        self.refused(1, "k: File exists", "key", "new", "k", "--no-passphrase")
        self.build("r.pwr", "--version", "1.0.0")
        for mode in (0o640, 0o604, 0o660, 0o601):
            (self.path / "k").chmod(mode)
            self.refused(3, f"k: its mode is {mode:04o}, must be 0600", "sign", "r.pwr", "--key", "k")
        (self.path / "k").chmod(0o400)
        self.does("sign", "r.pwr", "--key", "k")

    def test_a_passphrase_locks_a_key(self):
        (self.path / "right").write_text("correct horse\n")
        (self.path / "wrong").write_text("battery staple\n")
        self.does("key", "new", "k", "--passphrase-file", "right")
        self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", (self.path / "k").read_text())
        self.build("r.pwr", "--version", "1.0.0")
        self.refused(3, "k: the passphrase does not open it", "sign", "r.pwr", "--key", "k", "--passphrase-file", "wrong")
        self.refused(1, "no terminal", "sign", "r.pwr", "--key", "k")
        self.refused(1, "missing: cannot be read", "sign", "r.pwr", "--key", "k", "--passphrase-file", "missing")
        self.does("sign", "r.pwr", "--key", "k", "--passphrase-file", "right")
        # Others' tools read it, and agree on its public half.
        told = subprocess.run(["openssl", "pkey", "-in", "k", "-passin", "file:right", "-pubout"], cwd=self.path, check=True,
                              capture_output=True, text=True, timeout=WAIT_S).stdout
        self.assertEqual(told, (self.path / "k.pub").read_text())

    def at_terminal(self, typed, *words):
        child, terminal = pty.fork()
        signal.alarm(WAIT_S)
        if child == 0:
            os.chdir(self.path)
            os.execv(COMMAND, [COMMAND, "release", *words])
        seen = b""
        try:
            for line in typed:
                while not seen.endswith(b": "):
                    seen += os.read(terminal, 1000)
                seen += b"\n"
                os.write(terminal, line + b"\n")
            while True:
                seen += os.read(terminal, 1000)
        except OSError:
            pass  # it has ended
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(terminal)
        signal.alarm(0)
        return code, seen

    def test_a_passphrase_is_asked_for_twice_and_never_shown(self):
        code, seen = self.at_terminal([b"one thing", b"another"], "key", "new", "k")
        self.assertEqual((code, (self.path / "k").exists()), (3, False))
        self.assertIn(b"not the same", seen)
        code, seen = self.at_terminal([b"open sesame", b"open sesame"], "key", "new", "k")
        self.assertEqual(code, 0, seen)
        self.assertNotIn(b"sesame", seen)
        self.build("r.pwr", "--version", "1.0.0")
        self.assertEqual(self.at_terminal([b"open sesame"], "sign", "r.pwr", "--key", "k")[0], 0)

    def test_only_ed25519_keys_sign(self):
        self.build("r.pwr", "--version", "1.0.0")
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec"],
                       cwd=self.path, check=True, capture_output=True, timeout=WAIT_S)
        (self.path / "ec").chmod(0o600)
        self.refused(3, "ec: is a key of another kind, must be Ed25519", "sign", "r.pwr", "--key", "ec")
        (self.path / "text").write_text("no key")
        (self.path / "text").chmod(0o600)
        self.refused(3, "text: is no private key", "sign", "r.pwr", "--key", "text")
        self.refused(3, "text: is no public Ed25519 key", "key", "show", "text")

    # --- Releases.

    def test_the_same_input_gives_the_same_bytes(self):
        self.root()
        words = ("--version", "1.4.0", "--counter", "3", "--expires", "2090-01-01", "--notes", "https://example.org/")
        first = self.build("r.pwr", *words)
        self.does("sign", "r.pwr", "--key", "k")
        signed = (self.path / "r.pwr").read_bytes()
        self.assertEqual(self.build("r.pwr", *words), first)
        self.does("head", "r.pwr", "--out", "r.head")
        self.assertLess((self.path / "r.head").stat().st_size, 1000)
        # Away from the network: only the head, the key, and what is looked at before it is signed.
        self.assertIn("version     1.4.0", self.does("inspect", "r.head"))
        self.does("sign", "r.head", "--key", "k", "--signature", "r.sig")
        self.assertEqual((self.path / "r.sig").stat().st_size, 96)
        self.does("attach", "r.pwr", "r.sig")
        self.assertEqual((self.path / "r.pwr").read_bytes(), signed)
        self.does("attach", "r.pwr", "r.sig")  # twice is once
        self.assertEqual((self.path / "r.pwr").read_bytes(), signed)
        self.does("verify", "r.pwr", "--root", "root-1", "--hardware", "generic", "--running", "1.3.9", "--counter", "3")

    def test_a_manifest_does_not_vouch_for_other_components(self):
        self.root()
        self.build("a.pwr", "--version", "1.0.0", program=b"A" * 5000)
        self.build("b.pwr", "--version", "1.1.0", program=b"B" * 5000)
        for name in ("a.pwr", "b.pwr"):
            self.does("sign", name, "--key", "k")
            self.does("verify", name, "--root", "root-1")
        size = json.loads(self.does("inspect", "a.pwr", "--json"))["head_size"]
        a, b = (self.path / "a.pwr").read_bytes(), (self.path / "b.pwr").read_bytes()
        self.assertEqual(len(a), len(b))
        (self.path / "mixed.pwr").write_bytes(a[:size] + b[size:])
        self.refused(3, "mixed.pwr: pilotwire-station is not what the manifest says", "verify", "mixed.pwr", "--root", "root-1")
        told = json.loads(self.says("verify", "mixed.pwr", "--root", "root-1", "--json").stdout)
        self.assertEqual((told["good"], [part["good"] for part in told["components"]]), (False, [False, True]))
        for data, sentence in ((a[:-1], f"has {len(a) - 1} bytes, must have {len(a)}"),
                               (a + b"\n", f"has {len(a) + 1} bytes, must have {len(a)}"),
                               (a[:size - 1], "ends within its head"), (a[:19], "is no release file"),
                               (b"#!/bin/sh\necho hello world\n", "is no release file"), (b"", "is no release file"),
                               (a[:size], "is a head only")):
            (self.path / "mixed.pwr").write_bytes(data)
            self.refused(3, sentence, "verify", "mixed.pwr", "--root", "root-1")

    def test_verify_says_what_a_station_would(self):
        self.root()
        self.build("r.pwr", "--version", "1.4.0", "--counter", "3", "--expires", "2040-01-01", "--min-from", "1.2.0")
        verify = ("verify", "r.pwr", "--root", "root-1")
        self.refused(3, "unsigned: the release needs 1 good signatures of 1 keys, has 0", *verify)
        self.does("sign", "r.pwr", "--key", "a")  # a root key is no release key
        self.refused(3, "unsigned", *verify)
        self.does("sign", "r.pwr", "--key", "k")
        self.does(*verify)
        self.refused(3, "foreign: hardware is generic, must have other", *verify, "--hardware", "other")
        self.refused(3, "foreign: product is pilotwire-station, must be x", *verify, "--product", "x")
        self.refused(3, "downgrade: security counter is 3, must be 4 or more", *verify, "--counter", "4")
        self.refused(3, "too-far: the release can be installed from 1.2.0 or newer, this is 1.1.9", *verify, "--running", "1.1.9")
        self.refused(3, "same: version 1.4.0 is the one that runs", *verify, "--running", "1.4.0")
        self.does(*verify, "--running", "1.4.0", "--again")
        self.refused(3, "expired: the release expired at 2040-01-01T00:00:00.000Z", *verify, "--at", "2040-01-01")
        self.refused(3, "expired: the root of trust expired at 2090-01-01T00:00:00.000Z", *verify, "--at", "2090-01-01")

    # --- Roots.

    def test_roots_change_two_of_three_at_a_time(self):
        self.root()
        for name in ("d", "k2"):
            self.key(name)
        self.does("root", "new", "--from", "root-1", "--expires", "2091-01-01", "--root-key", "a.pub", "--root-key",
                  "c.pub", "--root-key", "d.pub", "--release-key", "k2.pub", "--out", "root-2")
        follow = ("root", "verify", "root-2", "--from", "root-1")
        self.refused(3, "needs 2 good signatures of 3 keys, has 0", *follow)
        self.does("root", "sign", "root-2", "--key", "d")
        self.does("root", "sign", "root-2", "--key", "a")
        self.does("root", "verify", "root-2")  # for itself it is good
        self.refused(3, "needs 2 good signatures of 3 keys, has 1", *follow)
        self.does("root", "sign", "root-2", "--key", "c")
        self.does(*follow)
        self.refused(3, "version 1 cannot follow 2", "root", "verify", "root-1", "--from", "root-2")
        told = json.loads(self.does("root", "show", "root-2", "--json"))
        self.assertEqual((told["version"], told["root"]["threshold"], told["signed_by_own"]), (2, 2, 3))
        # Stations of root 1 follow with the release that carries root 2; the old release key signs no more.
        self.build("r.pwr", "--version", "2.0.0", "--root", "root-2")
        self.does("sign", "r.pwr", "--key", "k")
        self.refused(3, "unsigned", "verify", "r.pwr", "--root", "root-1")
        self.does("sign", "r.pwr", "--key", "k2")
        self.assertIn("signed under root 2", self.does("verify", "r.pwr", "--root", "root-1"))

    def test_test_keys_do_not_mix_with_others(self):
        self.root()
        self.assertIn("well-known test key", self.does("key", "test", "release", "1", "t"))
        self.refused(3, "1 of 4 keys are well-known test keys", "root", "new", "--from", "root-1", "--expires",
                     "2090-01-01", "--release-key", "t.pub", "--out", "root-2")
        self.build("r.pwr", "--version", "1.0.0")
        self.assertIn("stations of customers refuse", self.says("sign", "r.pwr", "--key", "t").stderr)
        told = json.loads(self.does("inspect", "r.pwr", "--json"))
        self.assertEqual([row["test_key"] for row in told["signatures"]], [True])
        self.refused(2, "test keys are root 1, 2, 3", "key", "test", "root", "4", "u")

    # --- Command lines.

    def test_a_wrong_command_line_says_what_is_wrong(self):
        self.root()
        self.build("r.pwr", "--version", "1.0.0")
        (self.path / "empty").write_bytes(b"")
        build = ("build", "--hardware", "g", "--component", "pilotwire-station=program", "--out", "x.pwr", "--version")
        for sentence, *words in (
                ("no such command", "sing", "r.pwr"), ("no such command",), ("no such command", "key"),
                ("no such option", "sign", "r.pwr", "--bogus", "1"), ("no such option", "inspect", "r.pwr", "--key", "k"),
                ("needs a value", "sign", "r.pwr", "--key"), ("needs --key", "sign", "r.pwr"),
                ("is given twice", *build, "1.0.0", "--version", "1.0.1"),
                ("--version is 1.0, must be a version as", *build, "1.0"),
                ("--counter is 4294967296, must be 0 to 4294967295", *build, "1.0.0", "--counter", "4294967296"),
                ("--expires is soon, must be a time", *build, "1.0.0", "--expires", "soon"),
                ("--notes is http://x, must begin with https://", *build, "1.0.0", "--notes", "http://x"),
                ("--hardware is A B, must be small letters", *build, "1.0.0", "--hardware", "A B"),
                ("has a name twice", *build, "1.0.0", "--hardware", "g"),
                ("must be NAME=FILE", *build, "1.0.0", "--component", "program"),
                ("empty: must have 1 to", *build, "1.0.0", "--component", "x=empty"),
                ("stands twice", *build, "1.0.0", "--component", "pilotwire-station=mcu"),
                ("has no pilotwire-station", "build", "--hardware", "g", "--component", "x=program", "--out", "x.pwr",
                 "--version", "1.0.0"),
                ("needs --version, --hardware, --component and --out", "build"),
                ("--root-threshold is 4, must be 1 to 3", "root", "new", "--from", "root-1", "--expires", "2090-01-01",
                 "--root-threshold", "4", "--out", "x"),
                ("a.pub: is given twice", "root", "new", "--expires", "2090-01-01", "--root-key", "a.pub", "--root-key",
                 "a.pub", "--out", "x"),
                ("FILE SIGNATURE", "attach", "r.pwr")):
            self.refused(2, sentence, *words)
        for sentence, *words in (("nothing: No such file", "inspect", "nothing"), (".: is not a file", "inspect", "."),
                                 ("nothing: No such file", "sign", "r.pwr", "--key", "nothing"),
                                 ("No such file", *build, "1.0.0", "--component", "x=nothing"),
                                 ("there/x: No such file", "head", "r.pwr", "--out", "there/x")):
            self.refused(1, sentence, *words)
        self.refused(3, "must have 1 to 8 signatures", "attach", "r.pwr", "program")
        self.assertIn("pilotwire release verify FILE", self.does("--help"))
        self.assertIn("--component NAME=FILE", self.does("build", "--help"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
