// Sessions as CSV (RFC 4180). A cell a spreadsheet would run as a formula is made text first.
import type { Session } from "./types";

const COLUMNS: readonly (keyof Session)[] = [
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

export function sessionsCsv(sessions: readonly Session[]): string {
  const rows = sessions.map((s) => COLUMNS.map((column) => cell(s[column])).join(","));
  return [COLUMNS.join(","), ...rows].map((row) => row + "\r\n").join("");
}
