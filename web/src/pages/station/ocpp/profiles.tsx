// Charging profiles: those the station has taken, a new one, and what they come to as the station itself says.
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { plugs } from "../../../data/fleet";
import { current, dateTime, duration, power, words } from "../../../data/format";
import { localTime, refusalAt, type Problems } from "../../../data/forms";
import { askComposite, clearProfiles, profiles, setProfile, type ChargingProfile, type CompositeSchedule } from "../../../data/ocpp";
import { newPeriod, newProfile, profileOf, profilePlace, scheduleWords, secondsOf, stepsOf, hoursOf, type PeriodDraft, type ProfileDraft } from "../../../data/profile";
import type { Station } from "../../../data/types";
import { ask } from "../../../ui/dialog";
import { Choice, Moment, Text } from "../../../ui/fields";
import { Icon } from "../../../ui/icon";
import { Button, Empty, For, Loading, Problem, Since, When } from "../../../ui/parts";
import { fromZero, Panel, type Line } from "../../../ui/plot";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline, type Order } from "./watch";

const PURPOSES = [
  ["TxDefaultProfile", "each charge"],
  ["ChargePointMaxProfile", "the whole station"],
  ["TxProfile", "the running charge"],
] as const;

const KINDS = [
  ["Absolute", "once, from a moment on"],
  ["Recurring", "again and again"],
  ["Relative", "from the charge's begin"],
] as const;

const purposeWords = (purpose: string): string => PURPOSES.find(([name]) => name === purpose)?.[1] ?? purpose;
const whereWords = (connector: number): string => (connector === 0 ? "the station" : `connector ${connector}`);

// --- The composite schedule.

const LINES = {
  A: [{ key: "limit", label: "Allowed", scale: 1, unit: "A", format: (v) => current(v), axis: "left", range: fromZero, fill: true, step: true }],
  W: [{ key: "limit", label: "Allowed", scale: 0.001, unit: "kW", format: (v) => power(v), axis: "left", range: fromZero, fill: true, step: true }],
} satisfies Record<string, Line<"limit">[]>;

function Plot({ of }: { of: CompositeSchedule }) {
  const columns = useMemo(() => {
    const start = Date.parse(of.start ?? of.schedule?.startSchedule ?? of.read_at) / 1000;
    return of.schedule ? stepsOf(of.schedule, start, of.schedule.duration ?? of.duration_s) : { t: [], limit: [] };
  }, [of]);
  return (
    <div class="composite">
      <h3>
        {whereWords(of.connector_id).replace(/^./, (c) => c.toUpperCase())}
        <small class="soft">
          {" "}
          from {dateTime(of.start ?? of.read_at)} for {duration(of.duration_s)}, told <Since at={of.read_at} suffix=" ago" />
        </small>
      </h3>
      {of.schedule && columns.t.length > 0 ? (
        <>
          <Panel lines={LINES[of.unit]} columns={columns} />
          <p class="soft small">{scheduleWords(of.schedule)}</p>
        </>
      ) : (
        <p class="soft small">The station says that no schedule limits it in this time.</p>
      )}
    </div>
  );
}

function Composite({ station, of }: { station: Station; of: readonly CompositeSchedule[] }) {
  const order = useOrder(station.id);
  const connector = useSignal("1");
  const hours = useSignal("24:00");
  const unit = useSignal<string>("A");
  const tried = useSignal(false);
  const seconds = secondsOf(hours.value);
  const wrong = seconds === null || seconds < 60 || seconds > 31_622_400 ? "hours and minutes, 0:01 to 8784:00" : undefined;
  const why = whyOffline(station.ocpp_online);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (wrong || why !== null || seconds === null) return;
    void order.give({ action: "GetCompositeSchedule", payload: {}, title: "Ask for the composite schedule" }, () =>
      askComposite(station.id, Number(connector.value), seconds, unit.value === "W" ? "W" : "A"),
    );
    tried.value = false;
  };
  return (
    <section class="card pad">
      <h2>What it comes to</h2>
      <For least="operator">
        <form class="composing" onSubmit={submit} noValidate>
          <Choice label="Of" value={connector.value} options={connectorsOf(station)} onChange={(v) => (connector.value = v)} />
          <Text label="For the next" unit="h" value={hours.value} wrong={tried.value ? wrong : undefined} onInput={(v) => (hours.value = v)} />
          <Choice
            label="In"
            value={unit.value}
            options={[
              ["A", "ampere"],
              ["W", "watt"],
            ]}
            onChange={(v) => (unit.value = v)}
          />
          <button class="button" disabled={why !== null || order.busy} title={why ?? undefined}>
            Ask the station
          </button>
        </form>
      </For>
      {order.refused !== null && <Problem error={order.refused} />}
      {of.length === 0 && <p class="soft small">The station was not asked yet.</p>}
      {of.map((one) => (
        <Plot key={`${one.connector_id} ${one.unit}`} of={one} />
      ))}
    </section>
  );
}

const connectorsOf = (station: Station): (readonly [string, string])[] => [["0", "the whole station"], ...plugs(station).map((c) => [String(c.connector_id), `connector ${c.connector_id}`] as const)];

