import { describe, expect, test } from "vitest";
import { depth, documentOf, draftOf, moodOf, newCircuit, newDraft, newMember, ordered, problemsOf, refusalAt, type Draft, type GroupState, type Member } from "../src/data/groups";
import { href, parse } from "../src/route";

const member = (part: Partial<Member> = {}): Member => ({
  station_id: "S1",
  connector_id: 1,
  circuit: "main",
  priority: 0,
  min_a: 6,
  max_a: 16,
  failsafe_a: 6,
  phases: 3,
  rotation: "RST",
  offer_a: 16,
  share_a: 16,
  used_a: 15.5,
  wants: true,
  reachable: true,
  reason: "MAXIMUM",
  reason_text: "as much as the connector may give",
  bound_by: null,
  ...part,
});

const group: GroupState = {
  id: "g",
  name: "Garage",
  rotation_min: 15,
  served: true,
  circuits: [
    { id: "main", name: "Main", parent: null, limit_a: [32, 25.5, 32], reserved_a: [0, 4, 0], offer_a: [0, 0, 0], used_a: [0, 0, 0] },
    { id: "left", name: "Left", parent: "main", limit_a: [16, 16, 16], reserved_a: [0, 0, 0], offer_a: [0, 0, 0], used_a: [0, 0, 0] },
  ],
  members: [member()],
};

function draft(part: Partial<Draft> = {}): Draft {
  const base = newDraft();
  return { ...base, id: "g", members: [newMember("S1", "main")], ...part };
}

describe("documents", () => {
  test("what was read goes back unchanged, without the state", () => {
    expect(documentOf(draftOf(group))).toEqual({
      name: "Garage",
      rotation_min: 15,
      circuits: [
        { id: "main", name: "Main", parent: null, limit_a: [32, 25.5, 32], reserved_a: [0, 4, 0] },
        { id: "left", name: "Left", parent: "main", limit_a: [16, 16, 16], reserved_a: [0, 0, 0] },
      ],
      members: [
        { station_id: "S1", connector_id: 1, circuit: "main", priority: 0, min_a: 6, max_a: 16, failsafe_a: 6, phases: 3, rotation: "RST" },
      ],
    });
  });
  test("parents stand before their circuits, in whatever order they were made", () => {
    const [a, b, c] = [newCircuit("b", "a"), newCircuit("c", "b"), newCircuit("", "c")];
    expect(ordered([a, b, c]).map((x) => x.id)).toEqual(["c", "b", "a"]);
    expect([depth([a, b, c], "a"), depth([a, b, c], "c")]).toEqual([2, 0]);
  });
  test("circuits that hang on each other stay in the list", () => {
    const [a, b] = [newCircuit("b", "a"), newCircuit("a", "b")];
    expect(ordered([a, b])).toHaveLength(2);
    expect(depth([a, b], "a")).toBe(2);
  });
});

describe("problems", () => {
  const problem = (d: Draft): [string, string][] => [...problemsOf(d, true)].map(([place, text]) => [place.replace(/^([cm])\d+/, "$1"), text]);

  test("a sound draft has none", () => {
    expect(problem(draft())).toEqual([]);
    expect([...problemsOf(draftOf(group), false)]).toEqual([]);
  });
  test.each([
    ["limit", { limit: ["32", "1001", "32"] }, "0 to 1000, at most one decimal"],
    ["limit", { limit: ["32", "", "32"] }, "0 to 1000, at most one decimal"],
    ["limit", { limit: ["32", "1.55", "32"] }, "0 to 1000, at most one decimal"],
    ["reserved", { reserved: ["-1", "0", "0"] }, "0 to 1000, at most one decimal"],
    ["id", { id: "a b" }, "1 to 48 letters, digits or _.:@=*+-"],
    ["parent", { parent: "gone" }, "choose a circuit"],
    ["parent", { parent: "main" }, "it would hang on itself"],
  ])("circuit %s %o", (field, part, text) => {
    const d = draft();
    const wrong = draft({ circuits: d.circuits.map((c) => ({ ...c, ...(part as object) })), members: [] });
    expect(problem(wrong)[0]).toEqual([`c.${field}`, text]);
  });
  test.each([
    ["max", { max: "90" }, "6 to 80, at most one decimal"],
    ["max", { max: "NaN" }, "6 to 80, at most one decimal"],
    ["min", { min: "5.9" }, "6 to 80, at most one decimal"],
    ["min", { min: "20", max: "16" }, "above the maximum"],
    ["failsafe", { failsafe: "3" }, "0, or 6 to the maximum"],
    ["priority", { priority: "10" }, "0 to 9"],
    ["connector", { connector: "0" }, "1 to 32"],
    ["station", { station: "" }, "choose a station"],
    ["circuit", { circuit: "gone" }, "choose a circuit"],
  ])("member %s %o", (field, part, text) => {
    expect(problem(draft({ members: [{ ...newMember("S1", "main"), ...part }] }))).toEqual([[`m.${field}`, text]]);
  });
  test("one connector stands in the list once", () => {
    expect(problem(draft({ members: [newMember("S1", "main"), newMember("S1", "main")] }))).toEqual([["m.station", "is in the list already"]]);
  });
  test("the id of a group that exists is not asked for again", () => {
    expect(problemsOf(draft({ id: "" }), true).has("id")).toBe(true);
    expect(problemsOf(draft({ id: "" }), false).has("id")).toBe(false);
  });
});

describe("refusals of the central", () => {
  test("find the field they are about", () => {
    const d = draftOf({ ...group, members: [member(), member({ station_id: "S2" })] });
    expect(refusalAt(d, "members[1].max_a: 90 is not allowed; it must be 6 to 80")).toEqual([
      `m${d.members[1]?.key}.max`,
      "90 is not allowed; it must be 6 to 80",
    ]);
    expect(refusalAt(d, "circuits[0].limit_a: the fail-safe limits of its members add up to 36 A on L1")?.[0]).toBe(`c${d.circuits[0]?.key}.limit`);
    expect(refusalAt(d, "rotation_min: 4 is not allowed; it must be 5 to 1440")?.[0]).toBe("rotation");
  });
  test("stay whole when they are about nothing on the page", () => {
    expect(refusalAt(draft(), "the database did not take it; try again")).toBeNull();
    expect(refusalAt(draft(), "members[7].max_a: x")).toBeNull();
  });
});

test("a member's word follows who can be told and who wants", () => {
  expect(moodOf(member()).text).toBe("Offered");
  expect(moodOf(member({ offer_a: 0, reason: "TURN" })).text).toBe("Waiting");
  expect(moodOf(member({ offer_a: 0, reason: "YIELDED" })).text).toBe("Asleep");
  expect(moodOf(member({ wants: false, offer_a: 0, reason: "IDLE" })).text).toBe("Free");
  expect(moodOf(member({ reachable: false, reason: "FAILSAFE" })).text).toBe("Unreachable");
});

test("addresses lead back to their pages", () => {
  expect(parse(href.groups)).toEqual({ page: "groups" });
  expect(parse(href.newGroup)).toEqual({ page: "group_new" });
  expect(parse(href.group("a/b"))).toEqual({ page: "group", id: "a/b", edit: false });
  expect(parse(href.group("new", true))).toEqual({ page: "group", id: "new", edit: true });
  expect(parse("#/groups/a/b").page).toBe("missing");
});
