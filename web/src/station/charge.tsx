// What each connector does now, who limits it and why, and the last hour.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current, duration, elapsed, energy, plain, power, temperature, voltage } from "../data/format";
import { withSample } from "../data/curve";
import type { Columns } from "../data/types";
import { ask } from "../ui/dialog";
import { SocRing } from "../ui/gauge";
import { Icon } from "../ui/icon";
import { Button, Chip, Num, Problem, Reading, StatusChip, When } from "../ui/parts";
import { PhaseTable, PilotBadge } from "../ui/outlet";
import { Curve, HOUR_AC, HOUR_DC } from "../ui/plot";
import { act, faults, history, limits, link, opened, schedule, visitor, type Action } from "./data";
import { Limits } from "./limits";
import { centralWords, columnsOf, isDc, kindWords, phasesOf, stateWords, upper, waitingWords, whyNot, whyNothing } from "./model";
import type { StationConnector, StationFault, StationStatus } from "./types";
import { VisitNotice } from "./visit";

const live = (c: StationConnector): boolean => link.value === "live" && c.status === "Charging";

function Readings({ c }: { c: StationConnector }) {
  return (
    <dl class="readings">
      <div class="reading lead">
        <dt>Power</dt>
        <dd>
          <Num value={power(c.power_w)} />
        </dd>
      </div>
      <Reading label={c.phase === "active" ? "This charge" : "Last charge"} value={energy(c.energy_wh)} />
      <div class="reading">
        <dt>Time</dt>
        <dd>{duration(c.session_s)}</dd>
      </div>
      {isDc(c) && <Reading label="Voltage" value={voltage(c.voltage_v)} />}
      {isDc(c) && <Reading label="Current" value={current(c.current_a)} />}
      <Reading label="Offered" value={current(c.offered_a)} title="The most the vehicle may draw now, on each phase" />
      {c.kind === "pilot" && <Reading label="Cable" value={current(c.cable_a)} title="What the plugged cable may carry" />}
      <Reading label="Temperature" value={temperature(c.temperature_c)} />
    </dl>
  );
}

function Facts({ c }: { c: StationConnector }) {
  return (
    <p class="soft small">
      {c.id_tag !== "" && <>Card {c.id_tag} · </>}
      {c.vehicle_model !== "" && <>{c.vehicle_model} · </>}
      {stateWords(c)} · meter {plain(energy(c.register_wh))}
    </p>
  );
}

function Doing({ c }: { c: StationConnector }) {
  return (
    <div class={live(c) ? "outlet live" : "outlet"}>
      {isDc(c) ? <SocRing soc={c.soc_percent} live={live(c)} note={c.plugged ? "charged" : "no vehicle"} /> : <PilotBadge pilot={c.pilot ?? null} />}
      <div class="figures">
        <Readings c={c} />
        {!isDc(c) && <PhaseTable rows={phasesOf(c)} />}
        <Facts c={c} />
      </div>
    </div>
  );
}

function Fault({ fault }: { fault: StationFault }) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="alert" />
      <span>
        <b>{fault.words}</b>
        <br />
        <span class="soft">
          {fault.vendor_code}: {fault.text} · {fault.stays ? "stays until it is cleared" : "goes by itself"}
        </span>
      </span>
    </div>
  );
}

function LimitForm({ c, why, send }: { c: StationConnector; why: string | null; send: (body: object) => void }) {
  const text = useSignal("");
  return (
    <form
      class="row tight limitform"
      onSubmit={(event) => {
        event.preventDefault();
        const amperes = Number(text.value.replace(",", "."));
        if (why === null && text.value.trim() !== "" && Number.isFinite(amperes)) send({ limit_a: amperes });
        text.value = "";
      }}
    >
      <label>
        <span class="unseen">Limit of connector {c.connector_id} in ampere</span>
        <input inputMode="decimal" placeholder="Limit, A" value={text.value} disabled={why !== null} title={why ?? undefined} onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      {text.value.trim() !== "" && <button class="button small primary">Set</button>}
    </form>
  );
}

function Actions({ c, staying, limited }: { c: StationConnector; staying: number; limited: boolean }) {
  const said = useSignal<{ text: string; bad: boolean } | null>(null);
  const nobody = whyNothing(visitor.value);
  const out = c.status === "Unavailable";
  const send = (action: Action, body: object = {}): void => {
    act(c.connector_id, action, body).then(
      ({ message }) => (said.value = { text: message, bad: false }),
      (error: unknown) => (said.value = { text: error instanceof Error ? error.message : String(error), bad: true }),
    );
  };
  const turn = async (): Promise<void> => {
    if (!out && !(await ask(`Take connector ${c.connector_id} out of service?`, "Nobody can charge here until it is put back in service. A running charge ends first.", "Take out of service"))) return;
    send(out ? "enable" : "disable");
  };
  const runs = whyNot("stop", c, staying) === null;
  return (
    <footer class="row">
      {runs ? (
        <Button icon="stop" tone="danger" why={nobody} onClick={() => send("stop")}>
          Stop charging
        </Button>
      ) : (
        <Button icon="bolt" tone="primary" why={nobody ?? whyNot("start", c, staying)} onClick={() => send("start")}>
          Start charging
        </Button>
      )}
      <LimitForm c={c} why={nobody} send={(body) => send("limit", body)} />
      {limited && (
        <Button icon="close" why={nobody} onClick={() => send("limit", { limit_a: null })}>
          Limit off
        </Button>
      )}
      {staying > 0 && (
        <Button icon="broom" why={nobody} onClick={() => send("clear")}>
          Clear faults
        </Button>
      )}
      <span class="grow" />
      <Button icon="power" tone="quiet" why={nobody} onClick={() => void turn()}>
        {out ? "Put in service" : "Out of service"}
      </Button>
      {said.value && (
        <p class={`answer ${said.value.bad ? "bad" : "go"}`} role="status">
          {said.value.text}
        </p>
      )}
    </footer>
  );
}

