#!/usr/bin/python3
"""Debian's python3-can judges our CAN frames over UDP multicast, both ways.

The tables below are written from the makers' byte tables with struct alone and share nothing with
the C code. Usage: judge.py PROGRAM (test/peers/can/peer.c). Bounded; picks a free port.
"""
import socket
import struct
import subprocess
import sys
import time

# Where loopback is the only interface, the kernel refuses to join a group "anywhere": join there.
socket.INADDR_ANY = struct.unpack("=I", socket.inet_aton("127.0.0.1"))[0]
import can  # noqa: E402

GROUP = "239.74.163.2"
WAIT_S = 10.0
ZERO = bytes(8)


def f32(value):
    return struct.pack(">f", value)


def huawei(address, command, to_module, signal, value, word=0):
    ident = 0x0D << 23 | address << 16 | command << 8 | (0x80 if to_module else 0) | 0x1F << 2 | 2
    return ident, struct.pack(">HHi", signal, word, value)


def infypower(command, to_module, data, module=1):
    dst, src = (module, 0xF0) if to_module else (0xF0, module)
    return 0x0A << 22 | command << 16 | dst << 8 | src, data


def q10(value):
    return round(value * 1024)


def daly(code, data):
    return 0x18004001 | code << 16, data


def counter(code, mah):
    return 0x16008001 | code << 16, struct.pack(">I4x", mah)


DALY = {
    "daly-pack": daly(0x90, struct.pack(">4H", 762, 761, 30000 - 18, 830)),
    "daly-cells-range": daly(0x91, struct.pack(">HBHB2x", 3340, 5, 3315, 17)),
    "daly-temp-range": daly(0x92, bytes([29 + 40, 1, -5 + 40, 2, 0, 0, 0, 0])),
    "daly-switches": daly(0x93, struct.pack(">4BI", 1, 1, 0, 77, 22310)),
    "daly-shape": daly(0x94, struct.pack(">5BHx", 23, 4, 1, 0, 0x5A, 312)),
    "daly-cells": daly(0x95, struct.pack(">B3Hx", 2, 3301, 3302, 3303)),
    "daly-temps": daly(0x96, bytes([1] + [t + 40 for t in (-40, 0, 1, 25, 60, 100, 215)])),
    "daly-balance": daly(0x97, bytes([1, 2, 3, 4, 5, 6, 7, 8])),
    "daly-failures": daly(0x98, bytes([0, 0, 0, 0, 0, 0, 0, 0x20])),
    "daly-charged": counter(0x0B, 123456789),
    "daly-discharged": counter(0x0D, 100000001),
}


def polls_of_daly():
    codes = dict(zip(list(DALY)[:9], range(0x90, 0x99)))
    polls = {name + "-poll": (0x18000140 | code << 16, ZERO) for name, code in codes.items()}
    polls["daly-charged-poll"] = (0x160B0180, ZERO)
    polls["daly-discharged-poll"] = (0x160D0180, ZERO)
    return polls


SET_V = huawei(1, 0x81, True, 0x100, q10(84.0))
SET_I = huawei(1, 0x81, True, 0x103, int(30.0 / 33.57 * 1024))
HUAWEI = {
    "huawei-on-0": SET_V,
    "huawei-on-1": SET_I,
    "huawei-on-2": huawei(1, 0x81, True, 0x132, 0, word=0),
    "huawei-off-0": huawei(1, 0x81, True, 0x132, 0, word=1),
    "huawei-off-1": SET_I,
    "huawei-off-2": SET_V,
}
VOLTS, AMPS = (0x184, q10(83.9), 0), (0x182, q10(29.5), 0)
RUNNING = (0x191, 295 << 16 | 839, 1 << 3)
ALARMS = (0x183, 1 << 28, 1 << 4)
TEMP, LINE = (0x180, q10(41.0), 0), (0x179, q10(398.5), 0)
for n, (signal, value, word) in enumerate(
        [VOLTS, AMPS, RUNNING, VOLTS, AMPS, ALARMS, VOLTS, AMPS, TEMP, VOLTS, AMPS, LINE]):
    HUAWEI["huawei-poll-%d" % n] = huawei(1, 0x82, True, signal, 0)
    HUAWEI["huawei-answer-%d" % n] = huawei(1, 0x82, False, signal, value, word)

