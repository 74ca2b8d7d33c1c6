#!/usr/bin/env python3
"""The packaged station in a system of images, with real RAUC, GRUB, dm-verity and boots: it updates itself to the
other system and stays, and comes back from systems that are no good.

  updates.py --first DIR --second DIR [--work DIR] [--made]

--first DIR    packages of one version
--second DIR   packages of the next version
--work DIR     where everything is made (build/guest-rauc)
--made         with what an earlier run made, and a new disk

Needs root. Exit status: 0 all as it should be, 1 not, 2 bad command line.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import image  # noqa: E402 (a sibling)
from guest import Guest, Restarted  # noqa: E402
from image import do, say  # noqa: E402

SPEED = 10
BOOT_S, LONG_S = 900, 600  # most that a boot, and anything else, may take on a machine that has other things to do
CENTRAL = "runuser -u pilotwire-central -- pilotwire-central --data /var/lib/pilotwire-central"
SETTINGS = """station:
  id: rauc-guest
can:
  bus0: "mcast:239.74.163.2:43113"
console:
  device: "off"
ocpp:
  url: "ws://127.0.0.1:8180/ocpp"
update:
  backend: rauc
  folder: /var/lib/pilotwire-station/slots
  root: /etc/pilotwire/release-root
connectors:
  - kind: dc
