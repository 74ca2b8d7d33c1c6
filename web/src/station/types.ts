// What the station's own interface carries: station/status_json.c and station/page.
import type { ConnectorStatus } from "../data/types";

// An OpenEVSE board: station/openevse/report.c.
export interface Board {
  answers_now: boolean;
  why: string;
  failed_command: string;
  firmware: string;
  rapi: string;
  state: number | null;
  state_text: string;
  vflags: number | null;
  offered_a: number | null;
  config_a: number | null;
  hardware_a: number | null;
  total_wh: number | null;
  phases_in_use: number | null; // bits
  last_event: string;
  heartbeat: string;
  heartbeat_s: number | null;
  heartbeat_a: number | null;
  heartbeats_missed: number;
  gfi_trips: number | null;
  ground_trips: number | null;
  stuck_trips: number | null;
  reboots: number;
  answers: number;
  refusals: number;
  timeouts: number;
  bad_lines: number;
}

export interface StationConnector {
  connector_id: number;
  kind: "dc" | "pilot" | "openevse";
  status: ConnectorStatus;
  error_code: string;
  vendor_code: string;
  info: string;
  phase: string;
  state: string;
  state_why: string;
  id_tag: string;
  reserved_until: string | null;
  transaction_id: number | null;
  plugged: boolean;
  contactor: boolean;
  voltage_v: number | null;
  current_a: number | null;
  power_w: number | null;
  offered_a: number;
  limit_source: string;
  limit_why: string;
  limit_age_s: number | null;
  session_s: number | null;
  energy_wh: number;
  register_wh: number;
  temperature_c: number | null;
  soc_percent: number | null;
  imax_a: number | null;
  charge_ah: number | null;
  vehicle_model: string;
  board?: Board;
  // AC only.
  pilot?: string;
  cable_a?: number | null;
  phases?: number;
  phase_voltage_v?: (number | null)[];
  phase_current_a?: (number | null)[];
  phase_power_w?: (number | null)[];
}

type Three = (number | null)[]; // L1, L2, L3

// The house behind its meter; null without one.
export interface House {
  managed: boolean;
  quality: string;
  trust: string; // why the meter is not believed; ""
  phases: number;
  breaker_a: number;
  target_a: Three;
  grid_a: Three; // below zero: given back
  grid_w: Three;
  charger_a: Three;
  failsafe: boolean;
  connectors: HouseCharger[];
}

// What the house leaves one connector, and why.
export interface HouseCharger {
  connector_id: number;
  offered_a: number | null;
  state: string;
  why: string;
  age_s: number | null; // of the state
  active_phases: number[]; // of the house, that the vehicle loads: 1 to 3; empty: not known
  pauses_today: number;
  solar_state: string;
  solar_why: string;
  solar_a: number | null;
  surplus_w: number | null;
}

export interface HouseHistory {
  t: number[];
  grid1_a: (number | null)[];
  grid2_a: (number | null)[];
  grid3_a: (number | null)[];
  charger_a: (number | null)[];
  offered_a: (number | null)[];
  target_a: (number | null)[];
  breaker_a: (number | null)[];
}

export interface Left {
  limit: number | null;
  used: number | null;
  left: number | null;
}

// What timers, plan and limits do to a connector.
export interface Hold {
  connector_id: number;
  mode: string;
  held: boolean;
  why: string;
  text: string; // "waits for 23:00", "until 06:00"; ""
  charge_now: boolean;
  changes_at: string | null;
  energy_wh: Left;
  time_s: Left;
  soc_percent: Left;
  drew_too_much: boolean;
}

export interface Schedule {
  clock: string | null;
  offset_s: number | null;
  zone: string;
  time_zone: string;
  delay_timer: string;
  weekly: string;
  connectors: Hold[];
}

export interface DebugArea {
  name: string; // "": a number kept free
  rooms: string;
}

export interface Charge {
  number: number;
  connector_id: number;
  id_tag: string;
  began: string | null;
  ended: string | null;
  duration_s: number | null;
  energy_wh: number | null;
  soc_begin_percent: number | null;
  soc_end_percent: number | null;
  reason: string;
}

export interface About {
  program: string;
  version: string;
  build: string;
  licence: string;
  libraries: { name: string; version: string; licence: string }[];
}