MILLI = struct.pack(">II", 84000, 30000)
FLOATS = f32(83.9) + f32(29.5)
INFYPOWER = {
    "infypower-on-0": infypower(0x1C, True, MILLI),
    "infypower-on-1": infypower(0x1A, True, bytes([0]) + bytes(7)),
    "infypower-off-0": infypower(0x1A, True, bytes([1]) + bytes(7)),
    "infypower-off-1": infypower(0x1C, True, MILLI),
    "infypower-system-float": infypower(0x01, False, FLOATS),
    "infypower-count": infypower(0x02, False, bytes([0, 0, 3, 0, 0, 0, 0, 0])),
    "infypower-system-milli": infypower(0x08, False, struct.pack(">II", 83900, 29500)),
    "infypower-module-milli": infypower(0x09, False, struct.pack(">II", 83900, 29500)),
    "infypower-capability": infypower(0x0A, False, struct.pack(">4H", 100, 50, 1005, 300)),
    "infypower-barcode": infypower(0x0B, False, b"INFY1234"),
    "infypower-output": infypower(0x0C, False, struct.pack(">HH4x", 839, 295)),
    "infypower-composite": infypower(0x0F, False, struct.pack(">H5xB", 0x1234, 7)),
    "infypower-walk-in": infypower(0x13, False, bytes([7]) + bytes(7)),
    "infypower-blink": infypower(0x14, False, bytes([7]) + bytes(7)),
    "infypower-group": infypower(0x16, False, bytes([7]) + bytes(7)),
    "infypower-sleep": infypower(0x19, False, bytes([7]) + bytes(7)),
    "infypower-set-system": infypower(0x1B, False, struct.pack(">II", 83900, 29500)),
    "infypower-address-mode": infypower(0x1F, False, bytes([7]) + bytes(7)),
}
STATUS = struct.pack(">4xb3B", 41, 0x01 | 0x04, 0, 0)
INPUT = struct.pack(">3H2x", 3985, 3985, 3985)
for n, (command, data) in enumerate([(3, FLOATS), (4, STATUS), (3, FLOATS), (6, INPUT)]):
    INFYPOWER["infypower-poll-%d" % n] = infypower(command, True, ZERO)
    INFYPOWER["infypower-answer-%d" % n] = infypower(command, False, data)

EXTENDED = {
    "elcon-request-soc": (0x1806E5F4, struct.pack(">HHBHB", 860, 1040, 0, 611, 0)),
    "elcon-request-heating": (0x1806E7F4, struct.pack(">HHBB2x", 980, 160, 1, 1)),
    "elcon-status": (0x18FF50E5, struct.pack(">HHB3x", 762, 123, 0x08 | 0x10)),
    "rivot-terminal": (0x00433F01, f32(76.2) + f32(2.5)),
    "rivot-charging": (0x00473F01, bytes([0, 0, 0, 0, 0, 0, 3, 2])),
    **DALY, **polls_of_daly(), **HUAWEI, **INFYPOWER,
}
STANDARD = {
    "cia401-nmt-start": (0x000, bytes([1, 32])),
    "cia401-outputs": (0x220, bytes([1])),
    "cia401-inputs": (0x1A0, bytes([3])),
    "cia401-analogs": (0x2A0, struct.pack("<hh", 7620, -5)),
    "cia401-heartbeat": (0x720, bytes([5])),
}

# What the C side must understand of frames sent here.
HAS_REQUEST = "elcon-request charger=229 mv=84000 ma=30000 charge=1 soc=833"
HEARD = [
    ((0x1806E5F4, struct.pack(">HHBHB", 840, 300, 0, 833, 0)), HAS_REQUEST),
    ((0x1806E5F4, struct.pack(">HHBHB", 840, 300, 2, 833, 9)),
     HAS_REQUEST.replace("charge=1", "charge=0")),
    ((0x1806E5F4, struct.pack(">HHBHB", 840, 300, 0, 1001, 0)), "unknown"),
    (EXTENDED["elcon-status"], "elcon-status mv=76200 ma=12300 flags=24"),
    (DALY["daly-pack"], "bms has=34 mv=76200 ma=-1800 soc=830 cells=0 temps=0 mah=0 failed=0"),
    (DALY["daly-cells-range"], "bms has=128 mv=0 ma=0 soc=0 cells=25 temps=0 mah=0 failed=0"),
    (DALY["daly-temp-range"], "bms has=64 mv=0 ma=0 soc=0 cells=0 temps=340 mah=0 failed=0"),
    (DALY["daly-switches"], "bms has=16 mv=0 ma=0 soc=0 cells=0 temps=0 mah=22310 failed=0"),
    (DALY["daly-failures"], "bms has=256 mv=0 ma=0 soc=0 cells=0 temps=0 mah=0 failed=1"),
    (DALY["daly-charged"], "bms has=4 mv=0 ma=0 soc=0 cells=0 temps=0 mah=123456789 failed=0"),
    (DALY["daly-discharged"], "bms has=8 mv=0 ma=0 soc=0 cells=0 temps=0 mah=100000001 failed=0"),
    (HUAWEI["huawei-answer-0"],
     "rectifier has=1 mv=83900 ma=0 temp=0 input=0 alarm=none on=0"),
    (HUAWEI["huawei-answer-1"],
     "rectifier has=2 mv=0 ma=29500 temp=0 input=0 alarm=none on=0"),
    (HUAWEI["huawei-answer-2"], "rectifier has=32 mv=0 ma=0 temp=0 input=0 alarm=none on=1"),
    (HUAWEI["huawei-answer-5"],
     "rectifier has=16 mv=0 ma=0 temp=0 input=0 alarm=comm_lost on=0"),
    (HUAWEI["huawei-answer-8"],
     "rectifier has=4 mv=0 ma=0 temp=410 input=0 alarm=none on=0"),
    (HUAWEI["huawei-answer-11"],
     "rectifier has=8 mv=0 ma=0 temp=0 input=398500 alarm=none on=0"),
    (INFYPOWER["infypower-answer-0"],
     "rectifier has=3 mv=83900 ma=29500 temp=0 input=0 alarm=none on=0"),
    (INFYPOWER["infypower-answer-1"],
     "rectifier has=52 mv=0 ma=0 temp=410 input=0 alarm=sharing on=1"),
    (INFYPOWER["infypower-answer-3"],
     "rectifier has=8 mv=0 ma=0 temp=0 input=398500 alarm=none on=0"),
    (infypower(0x03, False, f32(float("nan")) + f32(1.0)), "unknown"),
    (infypower(0x03, False, f32(float("inf")) + f32(1.0)), "unknown"),
    (EXTENDED["rivot-terminal"],
     "rectifier has=64 mv=76200 ma=2500 temp=0 input=0 alarm=none on=0"),
    (EXTENDED["rivot-charging"], "rectifier has=128 mv=0 ma=0 temp=0 input=0 alarm=none on=1"),
    (STANDARD["cia401-inputs"], "cia401 kind=1 node=32 digital=3 mv=0 state=0"),
    (STANDARD["cia401-outputs"], "cia401 kind=2 node=32 digital=1 mv=0 state=0"),
    (STANDARD["cia401-analogs"], "cia401 kind=3 node=32 digital=0 mv=76200 state=0"),
    (STANDARD["cia401-heartbeat"], "cia401 kind=4 node=32 digital=0 mv=0 state=5"),
    ((0x123, b"\x01\x02\x03"), "unknown 123#010203"),
]

