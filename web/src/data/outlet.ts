// An AC outlet in words and rows: what the pilot says, whose limit counts, what each phase carries.
import { current, energy, plain, power } from "./format";
import type { Connector, Limit, LinkEvent, Phases } from "./types";

export type PilotTone = "go" | "info" | "calm" | "warn" | "bad" | "mute";

export interface PilotWords {
  tone: PilotTone;
  text: string;
}

// IEC 61851-1 Annex A: the letter is what the vehicle says, the digit what the station offers.
const PILOT: Record<string, PilotWords> = {
  A1: { tone: "calm", text: "no vehicle" },
  A2: { tone: "calm", text: "no vehicle" },
  B1: { tone: "info", text: "vehicle connected, no current offered" },
  B2: { tone: "info", text: "current offered, vehicle not ready" },
  C1: { tone: "warn", text: "vehicle ready, no current offered" },
  C2: { tone: "go", text: "vehicle takes current" },
  D1: { tone: "warn", text: "vehicle ready, wants ventilation" },
  D2: { tone: "go", text: "vehicle takes current, with ventilation" },
  E: { tone: "bad", text: "pilot lost: short circuit or no power" },
  F: { tone: "bad", text: "station not available" },
};

export function pilotWords(pilot: string | null): PilotWords {
  return (pilot === null ? undefined : PILOT[pilot]) ?? { tone: "mute", text: "pilot not known" };
}

// As core/limits names its sources.
const SOURCES: Record<string, string> = {
  hardware: "what the station is built for",
  settings: "the station's settings",
  cable: "the cable",
  vehicle: "the vehicle",
  rectifier: "the power modules",
  temperature: "temperature",
  meter: "the meter",
  board: "its board's own setting",
  house: "the house",
  schedule: "timer or plan",
  solar: "what the roof gives",
  local: "someone at the station",
  claim: "another program",
  ocpp: "a charging profile",
  load: "load sharing",
};

export function limitWords(limit: Limit | null): string {
  if (!limit) return "Limit not known";
  const who = SOURCES[limit.source] ?? limit.source;
  return `${plain(current(limit.a))} by ${who}${limit.why && limit.why !== limit.source ? `: ${limit.why}` : ""}`;
}

export interface PhaseRow {
  name: string;
  volts: number | null;
  amps: number | null;
  watts: number | null;
  share: number; // of the limit, 0 to 1
}

const PHASES = [0, 1, 2] as const;

const of = (values: Phases | null, phase: 0 | 1 | 2): number | null => values?.[phase] ?? null;

// The bar's end is the limit; a phase above it (a vehicle may take 5 s to follow) fills it whole.
type Carried = Pick<Connector, "phases" | "offered_a" | "limit" | "phase_voltage_v" | "phase_current_a" | "phase_power_w">;

export function phaseRows(c: Carried): PhaseRow[] {
  const most = c.limit !== null && c.limit.a > 0 ? c.limit.a : (c.offered_a ?? 0);
  const used = PHASES.filter((p) => p < (c.phases ?? 3));
  return used.map((p) => {
    const amps = of(c.phase_current_a, p);
    return {
      name: `L${p + 1}`,
      volts: of(c.phase_voltage_v, p),
      amps,
      watts: of(c.phase_power_w, p),
      share: amps === null || most <= 0 ? 0 : Math.min(1, Math.max(0, amps / most)),
    };
  });
}

// What an event's value means, by kind (doc/link.md).
const VALUES: Record<string, (value: number) => string> = {
  cable: (ma) => (ma === 0 ? "none, or not usable" : plain(current(ma / 1000))),
  contactor: (closed) => (closed === 1 ? "closed" : "open"),
  plug: (inside) => (inside === 1 ? "in" : "out"),
  fault: (bits) => (bits === 0 ? "none" : `0x${bits.toString(16)}`),
  auth: (given) => (given === 1 ? "authorised" : "no longer authorised"),
  session: (mwh) => plain(energy(mwh / 1000)),
  meter: (mw) => plain(power(mw / 1000)),
  offer: (ma) => plain(current(ma / 1000)),
  limit: (ma) => plain(current(ma / 1000)),
  lost: (count) => `${count} events never came`,
};

export function eventWords(event: LinkEvent): string {
  const value = VALUES[event.kind]?.(event.value);
  return [value, event.text].filter(Boolean).join(" · ");
}

export const isAc = (c: Connector): boolean => c.kind === "ac";
