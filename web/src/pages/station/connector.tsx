// One plug: what it does now, what is plugged in, and what can be asked of it.
import { useSignal } from "@preact/signals";
import { charge, current, distance, energy, plain, power, temperature, voltage, words } from "../../data/format";
import { chargeOn, flowing, hasFault, sessionEnergy } from "../../data/fleet";
import { send } from "../../data/jobs";
import { recent } from "../../data/live";
import type { Connector, Session, Station } from "../../data/types";
import { href } from "../../route";
import { ask } from "../../ui/dialog";
import { SocRing } from "../../ui/gauge";
import { Icon } from "../../ui/icon";
import { Button, Num, Reading, Since, StatusChip } from "../../ui/parts";
import { isAc } from "../../data/outlet";
import { LatestJob } from "./jobs";
import { LimitLine, OutletNow } from "./outlet";
import { OutletActions } from "./outlet_actions";
import { StartDialog } from "./start_dialog";

function whyNoStart(station: Station, c: Connector): string | null {
  if (!station.ocpp_online) return "the station is offline";
  if (c.transaction_id !== null) return "a charge is running";
  if (c.status === "Unavailable") return "the connector is out of service";
  if (c.status === "Faulted") return `the connector is faulted: ${words(c.error_code ?? "no reason given")}`;
  return null;
}

const whyNothing = (station: Station): string | null => (station.ocpp_online ? null : "the station is offline");

function whyNoUnlock(station: Station, c: Connector): string | null {
  if (c.transaction_id !== null) return "stop the charge first";
  return whyNothing(station);
}

function Actions({ station, c }: { station: Station; c: Connector }) {
  const starting = useSignal(false);
  const out = c.status === "Unavailable";
  const name = `connector ${c.connector_id}`;
  const stop = (): void => {
    const payload = { transactionId: c.transaction_id };
    void send(station.id, "RemoteStopTransaction", payload, `Stop the charge on ${name}`);
  };
  const unlock = async (): Promise<void> => {
    const yes = await ask(`Unlock ${name}?`, "The plug can then be pulled by whoever stands there.", "Unlock");
    if (yes) void send(station.id, "UnlockConnector", { connectorId: c.connector_id }, `Unlock ${name}`);
  };
  const turn = async (): Promise<void> => {
    const type = out ? "Operative" : "Inoperative";
    const title = out ? `Put ${name} back in service` : `Take ${name} out of service`;
    const text =
      c.transaction_id === null
        ? "Nobody can charge here until it is put back in service."
        : "The running charge ends first; after it nobody can charge here until it is put back in service.";
    if (!out && !(await ask(`${title}?`, text, "Take out of service"))) return;
    void send(station.id, "ChangeAvailability", { connectorId: c.connector_id, type }, title);
  };
  return (
    <footer class="row">
      {c.transaction_id === null ? (
        <Button needs="operator" icon="bolt" tone="primary" why={whyNoStart(station, c)} onClick={() => (starting.value = true)}>
          Start charging
        </Button>
      ) : (
        <Button needs="operator" icon="stop" tone="danger" why={whyNothing(station)} onClick={stop}>
          Stop charging
        </Button>
      )}
      {station.ocpp_online && whyNoStart(station, c) && c.transaction_id === null && (
        <span class="soft small">{whyNoStart(station, c)}</span>
      )}
      <span class="grow" />
      <Button needs="operator" icon="unlock" tone="quiet" why={whyNoUnlock(station, c)} onClick={() => void unlock()}>
        Unlock
      </Button>
      <Button needs="operator" icon="power" tone="quiet" why={whyNothing(station)} onClick={() => void turn()}>
        {out ? "Put in service" : "Out of service"}
      </Button>
      {starting.value && <StartDialog station={station} c={c} onClose={() => (starting.value = false)} />}
    </footer>
  );
}

function Fault({ c }: { c: Connector }) {
  if (!hasFault(c)) return null;
  const parts = [c.error_code && words(c.error_code), c.info, c.vendor_error_code].filter(Boolean);
  return (
    <p class="notice bad">
      <Icon name="alert" />
      <span>{parts.join(" · ") || "The connector reports a fault without a reason."}</span>
    </p>
  );
}

// What the vehicle says about itself is worth showing only while it is there.
function VehicleLine({ c }: { c: Connector }) {
  const v = c.vehicle;
  if (!v) return <p class="vehicle soft">Vehicle not identified</p>;
  return (
    <p class="vehicle">
      <b>{v.model ?? "Unknown model"}</b>
      <span class="soft">
        {[
          v.charge_ah !== null && v.capacity_ah !== null && `${charge(v.charge_ah).text} of ${plain(charge(v.capacity_ah))}`,
          v.imax_a !== null && `takes up to ${plain(current(v.imax_a))}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </p>
  );
}

function Now({ c, session, live }: { c: Connector; session: Session | undefined; live: boolean }) {
  const range = c.vehicle?.range_km ?? null;
  const flow = flowing(c);
  return (
    <div class="now">
      <SocRing soc={c.soc_percent} live={live} note={range === null ? "charged" : `${plain(distance(range))} range`} />
      <div class="figures">
        <VehicleLine c={c} />
        <dl class="readings">
          <div class="reading lead">
            <dt>Power</dt>
            <dd>
              <Num value={power(flow.power_w)} />
            </dd>
          </div>
          <Reading label="This charge" value={energy(sessionEnergy(session, c))} />
          <Reading label="Voltage" value={voltage(flow.voltage_v)} />
          <Reading label="Current" value={current(flow.current_a)} />
          <Reading label="Offered" value={current(flow.offered_a)} title="The most the station lets the vehicle draw" />
          <Reading label="Temperature" value={temperature(c.temperature_c)} />
        </dl>
        {c.limit && <LimitLine c={c} />}
        <p class="soft small">
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

export function ConnectorCard({ station, c }: { station: Station; c: Connector }) {
  const live = station.online && c.status === "Charging";
  const connected = isAc(c) && c.pilot !== null && !/^[AF]/.test(c.pilot);
  const session = chargeOn(recent.value, station.id, c);
  const plugged = connected || session !== undefined || ["Preparing", "Charging", "Finishing", "SuspendedEV", "SuspendedEVSE"].includes(c.status);
  return (
    <section class={`card connector ${live ? "live" : ""} ${plugged ? "" : "idle"} ${station.online ? "" : "off"}`} aria-label={`Connector ${c.connector_id}`}>
      <header>
        <h2>Connector {c.connector_id}</h2>
        <StatusChip status={c.status} online={station.online} />
        {c.board === "openevse" && <span class="soft">OpenEVSE board</span>}
        {!plugged && c.pilot && <span class="soft">pilot {c.pilot}</span>}
        <span class="soft">
          <Since at={c.transaction_id === null ? c.since : (session?.start_at ?? c.since)} />
        </span>
        {!plugged && c.energy_wh !== null && <span class="soft">meter {plain(energy(c.energy_wh))}</span>}
        <span class="grow" />
        {session && <a href={href.session(session.id)}>Session {session.id}</a>}
      </header>
      <Fault c={c} />
      {plugged && (isAc(c) ? <OutletNow c={c} session={session} live={live} /> : <Now c={c} session={session} live={live} />)}
      {!plugged && isAc(c) && (
        <div class="idlelimit">
          <LimitLine c={c} />
        </div>
      )}
      {station.link && c.kind !== null && <OutletActions station={station} c={c} />}
      <LatestJob station={station.id} connector={c.connector_id} />
      <Actions station={station} c={c} />
    </section>
  );
}
