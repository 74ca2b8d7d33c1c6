// The pure parts of the station's page: what is shown for what the station says.
import { emptyColumns } from "../data/curve";
import { phaseRows, type PhaseRow } from "../data/outlet";
import type { Columns, Phases } from "../data/types";
import { current, duration, elapsed, energy, percent, plain, words } from "../data/format";
import type { Action } from "./data";
import type { Board, Charge, ConnectorLimits, History, Hold, Left, Moving, Schedule, SecurityLog, Setting, StationConnector, StationLimit, StationStatus, Visitor } from "./types";

export const isDc = (c: StationConnector): boolean => c.kind === "dc";

export function kindWords(c: StationConnector): string {
  if (isDc(c)) return "Direct current";
  const phases = c.phases === 1 ? "AC, one phase" : "AC, three phases";
  return c.kind === "openevse" ? `${phases}, OpenEVSE board` : phases;
}

// The reason behind a limit, where it says more than the words of its source.
export const limitNote = (limit: StationLimit): string => (limit.why === limit.words || limit.why === limit.source ? "" : limit.why);

export const hasBoard = (status: StationStatus | null): boolean => status?.connectors.some((c) => c.board !== undefined) ?? false;

// "armed: 6.0 A after 10 s of silence"
export function heartbeatWords(board: Board): string {
  const armed = board.heartbeat_s !== null && board.heartbeat_a !== null && board.heartbeat_s > 0;
  return armed ? `${board.heartbeat}: ${plain(current(board.heartbeat_a))} after ${board.heartbeat_s} s of silence` : board.heartbeat;
}

// Bits 1, 2, 4 as phases.
export const phaseWords = (bits: number | null): string => (bits === null || bits === 0 ? "not known yet" : [1, 2, 3].filter((phase) => (bits & (1 << (phase - 1))) !== 0).map((phase) => `L${phase}`).join(", "));

export const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

// "The house needs the rest: L1 is at the breaker, for 3 min."
export function whySentence(of: ConnectorLimits): string {
  const counts = of.limits.find((limit) => limit.counts);
  if (!counts) return "";
  const note = limitNote(counts);
  const since = counts.age_s === null ? "" : `, for ${elapsed(counts.age_s)}`;
  const end = counts.expires_s === null ? "" : ` It ends in ${elapsed(counts.expires_s)}.`;
  return `${upper(counts.words)}${note === "" ? "" : `: ${note}`}${since}.${end}`;
}

// "charging: contactor closed", and what the contactor does where that does not say it.
export function stateWords(c: StationConnector): string {
  const state = c.state_why === "" ? c.state : `${c.state}: ${c.state_why}`;
  return c.state_why.includes("contactor") ? state : `${state} · contactor ${c.contactor ? "closed" : "open"}`;
}

export function centralWords(status: StationStatus): { tone: "go" | "warn"; text: string } | null {
  if (!status.has_central) return null;
  const reason = status.central_reason === "" ? "" : `: ${status.central_reason}`;
  return status.central === "online"
    ? { tone: "go", text: "Central system online" }
    : { tone: "warn", text: `Central system ${status.central}${reason}` };
}

export function waitingWords(status: StationStatus): string {
  const count = status.messages_waiting;
  if (!status.has_central || count === 0) return "";
  return count === 1 ? " · 1 message waits" : ` · ${count} messages wait`;
}

export const SECURITY_PROFILES: Record<number, string> = {
  0: "0: as the address and the key say",
  1: "1: key, no encryption",
  2: "2: TLS and key",
  3: "3: TLS and a certificate of its own",
};

export const PROFILE_PURPOSES: Record<string, string> = {
  ChargePointMaxProfile: "for the whole station",
  TxDefaultProfile: "for each charge",
  TxProfile: "for the running charge",
};

// A chain that nobody has looked at since the start is not called whole.
export function chainWords(log: SecurityLog): { tone: "go" | "bad" | "info" | "mute"; text: string } {
  if (log.bad !== 0) return { tone: "bad", text: `Chain broken at record ${log.bad}` };
  if (log.chain !== "whole") return { tone: "info", text: `Chain ${log.chain}` };
  return log.checked === 0 ? { tone: "mute", text: "Chain not checked since the start" } : { tone: "go", text: "Chain whole" };
}

// "Uploading, 40 %", "Idle; the last time: the server refused it", "Download failed: the server is not there"
export function movingWords(moving: Moving): string {
  const moves = moving.status === "Uploading" || moving.status === "Downloading";
  const share = moves && moving.total > 0 ? `, ${Math.floor((moving.bytes / moving.total) * 100)} %` : "";
  const ended = /Fail|Invalid|Denied|BadMessage|NotSupported/.test(moving.status);
  const why = moving.why === "" ? "" : `${ended ? ": " : "; the last time: "}${moving.why}`;
  return `${words(moving.status)}${share}${why}`;
}

const three = (values: (number | null)[] | undefined): Phases => [values?.[0] ?? null, values?.[1] ?? null, values?.[2] ?? null];

export const phasesOf = (c: StationConnector): PhaseRow[] =>
  phaseRows({
    phases: c.phases ?? 3,
    offered_a: c.offered_a,
    limit: null,
    phase_voltage_v: three(c.phase_voltage_v),
    phase_current_a: three(c.phase_current_a),
    phase_power_w: three(c.phase_power_w),
  });

// The station keeps four columns; the plot's others stay unknown.
export function columnsOf(history: History): Columns {
  const unknown = Object.keys(emptyColumns()).map((key) => [key, history.t.map(() => null)]);
  return { ...(Object.fromEntries(unknown) as Columns), ...history };
}

