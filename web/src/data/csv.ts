// Charges as CSV (RFC 4180). A cell a spreadsheet would run as a formula is made text first.
import type { Session } from "./types";

const COLUMNS: readonly (keyof Session & string)[] = [
  "id",
  "station_id",
  "connector_id",
  "transaction_id",
  "id_tag",
  "vehicle_model",
  "start_at",
  "stop_at",
  "duration_s",
  "energy_wh",
  "meter_start_wh",
  "meter_stop_wh",
  "soc_start",
  "soc_end",
  "stop_reason",
  "suspect",
];

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv<T extends object>(columns: readonly (keyof T & string)[], all: readonly T[]): string {
  const rows = all.map((one) => columns.map((column) => cell(one[column])).join(","));
  return [columns.join(","), ...rows].map((row) => row + "\r\n").join("");
}

export const sessionsCsv = (sessions: readonly Session[]): string => csv(COLUMNS, sessions);