const HOUR_S = 3600;
const STEP_S = 5; // as the station keeps it

function Hour({ c }: { c: StationConnector }) {
  const columns = useSignal<Columns | null>(null);
  const problem = useSignal<unknown>(null);
  useSignalEffect(() => {
    void opened.value; // after every reconnect: what was missed is in the station
    history(c.connector_id).then(
      (read) => {
        columns.value = columnsOf(read);
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  });
  useEffect(() => {
    const now = Date.now() / 1000;
    const before = columns.peek();
    const last = before?.t[before.t.length - 1] ?? 0;
    if (before === null || now - last < STEP_S) return;
    const sample = { station_id: "", connector_id: c.connector_id, t: now, power_w: c.power_w, current_a: c.current_a, offered_a: c.offered_a, soc_percent: c.soc_percent };
    columns.value = withSample(before, sample, now - HOUR_S);
  }, [c]);
  if (problem.value !== null) return <Problem error={problem.value} />;
  if (columns.value === null || columns.value.t.length < 2) return null;
  return (
    <section class="hour">
      <h3>The last hour</h3>
      <Curve columns={columns.value} panels={isDc(c) ? HOUR_DC : HOUR_AC} />
    </section>
  );
}

// What holds the charge back by the clock, and the way past it.
function Held({ c }: { c: StationConnector }) {
  const said = useSignal("");
  const hold = schedule.value?.connectors.find((h) => h.connector_id === c.connector_id);
  const nobody = whyNothing(visitor.value);
  if (!hold || (!hold.held && !hold.charge_now)) return null;
  const send = (on: boolean): void => {
    act(c.connector_id, "now", { on }).then(
      () => (said.value = ""),
      (error: unknown) => (said.value = error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <div class="notice warn held">
      <Icon name="clock" />
      <span>
        {hold.charge_now ? <b>Charging now: timer and plan do not count until the vehicle is unplugged.</b> : <b>{upper(hold.text === "" ? hold.why : hold.text)}</b>}
        {said.value !== "" && <span role="alert"> {said.value}</span>}
      </span>
      <Button why={nobody} onClick={() => send(!hold.charge_now)}>
        {hold.charge_now ? "Follow the plan" : "Charge now"}
      </Button>
    </div>
  );
}

function ConnectorCard({ c }: { c: StationConnector }) {
  const broken = faults.value.find((f) => f.connector_id === c.connector_id)?.faults ?? [];
  const of = limits.value.find((l) => l.connector_id === c.connector_id);
  return (
    <section class={`card connector ${live(c) ? "live" : ""}`} aria-label={`Connector ${c.connector_id}`}>
      <header>
        <h2>Connector {c.connector_id}</h2>
        <StatusChip status={c.status} online={link.value === "live"} />
        <span class="soft">{kindWords(c)}</span>
        {c.reserved_until !== null && (
          <span class="soft">
            · until <When at={c.reserved_until} />
          </span>
        )}
        {c.info !== "" && broken.length === 0 && <span class="soft">· {c.info}</span>}
      </header>
      {broken.map((fault) => (
        <Fault key={fault.vendor_code} fault={fault} />
      ))}
      <Doing c={c} />
      <Held c={c} />
      <Actions c={c} staying={broken.filter((f) => f.stays).length} limited={of?.limits.some((l) => l.source === "local") ?? false} />
      <Limits of={of} />
      <Hour c={c} />
    </section>
  );
}

export function ChargePage({ status }: { status: StationStatus }) {
  const central = centralWords(status);
  return (
    <>
      <div class="title station">
        <h1>{status.station}</h1>
        {central && <Chip tone={central.tone}>{central.text}</Chip>}
        <span class="grow" />
        <span class="soft small">
          version {status.firmware} · up for {elapsed(status.uptime_s)}
          {waitingWords(status)}
        </span>
      </div>
      <VisitNotice />
      <div class={status.connectors.length > 1 ? "stack pair" : "stack"}>
        {status.connectors.map((c) => (
          <ConnectorCard key={c.connector_id} c={c} />
        ))}
      </div>
    </>
  );
}
