import { describe, expect, test } from "vitest";
import { connectorOf, EFFECT_WAIT_MS, subjectOf, withAnswer, withEffect, type Job } from "../src/data/command";
import type { Station } from "../src/data/types";
import { connector, station } from "./world";

function job(action: string, payload: Record<string, unknown>, before: Station = station()): Job {
  return { key: 1, station: "A", action, payload, title: action, phase: "pending", commandId: 1, answer: null, note: "", told: false, before, at: 0 };
}
const accepted = (j: Job): Job => withAnswer(j, { state: "answered", answer: { status: "Accepted" } });

describe("answers", () => {
  test.each([
    ["Accepted", "UnlockConnector", "done"],
    ["Unlocked", "UnlockConnector", "done"],
    ["UnlockFailed", "UnlockConnector", "refused"],
    ["Rejected", "Reset", "refused"],
    ["RebootRequired", "ChangeConfiguration", "done"],
    ["NotSupported", "ChangeConfiguration", "refused"],
    ["Scheduled", "ChangeAvailability", "done"],
    ["Accepted", "ChangeAvailability", "watching"],
    ["Accepted", "RemoteStartTransaction", "watching"],
  ])("%s to %s is %s", (status, action, phase) => {
    expect(withAnswer(job(action, {}), { state: "answered", answer: { status } }).phase).toBe(phase);
  });
  test("an answer without a status is an answer", () => {
    expect(withAnswer(job("GetConfiguration", {}), { state: "answered", answer: { configurationKey: [] } }).phase).toBe("done");
  });
  test("CALLERROR, time-out and offline say so", () => {
    const error = withAnswer(job("Reset", {}), { state: "error", answer: { code: "NotSupported", description: "no" } });
    expect([error.phase, error.note]).toEqual(["failed", "NotSupported: no"]);
    expect(withAnswer(job("Reset", {}), { state: "timeout", answer: null }).note).toContain("in time");
    expect(withAnswer(job("Reset", {}), { state: "offline", answer: null }).note).toContain("offline");
  });
  test("the event and the poll may both bring it: the second changes nothing", () => {
    const once = accepted(job("Reset", {}));
    expect(withAnswer(once, { state: "pending", answer: null })).toBe(once);
  });
});

describe("effects", () => {
  test("a start is seen when the named connector has a new transaction", () => {
    const before = station({ connectors: [connector(), connector({ connector_id: 2, transaction_id: 8 })] });
    const asked = accepted(job("RemoteStartTransaction", { connectorId: 1, idTag: "x" }, before));
    expect(withEffect(asked, before, 1).phase).toBe("watching");
    const after = station({ connectors: [connector({ transaction_id: 9 }), connector({ connector_id: 2, transaction_id: 8 })] });
    expect(withEffect(asked, after, 1)).toMatchObject({ phase: "done", note: "charge 9 began on connector 1" });
  });
  test("a stop is seen when the transaction is gone", () => {
    const before = station({ connectors: [connector({ transaction_id: 8 })] });
    const asked = accepted(job("RemoteStopTransaction", { transactionId: 8 }, before));
    expect(withEffect(asked, before, 1).phase).toBe("watching");
    expect(withEffect(asked, station(), 1).phase).toBe("done");
  });
  test("a restart is seen by its BootNotification, not by going offline", () => {
    const asked = accepted(job("Reset", { type: "Hard" }));
    expect(withEffect(asked, station({ online: false }), 1).phase).toBe("watching");
    expect(withEffect(asked, station({ boot_at: "2026-01-01T00:05:00Z" }), 1).phase).toBe("done");
  });
  test("availability of connector 0 is that of every plug", () => {
    const asked = accepted(job("ChangeAvailability", { connectorId: 0, type: "Inoperative" }));
    const half = [connector({ status: "Unavailable" }), connector({ connector_id: 2 })];
    expect(withEffect(asked, station({ connectors: half }), 1).phase).toBe("watching");
    const all = half.map((c) => ({ ...c, status: "Unavailable" as const }));
    expect(withEffect(asked, station({ connectors: all }), 1).phase).toBe("done");
  });
  test("what never shows is said, not waited for for ever", () => {
    const asked = accepted(job("Reset", { type: "Soft" }));
    expect(withEffect(asked, station(), EFFECT_WAIT_MS).phase).toBe("watching");
    expect(withEffect(asked, station(), EFFECT_WAIT_MS + 1).phase).toBe("unseen");
  });
});

describe("effects that the central tells", () => {
  const told = (effect_state: "waiting" | "progress" | "seen" | "failed" | "none", effect: string): Job =>
    withAnswer(withAnswer(job("UpdateFirmware", {}), { state: "answered", answer: {}, effect_state: "waiting", effect: null }), { state: "answered", answer: {}, effect_state, effect });

  test("each is followed to its end, in the central's words", () => {
    expect(told("progress", "Downloading")).toMatchObject({ phase: "watching", note: "Downloading" });
    expect(told("seen", "Installed")).toMatchObject({ phase: "done", note: "Installed" });
    expect(told("failed", "Downloaded, InvalidSignature")).toMatchObject({ phase: "failed", note: "Downloaded, InvalidSignature" });
    expect(told("none", "no effect within 180 s")).toMatchObject({ phase: "unseen", note: "no effect within 180 s" });
  });
  test("one that is told after the answer still counts", () => {
    const answered = accepted(job("ReserveNow", {}));
    expect(answered.phase).toBe("done");
    const later = withAnswer(answered, { state: "answered", answer: {}, effect_state: "seen", effect: "status Reserved on connector 2" });
    expect(later).toMatchObject({ phase: "done", note: "status Reserved on connector 2" });
    expect(withAnswer(later, { state: "answered", answer: {}, effect_state: "seen", effect: "again" })).toBe(later);
  });
  test("they have no time of ours: the central knows how long to look", () => {
    const job = told("progress", "Downloading");
    expect(withEffect(job, station(), EFFECT_WAIT_MS * 10)).toBe(job);
  });
});

test("which connector a request is about", () => {
  const before = station({ connectors: [connector({ connector_id: 2, transaction_id: 8 })] });
  expect(connectorOf(job("RemoteStopTransaction", { transactionId: 8 }, before))).toBe(2);
  expect(connectorOf(job("UnlockConnector", { connectorId: 3 }))).toBe(3);
  expect(connectorOf(job("ChangeAvailability", { connectorId: 0 }))).toBeNull();
  expect(connectorOf(job("ClearCache", {}))).toBeNull();
});

describe("what a command is about", () => {
  test.each([
    ["ChangeConfiguration", { key: "HeartbeatInterval", value: "300" }, "HeartbeatInterval = 300"],
    ["ChangeConfiguration", { key: "AuthorizationKey", value: "0123456789abcdef" }, "AuthorizationKey = •••"],
    ["ChangeConfiguration", { key: "WifiPassword", value: "hunter22" }, "WifiPassword = •••"],
    ["ChangeConfiguration", { key: "HeartbeatInterval" }, "HeartbeatInterval"],
    ["Reset", { type: "Hard" }, ""],
    ["ChangeConfiguration", null, ""],
  ])("%s %j", (action, payload, subject) => expect(subjectOf({ action, payload })).toBe(subject));
});
