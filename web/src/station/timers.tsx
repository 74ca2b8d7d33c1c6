// When this station charges, and how much: on and off, limits of a charge, delay timer, weekly plan.
import { useSignal } from "@preact/signals";
import { Button, Fact, Loading, Problem, Segments } from "../ui/parts";
import { act, putSetting, readSettings, schedule, settings, status, visitor } from "./data";
import { clockWords, usesOf, whyNothing } from "./model";
import { DAYS, DAY_NAMES, isTime, readTimer, readWeek, windowWords, writeWeek, type Window } from "./plan";
import { SettingRow } from "./setting_row";
import { useSettings } from "./settings";
import type { Setting } from "./types";
import { Closed, VisitNotice } from "./visit";

type Said = { text: string; bad: boolean } | null;

const failed = (error: unknown): Said => ({ text: error instanceof Error ? error.message : String(error), bad: true });

function Answer({ said }: { said: Said }) {
  if (said === null) return null;
  return (
    <p class={`answer ${said.bad ? "bad" : "go"}`} role={said.bad ? "alert" : "status"}>
      {said.text}
    </p>
  );
}

const rowOf = (path: string): Setting | undefined => settings.value?.find((setting) => setting.path === path);

// Rows of the table under words of their own.
function Rows({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return (
    <ul>
      {rows.map(([path, label]) => {
        const setting = rowOf(path);
        return setting && <SettingRow key={path} setting={setting} label={label} />;
      })}
    </ul>
  );
}

const ENABLE = [
  ["on", "On"],
  ["sleep", "Sleep"],
  ["off", "Off"],
] as const;

const ENABLE_WORDS: Record<string, string> = {
  on: "Charges may run.",
  sleep: "Vehicles may be plugged in, and wait.",
  off: "The station is out of service.",
};

function Switch() {
  const said = useSignal<Said>(null);
  const stands = rowOf("charging.enable")?.value ?? "on";
  const nobody = whyNothing(visitor.value);
  const put = (value: string): void => {
    if (nobody !== null) {
      said.value = { text: nobody, bad: true };
      return;
    }
    putSetting("charging.enable", value).then(
      () => (said.value = null),
      (error: unknown) => (said.value = failed(error)),
    );
  };
  return (
    <section class="card pad">
      <h2>Charging</h2>
      <div class="row">
        <Segments label="Charging is" value={stands} options={ENABLE} onChange={put} />
        <span class="soft">{ENABLE_WORDS[stands]}</span>
      </div>
      <Answer said={said.value} />
    </section>
  );
}

const UNTIL = [
  ["energy", "Energy", "kWh", 1000],
  ["time", "Time", "min", 60],
  ["soc", "State of charge", "%", 1],
] as const;

// For the running or the next charge of one connector, and no other.
function ThisCharge() {
  const said = useSignal<Said>(null);
  const connector = useSignal(1);
  const kind = useSignal<(typeof UNTIL)[number][0]>("energy");
  const text = useSignal("");
  const all = status.value?.connectors ?? [];
  const nobody = whyNothing(visitor.value);
  const row = UNTIL.find(([word]) => word === kind.value) ?? UNTIL[0];
  const send = (amount: number): void => {
    act(connector.value, "until", { what: kind.value, value: Math.round(amount * row[3]) }).then(
      ({ message }) => (said.value = { text: message, bad: false }),
      (error: unknown) => (said.value = failed(error)),
    );
  };
  return (
    <section class="card pad">
      <h2>This charge, or the next one</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const amount = Number(text.value.replace(",", "."));
          if (text.value.trim() !== "" && Number.isFinite(amount)) send(amount);
        }}
      >
        {all.length > 1 && (
          <label class="inline">
            <span class="unseen">Connector</span>
            <select value={connector.value} onChange={(event) => (connector.value = Number(event.currentTarget.value))}>
              {all.map((c) => (
                <option key={c.connector_id} value={c.connector_id}>
                  Connector {c.connector_id}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="inline">
          <span class="unseen">Ends by</span>
          <select value={kind.value} onChange={(event) => (kind.value = event.currentTarget.value as typeof kind.value)}>
            {UNTIL.map(([word, label]) => (
              <option key={word} value={word}>
                Ends by {label.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <label class="inline">
          <span class="unseen">Amount in {row[2]}</span>
          <input inputMode="decimal" placeholder={row[2]} value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        </label>
        <Button why={nobody} tone="primary" onClick={() => send(Number(text.value.replace(",", ".")) || 0)}>
          Set
        </Button>
      </form>
      <p class="soft small">0 takes the limit away.</p>
      <Answer said={said.value} />
    </section>
  );
}

// A value of the table behind an editor of its own.
function usePut(path: string): { said: Said; put: (value: string, then?: () => void) => void } {
  const said = useSignal<Said>(null);
  const put = (value: string, then?: () => void): void => {
    putSetting(path, value).then(
      (message) => {
        said.value = { text: message, bad: false };
        then?.();
      },
      (error: unknown) => (said.value = failed(error)),
    );
  };
  return { said: said.value, put };
}

function Times(props: { from: string; to: string; label: string; onChange: (from: string, to: string) => void }) {
  return (
    <span class="times">
      <input type="time" aria-label={`${props.label}: from`} value={props.from} required onInput={(event) => props.onChange(event.currentTarget.value, props.to)} />
      <span aria-hidden="true">–</span>
      {/* a day's end is 24:00 in the setting, 00:00 in the field */}
      <input type="time" aria-label={`${props.label}: to`} value={props.to === "24:00" ? "00:00" : props.to} required onInput={(event) => props.onChange(props.from, event.currentTarget.value)} />
    </span>
  );
}

function DelayTimer() {
  const setting = rowOf("schedule.delay_timer");
  const { said, put } = usePut("schedule.delay_timer");
  const edited = useSignal<{ from: string; to: string } | null>(null);
  const nobody = whyNothing(visitor.value);
  const stands = readTimer(setting?.value ?? "");
  const shown = edited.value ?? stands;
  if (!setting) return null;
  return (
    <section class="card pad">
      <h2>Delay timer</h2>
      <p class="soft">{stands ? `Every day, charging only from ${windowWords(stands.from, stands.to)}.` : "Off: charging at any time of the day."}</p>
      <div class="row">
        {shown && <Times label="Delay timer" from={shown.from} to={shown.to} onChange={(from, to) => (edited.value = { from, to })} />}
        {!shown && (
          <Button icon="plus" why={nobody} onClick={() => (edited.value = { from: "22:00", to: "06:00" })}>
            Set times
          </Button>
        )}
        {edited.value && (
          <Button tone="primary" why={nobody ?? (isTime(edited.value.from) && isTime(edited.value.to) ? null : "both times are needed")} onClick={() => put(`${edited.value?.from}-${edited.value?.to}`, () => (edited.value = null))}>
            Save
          </Button>
        )}
        {(stands || edited.value) && (
          <Button
            icon="close"
            why={nobody}
            onClick={() => {
              edited.value = null;
              if (stands) put("");
            }}
          >
            {edited.value && !stands ? "Cancel" : "Off"}
          </Button>
        )}
      </div>
      <Answer said={said} />
    </section>
  );
}

function WindowForm({ window, index, change, remove }: { window: Window; index: number; change: (window: Window) => void; remove: () => void }) {
  const name = `Window ${index + 1}`;
  return (
    <li class="window">
      <div class="days" role="group" aria-label={`${name}: days`}>
        {DAYS.map((day, at) => (
          <button
            type="button"
            key={day}
            aria-pressed={window.days[at] === true}
            aria-label={DAY_NAMES[at]}
            onClick={() => change({ ...window, days: window.days.map((on, n) => (n === at ? !on : on)) })}
          >
            {DAY_NAMES[at]?.slice(0, 2)}
          </button>
        ))}
      </div>
      <Times label={name} from={window.from} to={window.to} onChange={(from, to) => change({ ...window, from, to: to === "00:00" ? "24:00" : to })} />
      <Button icon="close" tone="quiet" onClick={remove}>
        Remove
      </Button>
    </li>
  );
}

function WeekPlan() {
  const setting = rowOf("schedule.weekly");
  const { said, put } = usePut("schedule.weekly");
  const edited = useSignal<Window[] | null>(null);
  const nobody = whyNothing(visitor.value);
  const stands = readWeek(setting?.value ?? "");
  if (!setting) return null;
  const shown = edited.value ?? stands ?? [];
  const complete = shown.every((window) => window.days.some(Boolean) && isTime(window.from) && (isTime(window.to) || window.to === "24:00"));
  const edit = (windows: Window[]): void => {
    edited.value = windows;
  };
  return (
    <section class="card pad">
      <h2>Weekly plan</h2>
      <p class="soft">
        {setting.value === "" ? "Empty: charging on any day, at any time." : "Charging only in these windows; one that ends before it begins goes over midnight."}
        {stands === null && <> It reads {<code>{setting.value}</code>}, which this editor does not show; change it under Settings.</>}
      </p>
      <ul class="windows">
        {shown.map((window, index) => (
          <WindowForm key={index} index={index} window={window} change={(changed) => edit(shown.map((old, n) => (n === index ? changed : old)))} remove={() => edit(shown.filter((_, n) => n !== index))} />
        ))}
      </ul>
      <div class="row">
        <Button icon="plus" why={nobody ?? (stands === null ? "see Settings" : null)} onClick={() => edit([...shown, { days: DAYS.map((_, day) => day < 5), from: "22:00", to: "06:00" }])}>
          Add a window
        </Button>
        {edited.value && (
          <>
            <Button tone="primary" why={nobody ?? (complete ? null : "each window needs a day and both times")} onClick={() => put(writeWeek(shown), () => (edited.value = null))}>
              Save the plan
            </Button>
            <Button tone="quiet" onClick={() => (edited.value = null)}>
              Cancel
            </Button>
          </>
        )}
      </div>
      <Answer said={said} />
    </section>
  );
}

// What timers and limits do to each connector now.
function Now() {
  const of = schedule.value;
  if (of === null) return null;
  const clock = clockWords(of);
  return (
    <section class="card pad">
      <h2>Now</h2>
      <dl class="facts">
        <Fact label="Clock of the station">{clock === "" ? "not set: timer and plan wait for it, then do not count" : clock}</Fact>
        {of.connectors.map((hold) => (
          <Fact key={hold.connector_id} label={of.connectors.length === 1 ? "Charging" : `Connector ${hold.connector_id}`}>
            {hold.mode}
            {hold.held && `; ${hold.text === "" ? hold.why : hold.text}`}
            {!hold.held && hold.text !== "" && `; ${hold.text}`}
            {usesOf(hold).map((use) => (
              <span class="soft use" key={use.label}>
                {use.label}: {use.text}
              </span>
            ))}
            {hold.drew_too_much && <span class="wrong use">stopped: the vehicle drew more than was offered</span>}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

const EVERY_CHARGE = [
  ["charging.time_limit_s", "Time"],
  ["charging.energy_limit_wh", "Energy"],
  ["charging.soc_limit_permille", "State of charge"],
] as const;

const RULES = [
  ["charging.plug_and_charge", "Plug and charge"],
  ["charging.plug_and_charge_offline", "Plug and charge without network"],
  ["charging.remote_adjust", "Limits from outside (peak shaving)"],
  ["charging.current_min_ma", "Least current"],
  ["charging.stop_idle_s", "End when the vehicle draws nothing"],
  ["charging.stop_unplugged_s", "Back to sleep without a vehicle"],
  ["charging.stop_over_s", "Stop a vehicle that draws too much"],
] as const;

export function TimersPage() {
  const problem = useSettings();
  const inside = visitor.value?.inside === true;
  return (
    <>
      <div class="title">
        <h1>Limits &amp; timers</h1>
      </div>
      {inside && <VisitNotice />}
      {!inside && <Closed what="Limits and timers" />}
      {inside && problem !== null && <Problem error={problem} retry={() => void readSettings()} />}
      {inside && settings.value === null && problem === null && <Loading />}
      {inside && settings.value !== null && (
        <div class="stack">
          <div class="stack pair">
            <div class="stack">
              <Switch />
              <Now />
            </div>
            <ThisCharge />
            <DelayTimer />
            <WeekPlan />
          </div>
          <section class="card">
            <h2 class="grouphead">Time zone of the timers</h2>
            <Rows rows={[["schedule.time_zone", "Time zone"]]} />
          </section>
          <section class="card">
            <h2 class="grouphead">Every charge ends after</h2>
            <Rows rows={EVERY_CHARGE} />
          </section>
          <section class="card">
            <h2 class="grouphead">Rules</h2>
            <Rows rows={RULES} />
          </section>
        </div>
      )}
    </>
  );
}
