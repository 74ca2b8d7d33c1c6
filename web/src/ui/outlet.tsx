// The pilot's letter, and the three phases against their limit: on the dashboard and at the station.
import { current, power, voltage } from "../data/format";
import { pilotWords, type PhaseRow } from "../data/outlet";
import { Num } from "./parts";

export function PilotBadge({ pilot }: { pilot: string | null }) {
  const { tone, text } = pilotWords(pilot);
  return (
    <figure class={`pilot ${tone}`} role="img" aria-label={`Pilot ${pilot ?? "unknown"}: ${text}`}>
      <b>{pilot ?? "?"}</b>
      <figcaption>{text}</figcaption>
    </figure>
  );
}

function PhaseLine({ row }: { row: PhaseRow }) {
  return (
    <tr>
      <th scope="row">{row.name}</th>
      <td>
        <Num value={voltage(row.volts)} />
      </td>
      <td class="meter">
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect class="track" width="100" height="8" />
          <rect class="fill" width={row.share * 100} height="8" />
        </svg>
        <Num value={current(row.amps)} />
      </td>
      <td>
        <Num value={power(row.watts)} />
      </td>
    </tr>
  );
}

export function PhaseTable({ rows }: { rows: readonly PhaseRow[] }) {
  return (
    <table class="phases">
      <caption class="unseen">Phases</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Phase</span>
          </th>
          <th scope="col">Voltage</th>
          <th scope="col">Current</th>
          <th scope="col">Power</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <PhaseLine key={row.name} row={row} />
        ))}
      </tbody>
    </table>
  );
}
