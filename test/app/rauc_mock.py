"""RAUC for tests, loaded by dbusmock: two systems, an installation that takes a moment, and a boot loader
that starts what is next. What happened is in the log of dbusmock."""
import dbus
from gi.repository import GLib

BUS_NAME, MAIN_OBJ, MAIN_IFACE = "de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer"
SYSTEM_BUS = True
STEP_MS = 60


def load(mock, _):
    mock.booted, mock.primary, mock.boots = "A", "A", 0
    mock.AddProperties(MAIN_IFACE, {"Operation": "idle", "LastError": "", "BootSlot": "A",
                                    "Progress": dbus.Struct((dbus.Int32(0), "", dbus.Int32(0)), signature="isi")})
    mock.AddMethod(MAIN_IFACE, "GetPrimary", "", "s", 'ret = {"A": "rootfs.0", "B": "rootfs.1"}[self.primary]')
    # As with GRUB, before the one that runs was marked good.
    mock.AddMethod("pilotwire.Test", "NoPrimary", "", "", "self.primary = ''")
    mock.AddMethod(MAIN_IFACE, "Mark", "ss", "ss", 'ret = ("rootfs.0", "marked " + args[0])')
    mock.silent = False
    mock.AddMethod("pilotwire.Test", "Silence", "b", "", "self.silent = args[0]")
    mock.slots = lambda: dbus.Array(
        [] if mock.silent else
        [dbus.Struct((name, dbus.Dictionary({"class": cls, "bootname": boot,
                                             "state": "booted" if boot == mock.booted else "inactive"},
                                            signature="sv")), signature="sa{sv}")
         for name, cls, boot in (("rootfs.1", "rootfs", "B"), ("bootloader.0", "bootloader", ""),
                                 ("rootfs.0", "rootfs", "A"))], signature="(sa{sv})")
    mock.AddMethod(MAIN_IFACE, "GetSlotStatus", "", "a(sa{sv})", "ret = self.slots()")
    mock.begin_install = lambda path: GLib.timeout_add(STEP_MS, go_on, mock, path, 0, mock.boots)
    mock.AddMethod(MAIN_IFACE, "InstallBundle", "sa{sv}", "", "self.begin_install(args[0])")
    # For the test: the next boot, as the boot loader decides it.
    mock.AddMethod("pilotwire.Test", "Boot", "s", "", "self.booted = args[0]; self.primary = args[0]; self.boots += 1")


def go_on(mock, path, percent, boots):
    if boots != mock.boots:
        return False  # cut off
    properties = mock.props[MAIN_IFACE]
    properties["Progress"] = dbus.Struct((dbus.Int32(percent), "installing", dbus.Int32(1)), signature="isi",
                                         variant_level=1)
    if percent < 100:
        GLib.timeout_add(STEP_MS, go_on, mock, path, percent + 50, boots)
        return False
    with open(path, "rb") as bundle:
        fails = b"this one fails" in bundle.read()
    properties["LastError"] = "the image does not fit" if fails else ""
    mock.primary = mock.primary if fails else {"A": "B", "B": "A"}[mock.booted]
    mock.EmitSignal(MAIN_IFACE, "Completed", "i", [dbus.Int32(1 if fails else 0)])
    return False
