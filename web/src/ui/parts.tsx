// Small pieces every page uses.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { may } from "../data/api";
import { second } from "../data/clock";
import { dateTime, elapsed, MISSING, statusWords, type Quantity } from "../data/format";
import type { ConnectorStatus, Role } from "../data/types";
import { Icon, type IconName } from "./icon";

export type Tone = "go" | "info" | "calm" | "warn" | "bad" | "mute";

const TONES: Record<ConnectorStatus, Tone> = {
  Available: "calm",
  Preparing: "info",
  Charging: "go",
  SuspendedEVSE: "warn",
  SuspendedEV: "warn",
  Finishing: "info",
  Reserved: "info",
  Unavailable: "mute",
  Faulted: "bad",
  Unknown: "mute",
};

export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

// An offline station's last word is shown, but not as if it were true now.
export function StatusChip({ status, online }: { status: ConnectorStatus; online: boolean }) {
  const tone = online ? TONES[status] : "mute";
  return <Chip tone={tone}>{statusWords(status)}</Chip>;
}

export function Num({ value, class: className }: { value: Quantity; class?: string }) {
  const missing = value.text === MISSING;
  return (
    <span class={`num ${className ?? ""}`}>
      {value.text}
      {!missing && <small>{value.unit}</small>}
    </span>
  );
}

export function Reading({ label, value, title }: { label: string; value: Quantity; title?: string }) {
  return (
    <div class="reading" title={title}>
      <dt>{label}</dt>
      <dd>
        <Num value={value} />
      </dd>
    </div>
  );
}

export function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children ?? MISSING}</dd>
    </div>
  );
}

export function When({ at }: { at: string | null }) {
  if (!at) return <span class="soft">{MISSING}</span>;
  return (
    <time dateTime={at} title={at}>
      {dateTime(at)}
    </time>
  );
}

export function Since({ at, suffix = "" }: { at: string | null; suffix?: string }) {
  if (!at) return <span>{MISSING}</span>;
  return (
    <time dateTime={at} title={dateTime(at)}>
      {elapsed((second.value - Date.parse(at)) / 1000)}
      {suffix}
    </time>
  );
}

export function Empty(props: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={props.icon} size={28} />
      <h3>{props.title}</h3>
      {props.children}
    </div>
  );
}

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="alert" />
      <span>{error instanceof Error ? error.message : String(error)}</span>
      {retry && (
        <button type="button" class="button small" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading…
    </p>
  );
}

export function Segments<T extends string | number>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

// A touch screen has no hover: a tap on a disabled button says why it is.
const TOLD_MS = 3000;

// What only those see who may do at least this much.
export function For({ least, children }: { least: Role; children: ComponentChildren }) {
  return may(least) ? <>{children}</> : null;
}

export function Button(props: {
  icon?: IconName;
  tone?: "primary" | "danger" | "quiet";
  why?: string | null | undefined; // set: disabled, and this is why
  needs?: Role; // whoever may less does not see it
  onClick: () => void;
  children: ComponentChildren;
}) {
  const off = Boolean(props.why);
  const told = useSignal(false);
  const tell = (): void => {
    told.value = true;
    setTimeout(() => (told.value = false), TOLD_MS);
  };
  if (props.needs && !may(props.needs)) return null;
  return (
    <button
      type="button"
      class={`button ${props.tone ?? ""}`}
      aria-disabled={off}
      title={props.why ?? undefined}
      onClick={off ? tell : props.onClick}
    >
      {props.icon && <Icon name={props.icon} size={16} />}
      {props.children}
      {off && <span class={told.value ? "bubble" : "unseen"}>{props.why}</span>}
    </button>
  );
}
