"""A D-Bus of its own with a NetworkManager played by python-dbusmock (network_mock.py).

As a program: prints the bus's address, then takes lines from its input, each what is in reach from
now on, as JSON; ends with its input."""
import json
import os
import subprocess
import sys

import dbus
import dbusmock

MOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "network_mock.py")


class Manager(dbusmock.DBusTestCase):
    """The bus and the NetworkManager on it."""

    def __init__(self):
        super().__init__()
        self.start_system_bus()
        self.process = None

    def start(self, networks):
        self.process, self.main = self.spawn_server_template(MOCK, {}, stdout=subprocess.DEVNULL)
        self.mock = dbus.Interface(self.main, dbusmock.MOCK_IFACE)
        self.mock.AddRadio()
        self.set(networks)

    def set(self, networks):
        self.mock.SetNetworks(json.dumps(networks))

    def cable(self, plugged):
        if plugged:
            self.mock.AddEthernetDevice("eth0", "eth0", 100)
        else:
            self.mock.SetDeviceDisconnected("/org/freedesktop/NetworkManager/Devices/eth0")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def profiles(self):
        return json.loads(self.mock.GetProfiles())

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.tearDownClass()


def main():
    manager = Manager()
    try:
        manager.start({})
        print(os.environ["DBUS_SYSTEM_BUS_ADDRESS"], flush=True)
        for line in sys.stdin:
            manager.set(json.loads(line))
    finally:
        manager.close()


if __name__ == "__main__":
    main()
