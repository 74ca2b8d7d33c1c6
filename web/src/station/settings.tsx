// The station's table of settings, as the station itself describes it; a change goes through the same check as
// everywhere, and a refusal is shown in the station's own words.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty, Loading, Problem, Segments } from "../ui/parts";
import { putSetting, settings, visitor } from "./data";
import { grouped, isOpen, nameOf, WHEN_WORDS, whyNothing } from "./model";
import type { Setting } from "./types";
import { Closed, VisitNotice } from "./visit";

interface FieldProps {
  setting: Setting;
  value: string;
  id: string;
  onInput: (value: string) => void;
}

function Field({ setting, value, id, onInput }: FieldProps) {
  if (setting.kind === "choice" || setting.kind === "bool") {
    const choices = setting.choices ?? ["true", "false"];
    return (
      <select id={id} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  const onInputEvent = (event: { currentTarget: HTMLInputElement }): void => onInput(event.currentTarget.value);
  if (setting.when === "secret") {
    const held = setting.value === "" ? "" : "set, never shown";
    return <input id={id} type="password" autocomplete="new-password" placeholder={held} value={value} onInput={onInputEvent} />;
  }
  return <input id={id} inputMode={setting.kind === "int" ? "numeric" : "text"} autocomplete="off" value={value} onInput={onInputEvent} />;
}

function Row({ setting, why, changed }: { setting: Setting; why: string | null; changed: () => void }) {
  const edited = useSignal<string | null>(null);
  const answer = useSignal<{ text: string; bad: boolean } | null>(null);
  const stands = setting.when === "secret" ? "" : setting.value;
  const value = edited.value ?? stands;
  const dirty = edited.value !== null && edited.value !== stands;
  const id = `set-${setting.path}`;
  const save = async (): Promise<void> => {
    try {
      answer.value = { text: (await putSetting(setting.path, value)).message, bad: false };
      edited.value = null;
      changed();
    } catch (error) {
      answer.value = { text: error instanceof Error ? error.message : String(error), bad: true };
    }
  };
  return (
    <li class="setting">
      <label for={id}>
        <code>{nameOf(setting.path)}</code>
      </label>
      <div class="field">
        {isOpen(setting) && why === null ? (
          <form
            class="row tight"
            onSubmit={(event) => {
              event.preventDefault();
              if (dirty) void save();
            }}
          >
            <Field setting={setting} value={value} id={id} onInput={(text) => (edited.value = text)} />
            {setting.unit !== "" && <span class="soft small">{setting.unit}</span>}
            {dirty && <button class="button small primary">Save</button>}
          </form>
        ) : (
          <output id={id} class="value">
            {setting.value === "" ? <span class="soft">empty</span> : `${setting.value}${setting.unit === "" ? "" : ` ${setting.unit}`}`}
          </output>
        )}
        {answer.value && (
          <p class={`answer ${answer.value.bad ? "bad" : "go"}`} role="status">
            {answer.value.text}
          </p>
        )}
      </div>
      <p class="soft small help">
        {setting.doc}{" "}
        <span class="nowrap">
          Allowed: {setting.range}. {WHEN_WORDS[setting.when]}
        </span>
      </p>
    </li>
  );
}

export function SettingsPage() {
  const all = useSignal<Setting[] | null>(null);
  const problem = useSignal<unknown>(null);
  const find = useSignal("");
  const which = useSignal<"open" | "all">("open");
  const inside = visitor.value?.inside === true;
  const read = (): void => {
    settings().then(
      (rows) => {
        all.value = rows;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  useEffect(() => {
    if (inside) read();
  }, [inside]);
  const groups = grouped((all.value ?? []).filter((setting) => which.value === "all" || isOpen(setting)), find.value);
  return (
    <>
      <div class="title many">
        <h1>Settings</h1>
        <span class="grow" />
        {inside && (
          <Segments
            label="Which settings"
            value={which.value}
            options={[
              ["open", "Can be changed"],
              ["all", "All"],
            ]}
            onChange={(value) => (which.value = value)}
          />
        )}
        {inside && (
          <label class="find">
            <span class="unseen">Find a setting</span>
            <input type="search" placeholder="Find a setting" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} />
          </label>
        )}
      </div>
      {inside && <VisitNotice />}
      {!inside && <Closed what="Settings" />}
      {inside && problem.value !== null && <Problem error={problem.value} retry={read} />}
      {inside && all.value === null && problem.value === null && <Loading />}
      {inside &&
        groups.map((group) => (
          <section class="card" key={group.name}>
            <h2 class="grouphead">{group.name}</h2>
            <ul>
              {group.settings.map((setting) => (
                <Row key={setting.path} setting={setting} why={whyNothing(visitor.value)} changed={read} />
              ))}
            </ul>
          </section>
        ))}
      {inside && all.value !== null && groups.length === 0 && <Empty icon="overview" title="No setting matches" />}
    </>
  );
}
