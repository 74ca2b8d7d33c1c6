// Forms from the fields the central tells of a message: what is typed, the payload it makes, and what is wrong
// at which place. Places are named as the central's refusals name them: "chargingProfile.stackLevel", "key[0]".
import type { Role } from "./types";

export interface Field {
  key: string; // "": the element of a list of texts
  type: "integer" | "number" | "boolean" | "text" | "time" | "word" | "object" | "list";
  required: boolean;
  least?: number;
  length?: number;
  words?: string[];
  fields?: Field[];
}

export interface Action {
  action: string;
  role: Role; // who may send it
  feature: string;
  effect_s: number;
  fields: Field[];
}

// null: an object that is left out.
export type Draft = string | null | readonly Draft[] | { readonly [key: string]: Draft };
export type Members = { readonly [key: string]: Draft };
export type Problems = ReadonlyMap<string, string>;

const MOST_INTEGER = 2_147_483_647;

export const membersOf = (fields: readonly Field[]): Members => Object.fromEntries(fields.map((field) => [field.key, draftOf(field)]));

// What a list gets when something is added to it.
export function elementOf(field: Field): Draft {
  const [only] = field.fields ?? [];
  return only?.key === "" ? "" : membersOf(field.fields ?? []);
}

export function draftOf(field: Field): Draft {
  switch (field.type) {
    case "object":
      return field.required ? membersOf(field.fields ?? []) : null;
    case "list":
      return field.required ? [elementOf(field)] : [];
    case "boolean":
      return field.required ? "false" : "";
    default:
      return "";
  }
}

export const placeOf = (prefix: string, key: string): string => (prefix === "" || key === "" ? prefix + key : `${prefix}.${key}`);

type Read = { value: unknown } | { wrong: string } | null; // null: left out

function integer(field: Field, text: string): Read {
  const value = Number(text);
  const least = field.least ?? -MOST_INTEGER;
  const range = field.least === undefined ? "a whole number" : `a whole number from ${least}`;
  if (!/^-?\d+$/.test(text) || value < least || value > MOST_INTEGER) return { wrong: `must be ${range}` };
  return { value };
}

function decimal(text: string): Read {
  const plain = text.replace(",", ".");
  return /^-?\d+(\.\d)?$/.test(plain) ? { value: Number(plain) } : { wrong: "must be a number with at most one decimal" };
}

function scalar(field: Field, text: string): Read {
  const trimmed = text.trim();
  if (trimmed === "") return field.required ? { wrong: "is required" } : null;
  switch (field.type) {
    case "integer":
      return integer(field, trimmed);
    case "number":
      return decimal(trimmed);
    case "boolean":
      return { value: trimmed === "true" };
    case "time": {
      const at = new Date(trimmed);
      return Number.isNaN(at.getTime()) ? { wrong: "must be a date and a time" } : { value: at.toISOString() };
    }
    case "word":
      return field.words?.includes(trimmed) ? { value: trimmed } : { wrong: `must be one of ${field.words?.join(", ") ?? ""}` };
    default:
      if (field.length !== undefined && [...text].length > field.length) return { wrong: `has ${[...text].length} characters; at most ${field.length} are allowed` };
      return { value: text };
  }
}

function readList(field: Field, draft: readonly Draft[], place: string, problems: Map<string, string>): Read {
  const [only] = field.fields ?? [];
  const values = draft.map((element, index) => {
    const at = `${place}[${index}]`;
    if (only?.key === "") return readField({ ...only, required: true }, element, at, problems);
    return { value: readMembers(field.fields ?? [], element as Members, at, problems) };
  });
  if (values.length === 0) return field.required ? { wrong: "needs at least one" } : null;
  return { value: values.map((read) => (read && "value" in read ? read.value : null)) };
}

function readField(field: Field, draft: Draft, place: string, problems: Map<string, string>): Read {
  let read: Read;
  if (field.type === "list") read = readList(field, draft as readonly Draft[], place, problems);
  else if (field.type === "object") read = draft === null ? null : { value: readMembers(field.fields ?? [], draft as Members, place, problems) };
  else read = scalar(field, String(draft ?? ""));
  if (read && "wrong" in read) problems.set(place, read.wrong);
  return read;
}

function readMembers(fields: readonly Field[], draft: Members, prefix: string, problems: Map<string, string>): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const field of fields) {
    const read = readField(field, draft[field.key] ?? null, placeOf(prefix, field.key), problems);
    if (read && "value" in read) payload[field.key] = read.value;
  }
  return payload;
}

export function payloadOf(fields: readonly Field[], draft: Members): { payload: Record<string, unknown>; problems: Problems } {
  const problems = new Map<string, string>();
  const payload = readMembers(fields, draft, "", problems);
  return { payload, problems };
}

// "payload: connectorId: -1 must be 0 or more" belongs to the field connectorId. null: to the whole.
export function refusalAt(message: string): { place: string; text: string } | null {
  const found = /^payload(?:\.|: )([A-Za-z][\w.[\]]*): (.+)$/s.exec(message);
  return found ? { place: found[1] as string, text: found[2] as string } : null;
}

// What a field of a date and a time shows: this computer's own time.
export function localTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
