import { describe, expect, test } from "vitest";
import { chargeOn, energyToday, flowing, fleetOf, inOrder, runningOn, sessionEnergy, startOfDay, totals, withMeasurement, withStation } from "../src/data/fleet";
import { connector, session, station } from "./world";

describe("measurements", () => {
  const fleet = fleetOf([station({ connectors: [connector({ power_w: 10, soc_percent: 40, updated_at: "2026-01-01T00:01:00Z" })] })]);
  const at = (iso: string): number => Date.parse(iso) / 1000;
  const power = (t: number): number | null | undefined =>
    withMeasurement(fleet, { station_id: "A", connector_id: 1, t, power_w: 20 }).get("A")?.connectors[0]?.power_w;

  test("a sample that was queued while the station was offline does not become now", () => {
    expect(power(at("2026-01-01T00:00:30Z"))).toBe(10);
    expect(power(at("2026-01-01T00:01:30Z"))).toBe(20);
  });
  test("what a sample does not carry stays", () => {
    const next = withMeasurement(fleet, { station_id: "A", connector_id: 1, t: 2e9, power_w: 0, soc_percent: null });
    expect(next.get("A")?.connectors[0]).toMatchObject({ power_w: 0, soc_percent: 40 });
  });
  test("a station nobody knows changes nothing", () => {
    expect(withMeasurement(fleet, { station_id: "B", connector_id: 1, t: 2e9 })).toBe(fleet);
  });
});

test("totals count what is true now: an offline station neither charges nor draws power", () => {
  const charging = connector({ status: "Charging", power_w: 2000 });
  const fleet = fleetOf([
    station({ connectors: [connector({ connector_id: 0, status: "Faulted" }), charging, connector({ connector_id: 2, power_w: 5 })] }),
    station({ id: "B", online: false, connectors: [charging] }),
  ]);
  expect(totals(fleet)).toEqual({ stations: 2, online: 1, connectors: 3, charging: 1, power_w: 2000, faults: 1 });
});

test("order: faults, then running charges, then idle, offline last, names as people count", () => {
  const fleet = fleetOf([
    station({ id: "S10" }),
    station({ id: "S9" }),
    station({ id: "S1", online: false, connectors: [connector({ status: "Faulted" })] }),
    station({ id: "S3", connectors: [connector({ transaction_id: 4 })] }),
    station({ id: "S4", connectors: [connector({ error_code: "HighTemperature" })] }),
  ]);
  expect(inOrder(fleet).map((s) => s.id)).toEqual(["S4", "S3", "S9", "S10", "S1"]);
});

test("connectors come in order whatever order the station reported them in", () => {
  const fleet = withStation(new Map(), station({ connectors: [connector({ connector_id: 2 }), connector({ connector_id: 0 })] }));
  expect(fleet.get("A")?.connectors.map((c) => c.connector_id)).toEqual([0, 2]);
});

describe("energy", () => {
  test("a running charge counts from the register, a finished one from the receipt", () => {
    const plug = connector({ transaction_id: 5, energy_wh: 1700 });
    expect(sessionEnergy(session({ energy_wh: 600 }), plug)).toBe(700);
    expect(sessionEnergy(session({ stop_at: "2026-01-01T11:00:00Z", energy_wh: 600 }), plug)).toBe(600);
    expect(sessionEnergy(session({ energy_wh: 600 }), { ...plug, energy_wh: 3 })).toBe(600); // a new meter
    expect(sessionEnergy(undefined, plug)).toBeNull();
  });
  test("a charge that has just ended stays on its connector while the vehicle is there", () => {
    const done = [session({ id: 2, stop_at: "2026-01-01T11:00:00Z" }), session({ id: 1 })];
    expect(chargeOn(done, "A", connector({ status: "Finishing" }))?.id).toBe(2);
    expect(chargeOn(done, "A", connector({ status: "Available" }))).toBeUndefined();
  });
  test("the last sample of an ended charge is not shown as power that flows", () => {
    const c = connector({ power_w: 2000, soc_percent: 40, updated_at: "2026-01-01T00:00:09Z", since: "2026-01-01T00:00:10Z" });
    expect(flowing(c)).toMatchObject({ power_w: null, soc_percent: 40 });
    expect(flowing({ ...c, updated_at: "2026-01-01T00:00:11Z" }).power_w).toBe(2000);
    expect(flowing({ ...c, transaction_id: 5 }).power_w).toBe(2000);
  });
  test("transaction 0 is a transaction", () => {
    expect(runningOn([session({ transaction_id: 0 })], "A", connector({ transaction_id: 0 }))?.id).toBe(1);
  });
  test("a session over midnight counts with its part of today", () => {
    const now = new Date(2026, 5, 2, 12).getTime();
    const midnight = startOfDay(now);
    const iso = (hours: number): string => new Date(midnight + hours * 3_600_000).toISOString();
    const done = (from: number, to: number): ReturnType<typeof session> =>
      session({ start_at: iso(from), stop_at: iso(to), energy_wh: 400, transaction_id: 99 });
    expect(energyToday([done(-3, 1)], new Map(), now)).toBeCloseTo(100);
    expect(energyToday([done(-3, -1), done(2, 3)], new Map(), now)).toBeCloseTo(400);
  });
});
