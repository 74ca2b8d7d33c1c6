import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { serverNow } from "../data/clock";
import { current, distance, energy, plain, power } from "../data/format";
import { energyToday, hasFault, inOrder, plugs, runningOn, sessionEnergy, totals } from "../data/fleet";
import { fleet, recent } from "../data/live";
import { isAc, pilotWords } from "../data/outlet";
import { trail } from "../data/trail";
import type { Connector, Station } from "../data/types";
import { href } from "../route";
import { SocBar, Spark } from "../ui/gauge";
import { Button, Chip, Empty, Num, Since, StatusChip } from "../ui/parts";
import { AddStation } from "./add_station";

function Kpi({ label, note, tone, behind, children }: {
  label: string;
  note: string;
  tone?: string;
  behind?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <div class={`kpi ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd>
        {children}
        <span class="soft">{note}</span>
      </dd>
      {behind}
    </div>
  );
}

function Kpis() {
  const now = fleet.value ?? new Map();
  const t = totals(now);
  const today = energy(energyToday(recent.value, now, serverNow()));
  return (
    <dl class="kpis">
      <Kpi label="Power now" note={t.charging === 0 ? "nothing is charging" : "into vehicles"} tone={t.power_w > 0 ? "lead go" : "lead"} behind={<Spark trail={trail.value} />}>
        <Num value={power(t.power_w)} />
      </Kpi>
      <Kpi label="Energy today" note="since midnight">
        <Num value={today} />
      </Kpi>
      <Kpi label="Charging" note={t.connectors === 1 ? "of 1 connector" : `of ${t.connectors} connectors`}>
        <span class="num">{t.charging}</span>
      </Kpi>
      <Kpi label="Online" note={t.stations === 1 ? "of 1 station" : `of ${t.stations} stations`}>
        <span class="num">{t.online}</span>
      </Kpi>
      <Kpi label="Faults" note={t.faults === 0 ? "all well" : "need a look"} {...(t.faults > 0 && { tone: "bad" })}>
        <span class="num">{t.faults}</span>
      </Kpi>
    </dl>
  );
}

// An AC vehicle tells no state of charge: the pilot and the offered current say how it goes.
function OutletLine({ c }: { c: Connector }) {
  const offered = c.offered_a !== null && c.offered_a > 0 ? ` · ${plain(current(c.offered_a))} offered` : "";
  return (
    <span class="pilotline">
      <span class="pilotmark">{c.pilot}</span>
      <span class="soft">{`${c.phases ?? "?"} ${c.phases === 1 ? "phase" : "phases"}${offered}`}</span>
    </span>
  );
}

function ConnectorLine({ station, c }: { station: Station; c: Connector }) {
  const live = station.online && c.status === "Charging";
  const session = runningOn(recent.value, station.id, c);
  const plugged = session !== undefined || c.status === "Preparing" || c.status === "Finishing";
  const vehicle = plugged ? c.vehicle : null;
  return (
    <li>
      <a class="line" href={href.station(station.id)}>
        <span class="no" title={`Connector ${c.connector_id}`}>
          {c.connector_id}
        </span>
        <StatusChip status={c.status} online={station.online} />
        <span class="what">
          {vehicle?.model ?? (session && !isAc(c) ? "Vehicle not identified" : "")}
          {isAc(c) && c.pilot && <span>{pilotWords(c.pilot).text}</span>}
          {typeof vehicle?.range_km === "number" && <small>{plain(distance(vehicle.range_km))} range</small>}
          {hasFault(c) && <small class="bad">{c.info || c.error_code}</small>}
        </span>
        <span class="charge">{isAc(c) ? <OutletLine c={c} /> : plugged && <SocBar soc={c.soc_percent} live={live} />}</span>
        <span class="figure">{live && <Num value={power(c.power_w)} />}</span>
        <span class="figure">{session && <Num value={energy(sessionEnergy(session, c))} />}</span>
        <span class="since soft">
          <Since at={session?.start_at ?? c.since} />
        </span>
      </a>
    </li>
  );
}

function StationCard({ station }: { station: Station }) {
  const lines = plugs(station);
  const product = [station.vendor, station.model].filter(Boolean).join(" ");
  return (
    <article class={station.online ? "card station" : "card station off"}>
      <header>
        <h2>
          <a href={href.station(station.id)}>{station.id}</a>
        </h2>
        <span class="soft">{product || "has not introduced itself yet"}</span>
        <span class="grow" />
        {station.online ? (
          <Chip tone="go">Online</Chip>
        ) : (
          <Chip tone="mute">Offline {station.last_seen && <Since at={station.last_seen} />}</Chip>
        )}
      </header>
      {lines.length > 0 ? (
        <ul class="lines">
          {lines.map((c) => (
            <ConnectorLine key={c.connector_id} station={station} c={c} />
          ))}
        </ul>
      ) : (
        <p class="soft pad">
          {station.online ? "No connector has reported yet." : "Never connected. The connection doctor shows refused attempts."}
        </p>
      )}
    </article>
  );
}

const MANY = 8;
const MOST = 100;

export function Overview() {
  const adding = useSignal(false);
  const find = useSignal("");
  const all = inOrder(fleet.value ?? new Map());
  const wanted = find.value.trim().toLowerCase();
  const found = all.filter((s) => `${s.id} ${s.vendor ?? ""} ${s.model ?? ""} ${s.serial ?? ""}`.toLowerCase().includes(wanted));
  return (
    <>
      <div class="title">
        <h1>Stations</h1>
        <span class="grow" />
        {all.length >= MANY && (
          <label class="find">
            <span class="unseen">Find a station</span>
            <input type="search" placeholder="Find a station" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} />
          </label>
        )}
        <Button needs="admin" icon="plus" onClick={() => (adding.value = true)}>
          Add a station
        </Button>
      </div>
      <Kpis />
      {all.length === 0 ? (
        <Empty icon="station" title="No station yet">
          <p>
            Add a station here to get its key, then enter address and key in the station. It appears as soon as it
            connects. If it tried and did not get in, the <a href={href.refused}>connection doctor</a> says why.
          </p>
          <Button needs="admin" icon="plus" tone="primary" onClick={() => (adding.value = true)}>
            Add a station
          </Button>
        </Empty>
      ) : (
        <>
          <div class="columns soft" aria-hidden="true">
            <span />
            <span>State</span>
            <span>Vehicle</span>
            <span>Charge</span>
            <span>Power</span>
            <span>This charge</span>
            <span>Since</span>
          </div>
          <div class="stack">
            {found.slice(0, MOST).map((station) => (
              <StationCard key={station.id} station={station} />
            ))}
          </div>
          {found.length === 0 && <Empty icon="station" title="No station matches" />}
          {found.length > MOST && (
            <p class="soft more">
              {MOST} of {found.length} stations are shown, faults and running charges first. Find others by name.
            </p>
          )}
        </>
      )}
      {adding.value && <AddStation id="" onClose={() => (adding.value = false)} />}
    </>
  );
}
