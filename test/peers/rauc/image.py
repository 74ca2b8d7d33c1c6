"""What the guest is made of: a Debian 12 with RAUC and our packages as read-only images, a kernel, GRUB, and a disk."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[2]
sys.path.insert(0, str(TREE / "test/install"))
import machine  # noqa: E402 (its apt settings and proxies)

EXAMPLES = TREE / "examples/rauc"
PACKAGES = "systemd,systemd-sysv,dbus,adduser,ca-certificates,tzdata,rauc,rauc-service,grub-common"
MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "squashfs", "overlay", "loop", "sha256_generic", "dm_verity")
GRUB = ("biosdisk", "part_msdos", "ext2", "squash4", "gzio", "linux", "normal", "loadenv", "test", "eval", "echo", "serial",
        "terminal", "reboot", "configfile", "regexp")
FORGET = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache/apt", "var/lib/apt/lists",
          "root/debs")
# What a system that is never changed by hand has no use for; a smaller image is sooner installed.
NOT_IN_IMAGE = ("usr/lib/udev/hwdb.d/*", "usr/lib/udev/hwdb.bin", "etc/udev/hwdb.bin", "usr/share/fonts/*",
                "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/perl*", "usr/share/perl*", "usr/bin/perl*",
                "var/lib/dpkg", "var/cache/*", "usr/share/grub", "usr/lib/grub", "usr/share/zoneinfo/right", "usr/share/X11",
                "usr/lib/apt", "usr/bin/grub-[!e]*", "usr/sbin/grub-*", "usr/lib/locale/*")
MIB = 1 << 20
BOOT, SYSTEM, DATA = 8 * MIB, 192 * MIB, 1536 * MIB  # sizes of the partitions
SECTOR = 512


def say(text):
    print(f"rauc guest: {text}", flush=True)


def do(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        said = done.stdout[-2000:] + done.stderr[-2000:]
        sys.exit(f"rauc guest: {' '.join(map(str, words))} ended with {done.returncode}:\n{said}")
    return done.stdout


# ---------------------------------------------------------------------------------------------
# Kept from run to run.


def kernel(folder):
    """Debian's kernel, unpacked and not installed."""
    if not list(folder.glob("boot/vmlinuz-*")):
        shown = do("apt-cache", "depends", "linux-image-amd64")
        name = re.search(r"Depends: (linux-image-\S+)", shown).group(1)
        say(f"apt fetches {name}")
        folder.mkdir(parents=True, exist_ok=True)
        do("apt-get", "download", "-q", name, cwd=folder)
        do("dpkg", "-x", next(folder.glob("linux-image-*.deb")), folder)
    return next(folder.glob("boot/vmlinuz-*"))


def base(folder):
    """A Debian 12 with RAUC; made once, and again after a month."""
    stamp = folder / ".made"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < 30 * 86400 and stamp.read_text() == PACKAGES:
        return
    shutil.rmtree(folder, ignore_errors=True)
    say("debootstrap makes a Debian 12 with RAUC: a minute or two")
    do("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", folder)
    machine.use_our_apt(folder)
    stamp.write_text(PACKAGES)


# ---------------------------------------------------------------------------------------------
# Systems.


def in_root(root, *words):
    return do("chroot", root, "env", "-i", *machine.environment(), *words)


def install(root, debs):
    """As apt does it; no service is started in here."""
    (root / "root/debs").mkdir(parents=True, exist_ok=True)
    inside = []
    for deb in sorted(debs.glob("*.deb")):
        shutil.copy(deb, root / "root/debs")
        inside.append(f"/root/debs/{deb.name}")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    in_root(root, "apt-get", "-q", "update")
    in_root(root, "apt-get", "-q", "install", "-y", "--no-install-recommends", *inside)
    policy.unlink()
    for name in FORGET:
        shutil.rmtree(root / name, ignore_errors=True)


def write(root, name, text, mode=0o644):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def modules_in_order(tree):
    """MODULES and what they need, needed ones first."""
    files = {path.stem.replace("-", "_"): path for path in tree.rglob("*.ko")}
    order = []

    def take(name):
        path = files.get(name)
        if path is None or path in order:
            return  # built in, or there already
        needs = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for need in needs.group(1).decode().split(",") if needs else []:
            take(need.replace("-", "_"))
        order.append(path)

    for name in MODULES:
        take(name)
    return order


def initrd(work, kernel_folder):
    root = work / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "modules", "proc", "sys", "dev"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for applet in "sh mount umount insmod echo cat mkdir grep cut tr chown chmod cp switch_root [".split():
        (root / "bin" / applet).symlink_to("busybox")
    for number, path in enumerate(modules_in_order(kernel_folder / "lib/modules")):
        shutil.copy(path, root / f"modules/{number:02}-{path.name}")
    shutil.copy(HERE / "init", root / "init")
    out = work / "initrd.gz"
    do("sh", "-c", f"cd {root} && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >{out}")
    return out


