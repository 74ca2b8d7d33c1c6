import { describe, expect, test } from "vitest";
import { clockTime, current, duration, elapsed, energy, latency, MISSING, percent, plain, power, voltage, words } from "../src/data/format";

const show = (q: { text: string; unit: string }): string => `${q.text} ${q.unit}`;

describe("quantities", () => {
  test("power changes from W to kW before it would read 1000 W", () => {
    expect([0, 999.4, 999.5, 1984, 99_949, 99_950, 150_000].map((w) => show(power(w)))).toEqual([
      "0 W",
      "999 W",
      "1.00 kW",
      "1.98 kW",
      "99.95 kW",
      "100.0 kW",
      "150.0 kW",
    ]);
  });
  test("energy keeps a watt-hour while it is small", () => {
    expect([0, 1, 1112, 9999.4, 9999.5, 99_994, 99_995, 184_312, 12_345_678].map((wh) => show(energy(wh)))).toEqual([
      "0.000 kWh",
      "0.001 kWh",
      "1.112 kWh",
      "9.999 kWh",
      "10.00 kWh",
      "99.99 kWh",
      "100.0 kWh",
      "184.3 kWh",
      "12346 kWh",
    ]);
  });
  test("no minus zero from a meter's noise", () => {
    expect([show(current(-0.04)), show(power(-0.3))]).toEqual(["0.0 A", "0 W"]);
  });
  test("what is missing is a dash, never a zero", () => {
    for (const f of [power, energy, current, voltage, percent]) {
      expect([f(null), f(undefined), f(NaN), f(Infinity)].map(plain)).toEqual([MISSING, MISSING, MISSING, MISSING]);
    }
  });
});

describe("times", () => {
  test("durations at their borders", () => {
    expect([0, 59.4, 59.6, 3599, 3600, 172_799, 172_800].map(duration)).toEqual([
      "0 s",
      "59 s",
      "1 min 00 s",
      "59 min 59 s",
      "1 h 00 min",
      "47 h 59 min",
      "2 d 0 h",
    ]);
    expect([-5, 59.9, 60, 3600, 172_800, null].map(elapsed)).toEqual(["0 s", "59 s", "1 min", "1 h 0 min", "2 d", MISSING]);
  });
  test("milliseconds keep their zeros, for reading a log column", () => {
    expect(clockTime(new Date(2026, 0, 2, 3, 4, 5, 6), true)).toBe("03:04:05.006");
  });
  test("latency", () => {
    expect([null, 0, 31, 9994, 12_345].map(latency)).toEqual(["", "0 ms", "31 ms", "9994 ms", "12.3 s"]);
  });
});

test("OCPP's names as words", () => {
  expect(["EVDisconnected", "PowerLoss", "Local", "GroundFailure", "EVCommunicationError"].map(words)).toEqual([
    "EV disconnected",
    "Power loss",
    "Local",
    "Ground failure",
    "EV communication error",
  ]);
});
