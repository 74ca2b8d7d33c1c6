// Numbers and times as people read them. A missing value is a dash, never a zero.

export const MISSING = "–";
const NARROW_SPACE = "\u202f";

export interface Quantity {
  text: string;
  unit: string;
}

type Value = number | null | undefined;

const known = (value: Value): value is number => value !== null && value !== undefined && Number.isFinite(value);

// Three significant places are what a reader compares; more only flickers.
function round(value: number, places: number): string {
  const text = value.toFixed(places);
  return Number(text) === 0 ? (0).toFixed(places) : text;
}

function quantity(value: Value, unit: string, places: (magnitude: number) => number): Quantity {
  if (!known(value)) return { text: MISSING, unit };
  return { text: round(value, places(Math.abs(value))), unit };
}

export function power(watts: Value): Quantity {
  if (known(watts) && Math.abs(watts) < 999.5) return quantity(watts, "W", () => 0);
  return quantity(known(watts) ? watts / 1000 : watts, "kW", (m) => (m < 99.95 ? 2 : 1));
}

export function energy(wattHours: Value): Quantity {
  const kilo = known(wattHours) ? wattHours / 1000 : wattHours;
  return quantity(kilo, "kWh", (m) => (m < 9.9995 ? 3 : m < 99.995 ? 2 : m < 9999.95 ? 1 : 0));
}

export const current = (amperes: Value): Quantity => quantity(amperes, "A", (m) => (m < 99.95 ? 1 : 0));
export const voltage = (volts: Value): Quantity => quantity(volts, "V", (m) => (m < 999.95 ? 1 : 0));
export const temperature = (celsius: Value): Quantity => quantity(celsius, "°C", () => 0);
export const percent = (value: Value): Quantity => quantity(value, "%", () => 0);
export const distance = (km: Value): Quantity => quantity(km, "km", (m) => (m < 9.95 ? 1 : 0));
export const charge = (ah: Value): Quantity => quantity(ah, "Ah", () => 1);

export function plain(value: Quantity): string {
  return value.text === MISSING ? MISSING : value.text + NARROW_SPACE + value.unit;
}

export function duration(seconds: Value): string {
  if (!known(seconds)) return MISSING;
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min ${String(total % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// "3 min", for "since": coarse on purpose, it is redrawn every second.
export function elapsed(seconds: Value): string {
  if (!known(seconds)) return MISSING;
  const total = Math.max(0, Math.floor(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min`;
  if (total < 172800) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86400)} d`;
}

const two = (value: number): string => String(value).padStart(2, "0");

export function clockTime(time: Date, milliseconds = false): string {
  const seconds = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return milliseconds ? `${seconds}.${String(time.getMilliseconds()).padStart(3, "0")}` : seconds;
}

export function dateTime(text: string | null | undefined): string {
  if (!text) return MISSING;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

export function latency(ms: Value): string {
  if (!known(ms)) return "";
  return ms < 9995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// "SuspendedEVSE" → "Suspended by station": the nine states of OCPP 1.6 §7.7 in plain words.
const STATUS_WORDS: Record<string, string> = {
  Available: "Available",
  Preparing: "Preparing",
  Charging: "Charging",
  SuspendedEVSE: "Paused by station",
  SuspendedEV: "Paused by vehicle",
  Finishing: "Finishing",
  Reserved: "Reserved",
  Unavailable: "Unavailable",
  Faulted: "Faulted",
  Unknown: "Not reported",
};

export const statusWords = (status: string): string => STATUS_WORDS[status] ?? status;

// "EVDisconnected" → "EV disconnected", for reasons and error codes.
export function words(camel: string): string {
  const spaced = camel.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  return spaced
    .split(" ")
    .map((word, index) => (index > 0 && /^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word))
    .join(" ");
}