// --- A new profile.

function PeriodForm(props: { period: PeriodDraft; index: number; unit: string; wrong: (what: string) => string | undefined; change: (part: Partial<PeriodDraft>) => void; remove: (() => void) | null }) {
  const { period, index, unit, wrong, change, remove } = props;
  return (
    <li class="fields periodform">
      <Text label="From" unit="h" value={period.start} wrong={wrong("startPeriod")} onInput={(start) => change({ start })} />
      <Text label="At most" unit={unit} numeric value={period.limit} wrong={wrong("limit")} onInput={(limit) => change({ limit })} />
      <Choice
        label="Phases"
        value={period.phases}
        wrong={wrong("numberPhases")}
        options={[
          ["", "as there are"],
          ["1", "1"],
          ["2", "2"],
          ["3", "3"],
        ]}
        onChange={(phases) => change({ phases })}
      />
      <button type="button" class="bare" aria-label={`Remove period ${index + 1}`} title="Remove" disabled={remove === null} onClick={() => remove?.()}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

function Editor({ station, taken, order }: { station: Station; taken: readonly ChargingProfile[]; order: Order }) {
  const free = Math.max(0, ...taken.map((p) => p.profile_id)) + 1;
  const draft = useSignal<ProfileDraft>({ ...newProfile(free), start: localTime(new Date()) });
  const tried = useSignal(false);
  const why = whyOffline(station.ocpp_online);
  const d = draft.value;
  const made = profileOf(d);
  const refusal = order.refused === null ? null : refusalAt(order.refused);
  const shown: Problems = refusal ? new Map([[profilePlace(refusal.place), refusal.text]]) : tried.value ? made.problems : new Map();
  const wrong = (place: string): string | undefined => shown.get(place);
  const change = (part: Partial<ProfileDraft>): void => {
    draft.value = { ...d, ...part };
    order.forget();
  };
  const periods = (next: readonly PeriodDraft[]): void => change({ periods: next });
  const running = plugs(station).find((c) => String(c.connector_id) === d.connector)?.transaction_id ?? null;
  const purpose = (name: string): void =>
    change({ purpose: name, ...(name === "ChargePointMaxProfile" && { connector: "0" }), ...(name === "TxProfile" && { connector: d.connector === "0" ? "1" : d.connector, transaction: running === null ? "" : String(running) }) });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (made.problems.size > 0 || why !== null || order.busy) return;
    const connector = Number(d.connector);
    void order.give({ action: "SetChargingProfile", payload: { connectorId: connector }, title: `Set profile ${d.id} for ${whereWords(connector)}` }, () => setProfile(station.id, connector, made.profile)).then((job) => {
      if (job) tried.value = false;
    });
  };
  const more = (): void => {
    const last = d.periods[d.periods.length - 1];
    const at = last ? (secondsOf(last.start) ?? 0) + 3600 : 0;
    periods([...d.periods, newPeriod(hoursOf(at), last?.limit ?? "16")]);
  };
  const whole = refusal !== null && ![...shown.keys()].some((place) => PLACES.test(place));
  return (
    <section class="card pad">
      <h2>New profile</h2>
      <form onSubmit={submit} noValidate>
        <div class="fields">
          <Choice label="For" value={d.purpose} wrong={wrong("chargingProfilePurpose")} options={PURPOSES} onChange={purpose} />
          <Choice label="Where" value={d.connector} options={connectorsOf(station)} onChange={(connector) => change({ connector })} />
          <Choice label="When" value={d.kind} wrong={wrong("chargingProfileKind")} options={KINDS} onChange={(kind) => change({ kind })} />
          {d.kind === "Recurring" && (
            <Choice
              label="Repeats"
              value={d.recurrency}
              wrong={wrong("recurrencyKind")}
              options={[
                ["Daily", "every day"],
                ["Weekly", "every week"],
              ]}
              onChange={(recurrency) => change({ recurrency })}
            />
          )}
          {d.kind !== "Relative" && <Moment label="Begins" value={d.start} wrong={wrong("chargingSchedule.startSchedule")} onInput={(start) => change({ start })} />}
          {d.purpose === "TxProfile" && <Text label="Transaction (optional)" numeric value={d.transaction} wrong={wrong("transactionId")} onInput={(transaction) => change({ transaction })} />}
          <Choice
            label="In"
            value={d.unit}
            wrong={wrong("chargingSchedule.chargingRateUnit")}
            options={[
              ["A", "ampere"],
              ["W", "watt"],
            ]}
            onChange={(unit) => change({ unit: unit === "W" ? "W" : "A" })}
          />
          <Text label="Number" numeric value={d.id} wrong={wrong("chargingProfileId")} onInput={(id) => change({ id })} />
          <Text label="Stack level" numeric value={d.level} wrong={wrong("stackLevel")} onInput={(level) => change({ level })} />
        </div>
        <ul class="forms">
          {d.periods.map((period, index) => (
            <PeriodForm
              key={period.key}
              period={period}
              index={index}
              unit={d.unit}
              wrong={(what) => wrong(`chargingSchedule.chargingSchedulePeriod[${index}].${what}`)}
              change={(part) => periods(d.periods.map((p) => (p.key === period.key ? { ...p, ...part } : p)))}
              remove={d.periods.length > 1 ? () => periods(d.periods.filter((p) => p.key !== period.key)) : null}
            />
          ))}
        </ul>
        <div class="row">
          <button type="button" class="button small" onClick={more}>
            <Icon name="plus" size={14} /> Period
          </button>
        </div>
        <details>
          <summary class="soft small">Validity, end, least rate</summary>
          <div class="fields">
            <Text label="Lasts (optional)" unit="h" value={d.hours} wrong={wrong("chargingSchedule.duration")} placeholder="24:00" onInput={(hours) => change({ hours })} />
            <Text label="Least rate (optional)" unit={d.unit} numeric value={d.least} wrong={wrong("chargingSchedule.minChargingRate")} onInput={(least) => change({ least })} />
            <Moment label="Valid from (optional)" value={d.from} wrong={wrong("validFrom")} onInput={(from) => change({ from })} />
            <Moment label="Valid to (optional)" value={d.to} wrong={wrong("validTo")} onInput={(to) => change({ to })} />
          </div>
        </details>
        {order.refused !== null && (refusal === null || whole) && <Problem error={order.refused} />}
        <div class="row">
          <button class="button primary" disabled={why !== null || order.busy} title={why ?? undefined}>
            Set the profile
          </button>
          {why !== null && <span class="soft small">{why}</span>}
        </div>
      </form>
    </section>
  );
}

// Places that have a field of their own.
const PLACES = /^(chargingProfile(Id|Purpose|Kind)|recurrencyKind|transactionId|stackLevel|valid(From|To)|chargingSchedule\.(startSchedule|duration|chargingRateUnit|minChargingRate|chargingSchedulePeriod\[\d+\]\.\w+))$/;

// --- Those that are there.

function Taken({ p, why, clear }: { p: ChargingProfile; why: string | null; clear: () => void }) {
  const schedule = p.profile?.chargingSchedule;
  return (
    <li class="takenprofile" data-profile={p.profile_id}>
      <div>
        <b>Profile {p.profile_id}</b>{" "}
        <span class="soft">
          for {purposeWords(p.purpose)} at {whereWords(p.connector_id)}, level {p.stack_level}
          {p.transaction_id !== null && `, charge ${p.transaction_id}`}
        </span>
        <p class="small">{schedule ? scheduleWords(schedule) : ""}</p>
        <p class="soft small">
          {[words(p.profile?.chargingProfileKind ?? ""), p.profile?.recurrencyKind, schedule?.startSchedule && `from ${dateTime(schedule.startSchedule)}`, p.profile?.validTo && `valid to ${dateTime(p.profile.validTo)}`]
            .filter(Boolean)
            .join(" · ")}{" "}
          · set <When at={p.set_at} />
        </p>
      </div>
      <Button needs="operator" why={why} onClick={clear}>
        Clear
      </Button>
    </li>
  );
}

export function Profiles({ station }: { station: Station }) {
  const kept = useWatched(station.id, () => profiles(station.id), ["SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule", "StopTransaction", "RemoteStartTransaction"]);
  const order = useOrder(station.id);
  const clearing = useOrder(station.id);
  const why = whyOffline(station.ocpp_online);
  const clear = (p: ChargingProfile): void =>
    void clearing.give({ action: "ClearChargingProfile", payload: {}, title: `Clear profile ${p.profile_id}` }, () => clearProfiles(station.id, { id: p.profile_id }));
  const clearAll = async (): Promise<void> => {
    if (!(await ask("Clear all charging profiles?", "Nothing but the station's own limits stands then.", "Clear all"))) return;
    void clearing.give({ action: "ClearChargingProfile", payload: {}, title: "Clear all profiles" }, () => clearProfiles(station.id, {}));
  };
  const value = kept.value;
  if (value === null) return kept.error === null ? <Loading /> : <Problem error={kept.error} retry={kept.reload} />;
  return (
    <div class="split">
      <div class="stack">
        <section class="card">
          <div class="toolbar">
            <h2>Profiles at the station</h2>
            <span class="grow" />
            <Button needs="operator" icon="broom" why={why} onClick={() => void clearAll()}>
              Clear all
            </Button>
          </div>
          {kept.error !== null && <Problem error={kept.error} retry={kept.reload} />}
          {clearing.refused !== null && <Problem error={clearing.refused} />}
          {value.profiles.length === 0 ? (
            <Empty icon="limit" title="The station has taken no profile from here">
              <p>A profile says how much may flow, and when: for a charge, for each charge, or for the whole station.</p>
            </Empty>
          ) : (
            <ul class="takenprofiles">
              {value.profiles.map((p) => (
                <Taken key={p.profile_id} p={p} why={why} clear={() => clear(p)} />
              ))}
            </ul>
          )}
        </section>
        <Composite station={station} of={value.composite} />
        <For least="operator">
          <Editor station={station} taken={value.profiles} order={order} />
        </For>
      </div>
      <aside class="stack">
        <Jobs station={station.id} />
      </aside>
    </div>
  );
}
