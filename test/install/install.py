#!/usr/bin/env python3
"""The packages in a fresh Debian 12 that boots with its own systemd: install, serve, update, go back, upgrade,
remove, purge.

  install.py --first DIR --second DIR [--work DIR]

--first DIR    packages of one version
--second DIR   packages of the next version
--work DIR     where the machine is made (build/install)

Needs root. Exit status: 0 all as it should be, 1 not, 2 bad command line.
"""
import argparse
import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machine  # noqa: E402 (a sibling)
import update  # noqa: E402
from machine import say  # noqa: E402

SERVICES = ("pilotwire-station", "pilotwire-central")
CENTRAL = ["pilotwire-central", "--data", "/var/lib/pilotwire-central"]


def expect(good, what):
    if not good:
        raise AssertionError(what)


def version_in(folder):
    (deb,) = folder.glob("pilotwire-station_*.deb")
    return deb.name.split("_")[1]


def is_active(box, service):
    return box.run("systemctl", "is-active", service, check=False).stdout.strip() == "active"


def restarts(box, service):
    return int(box.run("systemctl", "show", "-P", "NRestarts", service).stdout)


def version(box):
    """Of the station that answers; empty while none does."""
    return box.run("pilotwire", "version", user="pilotwire-station", check=False).stdout.strip().split(" ")[-1]


# ---------------------------------------------------------------------------------------------


def installs_and_starts(box):
    """As apt does it, with nothing configured by hand: both services run, as users of their own, behind their fence."""
    done = box.run("apt-get", "install", "-y", *box.debs("root/debs/first"))
    expect("Failed" not in done.stdout, done.stdout[-2000:])
    for service in SERVICES:
        box.wait(f"{service} is active", lambda: is_active(box, service), 30)
        expect(box.run("systemctl", "is-enabled", service).stdout.strip() == "enabled", f"{service} starts at boot")
        user = box.run("systemctl", "show", "-P", "MainPID", service).stdout.strip()
        expect(box.run("stat", "-c", "%U", f"/proc/{user}").stdout.strip() == service, f"{service} runs as its own user")
    time.sleep(5)
    for service in SERVICES:
        expect(restarts(box, service) == 0, f"{service} had to be restarted")
    say("both services run, each as its own user, and stay")


def keeps_what_it_has_to_itself(box):
    """Folders are their owners', and the units' fences are what systemd calls well protected."""
    for folder, owner in (("/var/lib/pilotwire-station", "pilotwire-station"), ("/var/lib/pilotwire-central", "pilotwire-central")):
        expect(box.run("stat", "-c", "%U %a", folder).stdout.split() == [owner, "700"], f"{folder} is not its owner's alone")
    for service in SERVICES:
        text = box.run("systemd-analyze", "security", "--no-pager", service, check=False).stdout
        level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text).group(1))
        expect(level <= 2.5, f"{service}: exposure {level}, at most 2.5 is wanted")
        box.run("systemd-analyze", "verify", f"/lib/systemd/system/{service}.service")
        say(f"{service}: exposure level {level} of 10")
    journal = box.run("journalctl", "-u", "pilotwire-central", "--no-pager").stdout
    password = (box.folder / "var/lib/pilotwire-central/first-password").read_text().strip()
    expect(len(password) >= 16 and password not in journal, "the first password is in the journal")


