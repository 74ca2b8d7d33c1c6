// The pure parts of the house view.
import { current, plain } from "../data/format";
import type { Tone } from "../ui/parts";
import type { House, HouseCharger, HouseHistory } from "./types";

export const HOUR_KEYS = ["grid1_a", "grid2_a", "grid3_a", "charger_a", "offered_a", "target_a", "breaker_a"] as const;
const HOUR_S = 3600;
const STEP_S = 5; // as the station keeps it

export function houseTone(house: House): Tone {
  if (!house.managed) return "mute";
  if (house.failsafe) return "bad";
  return house.trust !== "" || house.connectors.some((charger) => charger.state === "paused") ? "warn" : "go";
}

// The state in a word: of the only connector, or of the meter.
export const houseWord = (house: House): string => {
  const [only, another] = house.connectors;
  if (!house.managed) return "load management off";
  return only !== undefined && another === undefined ? only.state : house.failsafe ? "fail-safe" : "managed";
};

// What the house leaves all connectors together.
export const offeredOf = (house: House): number | null =>
  house.connectors.reduce<number | null>((sum, { offered_a }) => (offered_a === null ? sum : (sum ?? 0) + offered_a), null);

export interface HouseBar {
  name: string;
  amps: number | null; // below zero: given back
  breaker: number;
  all: number; // widths in percent of the scale: what the phase carries,
  house: number; // and without the vehicles
  target: number | null;
  over: boolean;
  words: string;
}

// The scale ends a tenth above the breaker, so that the breaker's own line is within it.
export function houseBars(house: House): HouseBar[] {
  const scale = house.breaker_a > 0 ? house.breaker_a : 1;
  const width = (amps: number): number => Math.min(100, (Math.max(0, amps) / scale) * 100);
  return [0, 1, 2].slice(0, house.phases).map((phase) => {
    const amps = house.grid_a[phase] ?? null;
    const charger = house.charger_a[phase] ?? null;
    const target = house.target_a[phase] ?? null;
    const own = amps === null ? 0 : amps - (charger ?? 0);
    const parts = [amps !== null && amps < 0 ? "gives back" : "", charger === null ? "" : `vehicles ${plain(current(charger))}`];
    return {
      name: `L${phase + 1}`,
      amps,
      breaker: house.breaker_a,
      all: width(amps ?? 0),
      house: width(own),
      target: house.managed && target !== null ? width(target) : null,
      over: amps !== null && amps > house.breaker_a,
      words: amps === null ? "not measured" : parts.filter(Boolean).join(", "),
    };
  });
}

// The most of what is known.
export const mostOf = (values: readonly (number | null)[]): number | null => values.reduce<number | null>((most, a) => (a === null ? most : Math.max(most ?? a, a)), null);

export const hasCharger = (columns: HouseHistory): boolean => columns.charger_a.some((a) => a !== null) || columns.offered_a.some((a) => a !== null);

export const activeWords = (charger: HouseCharger): string =>
  charger.active_phases.length === 0 ? "not known yet" : charger.active_phases.map((phase) => `L${phase}`).join(", ");

// Appends what is so now, once a step, and lets go of what is older than an hour.
export function withHouse(columns: HouseHistory, house: House, now: number): HouseHistory {
  const last = columns.t[columns.t.length - 1] ?? 0;
  if (now - last < STEP_S) return columns;
  const row: Record<(typeof HOUR_KEYS)[number], number | null> = {
    grid1_a: house.grid_a[0] ?? null,
    grid2_a: house.grid_a[1] ?? null,
    grid3_a: house.grid_a[2] ?? null,
    charger_a: mostOf(house.charger_a),
    offered_a: house.connectors[0]?.offered_a ?? null,
    target_a: house.managed ? house.target_a.reduce<number | null>((least, a) => (a === null ? least : Math.min(least ?? a, a)), null) : null,
    breaker_a: house.breaker_a,
  };
  const from = columns.t.findIndex((t) => t >= now - HOUR_S);
  const first = from < 0 ? columns.t.length : from;
  const next = { t: [...columns.t.slice(first), now] } as HouseHistory;
  for (const key of HOUR_KEYS) next[key] = [...columns[key].slice(first), row[key]];
  return next;
}
