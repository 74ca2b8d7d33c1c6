// The pure parts of the station page's house, plans, and boards.
import { describe, expect, it } from "vitest";
import { activeWords, hasCharger, houseBars, houseTone, houseWord, mostOf, offeredOf, withHouse } from "../src/station/house_model";
import { clockWords, hasBoard, heartbeatWords, helpWords, leftWords, phaseWords, switched, total, usesOf, whySentence } from "../src/station/model";
import { readTimer, readWeek, windowWords, writeDays, writeWeek } from "../src/station/plan";
import type { Board, Charge, Hold, House, HouseCharger, HouseHistory, Schedule, Setting, StationStatus } from "../src/station/types";

const house: House = {
  managed: true,
  quality: "good",
  trust: "",
  phases: 3,
  breaker_a: 25,
  target_a: [23.75, 23.75, 23.75],
  grid_a: [10, -5, 26],
  grid_w: [2300, -1150, 5980],
  charger_a: [6, 6, null],
  failsafe: false,
  connectors: [
    {
      connector_id: 1,
      offered_a: 6,
      state: "following",
      why: "what the breaker leaves",
      age_s: 5,
      active_phases: [1, 2],
      pauses_today: 0,
      solar_state: "off",
      solar_why: "",
      solar_a: null,
      surplus_w: null,
    },
  ],
};
const charger = house.connectors[0] as HouseCharger;

const empty: HouseHistory = { t: [], grid1_a: [], grid2_a: [], grid3_a: [], charger_a: [], offered_a: [], target_a: [], breaker_a: [] };

describe("the house", () => {
  it("is bars of the breaker, with the house's own part, what is given back, and what is too much", () => {
    const [l1, l2, l3] = houseBars(house);
    expect([l1?.all, l1?.house, l1?.target]).toEqual([40, 16, 95]);
    expect([l2?.all, l2?.words.startsWith("gives back")]).toEqual([0, true]);
    expect([l3?.all, l3?.over]).toEqual([100, true]);
    expect(houseBars({ ...house, phases: 1 })).toHaveLength(1);
    expect(houseBars({ ...house, grid_a: [null, null, null] })[0]?.words).toBe("not measured");
    expect(houseBars({ ...house, managed: false })[0]?.target).toBeNull();
  });
  it("is red when it fell back, yellow when it pauses or doubts its meter", () => {
    expect([houseTone(house), houseTone({ ...house, failsafe: true }), houseTone({ ...house, connectors: [{ ...charger, state: "paused" }] }), houseTone({ ...house, trust: "silent" }), houseTone({ ...house, managed: false })]).toEqual(["go", "bad", "warn", "warn", "mute"]);
  });
  it("keeps one reading a step and an hour of them, unknown ones as none", () => {
    const one = withHouse(empty, house, 10_000);
    expect(withHouse(one, house, 10_004)).toBe(one);
    const two = withHouse(one, { ...house, charger_a: [null, null, null], connectors: [] }, 10_005);
    expect(two.t).toEqual([10_000, 10_005]);
    expect(two.charger_a).toEqual([6, null]);
    expect(withHouse(two, house, 13_604).t).toEqual([10_005, 13_604]);
    expect([hasCharger(two), hasCharger(empty)]).toEqual([true, false]);
  });
  it("speaks of one connector by its state, of several together", () => {
    const two = { ...house, connectors: [charger, { ...charger, connector_id: 2, offered_a: null }] };
    expect([houseWord(house), houseWord(two), houseWord({ ...two, failsafe: true }), houseWord({ ...house, managed: false })]).toEqual([
      "following",
      "managed",
      "fail-safe",
      "load management off",
    ]);
    expect([offeredOf(house), offeredOf(two), offeredOf({ ...house, connectors: [] })]).toEqual([6, 6, null]);
  });
  it("names the phases that are loaded", () => {
    expect([activeWords(charger), activeWords({ ...charger, active_phases: [] })]).toEqual(["L1, L2", "not known yet"]);
    expect([mostOf([null, 3, 2]), mostOf([null])]).toEqual([3, null]);
  });
});

