// Two plots under one cursor: power with state of charge, current with voltage.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { drawn, GAP_S, type Series } from "../data/curve";
import { clockTime, current, percent, plain, power, voltage, type Quantity } from "../data/format";
import type { Columns, Sample } from "../data/types";
import { dark } from "../theme";

export interface Line<K extends string> {
  key: K;
  label: string;
  scale: number; // wire unit → plotted unit
  unit: string;
  format: (value: number | null | undefined) => Quantity;
  axis: "left" | "right";
  range: (max: number, min: number) => [number, number];
  fill?: boolean;
  dash?: number[];
  step?: boolean; // holds until the next; nothing is a pause
}

// A hair above the largest value, so that a steady line is not glued to the frame.
export const fromZero = (max: number): [number, number] => [0, max > 0 ? max * 1.15 : 1];

// A battery's voltage moves by a few volts: from zero it would be a flat line.
function around(max: number, min: number): [number, number] {
  const margin = Math.max(2, (max - min) * 0.25);
  return [Math.max(0, min - margin), max + margin];
}

const SOC_AND_POWER: readonly Line<keyof Sample>[] = [
  { key: "power_w", label: "Power", scale: 0.001, unit: "kW", format: (v) => power(v), axis: "left", range: fromZero, fill: true },
  { key: "soc_percent", label: "State of charge", scale: 1, unit: "%", format: percent, axis: "right", range: () => [0, 100] },
];

const CURRENT_AND_VOLTAGE: readonly Line<keyof Sample>[] = [
  { key: "current_a", label: "Current", scale: 1, unit: "A", format: current, axis: "left", range: fromZero },
  { key: "offered_a", label: "Offered", scale: 1, unit: "A", format: current, axis: "left", range: fromZero, dash: [3, 4] },
  { key: "voltage_v", label: "Voltage", scale: 1, unit: "V", format: voltage, axis: "right", range: around },
];

const POWER_ONLY: readonly Line<keyof Sample>[] = [
  { key: "power_w", label: "Power", scale: 0.001, unit: "kW", format: (v) => power(v), axis: "left", range: fromZero, fill: true },
];

// Per phase: what flows under what is offered under what is allowed.
const CURRENT_UNDER_LIMIT: readonly Line<keyof Sample>[] = [
  { key: "current_a", label: "Current", scale: 1, unit: "A", format: current, axis: "left", range: fromZero },
  { key: "offered_a", label: "Offered", scale: 1, unit: "A", format: current, axis: "left", range: fromZero, dash: [3, 4] },
  { key: "limit_a", label: "Limit", scale: 1, unit: "A", format: current, axis: "left", range: fromZero, dash: [8, 3] },
];

const CURRENT_AND_OFFER: readonly Line<keyof Sample>[] = CURRENT_UNDER_LIMIT.slice(0, 2);

type Panels = readonly (readonly Line<keyof Sample>[])[];

export const CHARGE_DC: Panels = [SOC_AND_POWER, CURRENT_AND_VOLTAGE];
export const CHARGE_AC: Panels = [POWER_ONLY, CURRENT_UNDER_LIMIT];
// What the station itself keeps of the last hour: a battery's charge is known only over CAN.
export const HOUR_DC: Panels = [SOC_AND_POWER, CURRENT_AND_OFFER];
export const HOUR_AC: Panels = [POWER_ONLY, CURRENT_AND_OFFER];

const HEIGHT = 180;
const STEPPED = uPlot.paths.stepped?.({ align: 1 });

