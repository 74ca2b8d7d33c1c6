"""A station that the packages installed is updated by the central while it charges, survives a program that crashes,
and goes back. The programs are those of the packages; time runs four times as fast for station, central and simulator.
"""
import json
import subprocess
import time

SPEED = 4
BUS = "mcast:239.74.163.2:43113"
CENTRAL = ["pilotwire-central", "--data", "/var/lib/pilotwire-central"]
SETTINGS = f"""station:
  id: cp-install
can:
  bus0: "{BUS}"
console:
  device: "off"
ocpp:
  url: "ws://127.0.0.1:8180/ocpp"
session:
  local_id_tag: CARD1
update:
  folder: /var/lib/pilotwire-station/slots
  root: /etc/pilotwire/release-root
connectors:
  - kind: dc
"""


def expect(good, what):
    if not good:
        raise AssertionError(what)


class Update:
    def __init__(self, box, say, programs):
        self.box, self.say, self.programs = box, say, programs

    # -- hands

    def people(self, *words):
        done = self.box.run("pilotwire", "--central", "http://127.0.0.1:8180", "--password-file", "/root/password", "--json",
                            *words)
        return json.loads(done.stdout or "null")

    def station(self, *words, check=True):
        return self.box.run("pilotwire", "--json", *words, user="pilotwire-station", check=check).stdout

    def version(self):
        said = self.box.run("pilotwire", "version", user="pilotwire-station", check=False).stdout.split()
        return said[-1] if said else ""

    def boot_record(self):
        said = self.box.run("/usr/lib/pilotwire/pilotwire-boot", "status", "--folder", "/var/lib/pilotwire-station/slots",
                            "--json", user="pilotwire-station", check=False)
        return json.loads(said.stdout or "{}")

    def maker(self, *words):
        self.box.run("env", "-C", "/root/maker", "pilotwire", "release", *words)

    # -- steps

    def prepare(self):
        """A maker with keys of its own, a station with a rectifier and a scooter, a central that knows its key and card."""
        box = self.box
        now = int(time.time() * 1000)
        clock = f"PILOTWIRE_CLOCK={now}:{now}:{SPEED}"
        for service, more in (("pilotwire-station", "LoadCredential=ocpp.authorization_key:/root/station-key\n"),
                              ("pilotwire-central", "")):
            folder = box.folder / f"etc/systemd/system/{service}.service.d"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "test.conf").write_text(f"[Service]\nEnvironment={clock}\n{more}")
        box.run("mkdir", "-p", "/root/maker")
        for key in ("root1", "root2", "release1"):
            self.maker("key", "new", key, "--no-passphrase")
        self.maker("root", "new", "--version", "1", "--expires", "2100-01-01", "--root-key", "root1.pub", "--root-key",
                   "root2.pub", "--release-key", "release1.pub", "--out", "root")
        self.maker("root", "sign", "root", "--key", "root1")
        self.maker("root", "sign", "root", "--key", "root2")
        box.run("install", "-m", "0644", "/root/maker/root", "/etc/pilotwire/release-root")
        key = box.run(*CENTRAL, "station", "add", "cp-install", user="pilotwire-central").stdout.strip()
        box.run(*CENTRAL, "card", "add", "CARD1", user="pilotwire-central")
        (box.folder / "root/station-key").write_text(key + "\n")
        box.run("install", "-m", "0600", "/var/lib/pilotwire-central/first-password", "/root/password")
        settings = box.folder / "etc/pilotwire/station.yaml"
        settings.write_text(SETTINGS)  # its owner and mode stay
        box.run("systemctl", "daemon-reload")
        box.run("systemd-run", "--unit=sim", f"--setenv={clock}", "pilotwire-sim", "dc", "--can", BUS, "--plugged",
                "--status", "0")
        box.run("systemctl", "restart", "pilotwire-central", "pilotwire-station")
        box.wait("the station is online", lambda: any(one["ocpp_online"] for one in self.people("stations")["stations"]), 60)
        self.say("a station with a rectifier and a scooter is online at the central")

    def release(self, version, program):
        self.maker("build", "--hardware", "linux-amd64", "--version", version, "--counter", "1", "--component",
                   f"pilotwire-station={program}", "--out", f"{version}.pwr")
        self.maker("sign", f"{version}.pwr", "--key", "release1")
        return self.people("release", "add", f"/root/maker/{version}.pwr")["id"]

    def roll_out(self, release):
        return self.people("rollout", "start", str(release), "stations=cp-install", "soak_s=0")["rollout"]["id"]

    def progress(self, rollout):
        return self.people("rollout", "show", str(rollout))["stations"][0]

    def open_session(self):
        return [one for one in self.people("sessions")["sessions"] if one.get("stopped_at") is None]

    def to_the_next(self, version, program):
        """While it charges it only loads and writes; when the charge is over it becomes the new one, and stays."""
        box = self.box
        self.station("start", "1", "--card", "CARD1")
        box.wait("a charge runs", self.open_session, 60)
        charge = self.open_session()[0]
        rollout = self.roll_out(self.release(version, program))
        box.wait("the new program is here", lambda: self.progress(rollout)["state"] == "downloaded", 60)
        time.sleep(5)
        still = self.open_session()
        expect([one["id"] for one in still] == [charge["id"]], f"the charge was interrupted: {still}")
        expect(self.version() != version, "it did not wait for the charge")
        self.say("loaded and written while it charged; the charge goes on")
        self.station("stop", "1")
        box.wait(f"{version} runs", lambda: self.version() == version, 60)
        box.wait("it is confirmed", lambda: self.boot_record().get("confirmed") in ("a", "b"), 120)
        box.wait("the roll-out has it", lambda: self.progress(rollout)["state"] == "done", 60)
        self.say(f"updated to {version} over the air, and confirmed")

    def survives_a_crash(self, version, program, before):
        rollout = self.roll_out(self.release(version, program))
        box = self.box
        box.wait("the central hears of it", lambda: self.progress(rollout)["state"] == "failed", 120)
        expect(self.version() == before, f"{self.version()} runs, and not {before}")
        said = self.progress(rollout)
        self.say(f"a program that crashes was given up: {said['why']}")

    def back(self, version, program):
        """An older version with the same security counter, which a person asks for by hand."""
        self.maker("build", "--hardware", "linux-amd64", "--version", version, "--counter", "1", "--component",
                   f"pilotwire-station={program}", "--out", f"{version}.pwr")
        self.maker("sign", f"{version}.pwr", "--key", "release1")
        self.box.run("install", "-m", "0644", f"/root/maker/{version}.pwr", "/tmp/back.pwr")
        slot = self.boot_record()["confirmed"]
        self.station("update", "/tmp/back.pwr")
        self.box.wait(f"{version} runs", lambda: self.version() == version, 60)
        self.box.wait("it is confirmed", lambda: self.boot_record().get("confirmed") not in (slot, "package", None), 120)
        sessions = self.people("sessions")["sessions"]
        expect(len(sessions) == 1, f"records changed: {sessions}")
        self.say(f"back at {version}; every record is still there")

    def run(self):
        first, second = self.programs
        self.prepare()
        self.to_the_next("0.1.1", second)
        self.survives_a_crash("0.1.2", "/usr/bin/false", "0.1.1")
        self.back("0.1.0", first)


def unpack(box, name):
    """The station's program of the packages in /root/debs/NAME, in the machine's own /root."""
    to = box.folder / "root" / f"program-{name}"
    deb = next((box.folder / "root/debs" / name).glob("pilotwire-station_*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(deb), str(to)], check=True)
    return f"/root/program-{name}/usr/bin/pilotwire-station"
