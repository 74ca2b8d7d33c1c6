// What an AC outlet does now: the pilot's letter, three phases against the limit, and who limits.
import { current, energy, plain, power, temperature } from "../../data/format";
import { limitWords, phaseRows } from "../../data/outlet";
import { sessionEnergy } from "../../data/fleet";
import type { Connector, Session } from "../../data/types";
import { Num, Reading, Since } from "../../ui/parts";
import { PhaseTable, PilotBadge } from "../../ui/outlet";

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
      <PilotBadge pilot={c.pilot} />
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
        <PhaseTable rows={phaseRows(c)} />
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