function lastKnown(column: readonly (number | null)[]): number | null {
  for (let row = column.length - 1; row >= 0; row -= 1) {
    const value = column[row];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function options(lines: readonly Line<string>[], width: number, colours: Record<string, string>): uPlot.Options {
  const colour = (name: string): string => colours[name] ?? "#888";
  const axis = { stroke: colour("soft"), font: `11px ${colours["font"]}`, ticks: { show: false } };
  const right = lines.find((line) => line.axis === "right");
  const left = lines.find((line) => line.axis === "left");
  const scaleOf = (line: Line<string>): string => line.unit;
  const scales: uPlot.Scales = { x: { time: true } };
  for (const line of lines) {
    scales[scaleOf(line)] = { range: (_u, min, max) => line.range(max ?? 1, min ?? 0) };
  }
  const grid = { stroke: colour("line"), width: 1 };
  const tick = (values: number[]): string[] => values.map((v) => String(Number(v.toFixed(2))));
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: "pilotwire" }, drag: { x: true, y: false }, points: { size: 7 } },
    scales,
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 26,
        values: (_u, splits) => splits.map((s) => clockTime(new Date(s * 1000)).slice(0, shortTicks(splits) ? 8 : 5)),
      },
      { ...axis, scale: left ? scaleOf(left) : "y", grid, size: 40, values: (_u, v) => tick(v) },
      ...(right ? [{ ...axis, scale: scaleOf(right), side: 1 as const, grid: { show: false }, size: 40, values: (_u: uPlot, v: number[]) => tick(v) }] : []),
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        label: line.label,
        scale: scaleOf(line),
        stroke: colour(line.key),
        width: line.dash ? 1.25 : 1.75,
        points: { show: false },
        ...(line.dash && { dash: line.dash }),
        ...(line.fill && { fill: colour("fill") }),
        ...(line.step && STEPPED && { paths: STEPPED }),
      })),
    ],
  };
}

const shortTicks = (splits: number[]): boolean => splits.length > 1 && (splits[1] as number) - (splits[0] as number) < 60;

// The canvas needs resolved colours: what the style sheet says, asked of the elements it styles.
function coloursOf(element: HTMLElement, lines: readonly Line<string>[]): Record<string, string> {
  const style = getComputedStyle(element);
  const colours: Record<string, string> = { soft: style.color, line: style.outlineColor, fill: style.backgroundColor, font: style.fontFamily };
  for (const line of lines) {
    const key = element.parentElement?.querySelector<HTMLElement>(`.key.${line.key}`);
    if (key) colours[line.key] = getComputedStyle(key).color;
  }
  return colours;
}

// Who has zoomed in keeps what he looks at while new samples arrive; a double click goes back.
function renew(plot: uPlot, data: uPlot.AlignedData): void {
  const [t, x] = [plot.data[0], plot.scales["x"]];
  const [first, last] = [t[0] ?? 0, t[t.length - 1] ?? 0];
  const zoomed = (x?.min ?? first) > first || (x?.max ?? last) < last;
  plot.setData(data, !zoomed);
  if (zoomed) plot.redraw();
}

export function Panel<K extends string>({ lines, columns }: { lines: readonly Line<K>[]; columns: Series<K> }) {
  const box = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [row, setRow] = useState<number | null>(null);
  const isDark = dark.value;
  const data = drawn(columns, lines.map((l) => l.key), lines.map((l) => l.scale), lines[0]?.step ? Infinity : GAP_S) as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = box.current;
    if (!element || !probe.current) return;
    const made = new uPlot(
      {
        ...options(lines, element.clientWidth, coloursOf(probe.current, lines)),
        hooks: { setCursor: [(u) => setRow(u.cursor.idx ?? null)] },
      },
      latest.current,
      element,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [lines, isDark]);

  useEffect(() => {
    if (plot.current) renew(plot.current, data);
  }, [columns]);

  const at = row === null ? undefined : data[0][row];
  return (
    <div class="panel">
      <p class="keys">
        {lines.map((line, index) => {
          const hovered = row === null ? undefined : data[index + 1]?.[row];
          const value = row === null ? lastKnown(columns[line.key]) : typeof hovered === "number" ? hovered / line.scale : null;
          return (
            <span key={line.key} class={`key ${line.key}`}>
              {line.label} <b>{plain(line.format(value))}</b>
            </span>
          );
        })}
        <span class="soft grow end">{at === undefined ? "" : clockTime(new Date(at * 1000))}</span>
      </p>
      <span class="probe" ref={probe} aria-hidden="true" />
      <div ref={box} class="canvas" role="img" aria-label={`${lines.map((l) => l.label).join(", ")} over time`} />
    </div>
  );
}

export function Curve({ columns, panels = CHARGE_DC }: { columns: Columns; panels?: Panels }) {
  return (
    <div class="curve">
      {panels.map((lines) => (
        <Panel key={lines[0]?.key} lines={lines} columns={columns} />
      ))}
    </div>
  );
}
