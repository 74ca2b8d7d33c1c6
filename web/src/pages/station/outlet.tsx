// What an AC outlet does now: the pilot's letter, three phases against the limit, and who limits.
import { current, energy, plain, power, temperature, voltage } from "../../data/format";
import { limitWords, phaseRows, pilotWords, type PhaseRow } from "../../data/outlet";
import { sessionEnergy } from "../../data/fleet";
import type { Connector, Session } from "../../data/types";
import { Num, Reading, Since } from "../../ui/parts";

export function PilotBadge({ c }: { c: Connector }) {
  const { tone, text } = pilotWords(c.pilot);
  return (
    <figure class={`pilot ${tone}`} role="img" aria-label={`Pilot ${c.pilot ?? "unknown"}: ${text}`}>
      <b>{c.pilot ?? "?"}</b>
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

function PhaseTable({ c }: { c: Connector }) {
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
        {phaseRows(c).map((row) => (
          <PhaseLine key={row.name} row={row} />
        ))}
      </tbody>
    </table>
  );
}

export function LimitLine({ c }: { c: Connector }) {
  return (
    <p class="limit">
      <b>Limit</b> {limitWords(c.limit)}
      {c.limit?.since && (
        <span class="soft">
          {" "}
          · for <Since at={c.limit.since} />
        </span>
      )}
    </p>
  );
}

export function OutletNow({ c, session, live }: { c: Connector; session: Session | undefined; live: boolean }) {
  return (
    <div class={live ? "outlet live" : "outlet"}>
      <PilotBadge c={c} />
      <div class="figures">
        <dl class="readings">
          <div class="reading lead">
            <dt>Power</dt>
            <dd>
              <Num value={power(c.power_w)} />
            </dd>
          </div>
          <Reading label="This charge" value={energy(sessionEnergy(session, c))} />
          <Reading label="Offered" value={current(c.offered_a)} title="What the pilot's duty cycle offers the vehicle, per phase" />
          <Reading label="Cable" value={current(c.cable_a)} title="What the cable may carry, by its resistor" />
          <Reading label="Temperature" value={temperature(c.temperature_c)} />
          <div class="reading">
            <dt>Contactor</dt>
            <dd>{c.energised === null ? "–" : c.energised ? "closed" : "open"}</dd>
          </div>
        </dl>
        <PhaseTable c={c} />
        <LimitLine c={c} />
        <p class="soft small">
          {c.state && (
            <>
              {c.state}
              {c.state_why && `: ${c.state_why}`} ·{" "}
            </>
          )}
          {c.id_tag && <>Card {c.id_tag} · </>}
          {c.updated_at ? (
            <>
              measured <Since at={c.updated_at} suffix=" ago" /> · meter {plain(energy(c.energy_wh))}
            </>
          ) : (
            "no measurement yet"
          )}
        </p>
      </div>
    </div>
  );
}
