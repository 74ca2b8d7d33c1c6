"""pymodbus judges both ends of our meters: it reads the simulated meter, and it is the meter that a
station reads.

judge.py STATION COMMAND SIM. Loopback and a pty; free ports; every wait is bounded. The registers
here are written down a second time, from the makers' lists, so that a mistake in ours shows.
"""

import contextlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer

STATION, COMMAND, SIM = sys.argv[1:4]
WAIT_S = 20

# table, address, struct form (">" high register first, "<" low one first), unit, value
EASTRON = [("ir", 12, ">f", 1, "w1"), ("ir", 6, ">f", 1, "a1"), ("ir", 0, ">f", 1, "v1"),
           ("ir", 70, ">f", 1, "hz"), ("ir", 72, ">f", 1, "kwh")]
EASTRON_3 = EASTRON + [("ir", 2, ">f", 1, "v2"), ("ir", 10, ">f", 1, "a3"), ("ir", 14, ">f", 1, "w2")]
METERS = {
    "sdm630": EASTRON_3,
    "sdm72": EASTRON_3,
    "sdm230": EASTRON,
    "sdm120": EASTRON,
    "abb": [("hr", 23296, ">I", 0.1, "v1"), ("hr", 23298, ">I", 0.1, "v2"), ("hr", 23308, ">I", 0.01, "a1"),
            ("hr", 23312, ">I", 0.01, "a3"), ("hr", 23318, ">i", 0.01, "w1"), ("hr", 23320, ">i", 0.01, "w2"),
            ("hr", 23340, ">H", 0.01, "hz"), ("hr", 20480, ">Q", 0.01, "kwh")],
    "em340": [("ir", 0, "<i", 0.1, "v1"), ("ir", 2, "<i", 0.1, "v2"), ("ir", 12, "<i", 0.001, "a1"),
              ("ir", 16, "<i", 0.001, "a3"), ("ir", 18, "<i", 0.1, "w1"), ("ir", 20, "<i", 0.1, "w2"),
              ("ir", 51, ">h", 0.1, "hz"), ("ir", 52, "<i", 0.1, "kwh")],
    # SunSpec: powers of ten at 40096, 40105, 40107, 40112 and 40144.
    "bsm": [("hr", 40098, ">h", 0.01, "v1"), ("hr", 40099, ">h", 0.01, "v2"), ("hr", 40093, ">h", 0.01, "a1"),
            ("hr", 40095, ">h", 0.01, "a3"), ("hr", 40109, ">h", 1, "w1"), ("hr", 40110, ">h", 1, "w2"),
            ("hr", 40106, ">h", 0.01, "hz"), ("hr", 40136, ">I", 0.001, "kwh")],
}
SHOWN = {"v1": 231.0, "v2": 229.0, "a1": 16.5, "a3": 6.25, "w1": 231 * 16.5 * 0.9, "w2": -229 * 10 * 0.9,
         "hz": 49.9, "kwh": 7654.0}
NEAR = {"v1": 0.25, "v2": 0.25, "a1": 0.011, "a3": 0.011, "w1": 1, "w2": 1, "hz": 0.051, "kwh": 0.2}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def until(true, what):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if true():
                return
        time.sleep(0.02)
    raise AssertionError("gave up waiting for " + what)


def number(registers, form, unit):
    if form[0] == "<":
        registers = registers[::-1]
    return struct.unpack(">" + form[1], struct.pack(f">{len(registers)}H", *registers))[0] * unit


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pilotwire-")
        self.path = pathlib.Path(self.folder.name)
        self.running = []
        self.addCleanup(self.end_all)
        self.environment = {**os.environ, "PILOTWIRE_CONTROL": str(self.path / "s.sock")}
        self.environment.pop("PILOTWIRE_CLOCK", None)

    def end_all(self):
        for program in self.running:
            program.kill()
            program.wait()
        self.folder.cleanup()

    def start(self, *arguments):
        with open(self.path / "log", "a") as log:
            program = subprocess.Popen(arguments, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=log)
        self.running.append(program)
        return program

    def simulate(self, url):
        control = str(self.path / "sim.sock")
        program = self.start(SIM, "meter", "--meter", url, "--control", control, "--status", "0")
        until(lambda: pathlib.Path(control).exists(), "the simulator")
        for line in ("voltage all 231", "voltage l2 229", "current l1 16.5", "current l2 -10", "current l3 6.25",
                     "factor 0.9", "hertz 49.9", "register 7654"):
            subprocess.run([SIM, "tell", control, line], check=True, capture_output=True, timeout=WAIT_S)
        time.sleep(0.2)  # two readings
        return program


