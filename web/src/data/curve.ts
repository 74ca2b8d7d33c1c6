// Curves as columns: pure steps that keep them in order of time.
import { SAMPLE_KEYS } from "./fleet";
import type { Columns, Measurement } from "./types";

export function emptyColumns(): Columns {
  return {
    t: [],
    power_w: [],
    voltage_v: [],
    current_a: [],
    offered_a: [],
    soc_percent: [],
    energy_wh: [],
    temperature_c: [],
    limit_a: [],
  };
}

// Appends a live sample. One of the same moment completes it; an older one (from a station's
// offline queue) is left to the next reading of the history, which has it in its place.
export function withSample(columns: Columns, m: Measurement, keepFrom: number): Columns {
  const last = columns.t.length > 0 ? (columns.t[columns.t.length - 1] as number) : -Infinity;
  if (m.t < last) return columns;
  const from = columns.t.findIndex((t) => t >= keepFrom);
  const first = from < 0 ? columns.t.length : from;
  const same = m.t === last;
  const end = same ? columns.t.length - 1 : columns.t.length;
  const next = emptyColumns();
  next.t = [...columns.t.slice(first, end), m.t];
  for (const key of SAMPLE_KEYS) {
    const before = same ? (columns[key][end] ?? null) : null;
    next[key] = [...columns[key].slice(first, end), m[key] ?? before];
  }
  return next;
}

// An outlet tells its limit and knows no state of charge.
export const isOutletCurve = (columns: Columns): boolean =>
  columns.limit_a.some((a) => a !== null) && columns.soc_percent.every((soc) => soc === null);

// A pause this long is drawn as a pause, s. Longer than the usual sample interval of 60 s.
export const GAP_S = 180;

export type Drawn = (number | null | undefined)[];

// Columns of any names beside their time.
export type Series<K extends string> = { readonly t: readonly number[] } & Readonly<Record<K, readonly (number | null)[]>>;

// What uPlot draws: null breaks a line, undefined (not in this sample) does not.
export function drawn<K extends string>(columns: Series<K>, keys: readonly K[], scale: readonly number[], gap = GAP_S): [number[], ...Drawn[]] {
  const t: number[] = [];
  const values: Drawn[] = keys.map(() => []);
  columns.t.forEach((time, row) => {
    const before = t[t.length - 1];
    if (before !== undefined && time - before > gap) {
      t.push(before + 1);
      values.forEach((column) => column.push(null));
    }
    t.push(time);
    keys.forEach((key, index) => {
      const value = columns[key][row];
      values[index]?.push(value === null || value === undefined ? undefined : value * (scale[index] ?? 1));
    });
  });
  return [t, ...values];
}
