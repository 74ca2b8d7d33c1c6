// One row of the table of settings: its field, its help, and what the station said to a change.
import { useSignal } from "@preact/signals";
import { putSetting, visitor } from "./data";
import { helpWords, isOpen, nameOf, whyNothing } from "./model";
import type { Setting } from "./types";

interface FieldProps {
  setting: Setting;
  value: string;
  id: string;
  bad: boolean;
  onInput: (value: string) => void;
}

const SWITCH: Record<string, string> = { true: "yes", false: "no" };

function Field({ setting, value, id, bad, onInput }: FieldProps) {
  const about = { id, "aria-invalid": bad, "aria-describedby": bad ? `${id}-said ${id}-help` : `${id}-help` };
  if (setting.kind === "choice" || setting.kind === "bool") {
    const choices = setting.choices ?? ["true", "false"];
    return (
      <select {...about} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {setting.kind === "bool" ? SWITCH[choice] : choice}
          </option>
        ))}
      </select>
    );
  }
  const onInputEvent = (event: { currentTarget: HTMLInputElement }): void => onInput(event.currentTarget.value);
  if (setting.when === "secret") {
    const held = setting.value === "" ? "not set" : "set, never shown";
    return <input {...about} type="password" autocomplete="new-password" placeholder={held} value={value} onInput={onInputEvent} />;
  }
  return <input {...about} inputMode={setting.kind === "int" ? "numeric" : "text"} autocomplete="off" value={value} onInput={onInputEvent} />;
}

function Standing({ setting, id }: { setting: Setting; id: string }) {
  const unit = setting.unit === "" ? "" : ` ${setting.unit}`;
  return (
    <output id={id} class="value">
      {setting.value === "" ? <span class="soft">empty</span> : setting.kind === "bool" ? SWITCH[setting.value] : `${setting.value}${unit}`}
    </output>
  );
}

export function SettingRow({ setting, label }: { setting: Setting; label?: string }) {
  const edited = useSignal<string | null>(null);
  const answer = useSignal<{ text: string; bad: boolean } | null>(null);
  const secret = setting.when === "secret";
  const stands = secret ? "" : setting.value;
  const value = edited.value ?? stands;
  const dirty = edited.value !== null && edited.value !== stands;
  const id = `set-${setting.path}`;
  const open = isOpen(setting) && whyNothing(visitor.value) === null;
  const bad = answer.value?.bad === true;
  const save = async (text: string): Promise<void> => {
    try {
      answer.value = { text: await putSetting(setting.path, text), bad: false };
      edited.value = null;
    } catch (error) {
      answer.value = { text: error instanceof Error ? error.message : String(error), bad: true };
    }
  };
  return (
    <li class={bad ? "setting wrong" : "setting"}>
      <label for={id}>{label ?? <code>{nameOf(setting.path)}</code>}</label>
      <div class="field">
        {open ? (
          <form
            class="row tight"
            onSubmit={(event) => {
              event.preventDefault();
              if (dirty) void save(value);
            }}
          >
            <Field setting={setting} value={value} id={id} bad={bad} onInput={(text) => (edited.value = text)} />
            {setting.unit !== "" && <span class="soft small">{setting.unit}</span>}
            {dirty && <button class="button small primary">Save</button>}
            {secret && setting.value !== "" && !dirty && (
              <button type="button" class="button small" onClick={() => void save("")}>
                Remove
              </button>
            )}
          </form>
        ) : (
          <Standing setting={setting} id={id} />
        )}
        {answer.value && (
          <p id={`${id}-said`} class={`answer ${bad ? "bad" : "go"}`} role="status">
            {answer.value.text}
          </p>
        )}
      </div>
      <p class="soft small help" id={`${id}-help`}>
        {helpWords(setting)}
      </p>
    </li>
  );
}