class Simulator(Case):
    """What a stranger's client reads is what was set."""

    def read_all(self, client, unit, name):
        for table, address, form, scale, what in METERS[name]:
            count = struct.calcsize(form[1]) // 2
            read = client.read_input_registers if table == "ir" else client.read_holding_registers
            answer = read(address, count, slave=unit)
            self.assertFalse(answer.isError(), f"{name} {what}: {answer}")
            got = number(answer.registers, form, scale)
            self.assertAlmostEqual(got, SHOWN[what], delta=NEAR[what], msg=f"{name} {what}")

    def test_every_map_over_tcp(self):
        for name in METERS:
            with self.subTest(name):
                port = free_port()
                program = self.simulate(f"modbus:tcp:127.0.0.1:{port}/5/{name}")
                client = ModbusTcpClient("127.0.0.1", port=port, timeout=3)
                self.assertTrue(client.connect())
                self.read_all(client, 5, name)
                self.assertTrue(client.read_input_registers(0, 2, slave=6).isError())  # nobody's unit
                self.assertTrue(client.read_input_registers(60000, 2, slave=5).isError())
                client.close()
                program.kill()
                program.wait()
                (self.path / "sim.sock").unlink()

    def test_over_a_serial_line(self):
        self.simulate(f"modbus:rtu:{self.path}/meter@9600/3/abb")
        client = ModbusSerialClient(port=str(self.path / "meter"), baudrate=9600, timeout=3)
        self.assertTrue(client.connect())
        self.read_all(client, 3, "abb")
        client.close()


class Station(Case):
    """What a stranger's meter says is what the station shows; what cannot be is not shown."""

    def serve(self, values):
        block = ModbusSequentialDataBlock(0, [0] * 100)
        port = free_port()
        context = ModbusServerContext(slaves={7: ModbusSlaveContext(ir=block, zero_mode=True)}, single=False)
        threading.Thread(target=StartTcpServer, kwargs={"context": context, "address": ("127.0.0.1", port)},
                         daemon=True).start()
        self.put(block, values)
        return block, port

    @staticmethod
    def put(block, values):
        for address, value in values.items():
            block.setValues(address, list(struct.unpack(">2H", struct.pack(">f", value))))

    def house(self):
        answer = subprocess.run([COMMAND, "--json", "status"], env=self.environment, capture_output=True, text=True,
                                timeout=WAIT_S, stdin=subprocess.DEVNULL, check=False)
        return json.loads(answer.stdout)["house"] if answer.returncode == 0 else None

    def test_the_house_meter(self):
        values = {0: 230.5, 2: 229.25, 4: 231.0, 6: 10.0, 8: 20.0, 10: 0.0, 12: 2305.0, 14: -4585.0, 16: 0.0,
                  70: 50.01, 72: 999.5}
        block, port = self.serve(values)
        config = self.path / "station.yaml"
        config.write_text(f"station: {{id: CP1}}\ncan: {{bus0: 'mcast:239.74.163.2:{free_port()}'}}\n"
                          f"console: {{device: 'off'}}\n"
                          f"metering: {{house_meter: 'modbus:tcp:127.0.0.1:{port}/7/sdm630'}}\n"
                          f"connectors:\n- kind: dc\n")
        self.start(STATION, "--config", str(config), "--data", str(self.path / "data"))
        until(lambda: (self.house() or {}).get("quality") == "good", "the first reading")
        told = {
            "quality": "good", "power_w": -2280, "frequency_hz": 50.01, "phase_voltage_v": [230.5, 229.25, 231],
            "phase_current_a": [10, 20, 0], "phase_power_w": [2305, -4585, 0]}
        self.assertEqual({key: self.house()[key] for key in told}, told)
        for wrong in ({0: float("nan"), 6: -1e9, 12: 1e9}, {2: 1e9}, {4: -230.0}, {70: 5.0}):
            self.put(block, {**values, **wrong})
            until(lambda: self.house()["quality"] in ("range", "power"), f"{wrong} to be refused")
            self.put(block, values)
            until(lambda: self.house()["quality"] == "good", "a good one again")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
