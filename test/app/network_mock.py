"""NetworkManager for tests: python-dbusmock's template, and what a radio adds to it: scans that take
a moment, passwords that are right or wrong, an access point, addresses. Loaded by dbusmock."""
import json

import dbus
import dbusmock
from dbusmock import MOCK_IFACE
from dbusmock.templates import networkmanager as base
from dbusmock.templates.networkmanager import *  # noqa: F401,F403 - the template's own methods
from gi.repository import GLib

BUS_NAME, MAIN_OBJ, MAIN_IFACE = base.BUS_NAME, base.MAIN_OBJ, base.MANAGER_IFACE
SYSTEM_BUS, IS_OBJECT_MANAGER = True, True

RADIO = "/org/freedesktop/NetworkManager/Devices/wlan0"
ACTIVE = "/org/freedesktop/NetworkManager/ActiveConnection/"
CONFIG = "/org/freedesktop/NetworkManager/IP4Config/1"
STEP_MS = 60  # of real time: all that a radio does takes this long

world = {"networks": {}, "mode_ap": True, "count": 0, "doing": None, "profiles": []}


def radio():
    return dbusmock.get_object(RADIO)


def update(obj, iface, values):
    for name, value in values.items():
        obj.Set(iface, name, value)


def set_state(state, reason=0):
    device = radio()
    before = device.Get(base.DEVICE_IFACE, "State")
    update(device, base.DEVICE_IFACE, {"State": dbus.UInt32(state)})
    device.EmitSignal(base.DEVICE_IFACE, "StateChanged", "uuu", [dbus.UInt32(state), before, dbus.UInt32(reason)])


def show_points(visible):
    """The access points that the radio has seen become those in reach, or none."""
    device = radio()
    for path in list(device.access_points):
        base.RemoveAccessPoint(device, RADIO, path)
    for i, (ssid, row) in enumerate(sorted(visible.items())):
        # two radios of the same name: the station must show one row
        for k, signal in enumerate((row["signal"], max(1, row["signal"] - 20))):
            base.AddAccessPoint(device, RADIO, f"p{world['count']}x{i}x{k}", ssid, f"00:11:22:33:{i:02}:{k:02}", 2,
                                2425, 54000, signal, 0x100 if row.get("password") else 0)
    world["count"] += 1


def end_active():
    """Whatever the radio was at is over."""
    device = radio()
    path = device.Get(base.DEVICE_IFACE, "ActiveConnection")
    world["doing"] = None
    update(device, base.DEVICE_IFACE, {"ActiveConnection": dbus.ObjectPath("/"),
                                                "Ip4Config": dbus.ObjectPath("/")})
    update(device, base.WIRELESS_DEVICE_IFACE, {"Mode": dbus.UInt32(2),
                                                         "ActiveAccessPoint": dbus.ObjectPath("/")})
    if path != "/":
        device.object_manager_emit_removed(path)
        device.RemoveObject(path)


def disconnect(_device):
    if radio().Get(base.DEVICE_IFACE, "State") <= 30:
        raise dbus.exceptions.DBusException("not active", name=base.DEVICE_IFACE + ".NotActive")
    end_active()
    set_state(110)
    GLib.timeout_add(STEP_MS, lambda: set_state(30))


def request_scan(device):
    state = device.Get(base.DEVICE_IFACE, "State")
    if state not in (30, 100) or device.Get(base.WIRELESS_DEVICE_IFACE, "Mode") == 3:
        raise dbus.exceptions.DBusException("not now", name=base.DEVICE_IFACE + ".NotAllowed")

    def seen():
        show_points(world["networks"])
        last = device.Get(base.WIRELESS_DEVICE_IFACE, "LastScan")
        update(device, base.WIRELESS_DEVICE_IFACE, {"LastScan": dbus.Int64(last + 1000)})

    GLib.timeout_add(STEP_MS, seen)


def check(profile, options):
    """What NetworkManager would refuse, and what this station must not ask for."""
    assert profile["connection"]["type"] == "802-11-wireless"
    assert not profile["connection"]["autoconnect"], "NetworkManager must not connect it by itself"
    assert options["persist"] == "volatile", "no password may stay behind"
    wireless = profile["802-11-wireless"]
    security = profile.get("802-11-wireless-security", {})
    if wireless["mode"] == "ap":
        assert profile["ipv4"]["method"] == "shared"
        assert security["key-mgmt"] == "wpa-psk" and list(security["proto"]) == ["rsn"]
        assert 8 <= len(security["psk"]) <= 63
    return bytes(wireless["ssid"]).decode(), wireless["mode"], str(security.get("psk", ""))


