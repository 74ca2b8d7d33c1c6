// Every command of OCPP 1.6 and its security extensions: a form from the message's own rows, and what became of each.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../../../data/api";
import { clockTime, dateTime, words } from "../../../data/format";
import { localTime, elementOf, membersOf, payloadOf, placeOf, refusalAt, type Action, type Draft, type Field, type Members, type Problems } from "../../../data/forms";
import { subjectOf } from "../../../data/command";
import { on, opened } from "../../../data/live";
import { actions, commands } from "../../../data/ocpp";
import type { Command, EffectState, Station } from "../../../data/types";
import { Area, Choice, Moment, Text } from "../../../ui/fields";
import { Icon } from "../../../ui/icon";
import { useLoad } from "../../../ui/load";
import { Button, Chip, Empty, For, Loading, Problem, type Tone } from "../../../ui/parts";
import { useOrder, whyOffline } from "./watch";

const FEATURES: Record<string, string> = {
  Core: "Core",
  FirmwareManagement: "Firmware",
  LocalAuthListManagement: "Local list",
  Reservation: "Reservation",
  SmartCharging: "Smart charging",
  RemoteTrigger: "Remote trigger",
  Security: "Security",
};

const LONG_TEXT = 600; // characters from which on a text is pasted, not typed

interface FormProps {
  fields: readonly Field[];
  prefix: string;
  draft: Members;
  problems: Problems;
  change: (draft: Members) => void;
}

function Input({ field, place, draft, problems, change }: { field: Field; place: string; draft: Draft; problems: Problems; change: (draft: Draft) => void }) {
  const label = `${field.key === "" ? "Value" : field.key}${field.required ? "" : " (optional)"}`;
  const value = String(draft ?? "");
  const wrong = problems.get(place);
  const given = { label, value, wrong };
  switch (field.type) {
    case "word":
      return <Choice {...given} options={[...(field.required ? [] : [["", "leave out"] as const]), ...(field.words ?? []).map((word) => [word, word] as const)]} onChange={change} />;
    case "boolean":
      return <Choice {...given} options={[...(field.required ? [] : [["", "leave out"] as const]), ["false", "false"], ["true", "true"]]} onChange={change} />;
    case "time":
      return <Moment {...given} onInput={change} />;
    case "object":
      return <Part field={field} place={place} draft={draft as Members | null} problems={problems} change={change} />;
    case "list":
      return <Elements field={field} place={place} draft={draft as readonly Draft[]} problems={problems} change={change} />;
    default:
      if ((field.length ?? 0) > LONG_TEXT) return <Area {...given} onInput={change} />;
      return <Text {...given} numeric={field.type !== "text"} length={field.type === "text" ? 4 * (field.length ?? 500) : 20} onInput={change} />;
  }
}

function Part({ field, place, draft, problems, change }: { field: Field; place: string; draft: Members | null; problems: Problems; change: (draft: Draft) => void }) {
  return (
    <fieldset class="part whole">
      <legend>
        {field.required ? (
          field.key
        ) : (
          <label class="check">
            <input type="checkbox" checked={draft !== null} onChange={(event) => change(event.currentTarget.checked ? membersOf(field.fields ?? []) : null)} />
            {field.key}
          </label>
        )}
      </legend>
      {problems.has(place) && <p class="wrong small">{problems.get(place)}</p>}
      {draft !== null && <Inputs fields={field.fields ?? []} prefix={place} draft={draft} problems={problems} change={change} />}
    </fieldset>
  );
}

function Elements({ field, place, draft, problems, change }: { field: Field; place: string; draft: readonly Draft[]; problems: Problems; change: (draft: Draft) => void }) {
  const bare = field.fields?.[0]?.key === "" ? field.fields[0] : null;
  const set = (at: number, next: Draft): void => change(draft.map((element, index) => (index === at ? next : element)));
  return (
    <fieldset class="part whole">
      <legend>
        {field.key}
        {!field.required && <span class="soft"> (optional)</span>}
      </legend>
      {draft.map((element, index) => {
        const at = `${place}[${index}]`;
        return (
          <div class="element" key={index}>
            {bare ? (
              <div class="fields">
                <Input field={{ ...bare, required: true }} place={at} draft={element} problems={problems} change={(next) => set(index, next)} />
              </div>
            ) : (
              <Inputs fields={field.fields ?? []} prefix={at} draft={element as Members} problems={problems} change={(next) => set(index, next)} />
            )}
            <button type="button" class="bare" aria-label={`Remove ${field.key} ${index + 1}`} title="Remove" onClick={() => change(draft.filter((_, n) => n !== index))}>
              <Icon name="close" size={16} />
            </button>
          </div>
        );
      })}
      {problems.has(place) && (
        <p class="wrong small" role="alert">
          {problems.get(place)}
        </p>
      )}
      <button type="button" class="button small" onClick={() => change([...draft, elementOf(field)])}>
        <Icon name="plus" size={14} /> Add to {field.key}
      </button>
    </fieldset>
  );
}

