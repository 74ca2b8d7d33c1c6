// State of charge: a ring for a connector, a bar for a line in a list.
import { MISSING, percent } from "../data/format";

const RADIUS = 52;
const LENGTH = 2 * Math.PI * RADIUS;
const SWEEP = 0.78; // the part of the circle that is scale

function part(soc: number | null): number {
  return soc === null ? 0 : Math.min(1, Math.max(0, soc / 100));
}

function label(soc: number | null): string {
  return soc === null ? "State of charge unknown" : `State of charge ${percent(soc).text} %`;
}

export function SocRing({ soc, live, note }: { soc: number | null; live: boolean; note: string }) {
  const scale = LENGTH * SWEEP;
  return (
    <figure class={live ? "ring live" : "ring"} role="img" aria-label={label(soc)}>
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <g transform="rotate(129.6 60 60)" fill="none" stroke-linecap="round" stroke-width="9">
          <circle class="track" cx="60" cy="60" r={RADIUS} stroke-dasharray={`${scale} ${LENGTH}`} />
          {part(soc) > 0.004 && (
            <circle class="fill" cx="60" cy="60" r={RADIUS} stroke-dasharray={`${scale * part(soc)} ${LENGTH}`} />
          )}
        </g>
      </svg>
      <figcaption>
        <b>
          {soc === null ? MISSING : percent(soc).text}
          {soc !== null && <small>%</small>}
        </b>
        <span>{note}</span>
      </figcaption>
    </figure>
  );
}

export function SocBar({ soc, live }: { soc: number | null; live: boolean }) {
  return (
    <span class={live ? "soc live" : "soc"} role="img" aria-label={label(soc)}>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="8" />
        <rect class="fill" width={part(soc) * 100} height="8" />
      </svg>
      <b>{soc === null ? MISSING : `${percent(soc).text} %`}</b>
    </span>
  );
}

// Spans the field from the start; the first minutes are drawn wider.
export function Spark({ trail }: { trail: readonly number[] }) {
  const most = Math.max(...trail, 1) * 1.1;
  if (trail.length < 5 || Math.max(...trail) === 0) return null;
  const points = trail.map((value, index) => `${((index / (trail.length - 1)) * 100).toFixed(2)},${(30 - (value / most) * 26).toFixed(2)}`);
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      <path d={`M0,30 L${points.join(" L")} L100,30 Z`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}
