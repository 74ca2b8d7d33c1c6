import { describe, expect, test } from "vitest";
import { sessionsCsv } from "../src/data/csv";
import { drawn, emptyColumns, GAP_S, withSample } from "../src/data/curve";
import { retryDelay } from "../src/data/retry";
import { href, parse } from "../src/route";
import { session } from "./world";

describe("curves", () => {
  const at = (t: number, part: object = {}): Parameters<typeof withSample>[1] => ({ station_id: "A", connector_id: 1, t, ...part });

  test("samples of one moment complete each other; an older one is left out", () => {
    let c = withSample(emptyColumns(), at(100, { power_w: 5 }), 0);
    c = withSample(c, at(100, { voltage_v: 76 }), 0);
    c = withSample(c, at(90, { power_w: 9 }), 0);
    expect([c.t, c.power_w, c.voltage_v]).toEqual([[100], [5], [76]]);
  });
  test("what is older than the window goes", () => {
    let c = emptyColumns();
    for (const t of [10, 20, 30]) c = withSample(c, at(t, { power_w: t }), t - 10);
    expect([c.t, c.power_w]).toEqual([
      [20, 30],
      [20, 30],
    ]);
    expect(withSample(c, at(1000), 900).t).toEqual([1000]);
  });
  test("a missing value does not break the line, a long pause does", () => {
    let c = withSample(emptyColumns(), at(0, { power_w: 1000 }), 0);
    c = withSample(c, at(10, { voltage_v: 76 }), 0);
    c = withSample(c, at(11 + GAP_S, { power_w: 2000 }), 0);
    const [t, power] = drawn(c, ["power_w"], [0.001]);
    expect(t).toEqual([0, 10, 11, 11 + GAP_S]);
    expect(power).toEqual([1, undefined, null, 2]);
  });
});

describe("routes", () => {
  test("every address leads back to its page", () => {
    expect(parse(href.overview)).toEqual({ page: "overview" });
    expect(parse("")).toEqual({ page: "overview" });
    expect(parse(href.station("A/B ü%"))).toEqual({ page: "station", id: "A/B ü%", tab: "charge" });
    expect(parse(href.station("S1", "log"))).toEqual({ page: "station", id: "S1", tab: "log" });
    expect(parse(href.station("S1", "security"))).toEqual({ page: "station", id: "S1", tab: "security" });
    expect(parse(href.session(7))).toEqual({ page: "session", id: 7 });
    expect(parse(href.addCard("A&B"))).toEqual({ page: "cards", add: "A&B" });
  });
  test("nonsense is not found rather than a crash", () => {
    for (const hash of ["#/nothing", "#/sessions/x", "#/stations/A/x", "#/stations/A/log/x"]) {
      expect(parse(hash).page).toBe("missing");
    }
    expect(parse("#/stations/%E0%A4%A")).toEqual({ page: "station", id: "%E0%A4%A", tab: "charge" });
  });
});

test("retries wait longer and longer, at most 15 s, never in step", () => {
  expect([0, 1, 2, 10, 1000].map((attempt) => retryDelay(attempt, 0.5))).toEqual([500, 1000, 2000, 15_000, 15_000]);
  expect([retryDelay(0, 0), retryDelay(0, 1)]).toEqual([375, 625]);
});

test("CSV: quotes, empty cells, and no cell a spreadsheet would run", () => {
  const text = sessionsCsv([session({ id_tag: '=cmd("x")', vehicle_model: "Pro, 60" })]);
  const [head, row, end] = text.split("\r\n");
  expect(head?.startsWith("id,station_id,connector_id")).toBe(true);
  expect(row).toContain(`"'=cmd(""x"")","Pro, 60"`);
  expect(row?.split(",").at(-1)).toBe("");
  expect(end).toBe("");
});
