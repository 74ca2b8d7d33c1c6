// The pure parts of the station's own page.
import { describe, expect, it, test } from "vitest";
import { centralWords, chainWords, columnsOf, grouped, groupOf, isOpen, limitNote, movingWords, nameOf, phasesOf, stateWords, waitingWords, whyNot, whyNothing } from "../src/station/model";
import { parse } from "../src/station/place";
import type { Setting, StationConnector, StationStatus } from "../src/station/types";

const connector: StationConnector = {
  connector_id: 1,
  kind: "pilot",
  status: "Charging",
  error_code: "NoError",
  vendor_code: "",
  info: "",
  phase: "active",
  state: "charging",
  state_why: "vehicle ready",
  reserved_until: null,
  id_tag: "****B19C",
  transaction_id: 7,
  plugged: true,
  contactor: true,
  voltage_v: 230,
  current_a: 16,
  power_w: 11000,
  offered_a: 16,
  limit_source: "settings",
  limit_why: "settings",
  limit_age_s: 3,
  session_s: 60,
  energy_wh: 100,
  register_wh: 1000,
  temperature_c: 25,
  soc_percent: null,
  imax_a: null,
  charge_ah: null,
  vehicle_model: "",
  pilot: "C2",
  cable_a: 32,
  phases: 3,
  phase_voltage_v: [230, 231, null],
  phase_current_a: [16, 8, null],
  phase_power_w: [3680, 1840, null],
};

const status: StationStatus = {
  station: "YARD-07",
  firmware: "1",
  uptime_s: 1,
  has_central: true,
  central: "online",
  central_reason: "",
  security_profile: 1,
  messages_waiting: 0,
  messages_thinned: 0,
  messages_dropped: 0,
  messages_parked: 0,
  records_damaged: 0,
  files: {
    upload: { status: "Idle", url: "", bytes: 0, total: 0, why: "", log: "diagnostics", name: "" },
    update: {
      status: "Idle", url: "", bytes: 0, total: 0, why: "", signed: false, by: "nobody", version: "", running: "1.0.0", under_way: false,
      ended_at: null, able: true, trial: false, returned: "", returned_why: "", retrieve_at: null, install_at: null, holds_charges: false,
    },
  },
  house: null,
  connectors: [connector],
};

const setting = (path: string, more: Partial<Setting> = {}): Setting => ({
  path,
  value: "1",
  range: "0..2",
  kind: "int",
  when: "live",
  unit: "",
  default: "1",
  ocpp_key: "",
  doc: "",
  ...more,
});

describe("phases", () => {
  it("are bars of what is offered; one that nobody measured is none", () => {
    expect(phasesOf(connector).map((row) => row.share)).toEqual([1, 0.5, 0]);
    expect(phasesOf(connector)[2]?.amps).toBeNull();
    expect(phasesOf({ ...connector, phases: 1 })).toHaveLength(1);
  });
});

describe("who may do what", () => {
  it("says what is missing, in this order: a connection, a password, a login", () => {
    expect(whyNothing(null)).toMatch(/not connected/);
    expect(whyNothing({ password_set: false, set_up: false, inside: true, encrypted: true, https_port: 0, csrf: null })).toMatch(/no password/);
    expect(whyNothing({ password_set: true, set_up: false, inside: false, encrypted: true, https_port: 0, csrf: null })).toBe("log in first");
    expect(whyNothing({ password_set: true, set_up: false, inside: true, encrypted: true, https_port: 0, csrf: "x" })).toBeNull();
    expect(whyNothing({ password_set: false, set_up: true, inside: false, encrypted: true, https_port: 0, csrf: "x" })).toMatch(/network only/);
  });
  it("offers only what makes sense in the present state", () => {
    expect(whyNot("start", connector, 0)).toMatch(/running/);
    expect(whyNot("stop", connector, 0)).toBeNull();
    const idle = { ...connector, phase: "idle", status: "Available" } as const;
    expect(whyNot("start", idle, 0)).toBeNull();
    expect(whyNot("stop", idle, 0)).toMatch(/nothing/);
    expect(whyNot("start", { ...idle, status: "Faulted" }, 1)).toMatch(/fault/);
    expect(whyNot("clear", idle, 0)).toMatch(/no fault/);
    expect(whyNot("clear", idle, 1)).toBeNull();
  });
});

