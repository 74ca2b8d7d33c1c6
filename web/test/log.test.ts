import { describe, expect, test } from "vitest";
import { exchanges, jsonLines, matches, merge, outcome, pretty, summary, type LogFilter } from "../src/data/log";
import type { LogEntry } from "../src/data/types";

let seq = 0;
function entry(direction: "in" | "out", kind: LogEntry["kind"], id: string, action: string | null, payload: unknown = {}): LogEntry {
  seq += 1;
  const time = new Date(1_700_000_000_000 + seq * 10).toISOString();
  return { seq, time, direction, kind, action, message_id: id, latency_ms: kind === "call" ? null : 5, payload: JSON.stringify(payload) };
}

const ALL: LogFilter = { action: "", sender: "", text: "", quiet: false };

describe("pairing", () => {
  test("the same id asked from both sides at once is two exchanges", () => {
    const list = exchanges([
      entry("in", "call", "7", "Heartbeat"),
      entry("out", "call", "7", "Reset", { type: "Soft" }),
      entry("in", "result", "7", null, { status: "Accepted" }),
      entry("out", "result", "7", null, { currentTime: "x" }),
    ]);
    expect(list.map((e) => [e.sender, e.action, e.answer?.direction, outcome(e)])).toEqual([
      ["station", "Heartbeat", "out", "OK"],
      ["central", "Reset", "in", "Accepted"],
    ]);
  });
  test("a station that counts from 1 again after a restart: the answer belongs to the latest question", () => {
    const list = exchanges([
      entry("in", "call", "1", "BootNotification"),
      entry("in", "call", "1", "BootNotification", { again: true }),
      entry("out", "result", "1", null, { status: "Accepted" }),
    ]);
    expect(list.map(outcome)).toEqual(["no answer yet", "Accepted"]);
  });
  test("an answer whose question is older than what was read stands alone, with the sender who asked", () => {
    const [lone] = exchanges([entry("in", "result", "9", "GetConfiguration")]);
    expect([lone?.sender, lone?.action, lone?.request]).toEqual(["central", "GetConfiguration", null]);
  });
  test("a second answer to one question does not replace the first", () => {
    const list = exchanges([entry("in", "call", "3", "Authorize"), entry("out", "result", "3", null), entry("out", "error", "3", null)]);
    expect(list.map((e) => e.answer?.kind)).toEqual(["result", "error"]);
  });
});

test("merging keeps each entry once, in order, and the newest when there are too many", () => {
  const [a, b, c] = [entry("in", "call", "a", "A"), entry("in", "call", "b", "B"), entry("in", "call", "c", "C")];
  expect(merge([b, c], [a, b], 10).map((e) => e.message_id)).toEqual(["a", "b", "c"]);
  expect(merge([a], [c, b], 2).map((e) => e.message_id)).toEqual(["b", "c"]);
});

describe("filters", () => {
  const list = exchanges([
    entry("in", "call", "1", "Heartbeat"),
    entry("in", "call", "2", "MeterValues", { connectorId: 1 }),
    entry("out", "error", "2", null, { code: "FormationViolation" }),
    entry("out", "call", "3", "UnlockConnector", { connectorId: 2 }),
    entry("in", "call", "4", "DataTransfer", { vendorId: "org.pilotwire", messageId: "VehicleInfo", data: "{}" }),
  ]);
  const actions = (filter: Partial<LogFilter>): string[] =>
    list.filter((e) => matches(e, { ...ALL, ...filter })).map((e) => e.action);

  test("chatter can be hidden, but not an error in it, and not when it is asked for", () => {
    expect(actions({ quiet: true })).toEqual(["MeterValues", "UnlockConnector"]);
    expect(actions({ quiet: true, action: "Heartbeat" })).toEqual(["Heartbeat"]);
  });
  test("by sender and by text in either payload, whatever its case", () => {
    expect(actions({ sender: "central" })).toEqual(["UnlockConnector"]);
    expect(actions({ text: "formationviolation" })).toEqual(["MeterValues"]);
  });
});

test("a line tells what a reader looks for, and survives payloads that are no objects", () => {
  const [start, status, odd] = exchanges([
    entry("in", "call", "1", "StartTransaction", { connectorId: 1, idTag: "04A2", meterStart: 0 }),
    entry("in", "call", "2", "StatusNotification", { connectorId: 0, status: "Faulted", errorCode: "GroundFailure" }),
    { ...entry("in", "call", "3", "StatusNotification"), payload: "not JSON" },
  ]);
  expect([start, status, odd].map((e) => (e ? summary(e) : null))).toEqual([
    "connector 1 · 04A2 · 0",
    "connector 0 · Faulted · GroundFailure",
    "",
  ]);
  expect([pretty("not JSON"), pretty('{"a":1}')]).toEqual(["not JSON", '{\n  "a": 1\n}']);
});

test("an answer in a word", () => {
  const say = (kind: "result" | "error", payload: unknown): string =>
    exchanges([entry("in", "call", "x", "A"), entry("out", kind, "x", null, payload)]).map(outcome).join();
  expect(say("result", { idTagInfo: { status: "Invalid" } })).toBe("Invalid");
  expect(say("result", { transactionId: 0, idTagInfo: { status: "Accepted" } })).toBe("Accepted · transaction 0");
  expect(say("error", { code: "NotImplemented" })).toBe("NotImplemented");
  expect(say("error", null)).toBe("CALLERROR");
});

test("export is one JSON object a line", () => {
  const text = jsonLines([entry("in", "call", "1", "A"), entry("out", "result", "1", null)]);
  expect(text.endsWith("\n")).toBe(true);
  expect(text.trim().split("\n").map((line) => (JSON.parse(line) as LogEntry).kind)).toEqual(["call", "result"]);
});