function Inputs({ fields, prefix, draft, problems, change }: FormProps) {
  return (
    <div class="fields">
      {fields.map((field) => (
        <Input
          key={field.key}
          field={field}
          place={placeOf(prefix, field.key)}
          draft={draft[field.key] ?? (field.type === "list" ? [] : field.type === "object" ? null : "")}
          problems={problems}
          change={(next) => change({ ...draft, [field.key]: next })}
        />
      ))}
    </div>
  );
}

// A moment that must be given begins as now.
const begin = (action: Action): Members => ({
  ...membersOf(action.fields),
  ...Object.fromEntries(action.fields.filter((f) => f.type === "time" && f.required).map((f) => [f.key, localTime(new Date())])),
});

function Sender({ station, all: known }: { station: Station; all: readonly Action[] }) {
  const all = known.filter((a) => api.may(a.role));
  const chosen = useSignal("");
  const draft = useSignal<Members>({});
  const tried = useSignal(false);
  const order = useOrder(station.id);
  const action = all.find((a) => a.action === chosen.value);
  const found = action ? payloadOf(action.fields, draft.value) : null;
  const refusal = order.refused === null ? null : refusalAt(order.refused);
  const problems: Problems = refusal ? new Map([[refusal.place, refusal.text]]) : tried.value && found ? found.problems : new Map();

  const choose = (name: string): void => {
    const next = all.find((a) => a.action === name);
    chosen.value = name;
    draft.value = next ? begin(next) : {};
    tried.value = false;
    order.forget();
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (!action || !found || found.problems.size > 0 || order.busy || !station.ocpp_online) return;
    const { payload } = found;
    void order.give({ action: action.action, payload, title: words(action.action) }, () => api.command(station.id, action.action, payload)).then((job) => {
      if (job) tried.value = false;
    });
  };
  const features = [...new Set(all.map((a) => a.feature))];
  const why = whyOffline(station.ocpp_online);
  return (
    <section class="card pad sender">
      <h2>Send a command</h2>
      <form onSubmit={submit} noValidate>
        <label>
          Command
          <select value={chosen.value} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">choose</option>
            {features.map((feature) => (
              <optgroup key={feature} label={FEATURES[feature] ?? feature}>
                {all
                  .filter((a) => a.feature === feature)
                  .map((a) => (
                    <option key={a.action}>{a.action}</option>
                  ))}
              </optgroup>
            ))}
          </select>
        </label>
        {action && (
          <Inputs
            fields={action.fields}
            prefix=""
            draft={draft.value}
            problems={problems}
            change={(next) => {
              draft.value = next;
              order.forget();
            }}
          />
        )}
        {action && action.fields.length === 0 && <p class="soft small">This command has no fields.</p>}
        {order.refused !== null && refusal === null && <Problem error={order.refused} />}
        {action && (
          <div class="row">
            <button class="button primary" disabled={why !== null || order.busy} title={why ?? undefined}>
              Send {action.action}
            </button>
            {why !== null && <span class="soft small">{why}</span>}
          </div>
        )}
      </form>
    </section>
  );
}

// ---------------------------------------------------------------------------------------------

const PAGE = 50;

const STATES: Record<Command["state"], { tone: Tone; text: string }> = {
  pending: { tone: "info", text: "Waits for the answer" },
  answered: { tone: "go", text: "Answered" },
  error: { tone: "bad", text: "Error" },
  timeout: { tone: "warn", text: "No answer" },
  offline: { tone: "mute", text: "Was offline" },
};

const EFFECTS: Record<EffectState, { tone: Tone; text: string }> = {
  waiting: { tone: "info", text: "nothing was seen yet" },
  progress: { tone: "info", text: "in progress" },
  seen: { tone: "go", text: "seen" },
  failed: { tone: "bad", text: "failed" },
  none: { tone: "warn", text: "no effect was seen" },
  unknown: { tone: "mute", text: "not known: the central was restarted" },
};

const REFUSALS = new Set(["Rejected", "NotSupported", "NotImplemented", "Failed", "UnlockFailed", "Faulted", "Occupied", "Unavailable", "VersionMismatch", "UnknownVendorId", "UnknownMessageId", "NotFound", "InvalidCertificate", "RevokedCertificate"]);

