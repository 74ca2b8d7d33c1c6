"""Our releases before a judge that knows doc/update.md only, and its releases before ours.

judge.py COMMAND: pilotwire. Every difference is a failure; the seed is printed.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

import reader

COMMAND = str(pathlib.Path(sys.argv[1]).absolute())
SEED = int(os.environ.get("PW_SEED", "20261121"))
NOW = int(time.time() * 1000)
CHANGED = int(os.environ.get("PW_CHANGED", "200"))  # files that differ from a good one by a byte, a length, or a rule


def seed_of(text):
    return hashlib.sha256(text.encode()).digest()


ROOTS = [seed_of(f"pilotwire test root {n}") for n in (1, 2, 3)]
KEYS = [seed_of(f"pilotwire test release {n}") for n in (1, 2, 3)]


def root(version=1, roots=ROOTS, keys=KEYS, expires="2090-01-01T00:00:00.000Z"):
    return {"format": "pilotwire-root-1", "version": version, "expires": expires,
            "root": {"threshold": 2, "keys": sorted(map(reader.public, roots))},
            "release": {"threshold": 1, "keys": sorted(map(reader.public, keys))}}


def manifest(parts, **changes):
    return {"format": "pilotwire-release-1", "product": "pilotwire-station", "hardware": ["generic", "other"],
            "version": "1.2.3", "min_from": "", "security_counter": 4, "expires": "2089-12-31T23:59:59.999Z",
            "notes_url": "", "components": [{"name": name, "size": len(piece),
                                             "sha256": hashlib.sha256(piece).hexdigest()}
                                            for name, piece in parts.items()], **changes}


class Judge(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def says(self, *words):
        return subprocess.run([COMMAND, "release", *map(str, words)], capture_output=True, text=True, timeout=30,
                              cwd=self.path)

    def does(self, *words):
        done = self.says(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ours(self, data, trusted):
        """Our verdict: "fine", a word of the page, or "altered"."""
        (self.path / "it.pwr").write_bytes(data)
        (self.path / "its-root").write_bytes(trusted)
        done = self.says("verify", "it.pwr", "--root", "its-root", "--json")
        self.assertIn(done.returncode, (0, 3), done.stderr)
        if not done.stdout:
            return "malformed"
        told = json.loads(done.stdout)
        self.assertEqual(told["good"], done.returncode == 0)
        return "altered" if told["verdict"] == "fine" and not told["good"] else told["verdict"]

    def theirs(self, data, trusted):
        try:
            reader.judge(data, reader.first_root(trusted), NOW)
        except reader.Refused as refused:
            return refused.args[0]
        return "fine"

    def make(self, rng):
        parts = {"pilotwire-station": rng.randbytes(rng.randrange(1, 5000)), "mcu.bin": rng.randbytes(70)}
        for name, piece in parts.items():
            (self.path / name).write_bytes(piece)
        self.does("build", "--version", "1.2.3", "--hardware", "generic", "--counter", 7, "--component",
                  "pilotwire-station=pilotwire-station", "--component", "mcu.bin=mcu.bin", "--expires", "2080-02-29",
                  "--min-from", "1.0.0", "--notes", "https://example.org/a?b=c#d", "--out", "ours.pwr")
        return parts

    def test_what_we_make_is_what_the_page_says(self):
        self.make(random.Random(SEED))
        self.does("key", "test", "release", 2, "key")
        self.does("sign", "ours.pwr", "--key", "key")
        for n in (1, 2, 3):
            self.does("key", "test", "root", n, f"root-{n}")
            self.does("key", "test", "release", n, f"release-{n}")
        self.does("root", "new", "--expires", "2090-01-01", *(word for n in (1, 2, 3) for word in (
            "--root-key", f"root-{n}.pub", "--release-key", f"release-{n}.pub")), "--out", "root")
        self.does("root", "sign", "root", "--key", "root-3", "--key", "root-1")
        made = (self.path / "root").read_bytes()
        self.assertEqual(made, reader.write_root(root(), [ROOTS[0], ROOTS[2]]))  # Ed25519 is deterministic
        told = reader.judge((self.path / "ours.pwr").read_bytes(), reader.first_root(made), NOW, 7, "generic", "1.1.9")
        self.assertEqual((told["version"], told["min_from"], told["expires"]),
                         ("1.2.3", "1.0.0", "2080-02-29T00:00:00.000Z"))

    def test_what_the_page_says_is_taken_by_us(self):
        parts = {"a.b-c_1": b"x" * 70000, "pilotwire-station": b"\0"}
        chain = reader.write_root(root(2, ROOTS[1:] + [seed_of("another")], [seed_of("new")]), ROOTS[1:])
        made = reader.write(manifest(parts), parts.values(), [seed_of("new"), seed_of("unknown")], chain)
        trusted = reader.write_root(root(), ROOTS)
        self.assertEqual((self.theirs(made, trusted), self.ours(made, trusted)), ("fine", "fine"))
        self.assertEqual(self.does("inspect", "it.pwr", "--json"), self.does("inspect", "it.pwr", "--json"))
        told = json.loads(self.does("inspect", "it.pwr", "--json"))
        self.assertEqual(told["file_size"], len(made))
        self.assertEqual(told["roots"], [2])

    def changed(self, rng, good, parts, trusted):
        """A file that differs from a good one; the second value says how."""
        data = bytearray(good)
        how = rng.randrange(6)
        head = len(good) - sum(map(len, parts.values()))
        if how == 0:
            at = rng.randrange(len(data))
            data[at] ^= 1 << rng.randrange(8)
            return bytes(data), f"bit at {at}"
        if how == 1:
            at = rng.choice((8, 12, 16))
            data[at:at + 4] = rng.choice((0, 1, 96, 192, 768, 864, 8192, 8193, 16384, 16385, 2**31, 2**32 - 1)).to_bytes(
                4, "big")
            return bytes(data), f"length at {at}"
        if how == 2:
            cut = rng.choice((head, len(data) - 1, rng.randrange(len(data))))
            return bytes(data[:cut]) + rng.randbytes(rng.randrange(2)), f"cut to {cut}"
        changes = rng.choice((
            {"version": rng.choice(("1.2", "01.2.3", "1.2.3-rc", "1.2.3-rc01", "1.2.3-rc7", "999999.0.0", "1.2.1000000"))},
            {"hardware": rng.choice(([], ["a"] * 2, ["a/b"], ["a" * 31], ["a" * 32], [f"m{n}" for n in range(16)],
                                     [f"m{n}" for n in range(17)], ["é"], ["1"], [1], "generic"))},
            {"security_counter": rng.choice((0, -1, 2**32 - 1, 2**32, 2**64, 1.5, True, None, "4"))},
            {"expires": rng.choice(("", "2020-01-01T00:00:00.000Z", "2099-02-29T00:00:00.000Z",
                                    "2096-02-29T00:00:00.000Z", "2099-01-01T24:00:00.000Z",
                                    "2099-01-01T00:00:60.000Z", "2099-01-01", "1970-01-01T00:00:00.000Z", 0))},
            {"notes_url": rng.choice(("https://", "https://a\"", "https://a\\", "https://a/ b", "http://a",
                                      "https://" + "a" * 191, "https://" + "a" * 192, "https://\x7f"))},
            {"product": rng.choice(("", "-a", "pilotwire-central", "A"))},
            {"min_from": rng.choice(("0.0.0", "1", "0.0.0-a", "0.0.0-"))},
            {"components": rng.choice(([], [{"name": "pilotwire-station", "size": 0, "sha256": "0" * 64}],
                                       [{"name": "pilotwire-station", "size": 2**63, "sha256": "0" * 64}],
                                       [{"name": "a", "size": 1, "sha256": "0" * 64}]))},
            {"script": "x"}, {}, {}, {"expires": "2020-01-01T00:00:00.000Z"},
        ))
        text = manifest(parts, **changes)
        if how == 4:
            text = json.dumps(text, separators=(",", ":"), sort_keys=rng.random() < 0.3).encode()
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice((b" ", b"0", b"\\", b"", b"\"", b"\n")) + text[at + rng.randrange(2):]
        signers = rng.choice((KEYS[:1], KEYS, [seed_of("x")], [seed_of("x"), KEYS[2]], [], ROOTS[:1]))
        chain = b"" if how == 3 else b"".join(reader.write_root(root(n, ROOTS, KEYS, rng.choice(
            ("2090-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"))), rng.sample(ROOTS, rng.choice((1, 2, 3, 3))))
            for n in rng.choice(((2,), (2, 3), (1, 2), (3,), (2, 4), (0,), ())))
        return reader.write(text, parts.values(), signers, chain), f"{how} {changes}"

    def test_both_take_and_refuse_the_same(self):
        rng = random.Random(SEED)
        parts = {"pilotwire-station": rng.randbytes(300), "b": b"b"}
        chain = reader.write_root(root(2), ROOTS[:2])
        good = reader.write(manifest(parts), parts.values(), KEYS[:2], chain)
        trusted = reader.write_root(root(), ROOTS[1:])
        self.assertEqual((self.theirs(good, trusted), self.ours(good, trusted)), ("fine", "fine"))
        told = {}
        for n in range(CHANGED):
            data, how = self.changed(rng, good, parts, trusted)
            theirs = self.theirs(data, trusted)
            self.assertEqual(self.ours(data, trusted), theirs, f"seed {SEED}, file {n}: {how}")
            told[theirs] = told.get(theirs, 0) + 1
        print(f"{CHANGED} changed files, both say the same: {told}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
