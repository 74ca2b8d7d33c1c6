"""A Debian 12 of its own: made by debootstrap, booted with its systemd in namespaces of this machine.

It has nothing but a loopback network, so it meets no other program of this machine. Needs root.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

BOOT = """
set -eu
ip link set lo up multicast on
ip route add 224.0.0.0/4 dev lo
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mount -t sysfs sysfs sys
mount -t tmpfs cgroup sys/fs/cgroup
mkdir sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd systemd sys/fs/cgroup/systemd
mount --make-rshared .  # as systemd expects of a root that it has not mounted itself
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=chroot chroot . /lib/systemd/systemd --log-target=kmsg
"""
PACKAGES = "systemd,systemd-sysv,dbus,adduser,ca-certificates,tzdata,procps,man-db,bash-completion,curl"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
               "HOME": "/root"}
PROXIES = {name: value for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy", "no_proxy")}


def say(text):
    print(f"install: {text}", flush=True)


def use_our_apt(folder):
    """In that root apt fetches from where it does here."""
    (folder / "etc/apt/sources.list").unlink(missing_ok=True)
    for name in ("etc/apt/sources.list", "etc/apt/sources.list.d", "etc/apt/apt.conf.d", "etc/apt/preferences.d"):
        here, there = pathlib.Path("/") / name, folder / name
        if here.is_dir():
            shutil.copytree(here, there, dirs_exist_ok=True)
        elif here.exists():
            shutil.copy(here, there)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")


def base(folder):
    """The fresh root that every run begins with; made once, and again after a month."""
    stamp = folder / ".made"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < 30 * 86400 and stamp.read_text() == PACKAGES:
        return
    if folder.exists():
        shutil.rmtree(folder)
    say("debootstrap makes a fresh Debian 12: a minute or two")
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / "debootstrap.log"
    with open(log, "wb") as to:
        made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(folder)],
                              stdout=to, stderr=subprocess.STDOUT, check=False)
    if made.returncode != 0:
        sys.exit(f"install: debootstrap failed; its log is {log}")
    use_our_apt(folder)
    stamp.write_text(PACKAGES)


def environment():
    return [f"{name}={value}" for name, value in {**ENVIRONMENT, **PROXIES}.items()]


class Machine:
    def __init__(self, work, packages):
        folder, fresh = work / "root", work / "fresh"
        base(fresh)
        if folder.exists():
            shutil.rmtree(folder)
        self.folder, self.pid, self.process = folder, 0, None
        subprocess.run(["cp", "-a", "--reflink=auto", str(fresh), str(folder)], check=True)
        for name, debs in packages.items():
            (folder / "root/debs" / name).mkdir(parents=True)
            for deb in debs.glob("*.deb"):
                shutil.copy(deb, folder / "root/debs" / name)
        say("apt fetches what the packages need")
        for words in (["update"], ["install", "--download-only", "-y", *self.debs("root/debs/first")]):
            fetched = subprocess.run(["chroot", str(folder), "env", "-i", *environment(), "apt-get", "-q", *words],
                                     capture_output=True, text=True, check=False)
            if fetched.returncode != 0:
                sys.exit(f"install: apt-get {words[0]} failed:\n{fetched.stdout[-1000:]}{fetched.stderr[-1000:]}")
        (folder / "etc/hostname").write_text("cp-install\n")

    def debs(self, where):
        return sorted(f"/{one.relative_to(self.folder)}" for one in (self.folder / where).glob("*.deb"))

    def boot(self):
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount", "--propagation", "private", "--uts", "--ipc", "--net",
             "--kill-child",
             "sh", "-c", BOOT, "boot", str(self.folder)], stdin=subprocess.DEVNULL)
        by = time.monotonic() + 60
        while time.monotonic() < by:
            time.sleep(0.5)
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            if not children:
                continue
            self.pid = int(children[0])
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                say(f"booted: systemd says {state}")
                return
        sys.exit("install: the machine did not boot in 60 s")

    def words(self, *words, user=None):
        to = ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-n", "-r"]
        env = ["env", "-i", "-C", "/", *environment()]
        switch = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        return to + env + switch + list(words)

    def run(self, *words, check=True, user=None, timeout=300, **more):
        done = subprocess.run(self.words(*words, user=user), capture_output=True, text=True, timeout=timeout, check=False,
                              **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def wait(self, what, ask, seconds):
        """Until ask() is true; what it said last is in the error."""
        by = time.monotonic() + seconds
        last = None
        while time.monotonic() < by:
            last = ask()
            if last:
                return last
            time.sleep(0.5)
        raise AssertionError(f"{what}: not within {seconds} s; {last!r}")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