function answerLook(command: Command): { tone: Tone; text: string } {
  const answer = command.answer as { status?: unknown; code?: unknown; description?: unknown } | null;
  if (command.state === "error") return { tone: "bad", text: [answer?.code, answer?.description].filter((p) => typeof p === "string" && p !== "").join(": ") || "Error" };
  if (command.state !== "answered" || typeof answer?.status !== "string") return STATES[command.state];
  return { tone: REFUSALS.has(answer.status) ? "bad" : "go", text: answer.status };
}

const json = (value: unknown): string => JSON.stringify(value, null, 2) ?? "";

function Row({ command }: { command: Command }) {
  const look = answerLook(command);
  const effect = command.effect_state ? EFFECTS[command.effect_state] : null;
  const took = command.answered_at && command.requested_at ? Date.parse(command.answered_at) - Date.parse(command.requested_at) : null;
  return (
    <li class="sent" data-action={command.action} data-state={command.state} data-effect={command.effect_state ?? ""}>
      <details>
        <summary>
          <time class="soft" title={dateTime(command.requested_at)}>
            {command.requested_at ? clockTime(new Date(command.requested_at)) : ""}
          </time>
          <b>
            {command.action}
            {subjectOf(command) !== "" && <small class="subject"> {subjectOf(command)}</small>}
            {command.origin === "central" && <small class="soft"> by the central itself</small>}
          </b>
          <span class="way">
            <Chip tone={look.tone}>{look.text}</Chip>
            {effect && (
              <span class={`effect ${effect.tone}`}>
                <Icon name="right" size={14} /> {command.effect ?? effect.text}
              </span>
            )}
          </span>
        </summary>
        <div class="payloads">
          <div class="payload">
            Sent <pre>{json(command.payload ?? {})}</pre>
          </div>
          {command.answer !== null && command.answer !== undefined && (
            <div class="payload">
              Answer{took !== null && took >= 0 ? ` after ${took} ms` : ""} <pre>{json(command.answer)}</pre>
            </div>
          )}
        </div>
      </details>
    </li>
  );
}

function merge(list: readonly Command[], more: readonly Command[]): Command[] {
  const byId = new Map(list.map((command) => [command.command_id, command]));
  for (const command of more) byId.set(command.command_id, command);
  return [...byId.values()].sort((a, b) => b.command_id - a.command_id);
}

function History({ station }: { station: string }) {
  const list = useSignal<readonly Command[]>([]);
  const read = useSignal(false);
  const oldest = useSignal(false);
  const problem = useSignal<unknown>(null);
  const own = useSignal(true);
  const load = async (before: number | null): Promise<void> => {
    try {
      const more = await commands(station, before, PAGE);
      list.value = merge(list.value, more);
      if (before !== null || !read.value) oldest.value = more.length < PAGE;
      read.value = true;
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  const turn = opened.value;
  useEffect(() => void load(null), [station, turn]);
  useEffect(
    () =>
      on("command", (command) => {
        if (command.station_id === station) list.value = merge(list.value, [command]);
      }),
    [station],
  );
  const shown = list.value.filter((command) => !own.value || command.origin !== "central");
  return (
    <section class="card history">
      <div class="toolbar">
        <h2>What was sent</h2>
        <span class="grow" />
        <label class="check" title="The central reads values back by itself">
          <input type="checkbox" checked={own.value} onChange={(event) => (own.value = event.currentTarget.checked)} />
          Only what people sent
        </label>
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load(null)} />}
      {!read.value && problem.value === null && <Loading />}
      {read.value && shown.length === 0 && (
        <Empty icon="sessions" title="No command yet">
          <p>What is sent to this station stands here with its answer, and with what was seen afterwards.</p>
        </Empty>
      )}
      <ol class="sentlist">
        {shown.map((command) => (
          <Row key={command.command_id} command={command} />
        ))}
      </ol>
      {read.value && !oldest.value && (
        <p class="more">
          <Button onClick={() => void load(list.value[list.value.length - 1]?.command_id ?? null)}>Read older commands</Button>
        </p>
      )}
    </section>
  );
}

export function Commands({ station }: { station: Station }) {
  const all = useLoad(actions, []);
  return (
    <div class={api.may("operator") ? "split even" : ""}>
      <For least="operator">
        <div class="stack">
          {all.error !== null && <Problem error={all.error} retry={all.reload} />}
          {all.value ? <Sender station={station} all={all.value} /> : all.error === null && <Loading />}
        </div>
      </For>
      <History station={station.id} />
    </div>
  );
}
