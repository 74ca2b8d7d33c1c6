// What the central's REST interface and event stream carry; see central/api/openapi.yaml.

export type ConnectorStatus =
  | "Available"
  | "Preparing"
  | "Charging"
  | "SuspendedEVSE"
  | "SuspendedEV"
  | "Finishing"
  | "Reserved"
  | "Unavailable"
  | "Faulted"
  | "Unknown"; // not reported since the central knows the station

export interface Vehicle {
  model: string | null;
  capacity_ah: number | null;
  charge_ah: number | null;
  range_km: number | null;
  soc_percent: number | null;
  imax_a: number | null;
  source: string | null;
}

export interface Sample {
  power_w: number | null;
  voltage_v: number | null;
  current_a: number | null;
  offered_a: number | null;
  energy_wh: number | null; // the meter's register, not this charge
  soc_percent: number | null;
  temperature_c: number | null;
  limit_a: number | null;
}

// Per phase, L1 first.
export type Phases = readonly [number | null, number | null, number | null];

// The least of all limits: who set it, why, and since when it stands.
export interface Limit {
  a: number;
  source: string;
  why: string | null;
  since: string | null;
}

// What only a station link tells (doc/link.md); all null without one.
export interface Outlet {
  kind: "ac" | "dc" | null;
  board: "openevse" | null; // what drives it, where that is no hardware of our own
  phases: number | null;
  phase_voltage_v: Phases | null;
  phase_current_a: Phases | null;
  phase_power_w: Phases | null;
  pilot: string | null; // A1 to D2, E, F
  cable_a: number | null;
  energised: boolean | null;
  limit: Limit | null;
  state: string | null;
  state_why: string | null;
  faults: number | null; // as bits
}

export interface Connector extends Sample, Outlet {
  connector_id: number;
  status: ConnectorStatus;
  error_code: string | null;
  info: string | null;
  vendor_error_code: string | null;
  since: string | null;
  transaction_id: number | null;
  id_tag: string | null;
  updated_at: string | null;
  vehicle: Vehicle | null;
}

// The TLS connection a station keeps beside OCPP; null: it never had one.
export interface StationLink {
  online: boolean;
  since: string | null;
  address: string | null;
  rtt_ms: number | null;
  last_event_seq: number | null;
  lines_dropped: number;
}

export interface Station {
  id: string;
  vendor: string | null;
  model: string | null;
  firmware: string | null;
  serial: string | null;
  online: boolean; // by either way
  ocpp_online: boolean;
  link: StationLink | null;
  last_seen: string | null;
  boot_at: string | null;
  duplicate_at?: string | null; // a second socket claimed this identity
  violations?: number;
  connectors: Connector[];
}

export interface Measurement extends Partial<Sample>, Partial<Pick<Outlet, "phase_voltage_v" | "phase_current_a" | "phase_power_w">> {
  station_id: string;
  connector_id: number;
  t: number;
}

// Column arrays: one row of the plot is the same index in each.
export interface Columns {
  t: number[];
  power_w: (number | null)[];
  voltage_v: (number | null)[];
  current_a: (number | null)[];
  offered_a: (number | null)[];
  soc_percent: (number | null)[];
  energy_wh: (number | null)[];
  temperature_c: (number | null)[];
  limit_a: (number | null)[];
}

export interface LogEntry {
  seq: number;
  time: string;
  direction: "in" | "out"; // seen from the central
  kind: "call" | "result" | "error";
  action: string | null;
  message_id: string;
  latency_ms: number | null;
  payload: string; // JSON text as it was on the wire
}

export type Level = "error" | "warn" | "info" | "debug";

// One line of a station's own log; `dropped`: so many lines before it were lost.
export interface Line {
  n: number;
  time: string | null;
  level: Level;
  room: string;
  text: string;
  dropped: number;
}

export interface LinkEvent {
  n: number;
  seq: number | null; // null: lost ones have no number
  time: string | null;
  received_at: string;
  connector_id: number;
  kind: string;
  value: number;
  text: string;
}

export type CommandState = "pending" | "answered" | "error" | "timeout" | "offline";

export interface Command {
  command_id: number;
  station_id: string;
  action: string;
  state: CommandState;
  answer: unknown;
  requested_at: string | null;
  answered_at: string | null;
  payload?: unknown;
  origin?: "people" | "central";
  effect_state?: EffectState | null; // null: nothing is to be seen beyond the answer
  effect?: string | null;
  effect_at?: string | null;
}

export type EffectState = "waiting" | "progress" | "seen" | "failed" | "none" | "unknown";

export interface Session {
  id: number;
  station_id: string;
  connector_id: number;
  transaction_id: number;
  id_tag: string | null;
  start_at: string;
  stop_at: string | null;
  stop_reason: string | null;
  meter_start_wh: number | null;
  meter_stop_wh: number | null;
  energy_wh: number | null;
  duration_s: number | null;
  soc_start: number | null;
  soc_end: number | null;
  vehicle_model: string | null;
  suspect?: string | null; // why the figures are doubtful
}

export interface SessionDetail extends Session {
  curve: Columns;
}

export type CardStatus = "Accepted" | "Blocked" | "Expired";

export interface Card {
  id_tag: string;
  status: CardStatus;
  parent: string | null;
  expires: string | null;
  name: string | null;
}

export interface UnknownCard {
  id_tag: string;
  station_id: string;
  seen_at: string;
  count: number;
}

export interface Refused {
  time: string;
  station_id: string;
  address: string;
  status: number;
  reason: string;
  count: number;
}

// Each may do what the ones before it may.
export type Role = "viewer" | "operator" | "admin";

export interface User {
  name: string;
  role: Role;
  logins: number;
}

export interface Token {
  id: number;
  name: string;
  role: Role;
  made_by: string; // empty: nobody any more
  made_at: string;
  expires_at: string;
}

export interface Me {
  user: string;
  role: Role;
  csrf: string;
  link?: { port: number; pin: string } | null; // where stations link to
}