"""


def expect(good, what):
    if not good:
        raise AssertionError(what)


def units():
    now = int(time.time() * 1000)
    clock = f"[Service]\nEnvironment=PILOTWIRE_CLOCK={now}:{now}:{SPEED}\n"
    return {
        "pilotwire-central.service.d/clock.conf": clock,
        # Its first start waits for its key at the central.
        "pilotwire-station.service.d/test.conf":
            f"[Unit]\nConditionPathExists=/data/station-key\n{clock}LoadCredential=ocpp.authorization_key:/data/station-key\n",
        "guest-shell.service": "[Unit]\nAfter=basic.target\n[Service]\nExecStart=/usr/lib/guest-shell\n"
                               "StandardInput=file:/dev/ttyS1\nStandardOutput=file:/dev/ttyS1\nRestart=always\n",
    }


# ---------------------------------------------------------------------------------------------
# What the maker makes.


class Maker:
    def __init__(self, work, programs):
        self.work, self.folder, self.program = work, work / "maker", programs / "usr/bin/pilotwire"
        self.station = programs / "usr/bin/pilotwire-station"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for key in ("root1", "root2", "release1"):
            self.release("key", "new", key, "--no-passphrase")
        self.release("root", "new", "--version", "1", "--expires", "2100-01-01", "--root-key", "root1.pub", "--root-key",
                     "root2.pub", "--release-key", "release1.pub", "--out", "root")
        self.release("root", "sign", "root", "--key", "root1")
        self.release("root", "sign", "root", "--key", "root2")
        for key in ("rauc", "stranger"):
            do("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={key}", "-days", "9", "-keyout",
               f"{key}.key", "-out", f"{key}.crt", cwd=self.folder)

    def release(self, *words):
        do(self.program, "release", *words, cwd=self.folder)

    def make(self, name, version, counter, bundle):
        out = self.work / f"shelf/{name}.pwr"
        self.release("build", "--hardware", "linux-amd64", "--version", version, "--counter", str(counter), "--component",
                     f"pilotwire-station={self.station}", "--component", f"system.raucb={bundle}", "--out", out)
        self.release("sign", out, "--key", "release1")
        return out


def small_bundle(work, name, key):
    """A bundle that RAUC would begin with, as far as its keyring goes."""
    picture = work / f"{name}.img"
    picture.write_bytes(os.urandom(65536))
    return image.bundle(work, name, picture, key)


def build(work, first, second):
    """The systems 0.1.0, 0.1.1 and one whose station crashes; their releases, and what is none, on the shelf."""
    programs = work / "programs"
    shutil.rmtree(programs, ignore_errors=True)
    for name in ("pilotwire", "pilotwire-station"):
        (deb,) = second.glob(f"{name}_*.deb")
        do("dpkg-deb", "-x", deb, programs)
    shutil.rmtree(work / "shelf", ignore_errors=True)
    (work / "shelf").mkdir()
    maker = Maker(work, programs)
    image.base(work / "base")
    root = image.copy(work / "base", work / "root")
    say("the factory's system, of the first packages")
    image.install(root, first)
    image.equip(root, work, SETTINGS, units())
    factory = image.squash(root, work / "system-0.1.0.img")
    say("the next system, one whose station crashes, and their bundles")
    image.install(root, second)
    bundles = {"0.1.1": image.bundle(work, "0.1.1", image.squash(root, work / "system.img"))}
    shutil.copy(root / "usr/bin/false", root / "usr/bin/pilotwire-station")
    bundles["0.1.2"] = image.bundle(work, "0.1.2", image.squash(root, work / "system.img"))
    for version, counter in (("0.1.1", 2), ("0.1.2", 3)):
        maker.make(version, version, counter, bundles[version])
    maker.make("back", "0.1.0", 2, image.bundle(work, "0.1.0", factory))
    good, other = (small_bundle(work, name, "rauc") for name in ("good", "other"))
    maker.make("old", "0.1.0", 1, good)
    expect(good.stat().st_size == other.stat().st_size, "two bundles of one size")
    swapped = maker.make("swapped", "0.1.4", 2, good)
    whole = swapped.read_bytes()
    expect(whole.endswith(good.read_bytes()), "the bundle is the last component")
    swapped.write_bytes(whole[:-good.stat().st_size] + other.read_bytes())
    maker.make("stranger", "0.1.5", 2, small_bundle(work, "stranger", "stranger"))
    (work / "shelf.img").unlink(missing_ok=True)
    do("mksquashfs", work / "shelf", work / "shelf.img", "-noD", "-no-progress", "-quiet")


# ---------------------------------------------------------------------------------------------
# What happens in the guest.


class Story:
    def __init__(self, guest):
        self.guest = guest

    # -- hands

    def station(self, words, check=True):
        return self.guest.run(f"runuser -u pilotwire-station -- pilotwire {words}", check)

    def people(self, words):
        said = self.guest.run("pilotwire --central http://127.0.0.1:8180 --password-file /data/password --json " + words)
        return json.loads(said or "null")

    def version(self):
        said = self.station("version", check=False).split()
        return said[-1] if said else ""

    def record(self):
        return json.loads(self.guest.run("runuser -u pilotwire-station -- /usr/lib/pilotwire/pilotwire-boot status "
                                         "--folder /var/lib/pilotwire-station/slots --json", check=False) or "{}")

    def grub(self):
        return dict(line.split("=", 1) for line in self.guest.run("grub-editenv /bootloader/grub/grubenv list").splitlines())

    def update(self):
        return self.station("update", check=False)

    def rauc_log(self):
        return self.guest.run("journalctl -b -u rauc --no-pager -o cat", check=False)

    def online(self):
        return any(one["ocpp_online"] for one in self.people("stations")["stations"])

    def show(self, what):
        """What a person sees on the machine."""
        grub = self.grub()
        say(f"{what}: system {self.guest.system} booted, station {self.version()}, record {json.dumps(self.record())}, "
            f"grub {' '.join(f'{key}={grub[key]}' for key in sorted(grub))}")
        for line in self.update().splitlines():
            say(f"    pilotwire update: {line}")

    def wait(self, what, ask, seconds):
        return self.guest.wait(what, ask, seconds)

    def station_is_up(self, version):
        self.wait(f"the station {version} answers", lambda: self.version() == version, LONG_S)
        self.wait("it is online", self.online, LONG_S)

    # -- what people see

    def first_boot(self):
        """From the factory: system A, both systems good; a central and its station are made known to each other."""
        expect(self.guest.wait_boot(BOOT_S) == "A", "GRUB starts A first")
        key = self.wait("the central is up", lambda: self.guest.run(
            f"test -e /var/lib/pilotwire-central/first-password && {CENTRAL} station add rauc-guest", check=False), LONG_S)
        self.guest.run(f"umask 77; echo {key.split()[-1]} >/data/station-key; "
                       "install -m 0600 /var/lib/pilotwire-central/first-password /data/password; "
                       "systemctl start pilotwire-station")
        self.station_is_up("0.1.0")
        said = self.guest.run("runuser -u nobody -- busctl call de.pengutronix.rauc / de.pengutronix.rauc.Installer GetPrimary",
                              check=False)
        expect("denied" in said.lower(), f"everybody may call RAUC: {said}")
        self.show("from the factory")

    def updates_itself(self):
        """A release from a file: RAUC writes B, GRUB starts it, the station is on trial, is well, and stays."""
        self.station("update /shelf/0.1.1.pwr")
        expect(self.guest.wait_boot(BOOT_S) == "B", "the new system is B")
        self.wait("it is on trial", lambda: self.record().get("trial") == "b", LONG_S)
        expect(self.record()["confirmed"] != "b", "it is not confirmed before it is well")
        self.wait("it is confirmed", lambda: self.record().get("confirmed") == "b" and self.record().get("trial") is None, LONG_S)
        self.station_is_up("0.1.1")
        grub = self.grub()
        expect(grub["ORDER"] == "B A" and grub["B_OK"] == "1" and grub["B_TRY"] == "0", f"RAUC marked it good: {grub}")
        expect("Installed" in self.update() or "installed" in self.update(), self.update())
        expect(self.record()["counter"] == 2, "the counter rose")
        self.show("updated")

    def stays_over_boots(self):
        """GRUB gives a system one try until the station says again that it is good: so it must at every start."""
        for _ in range(2):
            self.guest.run("systemctl --no-block reboot")
            expect(self.guest.wait_boot(BOOT_S) == "B", "it is B that boots")
            self.station_is_up("0.1.1")
            self.wait("its try is given back", lambda: self.grub()["B_TRY"] == "0", LONG_S)
        self.show("two boots later")

    def swapped_bundle_is_refused(self):
        """The bundle is one that RAUC would take; it is not the one that the manifest names. RAUC is not even asked."""
        before = self.grub()
        self.station("update /shelf/swapped.pwr", check=False)
        self.wait("it is refused", lambda: "0.1.4" in self.update() and "ailed" in self.update(), LONG_S)
        expect("installing" not in self.rauc_log(), f"RAUC was asked: {self.rauc_log()}")
        expect(self.grub() == before, "nothing that GRUB reads changed")
        self.show("another bundle than the signed one")

    def strange_bundle_is_refused(self):
        """The release is right, its bundle is signed by somebody whom RAUC's keyring does not have."""
        self.station("update /shelf/stranger.pwr", check=False)
        self.wait("it is refused", lambda: "0.1.5" in self.update() and "ailed" in self.update(), LONG_S)
        expect("signature verification failed" in self.update(), self.update())
        expect("installing" in self.rauc_log(), "and RAUC's log says so when it is asked")
        expect(self.guest.system == "B" and self.record().get("trial") is None, "nothing is on trial")
        self.show("a bundle that RAUC refuses")

    def older_counter_is_refused(self):
        """The counter is the one that B, the system that runs, was confirmed with."""
        self.station("update /shelf/old.pwr", check=False)
        self.wait("it is refused", lambda: "downgrade: security counter" in self.update(), LONG_S)
        expect(self.guest.system == "B" and self.record()["counter"] == 2, "nothing changed")
        self.show("a release with an older counter")

    def returns_from_a_crash(self):
        """By a roll-out: the station of the new system ends at once. systemd boots again, GRUB takes the one before."""
        release = self.people("release add /shelf/0.1.2.pwr")["id"]
        rollout = self.people(f"rollout start {release} stations=rauc-guest soak_s=0")["rollout"]["id"]
        expect(self.guest.wait_boot(BOOT_S) == "A", "the new system is A")
        say("system A booted, with a station that crashes")
        expect(self.guest.wait_boot(BOOT_S) == "B", "and GRUB goes back to B")
        self.station_is_up("0.1.1")
        failed = self.wait("the central hears of it", lambda: next(
            (one for one in self.people(f"rollout show {rollout}")["stations"] if one["state"] == "failed"), None), LONG_S)
        say(f"the central's roll-out: {failed['state']}: {failed['why']}")
        expect("0.1.2: the boot loader did not stay with it" in self.update(), self.update())
        expect(self.record()["counter"] == 2, "the counter is that of what stayed")
        self.show("a system whose station crashes")

    def survives_a_cut(self):
        """The power goes while RAUC writes; the station begins again by itself, and gets there."""
        self.station("update /shelf/back.pwr")
        doing = self.guest.run("until busctl get-property de.pengutronix.rauc / de.pengutronix.rauc.Installer Progress | "
                               "grep Copying; do sleep 0.2; done")
        self.guest.cut()
        say(f"power cut while RAUC says {doing}")
        expect(self.guest.wait_boot(BOOT_S) == "B", "what ran runs again")
        say(f"B runs again: {json.dumps(self.record())}")
        expect(self.guest.wait_boot(BOOT_S) == "A", "then A")
        self.wait("it is confirmed", lambda: self.record().get("confirmed") == "a" and self.record().get("trial") is None, LONG_S)
        self.station_is_up("0.1.0")
        expect(self.record()["counter"] == 2, "the counter stays")
        self.show("an older version with the same counter, over a power cut")

    def run(self):
        self.first_boot()
        self.updates_itself()
        self.stays_over_boots()
        self.swapped_bundle_is_refused()
        self.strange_bundle_is_refused()
        self.older_counter_is_refused()
        self.returns_from_a_crash()
        self.survives_a_cut()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--first", type=pathlib.Path, required=True)
    parser.add_argument("--second", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/guest-rauc"))
    parser.add_argument("--made", action="store_true")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if not arguments.made:
        build(work, arguments.first.resolve(), arguments.second.resolve())
    image.disk(work, work / "system-0.1.0.img")
    say(f"made in {time.monotonic() - began:.0f} s")
    guest = Guest(work)
    story = Story(guest)
    try:
        guest.start()
        story.run()
    except (AssertionError, Restarted) as error:
        shown = "\n".join(re.sub(r"\x1b\S*", "", line) for line in guest.console().splitlines()[-25:])
        say(f"FAILED: {error or 'it booted, and should not have'}\nthe console ends in:\n{shown}")
        return 1
    finally:
        guest.stop()
    say(f"all as it should be, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