failures = []


def check(what, got, wanted):
    if got != wanted:
        failures.append("%s: got %s, wanted %s" % (what, got, wanted))


def shape(message):
    return (message.arbitration_id, message.is_extended_id, message.is_remote_frame,
            message.is_error_frame, message.dlc, bytes(message.data).hex())


def open_bus():
    """A free port: the system's choice, released and taken for the group."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("", 0))
    port = probe.getsockname()[1]
    probe.close()
    bus = can.Bus(interface="udp_multicast", channel=GROUP, port=port, fd=False)
    sock = bus._multicast._socket  # python-can has no setting for the interface it sends through
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return bus, "mcast:%s:%d" % (GROUP, port)


def start(program, mode, url):
    # Without a buffer: what it says right after its first line must not get lost in one.
    child = subprocess.Popen([program, mode, url], stdout=subprocess.PIPE, bufsize=0)
    line = child.stdout.readline()
    if line != b"ready\n":
        child.kill()
        sys.exit("%s %s did not start: %r" % (program, mode, line))
    return child


def judge_what_is_sent(program):
    bus, url = open_bus()
    child = start(program, "send", url)
    out, _ = child.communicate(timeout=WAIT_S)
    names = out.decode().split()
    wanted = {name: (ident, True, False, False, len(data), data.hex())
              for name, (ident, data) in EXTENDED.items()}
    wanted.update({name: (ident, False, False, False, len(data), data.hex())
                   for name, (ident, data) in STANDARD.items()})
    wanted["remote"] = (0x123, False, True, False, 5, "")
    wanted["error-bus-off"] = (0x40, True, False, True, 8, ZERO.hex())
    check("names", sorted(names), sorted(wanted))
    for name in names:
        message = bus.recv(timeout=WAIT_S)
        if message is None:
            failures.append("%s never came" % name)
            break
        check(name, shape(message), wanted.get(name))
        if not 0 <= time.time() - message.timestamp < 60:
            failures.append("%s: time stamp %r" % (name, message.timestamp))
    check("exit status", child.returncode, 0)
    bus.shutdown()
    return len(names)


def judge_what_is_heard(program):
    bus, url = open_bus()
    child = start(program, "hear", url)
    for (ident, data), _ in HEARD:
        bus.send(can.Message(arbitration_id=ident, data=data, is_extended_id=ident > 0x7FF))
    bus.send(can.Message(arbitration_id=0x40, is_error_frame=True, dlc=8, data=ZERO))
    bus.send(can.Message(arbitration_id=0x100, is_error_frame=True, dlc=8, data=ZERO))
    bus.send(can.Message(arbitration_id=0x123, is_remote_frame=True, dlc=5, is_extended_id=False))
    bus.send(can.Message(arbitration_id=0x7FF, is_extended_id=False))
    out, _ = child.communicate(timeout=WAIT_S)
    lines = out.decode().splitlines()
    wanted = [text for _, text in HEARD] + ["state is=bus-off", "state is=active", "unknown 123#R5"]
    check("lines", len(lines), len(wanted))
    for line, text in zip(lines, wanted):
        # a refused frame is shown as it came
        check("heard", line if text != "unknown" else line.split()[0], text)
    check("exit status", child.returncode, 0)
    bus.shutdown()
    return len(lines)


def main():
    sent = judge_what_is_sent(sys.argv[1])
    heard = judge_what_is_heard(sys.argv[1])
    for failure in failures:
        print(failure)
    print("python-can %s: %d frames read, %d frames written, %d failures"
          % (can.__version__, sent, heard, len(failures)))
    sys.exit(1 if failures else 0)


main()