def completed(box, *words):
    """What the shell offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in words)
    return box.run("bash", "-c", f"source /usr/share/bash-completion/completions/pilotwire; COMP_WORDS=({line});"
                   f" COMP_CWORD={len(words) - 1}; _pilotwire {words[0]}; echo ${{COMPREPLY[@]}}").stdout.split()


def is_documented(box):
    """Manual pages without a warning, completion that loads, a bill of materials that names what is inside."""
    for page in ("pilotwire", "pilotwire-station", "pilotwire-central", "pilotwire-sim", "pilotwire-relay", "pilotwire-boot"):
        got = box.run("sh", "-c", f"MANPATH=/usr/share/man man -P cat --warnings {page} 2>&1")
        expect("DESCRIPTION" in got.stdout and "warning" not in got.stdout, f"man {page}: {got.stdout[:400]}")
    for words, wanted in ((("pilotwire", "stat"), {"status", "stations"}), (("pilotwire", "certificate", ""), {"new"}),
                          (("pilotwire", "--central", "URL", "rollout", "p"), {"pause", "plan"}),
                          (("pilotwire-central", "-d", "DIR", "ca", ""), {"init", "show", "server"}),
                          (("pilotwire-central", "--link-cl"), {"--link-client-ca"})):
        got = completed(box, *words)
        expect(set(got) == wanted, f"completion of {words}: {got}")
    for package in ("pilotwire", *SERVICES, "pilotwire-sim"):
        bill = json.loads((box.folder / f"usr/share/doc/{package}/sbom.spdx.json").read_text())
        expect(bill["spdxVersion"] == "SPDX-2.3", f"{package} has no bill of materials")
        names = {one["name"] for one in bill["packages"]}
        expect("libc6" in names, f"{package}: the bill names no libc6")
        if package in SERVICES:
            expect({"libssl3", "preact"} <= names, f"{package}: the bill lacks libssl3 or preact")


def answers(box):
    page = box.run("curl", "-sf", "--compressed", "http://127.0.0.1:8080/").stdout
    dashboard = box.run("curl", "-sf", "--compressed", "http://127.0.0.1:8180/").stdout
    expect("<script" in page and "<script" in dashboard, "page or dashboard is empty")
    expect(box.run("pilotwire", "status", user="pilotwire-station").stdout.strip(), "pilotwire status says nothing")


def fingerprint_shown(box, port):
    """Of the certificate that whoever connects is shown."""
    text = box.run("sh", "-c", f"openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null |"
                   " openssl x509 -noout -fingerprint -sha256").stdout
    return text.strip().partition("=")[2]


def serves_its_page_over_tls(box):
    """With a certificate of its own, inside the unit's fence; on port 443 with the drop-in of doc/page.md alone."""
    settings = box.folder / "etc/pilotwire/station.yaml"
    before = settings.read_text()
    guide = box.run("sh", "-c", "zcat -f /usr/share/doc/pilotwire/doc/page.md*").stdout
    lines = guide.partition("a drop-in adds it:\n")[2].strip("\n").partition("\n\n")[0].split("\n")
    drop_in = box.folder / "etc/systemd/system/pilotwire-station.service.d/port.conf"
    for port in (8443, 443):
        settings.write_text(before.replace("# tls_listen: 0.0.0.0:8443", f"  tls_listen: 0.0.0.0:{port}"))
        if port < 1024:
            drop_in.parent.mkdir()
            drop_in.write_text("\n".join(line.strip() for line in lines) + "\n")
            box.run("systemctl", "daemon-reload")
        box.run("systemctl", "restart", "pilotwire-station")
        by_name = ["curl", "-sf", "--compressed", "--cacert", "/var/lib/pilotwire-station/trust/page.crt", f"https://localhost:{port}/"]
        box.wait(f"the page over TLS on port {port}", lambda: "<script" in box.run(*by_name, check=False).stdout, 20)
        said = box.run("pilotwire", "certificate", user="pilotwire-station").stdout
        shown = fingerprint_shown(box, port)
        expect(len(shown) == 95 and shown in said, f"the certificate shown is {shown}, but pilotwire says {said}")
    drop_in.unlink()
    drop_in.parent.rmdir()
    settings.write_text(before)
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", "pilotwire-station")
    say("the page is there over TLS, on port 443 too")


def upgrades(box, newer):
    """apt with newer packages: charges would end first, the records and the owner's settings stay."""
    before = (box.folder / "etc/pilotwire/station.yaml").read_text()
    box.run("apt-get", "install", "-y", *box.debs("root/debs/second"))
    for service in SERVICES:
        box.wait(f"{service} is active", lambda: is_active(box, service), 30)
    expect((box.folder / "etc/pilotwire/station.yaml").read_text() == before, "the owner's settings were changed")
    box.wait(f"{newer} runs", lambda: version(box) == newer, 20)
    say(f"upgraded to {newer}")


def goes_without_a_trace(box):
    """remove keeps settings and records; purge keeps nothing."""
    packages = ["pilotwire", *SERVICES, "pilotwire-sim"]
    box.run("apt-get", "remove", "-y", *packages)
    expect((box.folder / "etc/pilotwire/station.yaml").exists(), "remove took the settings away")
    expect(not is_active(box, "pilotwire-station"), "the station still runs")
    box.run("dpkg", "--purge", *SERVICES)  # the others have nothing left to purge
    left = [one for one in ("etc/pilotwire", "etc/default/pilotwire-central", "var/lib/pilotwire-station", "var/lib/pilotwire-central",
                            "usr/lib/pilotwire", "usr/share/pilotwire-station", "run/pilotwire") if (box.folder / one).exists()]
    expect(not left, f"purge left {left}")
    users = (box.folder / "etc/passwd").read_text()
    expect("pilotwire" not in users, "purge left a user")
    failed = box.run("systemctl", "--failed", "--no-legend").stdout.strip()
    expect(failed == "", f"units failed: {failed}")
    say("removed and purged: nothing is left")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--first", required=True, type=pathlib.Path)
    args.add_argument("--second", required=True, type=pathlib.Path)
    args.add_argument("--work", default=pathlib.Path("build/install"), type=pathlib.Path)
    given = args.parse_args()
    box = machine.Machine(given.work.resolve(), {"first": given.first, "second": given.second})
    began = time.monotonic()
    try:
        box.boot()
        installs_and_starts(box)
        keeps_what_it_has_to_itself(box)
        is_documented(box)
        answers(box)
        serves_its_page_over_tls(box)
        update.Update(box, say, [update.unpack(box, name) for name in ("first", "second")]).run()
        upgrades(box, version_in(given.second))
        goes_without_a_trace(box)
    except AssertionError as wrong:
        print(f"install: FAILED: {wrong}", file=sys.stderr)
        for service in SERVICES:
            print(box.run("journalctl", "-u", service, "--no-pager", "-n", "40", check=False).stdout, file=sys.stderr)
        sys.exit(1)
    finally:
        box.stop()
    say(f"all as it should be, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
