// Load groups: what the central tells of them, and the draft that a person edits until it is right.

export type Amperes = readonly [number, number, number]; // L1, L2, L3 of the mains

export interface GroupSummary {
  id: string;
  name: string;
  rotation_min: number;
  limit_a: Amperes; // of the first circuit
  offer_a: Amperes;
  used_a: Amperes;
  circuits: number;
  members: number;
  charging: number;
  waiting: number;
  unreachable: number;
}

export interface Circuit {
  id: string;
  name: string;
  parent: string | null;
  limit_a: Amperes;
  reserved_a: Amperes;
  offer_a: Amperes;
  used_a: Amperes;
}

export interface Member {
  station_id: string;
  connector_id: number;
  circuit: string;
  priority: number;
  min_a: number;
  max_a: number;
  failsafe_a: number;
  phases: number;
  rotation: string;
  offer_a: number;
  share_a: number;
  used_a: number | null;
  wants: boolean;
  reachable: boolean;
  reason: string;
  reason_text: string;
  bound_by: string | null;
}

export interface GroupState {
  id: string;
  name: string;
  rotation_min: number;
  served: boolean;
  circuits: Circuit[];
  members: Member[];
}

type Column = (number | null)[];

export interface GroupHistory {
  t: number[];
  limit_a: [Column, Column, Column];
  offer_a: [Column, Column, Column];
  used_a: [Column, Column, Column];
}

export const PHASES = ["L1", "L2", "L3"] as const;
export const ROTATIONS = ["RST", "RTS", "SRT", "STR", "TRS", "TSR", "Unknown"] as const;

// --- The draft: numbers are texts until they are right. A row keeps its key while it is edited.

type Triple = [string, string, string];

export interface CircuitDraft {
  key: number;
  id: string;
  name: string;
  parent: string; // "": none
  limit: Triple;
  reserved: Triple;
}

export interface MemberDraft {
  key: number;
  station: string;
  connector: string;
  circuit: string;
  priority: string;
  min: string;
  max: string;
  failsafe: string;
  phases: string;
  rotation: string;
}

export interface Draft {
  id: string;
  name: string;
  rotation: string;
  circuits: CircuitDraft[];
  members: MemberDraft[];
}

let keys = 0;
const nextKey = (): number => (keys += 1);

const triple = (a: Amperes): Triple => [String(a[0]), String(a[1]), String(a[2])];

export function newCircuit(parent = "", id = ""): CircuitDraft {
  return { key: nextKey(), id, name: "", parent, limit: ["32", "32", "32"], reserved: ["0", "0", "0"] };
}

export function newMember(station: string, circuit: string, connector = "1"): MemberDraft {
  return {
    key: nextKey(),
    station,
    connector,
    circuit,
    priority: "0",
    min: "6",
    max: "16",
    failsafe: "0",
    phases: "3",
    rotation: "RST",
  };
}

export const newDraft = (): Draft => ({
  id: "",
  name: "",
  rotation: "15",
  circuits: [{ ...newCircuit("", "main"), name: "Main fuse" }],
  members: [],
});

export function draftOf(group: GroupState): Draft {
  return {
    id: group.id,
    name: group.name,
    rotation: String(group.rotation_min),
    circuits: group.circuits.map((c) => ({
      key: nextKey(),
      id: c.id,
      name: c.name,
      parent: c.parent ?? "",
      limit: triple(c.limit_a),
      reserved: triple(c.reserved_a),
    })),
    members: group.members.map((m) => ({
      key: nextKey(),
      station: m.station_id,
      connector: String(m.connector_id),
      circuit: m.circuit,
      priority: String(m.priority),
      min: String(m.min_a),
      max: String(m.max_a),
      failsafe: String(m.failsafe_a),
      phases: String(m.phases),
      rotation: m.rotation,
    })),
  };
}

// The central wants parents before their circuits. What hangs on itself stays at the end, for the
// central to refuse.
export function ordered(circuits: readonly CircuitDraft[]): CircuitDraft[] {
  const done: CircuitDraft[] = [];
  let rest = [...circuits];
  for (let before = -1; before !== done.length; ) {
    before = done.length;
    for (const c of rest) if (c.parent === "" || done.some((d) => d.id === c.parent)) done.push(c);
    rest = rest.filter((c) => !done.includes(c));
  }
  return [...done, ...rest];
}

// How deep a circuit hangs below a root.
export function depth(circuits: readonly { id: string; parent: string | null }[], id: string): number {
  let [at, steps] = [id, 0];
  while (steps < circuits.length) {
    const parent = circuits.find((c) => c.id === at)?.parent;
    if (!parent) break;
    [at, steps] = [parent, steps + 1];
  }
  return steps;
}

const numbers = (texts: Triple): number[] => texts.map((text) => Number(text));

export function documentOf(draft: Draft): object {
  return {
    name: draft.name.trim() || draft.id,
    rotation_min: Number(draft.rotation),
    circuits: ordered(draft.circuits).map((c) => ({
      id: c.id,
      name: c.name.trim() || c.id,
      parent: c.parent === "" ? null : c.parent,
      limit_a: numbers(c.limit),
      reserved_a: numbers(c.reserved),
    })),
    members: draft.members.map((m) => ({
      station_id: m.station,
      connector_id: Number(m.connector),
      circuit: m.circuit,
      priority: Number(m.priority),
      min_a: Number(m.min),
      max_a: Number(m.max),
      failsafe_a: Number(m.failsafe),
      phases: Number(m.phases),
      rotation: m.rotation,
    })),
  };
}

