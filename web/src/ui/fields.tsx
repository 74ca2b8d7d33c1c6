// Fields of forms: each with its label, and beneath it what is wrong with it.
import type { ComponentChildren } from "preact";

export function Field(props: { label: string; wrong: string | undefined; class?: string; children: ComponentChildren }) {
  return (
    <label class={`${props.class ?? ""} ${props.wrong ? "wrong" : ""}`}>
      {props.label}
      {props.children}
      {props.wrong && (
        <span class="small" role="alert">
          {props.wrong}
        </span>
      )}
    </label>
  );
}

export function Text(props: {
  label: string;
  value: string;
  wrong?: string | undefined;
  onInput: (value: string) => void;
  class?: string;
  unit?: string;
  numeric?: boolean;
  placeholder?: string;
  disabled?: boolean;
  length?: number;
  list?: string;
}) {
  return (
    <Field label={props.unit ? `${props.label}, ${props.unit}` : props.label} wrong={props.wrong} class={props.class ?? ""}>
      <input
        value={props.value}
        placeholder={props.placeholder ?? ""}
        disabled={props.disabled ?? false}
        inputMode={props.numeric ? "decimal" : "text"}
        aria-invalid={Boolean(props.wrong)}
        maxLength={props.length ?? 64}
        list={props.list ?? ""}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

export function Choice(props: {
  label: string;
  value: string;
  wrong?: string | undefined;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
  class?: string;
}) {
  const known = props.options.some(([value]) => value === props.value);
  return (
    <Field label={props.label} wrong={props.wrong} class={props.class ?? ""}>
      <select value={props.value} aria-invalid={Boolean(props.wrong)} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {!known && <option value={props.value}>{props.value === "" ? "choose" : props.value}</option>}
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

// A date and a time of this computer's zone.
export function Moment(props: { label: string; value: string; wrong?: string | undefined; onInput: (value: string) => void }) {
  return (
    <Field label={props.label} wrong={props.wrong}>
      <input type="datetime-local" value={props.value} aria-invalid={Boolean(props.wrong)} onInput={(event) => props.onInput(event.currentTarget.value)} />
    </Field>
  );
}

// Certificates and signatures are pasted.
export function Area(props: { label: string; value: string; wrong?: string | undefined; placeholder?: string; onInput: (value: string) => void }) {
  return (
    <Field label={props.label} wrong={props.wrong} class="whole">
      <textarea
        rows={4}
        spellcheck={false}
        value={props.value}
        placeholder={props.placeholder ?? ""}
        aria-invalid={Boolean(props.wrong)}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </Field>
  );
}