def equip(root, work, settings, units):
    """Everything that the maker of an image adds to our packages."""
    (root / "boot").mkdir(exist_ok=True)
    shutil.copy(kernel(work / "kernel"), root / "boot/vmlinuz")
    shutil.copy(initrd(work, work / "kernel"), root / "boot/initrd")
    for example, place in (("station.conf", "etc/systemd/system/pilotwire-station.service.d/rauc.conf"),
                           ("dbus.conf", "etc/dbus-1/system.d/pilotwire-rauc.conf"), ("system.conf", "etc/rauc/system.conf")):
        write(root, place, (EXAMPLES / example).read_text())
    shutil.copy(work / "maker/rauc.crt", root / "etc/rauc/keyring.pem")
    shutil.copy(work / "maker/root", root / "etc/pilotwire/release-root")
    (root / "etc/pilotwire/station.yaml").write_text(settings)  # its owner and mode stay
    for name, text in units.items():
        write(root, f"etc/systemd/system/{name}", text)
    shutil.copy(HERE / "shell", root / "usr/lib/guest-shell")
    (root / "etc/systemd/system/multi-user.target.wants/guest-shell.service").symlink_to("../guest-shell.service")
    write(root, "etc/hostname", "rauc-guest\n")
    write(root, "etc/systemd/journald.conf.d/guest.conf", "[Journal]\nStorage=persistent\n")


def copy(root, to):
    shutil.rmtree(to, ignore_errors=True)
    do("cp", "-a", "--reflink=auto", root, to)
    return to


def squash(root, out):
    """GRUB reads it too, so gzip."""
    out.unlink(missing_ok=True)
    do("mksquashfs", root, out, "-comp", "gzip", "-no-progress", "-quiet", "-wildcards", "-e", *NOT_IN_IMAGE)
    if out.stat().st_size > SYSTEM:
        sys.exit(f"rauc guest: {out} has {out.stat().st_size} bytes, and its partition {SYSTEM}")
    return out


def bundle(work, name, image, key="rauc"):
    content = work / "content"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    os.link(image, content / "rootfs.img")
    (content / "manifest.raucm").write_text("[update]\ncompatible=my-board\nversion=1\n\n[bundle]\nformat=verity\n\n"
                                            "[image.rootfs]\nfilename=rootfs.img\n")
    out = work / f"{name}.raucb"
    out.unlink(missing_ok=True)
    do("rauc", "bundle", f"--cert={work}/maker/{key}.crt", f"--key={work}/maker/{key}.key",
       "--mksquashfs-args=-comp gzip -noI -noD", content, out)
    return out


# ---------------------------------------------------------------------------------------------
# The disk: GRUB, its own small partition, two systems, and what they share.


def grub_core(work):
    early = work / "early.cfg"
    early.write_text("serial --unit=0\nterminal_output serial\nset root=hd0,msdos1\nset prefix=(hd0,msdos1)/grub\n"
                     "configfile /grub/grub.cfg\n")
    do("grub-mkimage", "-O", "i386-pc", "-c", early, "-p", "(hd0,msdos1)/grub", "-o", work / "core.img", *GRUB)
    return (work / "core.img").read_bytes()


def disk(work, system):
    """A disk as it leaves the factory: the same system twice."""
    content = work / "bootloader"
    shutil.rmtree(content, ignore_errors=True)
    (content / "grub").mkdir(parents=True)
    shutil.copy(EXAMPLES / "grub.cfg", content / "grub/grub.cfg")
    do("grub-editenv", content / "grub/grubenv", "create")
    do("grub-editenv", content / "grub/grubenv", "set", "ORDER=A B", "A_OK=1", "B_OK=1", "A_TRY=0", "B_TRY=0")
    out = work / "disk"
    out.unlink(missing_ok=True)
    starts = [MIB]
    for size in (BOOT, SYSTEM, SYSTEM):
        starts.append(starts[-1] + size)
    sizes = (BOOT, SYSTEM, SYSTEM, DATA)
    first = bytearray(pathlib.Path("/usr/lib/grub/i386-pc/boot.img").read_bytes())
    for i, (start, size) in enumerate(zip(starts, sizes)):
        struct.pack_into("<B3sB3sII", first, 446 + 16 * i, 0, b"\0\0\0", 0x83, b"\0\0\0", start // SECTOR, size // SECTOR)
    first[510:512] = b"\x55\xaa"
    core = grub_core(work)
    if SECTOR + len(core) > MIB:
        sys.exit(f"rauc guest: GRUB has {len(core)} bytes and does not fit before the first partition")
    with open(out, "wb") as to:
        to.truncate(starts[-1] + DATA)
        to.write(first + core)
        for start in starts[1:3]:
            to.seek(start)
            to.write(system.read_bytes())
    do("mke2fs", "-q", "-t", "ext2", "-d", content, "-E", f"offset={starts[0]}", out, f"{BOOT // 1024}k")
    do("mke2fs", "-q", "-t", "ext4", "-E", f"offset={starts[3]}", out, f"{DATA // 1024}k")
    return out