// --- What is wrong with it: by the field's place, "c<key>.limit" or "m<key>.max".

export type Problems = ReadonlyMap<string, string>;

const ID = /^[A-Za-z0-9_.:@=*+-]{1,48}$/;

function outside(text: string, min: number, max: number, places: number): string | null {
  const form = places === 0 ? /^\d+$/ : /^\d+([.]\d)?$/;
  const value = Number(text.trim());
  if (form.test(text.trim()) && value >= min && value <= max) return null;
  return `${min} to ${max}${places > 0 ? ", at most one decimal" : ""}`;
}

function circuitProblems(draft: Draft, c: CircuitDraft, note: (field: string, text: string | null) => void): void {
  if (!ID.test(c.id)) note("id", "1 to 48 letters, digits or _.:@=*+-");
  else if (draft.circuits.some((other) => other !== c && other.id === c.id)) note("id", "another circuit has this id");
  if (c.parent !== "" && !draft.circuits.some((other) => other.id === c.parent)) note("parent", "choose a circuit");
  if (!ordered(draft.circuits).slice(0, placed(draft.circuits)).includes(c)) note("parent", "it would hang on itself");
  note("limit", c.limit.map((text) => outside(text, 0, 1000, 1)).find((text) => text !== null) ?? null);
  note("reserved", c.reserved.map((text) => outside(text, 0, 1000, 1)).find((text) => text !== null) ?? null);
}

// How many circuits lead up to a root.
function placed(circuits: readonly CircuitDraft[]): number {
  const list = ordered(circuits);
  return list.filter((c, i) => c.parent === "" || list.findIndex((other) => other.id === c.parent) < i).length;
}

function memberProblems(draft: Draft, m: MemberDraft, note: (field: string, text: string | null) => void): void {
  const same = (other: MemberDraft): boolean => other.station === m.station && other.connector === m.connector;
  if (m.station === "") note("station", "choose a station");
  else if (draft.members.some((other) => other.key < m.key && same(other))) note("station", "is in the list already");
  if (!draft.circuits.some((c) => c.id === m.circuit)) note("circuit", "choose a circuit");
  note("connector", outside(m.connector, 1, 32, 0));
  note("priority", outside(m.priority, 0, 9, 0));
  note("min", outside(m.min, 6, 80, 1));
  note("max", outside(m.max, 6, 80, 1));
  if (Number(m.min) > Number(m.max)) note("min", "above the maximum");
  const safe = Number(m.failsafe);
  note("failsafe", outside(m.failsafe, 0, 80, 1));
  if (safe > Number(m.max) || (safe > 0 && safe < 6)) note("failsafe", "0, or 6 to the maximum");
}

export function problemsOf(draft: Draft, fresh: boolean): Problems {
  const found = new Map<string, string>();
  const noteAt = (place: string) => (field: string, text: string | null) => {
    if (text !== null && !found.has(`${place}${field}`)) found.set(`${place}${field}`, text);
  };
  if (fresh && !ID.test(draft.id)) noteAt("")("id", "1 to 48 letters, digits or _.:@=*+-");
  noteAt("")("rotation", outside(draft.rotation, 5, 1440, 0));
  if (draft.circuits.length === 0) noteAt("")("circuits", "a group has at least one circuit");
  for (const c of draft.circuits) circuitProblems(draft, c, noteAt(`c${c.key}.`));
  for (const m of draft.members) memberProblems(draft, m, noteAt(`m${m.key}.`));
  return found;
}

const FIELDS: Record<string, string> = {
  id: "id",
  name: "name",
  parent: "parent",
  limit_a: "limit",
  reserved_a: "reserved",
  station_id: "station",
  connector_id: "connector",
  circuit: "circuit",
  priority: "priority",
  min_a: "min",
  max_a: "max",
  failsafe_a: "failsafe",
  phases: "phases",
  rotation: "rotation",
  rotation_min: "rotation",
};

// Finds the field that a refusal of the central is about: "members[2].max_a: 90 is not allowed…".
export function refusalAt(draft: Draft, message: string): [place: string, text: string] | null {
  const match = /^(?:(circuits|members)\[(\d+)\]\.)?([a-z_]+): (.*)$/.exec(message);
  const field = FIELDS[match?.[3] ?? ""];
  if (!match || field === undefined) return null;
  const [, list, index, , text = ""] = match;
  if (list === undefined) return [field, text];
  const row = list === "circuits" ? ordered(draft.circuits)[Number(index)] : draft.members[Number(index)];
  return row ? [`${list === "circuits" ? "c" : "m"}${row.key}.${field}`, text] : null;
}

// --- Words.

export type Mood = "go" | "info" | "calm" | "warn" | "bad" | "mute";

// One word and colour for a member's line; its reason follows in words.
export function moodOf(m: Member): { tone: Mood; text: string } {
  if (!m.reachable) return { tone: "bad", text: "Unreachable" };
  if (!m.wants) return { tone: "calm", text: "Free" };
  if (m.offer_a > 0) return m.reason === "ASLEEP" ? { tone: "info", text: "Asleep" } : { tone: "go", text: "Offered" };
  return m.reason === "YIELDED" ? { tone: "info", text: "Asleep" } : { tone: "warn", text: "Waiting" };
}