describe("words", () => {
  it("do not say the same twice", () => {
    const limit = { source: "local", words: "set by hand", limit_a: 6, age_s: 1, expires_s: null, counts: true };
    expect(limitNote({ ...limit, why: "set by hand" })).toBe("");
    expect(limitNote({ ...limit, source: "load", words: "shared with others", why: "circuit is full" })).toBe("circuit is full");
    expect(stateWords(connector)).toBe("charging: vehicle ready · contactor closed");
    expect(stateWords({ ...connector, state_why: "contactor closed" })).toBe("charging: contactor closed");
  });
  it("name a central system only where there is one", () => {
    expect(centralWords({ ...status, has_central: false })).toBeNull();
    expect(centralWords(status)?.tone).toBe("go");
    expect(centralWords({ ...status, central: "offline", central_reason: "refused" })?.text).toBe("Central system offline: refused");
    expect(waitingWords(status)).toBe("");
    expect(waitingWords({ ...status, messages_waiting: 1 })).toBe(" · 1 message waits");
    expect(waitingWords({ ...status, messages_waiting: 2 })).toBe(" · 2 messages wait");
  });
});

describe("settings", () => {
  it("are grouped by their first word, connectors by their number, and found by help text too", () => {
    const all = [setting("ocpp.url"), setting("connectors[0].phases"), setting("connectors[1].phases"), setting("ocpp.key", { doc: "The Password" })];
    expect(grouped(all, "").map((group) => [group.name, group.settings.length])).toEqual([
      ["OCPP", 2],
      ["Connector 1", 1],
      ["Connector 2", 1],
    ]);
    expect(grouped(all, "password").map((group) => group.settings[0]?.path)).toEqual(["ocpp.key"]);
    expect(groupOf("card_reader.device")).toBe("Card reader");
    expect(nameOf("connectors[1].phases")).toBe("phases");
    expect(nameOf("ocpp.url")).toBe("url");
  });
  it("can be changed when the table says so", () => {
    expect((["file", "live", "restart", "fixed", "secret"] as const).filter((when) => isOpen(setting("a.b", { when })))).toEqual(["live", "restart", "secret"]);
  });
});

describe("history and places", () => {
  it("has a column for each line of the plot, as long as its times", () => {
    const columns = columnsOf({ t: [1, 2], current_a: [1, null], offered_a: [2, 2], power_w: [3, 3], soc_percent: [null, null] });
    expect(Object.values(columns).every((column) => column.length === 2)).toBe(true);
  });
  it("keeps to the places there are", () => {
    expect([parse("#/settings"), parse("#/log"), parse("#/"), parse("#/else"), parse("")]).toEqual(["settings", "log", "charge", "charge", "charge"]);
  });
});

test("what is moved says how far it is, and why it last failed", () => {
  const moving = status.files.upload;
  expect(movingWords(moving)).toBe("Idle");
  expect(movingWords({ ...moving, status: "Uploading", bytes: 400, total: 1000 })).toBe("Uploading, 40 %");
  // What was refused by its head has no share of anything.
  expect(movingWords({ ...moving, status: "InvalidSignature", bytes: 0, total: 1000, why: "not signed" })).toBe("Invalid signature: not signed");
  expect(movingWords({ ...moving, status: "DownloadFailed", why: "the server is not there" })).toBe("Download failed: the server is not there");
});

test("a chain that nobody has checked is not called whole", () => {
  const log = { chain: "whole", checked: 0, bad: 0, newest: 4, untold: 0, lost: 0, records: [] };
  expect(chainWords(log)).toMatchObject({ tone: "mute", text: "Chain not checked since the start" });
  expect(chainWords({ ...log, checked: 4 })).toMatchObject({ tone: "go", text: "Chain whole" });
  expect(chainWords({ ...log, chain: "being checked" }).tone).toBe("info");
  expect(chainWords({ ...log, chain: "broken", bad: 3 })).toMatchObject({ tone: "bad", text: "Chain broken at record 3" });
});