export interface StationStatus {
  station: string;
  firmware: string;
  uptime_s: number;
  has_central: boolean;
  central: string;
  central_reason: string;
  security_profile: number;
  messages_waiting: number;
  messages_thinned: number;
  messages_dropped: number;
  messages_parked: number; // refused for good
  records_damaged: number;
  files: Files;
  house: House | null;
  connectors: StationConnector[];
}

// What is moved: station/files/files.c.
export interface Moving {
  status: string;
  url: string;
  bytes: number;
  total: number;
  why: string;
}

export interface Update extends Moving {
  signed: boolean;
  by: string;
  version: string; // of the release under way, or the last one
  running: string;
  under_way: boolean;
  ended_at: string | null;
  able: boolean; // the station can install releases
  trial: boolean; // what runs is on trial
  returned: string; // version that was given up
  returned_why: string;
  retrieve_at: string | null;
  install_at: string | null;
  holds_charges: boolean;
}

export interface Files {
  upload: Moving & { log: string; name: string };
  update: Update;
}

export interface Reserved {
  reservation_id: number;
  connector_id: number; // 0: any
  id_tag: string;
  expires: string;
}

export interface StationProfiles {
  profiles: {
    profile_id: number;
    purpose: string;
    stack_level: number;
    connector_id: number;
    unit: "A" | "W";
    valid_to: string | null;
    counts: boolean;
    periods: { start_s: number; limit: number; phases: number | null }[];
  }[];
  connectors: { connector_id: number; limit_a: number | null; why: string }[];
}

export interface KnownCards {
  list_version: number;
  list_entries: number;
  cached: number;
  cache: { id_tag: string; status: string; expires?: string }[];
}

export interface SecurityLog {
  chain: string;
  checked: number;
  bad: number;
  newest: number;
  untold: number;
  lost: number;
  records: { number: number; at?: string; event: string; critical: boolean; detail: string }[];
}

export interface StationLimit {
  source: string;
  words: string;
  limit_a: number;
  why: string;
  age_s: number | null;
  expires_s: number | null;
  counts: boolean;
}

export interface ConnectorLimits {
  connector_id: number;
  effective_a: number;
  limits: StationLimit[];
}

export interface StationFault {
  vendor_code: string;
  error_code: string;
  text: string;
  words: string;
  stays: boolean;
}

export interface ConnectorFaults {
  connector_id: number;
  faults: StationFault[];
}

export interface Setting {
  path: string;
  value: string;
  range: string;
  kind: "int" | "bool" | "text" | "choice";
  when: "file" | "live" | "restart" | "fixed" | "secret";
  unit: string;
  choices?: string[];
  default: string;
  ocpp_key: string;
  doc: string;
}

export interface LogLine {
  cursor: number;
  time: string | null;
  level: "error" | "warn" | "info" | "debug";
  room: string;
  text: string;
}

export interface History {
  t: number[];
  current_a: (number | null)[];
  offered_a: (number | null)[];
  power_w: (number | null)[];
  soc_percent: (number | null)[];
}

export interface FoundNetwork {
  ssid: string;
  signal_percent: number;
  secured: boolean;
}

export interface Network {
  managed: boolean;
  state: string;
  why: string;
  since_s: number;
  connected: boolean;
  ap: boolean; // its own access point stands
  ssid: string | null;
  signal_percent: number | null;
  ip: string | null;
  ap_ssid: string | null;
  guests: number | null;
  failed_ssid: string | null;
  failed_why: string | null;
  known: { slot: number; ssid: string | null; password_set: boolean }[];
  found_s_ago: number | null;
  found: FoundNetwork[];
}

// What the page shows over TLS, for people to compare.
export interface Certificate {
  wanted: boolean;
  port: number;
  own: boolean; // the station's own; else the owner's file
  fingerprint: string;
  until: string;
  why: string; // what is wrong with the newest; "": nothing
}

export interface Visitor {
  password_set: boolean;
  set_up: boolean; // the access point's password logs in, for the network alone
  inside: boolean; // may read settings and log
  encrypted: boolean; // nobody on the way reads what is typed here
  https_port: number; // where nobody would; 0: nowhere
  csrf: string | null; // logged in: may change things
}
