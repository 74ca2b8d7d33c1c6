// A charging profile as it is typed, the profile of OCPP 1.6 §7.8 it makes, and a schedule as steps to draw.
import type { Problems } from "./forms";
import type { ChargingSchedule } from "./ocpp";

export interface PeriodDraft {
  key: number;
  start: string; // hours and minutes after the schedule's start: "6:30"
  limit: string;
  phases: string; // "": as the station has them
}

export interface ProfileDraft {
  connector: string;
  id: string;
  purpose: string;
  level: string;
  kind: string;
  recurrency: string;
  start: string; // local, as a field of date and time has it
  from: string;
  to: string;
  hours: string; // duration; "": without end
  unit: "A" | "W";
  least: string;
  transaction: string;
  periods: readonly PeriodDraft[];
}

const LIMIT_PLACE = "chargingSchedule.chargingSchedulePeriod";
let lastKey = 0;

export function newPeriod(start: string, limit: string): PeriodDraft {
  lastKey += 1;
  return { key: lastKey, start, limit, phases: "" };
}

export const newProfile = (id: number): ProfileDraft => ({
  connector: "1",
  id: String(id),
  purpose: "TxDefaultProfile",
  level: "0",
  kind: "Absolute",
  recurrency: "Daily",
  start: "",
  from: "",
  to: "",
  hours: "",
  unit: "A",
  least: "",
  transaction: "",
  periods: [newPeriod("0:00", "16")],
});

// "6:30" → 23400 s; null: no such time.
export function secondsOf(text: string): number | null {
  const found = /^(\d{1,4})(?::([0-5]\d))?$/.exec(text.trim());
  return found ? Number(found[1]) * 3600 + Number(found[2] ?? 0) * 60 : null;
}

const tenths = (text: string): number | null => (/^\d+([.,]\d)?$/.test(text.trim()) ? Number(text.trim().replace(",", ".")) : null);
const whole = (text: string): number | null => (/^\d+$/.test(text.trim()) && Number(text) <= 2_147_483_647 ? Number(text) : null);
const instant = (text: string): string | null => (Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString());

export function profileOf(draft: ProfileDraft): { profile: Record<string, unknown>; problems: Problems } {
  const problems = new Map<string, string>();
  const need = <T>(place: string, value: T | null, wrong: string): T | undefined => {
    if (value === null) problems.set(place, wrong);
    return value ?? undefined;
  };
  const maybe = <T>(place: string, text: string, read: (text: string) => T | null, wrong: string): T | undefined => (text.trim() === "" ? undefined : need(place, read(text), wrong));
  let before = -1;
  const periods = draft.periods.map((period, index) => {
    const place = `${LIMIT_PLACE}[${index}]`;
    const startPeriod = need(`${place}.startPeriod`, secondsOf(period.start), "hours and minutes, as 6:30");
    if (startPeriod !== undefined) {
      if (index === 0 && startPeriod !== 0) problems.set(`${place}.startPeriod`, "the first one begins at 0:00");
      if (startPeriod <= before) problems.set(`${place}.startPeriod`, "must be later than the one before");
      before = startPeriod;
    }
    const limit = need(`${place}.limit`, tenths(period.limit), "0 or more, at most one decimal");
    const numberPhases = maybe(`${place}.numberPhases`, period.phases, (text) => (/^[123]$/.test(text.trim()) ? Number(text) : null), "1, 2 or 3");
    return { startPeriod, limit, ...(numberPhases !== undefined && { numberPhases }) };
  });
  if (periods.length === 0) problems.set(LIMIT_PLACE, "needs at least one period");
  const duration = maybe("chargingSchedule.duration", draft.hours, secondsOf, "hours and minutes, as 24:00");
  const startSchedule = maybe("chargingSchedule.startSchedule", draft.start, instant, "must be a date and a time");
  const minChargingRate = maybe("chargingSchedule.minChargingRate", draft.least, tenths, "0 or more, at most one decimal");
  if (draft.kind !== "Relative" && startSchedule === undefined) need("chargingSchedule.startSchedule", null, `is required for ${draft.kind}`);
  const transactionId = draft.purpose === "TxProfile" ? maybe("transactionId", draft.transaction, whole, "a whole number") : undefined;
  const validFrom = maybe("validFrom", draft.from, instant, "must be a date and a time");
  const validTo = maybe("validTo", draft.to, instant, "must be a date and a time");
  const profile = {
    chargingProfileId: need("chargingProfileId", whole(draft.id), "a whole number"),
    ...(transactionId !== undefined && { transactionId }),
    stackLevel: need("stackLevel", whole(draft.level), "a whole number from 0"),
    chargingProfilePurpose: draft.purpose,
    chargingProfileKind: draft.kind,
    ...(draft.kind === "Recurring" && { recurrencyKind: draft.recurrency }),
    ...(validFrom !== undefined && { validFrom }),
    ...(validTo !== undefined && { validTo }),
    chargingSchedule: {
      ...(duration !== undefined && { duration }),
      ...(startSchedule !== undefined && draft.kind !== "Relative" && { startSchedule }),
      chargingRateUnit: draft.unit,
      chargingSchedulePeriod: periods,
      ...(minChargingRate !== undefined && { minChargingRate }),
    },
  };
  return { profile, problems };
}

// "payload: csChargingProfiles.stackLevel: …" stands at stackLevel. null: at none of the fields.
export function profilePlace(place: string): string {
  return place.replace(/^csChargingProfiles\.?/, "");
}

export interface Steps {
  t: number[];
  limit: (number | null)[];
}

// A schedule from `from` (s) on: each limit stands until the next begins, the last one until the end.
export function stepsOf(schedule: ChargingSchedule, from: number, duration: number): Steps {
  const steps: Steps = { t: [], limit: [] };
  for (const period of schedule.chargingSchedulePeriod) {
    if (period.startPeriod >= duration) break;
    steps.t.push(from + period.startPeriod);
    steps.limit.push(period.limit);
  }
  const last = steps.limit[steps.limit.length - 1];
  if (last === undefined) return steps;
  steps.t.push(from + duration);
  steps.limit.push(last);
  return steps;
}

const two = (value: number): string => String(value).padStart(2, "0");

// 23400 → "6:30": the way back.
export const hoursOf = (seconds: number): string => `${Math.floor(seconds / 3600)}:${two(Math.floor((seconds % 3600) / 60))}`;

// "16 A from 0:00, 6 A from 6:30"
export function scheduleWords(schedule: ChargingSchedule): string {
  return schedule.chargingSchedulePeriod
    .map((p) => `${p.limit} ${schedule.chargingRateUnit} from ${hoursOf(p.startPeriod)}${p.numberPhases === undefined ? "" : ` on ${p.numberPhases} ${p.numberPhases === 1 ? "phase" : "phases"}`}`)
    .join(", ");
}

