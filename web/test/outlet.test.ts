import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { withAnswer, withEffect, type Job } from "../src/data/command";
import { fleetOf, withMeasurement } from "../src/data/fleet";
import { emptyColumns, isOutletCurve } from "../src/data/curve";
import { droppedWords, fits, mergeLines } from "../src/data/lines";
import { eventWords, limitWords, phaseRows, pilotWords } from "../src/data/outlet";
import type { Line, Station } from "../src/data/types";
import { snippet } from "../src/pages/add_station";
import { connector, station } from "./world";

// Reason: a source that core/limits learns must not show up here as a word of the code.
test("every source of a limit has words", () => {
  const rows = [...readFileSync("../core/limits/limits.h", "utf8").matchAll(/^ +X\(\w+, +"(\w+)"\)/gm)].map((row) => row[1] ?? "");
  expect(rows.length).toBeGreaterThan(12);
  expect(rows.filter((source) => limitWords({ a: 6, source, why: "", since: null }).endsWith(` by ${source}`) && source !== "temperature")).toEqual([]);
});

const ac = connector({ kind: "ac", phases: 3, phase_current_a: [10, 5, null], limit: { a: 10, source: "load", why: "lease over", since: null } });

describe("outlet", () => {
  test("every state of IEC 61851-1 has words, what is none is said to be unknown", () => {
    for (const pilot of ["A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F"]) {
      expect(pilotWords(pilot).text).not.toBe("pilot not known");
    }
    expect(pilotWords("G9")).toEqual(pilotWords(null));
  });
  test("a limit says who and why", () => {
    expect(limitWords(ac.limit)).toBe("10.0\u202fA by load sharing: lease over");
    expect(limitWords({ a: 6, source: "somebody", why: null, since: null })).toBe("6.0\u202fA by somebody");
    expect(limitWords(null)).toBe("Limit not known");
  });
  test("phases are measured against the limit; what is not measured is no bar and no zero", () => {
    expect(phaseRows(ac).map((r) => [r.name, r.amps, r.share])).toEqual([
      ["L1", 10, 1],
      ["L2", 5, 0.5],
      ["L3", null, 0],
    ]);
    expect(phaseRows(connector({ phases: 1, phase_current_a: [20, null, null], offered_a: 16 }))).toMatchObject([{ name: "L1", share: 1 }]);
    expect(phaseRows(connector({ limit: { a: 0, source: "load", why: null, since: null } })).map((r) => r.share)).toEqual([0, 0, 0]);
  });
  test("events say their values with units", () => {
    const event = (kind: string, value: number, text = ""): string => eventWords({ n: 1, seq: 1, time: null, received_at: "", connector_id: 1, kind, value, text });
    expect(event("limit", 10_000, "load: lease over")).toBe("10.0\u202fA · load: lease over");
    expect([event("contactor", 1), event("plug", 0), event("pilot", 0, "C2"), event("lost", 5)]).toEqual(["closed", "out", "C2", "5 events never came"]);
  });
  test("a live sample brings its phases", () => {
    const fleet = fleetOf([station({ connectors: [ac] })]);
    const next = withMeasurement(fleet, { station_id: "A", connector_id: 1, t: 2e9, phase_current_a: [1, 2, 3] });
    expect(next.get("A")?.connectors[0]).toMatchObject({ phase_current_a: [1, 2, 3], phase_voltage_v: null });
  });
});

describe("orders over the station link", () => {
  const job = (action: string, payload: Record<string, unknown>): Job => ({
    key: 1, station: "A", action, payload, title: action, phase: "pending", commandId: 1, answer: null, told: false,
    note: "", before: station(), at: 0,
  });
  const accepted = (j: Job): Job => withAnswer(j, { state: "answered", answer: { status: "Accepted" } });
  const at = (part: object): Station => station({ connectors: [connector(part)] });

  test("a refusal comes in the safety machine's words", () => {
    const refused = withAnswer(job("LinkEnergize", { connector_id: 1, on: true }), { state: "answered", answer: { status: "Refused", reason: "no vehicle" } });
    expect([refused.phase, refused.note]).toEqual(["refused", "the station refused: no vehicle"]);
  });
  test("a limit is seen when it applies, also below what was asked", () => {
    const asked = accepted(job("LinkLimit", { connector_id: 1, current_a: 10 }));
    expect(withEffect(asked, at({ limit: { a: 16, source: "settings", why: null, since: null } }), 1).phase).toBe("watching");
    expect(withEffect(asked, at({ limit: { a: 6, source: "cable", why: null, since: null } }), 1)).toMatchObject({ phase: "done", note: "limited to 6 A by cable" });
  });
  test("switching is seen at the contactor, not at the answer", () => {
    const asked = accepted(job("LinkEnergize", { connector_id: 1, on: true }));
    expect(withEffect(asked, at({ energised: false }), 1).phase).toBe("watching");
    expect(withEffect(asked, at({ energised: true }), 1).phase).toBe("done");
  });
});

describe("station log", () => {
  const line = (n: number, part: Partial<Line> = {}): Line => ({ n, time: null, level: "info", room: "evse", text: "B2 to C2", dropped: 0, ...part });

  test("live lines pass the same filter as stored ones", () => {
    expect(fits(line(1), { query: " c2 ", level: "info" })).toBe(true);
    expect(fits(line(1), { query: "EVSE b2", level: "info" })).toBe(true);
    expect(fits(line(1), { query: "weld", level: "info" })).toBe(false);
    expect(fits(line(1, { level: "debug" }), { query: "", level: "info" })).toBe(false);
    expect(fits(line(1, { level: "error" }), { query: "", level: "warn" })).toBe(true);
  });
  test("each line once, in order, the newest kept", () => {
    expect(mergeLines([line(2), line(3)], [line(3), line(1), line(4)], 3).map((l) => l.n)).toEqual([2, 3, 4]);
  });
  test("what was lost is counted in words", () => {
    expect([droppedWords(1), droppedWords(20)]).toEqual(["1 line was lost here", "20 lines were lost here"]);
  });
});

test("the snippet for a station's file names the link only where the central has one", () => {
  globalThis.window = { location: { protocol: "http:", host: "c:8180", hostname: "c" } } as unknown as typeof globalThis.window;
  expect(snippet("S1", null)).toBe('station:\n  id: "S1"\nocpp:\n  url: "ws://c:8180/ocpp"');
  expect(snippet("S1", { port: 8190, pin: "ab" })).toContain('uplink:\n  url: "tls://c:8190"\n  pin: "ab"');
});

test("a session's curve is an outlet's when it has limits and no state of charge", () => {
  const columns = { ...emptyColumns(), t: [1], limit_a: [10], soc_percent: [null] };
  expect(isOutletCurve(columns)).toBe(true);
  expect(isOutletCurve({ ...columns, soc_percent: [40] })).toBe(false);
  expect(isOutletCurve({ ...columns, limit_a: [null] })).toBe(false);
});
