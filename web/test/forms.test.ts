import { describe, expect, test } from "vitest";
import { elementOf, membersOf, payloadOf, refusalAt, type Field } from "../src/data/forms";

const whole = (key: string, required = true): Field => ({ key, type: "integer", required, least: 0 });
const words = (key: string, list: string[], required = true): Field => ({ key, type: "word", required, words: list });
const periods: Field = { key: "period", type: "list", required: true, fields: [whole("start"), { key: "limit", type: "number", required: true }] };
const profile: Field = { key: "profile", type: "object", required: false, fields: [whole("level"), periods] };

describe("a form from the rows of a message", () => {
  test("what is required is there from the beginning, what is optional is left out", () => {
    expect(membersOf([whole("id"), profile, periods])).toEqual({ id: "", profile: null, period: [{ start: "", limit: "" }] });
    expect(payloadOf([whole("id", false), profile], { id: " ", profile: null })).toEqual({ payload: {}, problems: new Map() });
  });
  test("what is wrong stands at its place, however deep, named as the central names it", () => {
    const draft = { id: "-1", type: "", profile: { level: "x", period: [{ start: "0", limit: "16.25" }] } };
    expect([...payloadOf([whole("id"), words("type", ["Soft", "Hard"]), profile], draft).problems]).toEqual([
      ["id", "must be a whole number from 0"],
      ["type", "is required"],
      ["profile.level", "must be a whole number from 0"],
      ["profile.period[0].limit", "must be a number with at most one decimal"],
    ]);
  });
  test("values get the types of their rows; a comma is a decimal point", () => {
    const fields: Field[] = [whole("id"), { key: "on", type: "boolean", required: false }, { key: "at", type: "time", required: true }, profile];
    const draft = { id: "7", on: "true", at: "2026-03-01T10:00:00Z", profile: { level: "0", period: [{ start: "0", limit: "6,5" }] } };
    expect(payloadOf(fields, draft).payload).toEqual({ id: 7, on: true, at: "2026-03-01T10:00:00.000Z", profile: { level: 0, period: [{ start: 0, limit: 6.5 }] } });
  });
  test("a list of texts has bare elements, and counts characters, not bytes", () => {
    const keys: Field = { key: "key", type: "list", required: false, fields: [{ key: "", type: "text", required: true, length: 3 }] };
    expect(elementOf(keys)).toBe("");
    expect(payloadOf([keys], { key: ["äöü"] }).payload).toEqual({ key: ["äöü"] });
    expect([...payloadOf([keys], { key: ["äöüß", ""] }).problems.keys()]).toEqual(["key[0]", "key[1]"]);
  });
  test("an integer that does not fit is refused here", () => {
    expect(payloadOf([whole("id")], { id: "2147483648" }).problems.has("id")).toBe(true);
    expect(payloadOf([whole("id")], { id: "1e3" }).problems.has("id")).toBe(true);
  });
});

test("a refusal of the central finds its field; what names none belongs to the whole", () => {
  expect(refusalAt('payload: chargingProfile.period[0].limit: "x" must be a number')).toEqual({ place: "chargingProfile.period[0].limit", text: '"x" must be a number' });
  expect(refusalAt("payload.key: AuthorizationKey cannot be changed this way; use POST /stations/{id}/key")?.place).toBe("key");
  expect(refusalAt("payload: must be an object")).toBeNull();
  expect(refusalAt("16 commands wait for this station already")).toBeNull();
});
