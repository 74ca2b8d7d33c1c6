// What the central keeps of a station's OCPP beyond its charges; see central/api/openapi.yaml.
import { call, query, segment } from "./api";
import type { Action } from "./forms";
import type { Queued } from "./jobs";
import type { Command } from "./types";

export interface ConfigurationKey {
  key: string;
  value: string | null;
  readonly: boolean;
  read_at: string | null;
  wanted: string | null; // accepted, counts after a reboot
  reboot_required: boolean;
}

export interface ConfigurationChange {
  at: string;
  key: string;
  old: string | null;
  new: string | null;
  why: string;
}

export interface Configuration {
  keys: ConfigurationKey[];
  changes: ConfigurationChange[];
}

export interface ListEntry {
  id_tag: string;
  status: string;
  parent: string | null;
  expires: string | null;
}

export interface LocalList {
  version: number;
  state: "unknown" | "sent" | "mismatch" | "failed" | "not supported";
  automatic: boolean;
  at: string | null;
  differences: number;
  max_length: number | null;
  entries: ListEntry[];
}

export interface Reservation {
  id: number;
  connector_id: number;
  id_tag: string;
  parent: string | null;
  expires: string | null;
  state: string;
  made_at: string;
  changed_at: string;
  transaction_id: number | null;
}

export interface Period {
  startPeriod: number;
  limit: number;
  numberPhases?: number;
}

export interface ChargingSchedule {
  duration?: number;
  startSchedule?: string;
  chargingRateUnit: "A" | "W";
  chargingSchedulePeriod: Period[];
  minChargingRate?: number;
}

export interface ChargingProfile {
  connector_id: number;
  profile_id: number;
  purpose: string;
  stack_level: number;
  transaction_id: number | null;
  set_at: string;
  profile: { chargingProfileKind?: string; recurrencyKind?: string; validFrom?: string; validTo?: string; chargingSchedule?: ChargingSchedule } | null;
}

export interface CompositeSchedule {
  connector_id: number;
  unit: "A" | "W";
  start: string | null;
  duration_s: number;
  read_at: string;
  schedule: ChargingSchedule | null;
}

export interface ChargingProfiles {
  profiles: ChargingProfile[];
  composite: CompositeSchedule[];
}

export interface FileJob {
  id: number;
  kind: "firmware" | "signed firmware" | "diagnostics" | "log";
  request_id: number | null;
  location: string;
  file_name: string | null;
  state: string;
  why: string | null; // of a failed update, in the station's words
  over: boolean;
  made_at: string;
  changed_at: string;
  statuses: { at: string; status: string }[];
}

export interface SecurityEvent {
  n: number;
  at: string | null;
  received_at: string;
  type: string;
  tech_info: string | null;
}

export type CertificateUse = "CentralSystemRootCertificate" | "ManufacturerRootCertificate";

export interface InstalledCertificate {
  use: CertificateUse;
  hash_algorithm: string;
  issuer_name_hash: string;
  issuer_key_hash: string;
  serial_number: string;
  read_at: string;
}

export interface IssuedCertificate {
  serial: string;
  subject: string;
  from: string;
  to: string;
  issued_at: string;
  state: "sent" | "taken" | "refused" | "revoked";
  pem: string;
}

export interface Certificates {
  installed: InstalledCertificate[];
  issued: IssuedCertificate[];
  authority: string | null;
}

export interface Security {
  least_profile: number | null;
  profile: number | null;
}

const of = (id: string, what: string): string => `/stations/${segment(id)}/${what}`;

export const actions = async (): Promise<Action[]> => (await call<{ actions: Action[] }>("GET", "/actions")).actions;

export const commands = async (id: string, before: number | null, limit: number): Promise<Command[]> =>
  (await call<{ commands: Command[] }>("GET", of(id, `commands${query({ before, limit })}`))).commands;

export const configuration = (id: string): Promise<Configuration> => call("GET", of(id, "configuration"));

export const putKey = (id: string, key: string, value: string): Promise<Queued> => call("PUT", of(id, "configuration"), { key, value });

export const readKeys = (id: string): Promise<Queued> => call("POST", of(id, "configuration/read"), {});

export const localList = (id: string): Promise<LocalList> => call("GET", of(id, "local-list"));

export interface ListOrder {
  mode?: "differential" | "full" | "none";
  automatic?: boolean;
}

// Without a command when there was nothing to send.
export const putList = (id: string, order: ListOrder): Promise<Queued | LocalList> => call("PUT", of(id, "local-list"), order);

export const reservations = async (id: string): Promise<Reservation[]> =>
  (await call<{ reservations: Reservation[] }>("GET", of(id, "reservations"))).reservations;

export interface Reserving {
  connector_id: number;
  id_tag: string;
  parent?: string;
  expires: string;
}

export const reserve = (id: string, wish: Reserving): Promise<Queued> => call("POST", of(id, "reservations"), wish);

export const cancelReservation = (id: string, reservation: number): Promise<Queued> => call("DELETE", of(id, `reservations${query({ id: reservation })}`));

export const profiles = (id: string): Promise<ChargingProfiles> => call("GET", of(id, "charging-profiles"));

export const setProfile = (id: string, connector: number, profile: object): Promise<Queued> =>
  call("PUT", of(id, "charging-profiles"), { connector_id: connector, profile });

export interface Clearing {
  id?: number;
  connector?: number;
  purpose?: string;
  stack_level?: number;
}

export const clearProfiles = (id: string, which: Clearing): Promise<Queued> => call("DELETE", of(id, `charging-profiles${query({ ...which })}`));

export const askComposite = (id: string, connector: number, duration: number, unit: "A" | "W"): Promise<Queued> =>
  call("POST", of(id, "composite-schedule"), { connector_id: connector, duration_s: duration, unit });

export const files = async (id: string, before: number | null, limit: number): Promise<FileJob[]> =>
  (await call<{ jobs: FileJob[] }>("GET", of(id, `files${query({ before, limit })}`))).jobs;

export const updateFirmware = (id: string, order: object): Promise<Queued> => call("POST", of(id, "firmware"), order);

export const askLog = (id: string, order: object): Promise<Queued> => call("POST", of(id, "logs"), order);

export const securityEvents = async (id: string, before: number | null, limit: number): Promise<SecurityEvent[]> =>
  (await call<{ events: SecurityEvent[] }>("GET", of(id, `security-events${query({ before, limit })}`))).events;

export const certificates = (id: string): Promise<Certificates> => call("GET", of(id, "certificates"));

export const readCertificates = (id: string, use: CertificateUse): Promise<Queued> => call("POST", of(id, "certificates/read"), { use });

// Without a certificate that of the central's own authority.
export const installCertificate = (id: string, use: CertificateUse, certificate: string): Promise<Queued> =>
  call("POST", of(id, "certificates"), certificate === "" ? { use } : { use, certificate });

export const deleteCertificate = (id: string, certificate: InstalledCertificate): Promise<Queued> =>
  call("DELETE", of(id, `certificates${query({ serial_number: certificate.serial_number, issuer_key_hash: certificate.issuer_key_hash })}`));

export const renewCertificate = (id: string): Promise<Queued> => call("POST", of(id, "certificates/renew"));

export const revokeCertificate = (id: string, serial: string): Promise<unknown> => call("POST", of(id, "certificates/revoke"), { serial });

export const renewKey = (id: string): Promise<Queued> => call("POST", of(id, "key"));

export const security = (id: string): Promise<Security> => call("GET", of(id, "security"));

export const putSecurity = (id: string, least: number | null): Promise<Security> => call("PUT", of(id, "security"), { least_profile: least });
