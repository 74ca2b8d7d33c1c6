// A station's own log as a list: pure steps that keep it in order, each line once.
import type { Level, Line } from "./types";

export const LEVELS: readonly Level[] = ["error", "warn", "info", "debug"];

export interface LinesView {
  query: string;
  level: Level; // the least important that is shown
}

// What the central's search answers for a stored line, for lines that arrive live.
export function fits(line: Line, view: LinesView): boolean {
  if (LEVELS.indexOf(line.level) > LEVELS.indexOf(view.level)) return false;
  const wanted = view.query.trim().toLowerCase();
  return wanted === "" || `${line.room} ${line.text}`.toLowerCase().includes(wanted);
}

export function mergeLines(list: readonly Line[], more: readonly Line[], most: number): Line[] {
  const byNumber = new Map(list.map((line) => [line.n, line]));
  for (const line of more) byNumber.set(line.n, line);
  const merged = [...byNumber.values()].sort((a, b) => a.n - b.n);
  return merged.slice(Math.max(0, merged.length - most));
}

export const droppedWords = (count: number): string =>
  count === 1 ? "1 line was lost here" : `${count} lines were lost here`;