def finish(path, ssid, mode, psk):
    if world["doing"] != path:
        return
    device = radio()
    row = world["networks"].get(ssid)
    if mode == "ap" and world["mode_ap"]:
        show_points({})
        update(device, base.WIRELESS_DEVICE_IFACE, {"Mode": dbus.UInt32(3)})
        address = "10.42.0.1"
    elif mode == "infrastructure" and row is not None and row.get("password", "") == psk:
        point = next(p for p in device.access_points
                     if bytes(dbusmock.get_object(p).Get(base.ACCESS_POINT_IFACE, "Ssid")).decode() == ssid)
        update(device, base.WIRELESS_DEVICE_IFACE, {"ActiveAccessPoint": dbus.ObjectPath(point)})
        address = "192.168.7.33"
    else:
        reason = 53 if row is None else 7
        set_state(120, reason)
        end_active()
        set_state(30)
        return
    update(
        dbusmock.get_object(CONFIG), "org.freedesktop.NetworkManager.IP4Config",
        {"AddressData": dbus.Array([{"address": dbus.String(address), "prefix": dbus.UInt32(24)}], signature="a{sv}")})
    update(device, base.DEVICE_IFACE, {"Ip4Config": dbus.ObjectPath(CONFIG)})
    update(dbusmock.get_object(path), base.ACTIVE_CONNECTION_IFACE, {"State": dbus.UInt32(2)})
    set_state(100)


def add_and_activate(manager, profile, device, point, options):
    ssid, mode, psk = check(profile, options)
    end_active()
    world["count"] += 1
    path = ACTIVE + str(world["count"])
    world["doing"] = path
    world["profiles"].append([mode, ssid, psk])
    manager.AddObject(path, base.ACTIVE_CONNECTION_IFACE,
                      {"State": dbus.UInt32(1), "Connection": dbus.ObjectPath("/org/freedesktop/NetworkManager/Settings/9")},
                      [])
    manager.object_manager_emit_added(path)
    update(radio(), base.DEVICE_IFACE, {"ActiveConnection": dbus.ObjectPath(path)})
    set_state(40)
    GLib.timeout_add(STEP_MS, lambda: finish(path, ssid, mode, psk))
    return dbus.ObjectPath("/org/freedesktop/NetworkManager/Settings/9"), dbus.ObjectPath(path), {}


def load(mock, parameters):
    base.load(mock, parameters)
    manager = dbusmock.get_object(base.MANAGER_OBJ)
    manager.add_and_activate_2 = add_and_activate
    manager.AddMethod(base.MANAGER_IFACE, "AddAndActivateConnection2", "a{sa{sv}}ooa{sv}", "ooa{sv}",
                      "ret = self.add_and_activate_2(self, *args)")
    manager.AddObject(CONFIG, "org.freedesktop.NetworkManager.IP4Config",
                      {"AddressData": dbus.Array([], signature="a{sv}")}, [])


@dbus.service.method(MOCK_IFACE, in_signature="", out_signature="")
def AddRadio(self):
    base.AddWiFiDevice(self, "wlan0", "wlan0", 30)
    device = radio()
    device.request_scan, device.disconnect = request_scan, disconnect
    device.AddMethod(base.WIRELESS_DEVICE_IFACE, "RequestScan", "a{sv}", "", "self.request_scan(self)")
    device.AddMethod(base.DEVICE_IFACE, "Disconnect", "", "", "self.disconnect(self)")
    device.AddProperty(base.WIRELESS_DEVICE_IFACE, "LastScan", dbus.Int64(5000))
    device.AddProperty(base.WIRELESS_DEVICE_IFACE, "ActiveAccessPoint", dbus.ObjectPath("/"))
    device.AddProperty(base.DEVICE_IFACE, "Ip4Config", dbus.ObjectPath("/"))


@dbus.service.method(MOCK_IFACE, in_signature="s", out_signature="")
def SetNetworks(self, text):
    """What is in reach: {"ssid": {"signal": 70, "password": "..."}}. Who is joined to one that goes loses it."""
    world["networks"] = json.loads(text)
    device = radio()
    joined = device.Get(base.WIRELESS_DEVICE_IFACE, "ActiveAccessPoint")
    if joined != "/":
        ssid = bytes(dbusmock.get_object(joined).Get(base.ACCESS_POINT_IFACE, "Ssid")).decode()
        if ssid not in world["networks"]:
            set_state(120, 53)
            end_active()
            set_state(30)


@dbus.service.method(MOCK_IFACE, in_signature="", out_signature="s")
def GetProfiles(self):
    """Every connection asked for: mode, ssid, password."""
    return json.dumps(world["profiles"])