// Why a visitor may change nothing; null: he may.
export function whyNothing(visitor: Visitor | null): string | null {
  if (visitor === null) return "the station is not connected";
  if (visitor.csrf !== null) return visitor.set_up ? "this login sets up the network only" : null;
  return visitor.password_set ? "log in first" : "this page only shows: no password is set";
}

const RUNNING = new Set(["authorised", "beginning", "active", "ending"]);

// Why an action makes no sense now; null: it does.
export function whyNot(action: Action, c: StationConnector, staying: number): string | null {
  const runs = RUNNING.has(c.phase);
  switch (action) {
    case "start":
      if (c.status === "Faulted") return "there is a fault";
      if (c.status === "Unavailable") return "the connector is out of service";
      return runs ? "a charge is running" : null;
    case "stop":
      return runs ? null : "nothing is charging";
    case "clear":
      return staying > 0 ? null : "no fault stays that could be cleared";
    case "limit":
    case "until":
    case "now":
    case "enable":
    case "disable":
      return null;
  }
}

// Groups whose first word says too little, or is no word.
const GROUPS: Record<string, string> = {
  can: "CAN",
  lcd: "LCD",
  ocpp: "OCPP",
  mqtt: "MQTT",
  uplink: "Station link",
  rapi: "OpenEVSE board",
  lora: "Radio",
  openevse_api: "OpenEVSE interface",
};

// "5.000 kWh, 1.200 kWh left": what a charge may use and what is left of it; "" without a limit.
export function leftWords(left: Left, format: (value: number | null) => string): string {
  if (left.limit === null) return "";
  return left.left === null ? format(left.limit) : `${format(left.limit)}, ${format(left.left)} left`;
}

export interface Use {
  label: string;
  text: string;
}

export const usesOf = (hold: Hold): Use[] =>
  [
    { label: "Energy", text: leftWords(hold.energy_wh, (wh) => plain(energy(wh))) },
    { label: "Time", text: leftWords(hold.time_s, duration) },
    { label: "State of charge", text: leftWords(hold.soc_percent, (soc) => plain(percent(soc))) },
  ].filter((use) => use.text !== "");

// What the clock of the station's zone shows: "Sat 14:05 CET"; "" while it is not set.
export function clockWords(schedule: Schedule): string {
  if (schedule.clock === null) return "";
  const local = new Date(Date.parse(schedule.clock) + (schedule.offset_s ?? 0) * 1000);
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][local.getUTCDay()] ?? "";
  return `${day} ${local.toISOString().slice(11, 16)} ${schedule.zone}`;
}

// The text of switches with one of them turned over.
export const switched = (digits: string, at: number): string => [...digits].map((digit, n) => (n === at ? (digit === "1" ? "0" : "1") : digit)).join("");

export const total = (charges: readonly Charge[]): number => charges.reduce((sum, c) => sum + (c.energy_wh ?? 0), 0);

// "connectors[0].phases" belongs to "Connector 1", "ocpp.url" to "OCPP", "card_reader.device" to "Card reader".
export function groupOf(path: string): string {
  const connector = /^connectors\[(\d+)\]\./.exec(path);
  if (connector) return `Connector ${Number(connector[1]) + 1}`;
  const prefix = path.split(".")[0] ?? path;
  const first = prefix.replace(/_/g, " ");
  return GROUPS[prefix] ?? first.charAt(0).toUpperCase() + first.slice(1);
}

export const nameOf = (path: string): string => path.replace(/^(connectors\[\d+\]|[^.]+)\./, "");

export interface Group {
  name: string;
  settings: Setting[];
}

export function grouped(all: readonly Setting[], query: string): Group[] {
  const wanted = query.trim().toLowerCase();
  const groups = new Map<string, Setting[]>();
  for (const setting of all) {
    if (!`${setting.path} ${setting.doc} ${setting.ocpp_key}`.toLowerCase().includes(wanted)) continue;
    const name = groupOf(setting.path);
    groups.set(name, [...(groups.get(name) ?? []), setting]);
  }
  const place = (name: string): number => Number(/^Connector (\d+)$/.exec(name)?.[1] ?? 0);
  return [...groups].map(([name, settings]) => ({ name, settings })).sort((a, b) => place(a.name) - place(b.name));
}

export const isOpen = (setting: Setting): boolean => setting.when === "live" || setting.when === "restart" || setting.when === "secret";

const WHEN_WORDS: Record<Setting["when"], string> = {
  file: "Set in the configuration file.",
  live: "Takes effect at once.",
  restart: "Takes effect at the next start.",
  fixed: "Fixed: says what the station can do.",
  secret: "Secret: can be written, is never shown.",
};

// What a setting does, what is allowed, what it is by default, and when a change counts.
export function helpWords(setting: Setting): string {
  const range = setting.kind === "bool" ? "yes or no" : setting.range;
  const initial = setting.kind === "bool" ? (setting.default === "true" ? "yes" : "no") : setting.default;
  const differs = setting.when === "secret" || setting.when === "fixed" || setting.default === setting.value;
  return `${setting.doc} Allowed: ${range}.${differs ? "" : ` Default: ${initial === "" ? "empty" : initial}.`} ${WHEN_WORDS[setting.when]}`;
}

// The same page with TLS; a host that has colons stands in brackets already.
export function overTls(host: string, port: number): string {
  return `https://${host}${port === 443 ? "" : `:${port}`}/`;
}