describe("delay timer and weekly plan", () => {
  it("read what they write", () => {
    for (const text of ["mon-fri 22:00-06:00", "sat,sun 00:00-24:00", "mon,wed-fri 10:30-12:00; sun 08:00-09:00", ""]) {
      const windows = readWeek(text);
      expect(windows).not.toBeNull();
      expect(writeWeek(windows ?? [])).toBe(text);
    }
  });
  it("understand a range over the weekend, and leave alone what they do not understand", () => {
    expect(readWeek("fri-mon 22:00-06:00")?.[0]?.days).toEqual([true, false, false, false, true, true, true]);
    for (const text of ["mon", "someday 10:00-11:00", "mon- 10:00-11:00", "mon 10:00"]) expect(readWeek(text)).toBeNull();
    expect([readTimer("23:00-06:30"), readTimer(""), readTimer("23:00")]).toEqual([{ from: "23:00", to: "06:30" }, null, null]);
  });
  it("every set of days is written so that it is read again", () => {
    for (let bits = 1; bits < 128; bits += 1) {
      const days = [0, 1, 2, 3, 4, 5, 6].map((day) => (bits & (1 << day)) !== 0);
      expect(readWeek(`${writeDays(days)} 10:00-11:00`)?.[0]?.days).toEqual(days);
    }
  });
  it("say when a window goes over midnight", () => {
    expect([windowWords("22:00", "06:00"), windowWords("06:00", "22:00")]).toEqual(["22:00 to 06:00 the next day", "06:00 to 22:00"]);
  });
});

const hold: Hold = {
  connector_id: 1,
  mode: "controlled",
  held: false,
  why: "",
  text: "",
  charge_now: false,
  changes_at: null,
  energy_wh: { limit: 5000, used: 3800, left: 1200 },
  time_s: { limit: null, used: 10, left: null },
  soc_percent: { limit: 80, used: null, left: null },
  drew_too_much: false,
};

describe("words", () => {
  it("say what is left of a limit, where it is known", () => {
    expect(usesOf(hold).map((use) => use.text)).toEqual(["5.000\u202fkWh, 1.200\u202fkWh left", "80\u202f%"]);
    expect(leftWords({ limit: null, used: 1, left: null }, String)).toBe("");
  });
  it("show the clock of the station's own zone, not the browser's", () => {
    const schedule: Schedule = { clock: "2026-11-21T23:30:00.000Z", offset_s: 3600, zone: "CET", time_zone: "", delay_timer: "", weekly: "", connectors: [] };
    expect(clockWords(schedule)).toBe("Sun 00:30 CET");
    expect(clockWords({ ...schedule, clock: null })).toBe("");
  });
  it("answer why it is 6 A in one sentence", () => {
    const limit = { source: "house", words: "the house needs the rest", limit_a: 6, why: "L1 is full", age_s: 180, expires_s: null, counts: true };
    expect(whySentence({ connector_id: 1, effective_a: 6, limits: [limit] })).toBe("The house needs the rest: L1 is full, for 3 min.");
    expect(whySentence({ connector_id: 1, effective_a: 6, limits: [{ ...limit, why: "", age_s: null, expires_s: 60 }] })).toBe("The house needs the rest. It ends in 1 min.");
    expect(whySentence({ connector_id: 1, effective_a: 6, limits: [] })).toBe("");
  });
  it("help with a setting: range, and the default where it is another", () => {
    const setting: Setting = { path: "a.b", value: "5", range: "1..9", kind: "int", when: "live", unit: "", default: "3", ocpp_key: "", doc: "It does." };
    expect(helpWords(setting)).toBe("It does. Allowed: 1..9. Default: 3. Takes effect at once.");
    expect(helpWords({ ...setting, value: "3" })).toBe("It does. Allowed: 1..9. Takes effect at once.");
    expect(helpWords({ ...setting, kind: "bool", value: "true", default: "false" })).toContain("Allowed: yes or no. Default: no.");
    expect(helpWords({ ...setting, when: "secret", value: "***" })).not.toContain("Default");
  });
  it("turn one switch and no other", () => {
    expect([switched("0000", 1), switched("0100", 1), switched("0101", 3)]).toEqual(["0100", "0000", "0100"]);
  });
  it("add up charges, those without a reading as none", () => {
    expect(total([{ energy_wh: 1000 }, { energy_wh: null }, { energy_wh: 500 }] as Charge[])).toBe(1500);
  });
});

describe("a board", () => {
  it("tells its heartbeat and its phases in words", () => {
    const board = { heartbeat: "armed", heartbeat_s: 10, heartbeat_a: 6 } as Board;
    expect(heartbeatWords(board)).toBe("armed: 6.0\u202fA after 10 s of silence");
    expect(heartbeatWords({ ...board, heartbeat: "none", heartbeat_s: null })).toBe("none");
    expect([phaseWords(null), phaseWords(0), phaseWords(1), phaseWords(7)]).toEqual(["not known yet", "not known yet", "L1", "L1, L2, L3"]);
  });
  it("has its place only where there is one", () => {
    expect(hasBoard(null)).toBe(false);
    expect(hasBoard({ connectors: [{ board: {} }] } as unknown as StationStatus)).toBe(true);
  });
});
