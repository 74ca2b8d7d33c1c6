// The fleet as the pages see it: pure steps from (fleet, event) to the next fleet.
import type { Connector, Measurement, Sample, Session, Station } from "./types";

export type Fleet = ReadonlyMap<string, Station>;

export const SAMPLE_KEYS: readonly (keyof Sample)[] = [
  "power_w",
  "voltage_v",
  "current_a",
  "offered_a",
  "energy_wh",
  "soc_percent",
  "temperature_c",
  "limit_a",
];

const PHASE_KEYS = ["phase_voltage_v", "phase_current_a", "phase_power_w"] as const;

export function withStation(fleet: Fleet, station: Station): Fleet {
  const connectors = [...station.connectors].sort((a, b) => a.connector_id - b.connector_id);
  return new Map(fleet).set(station.id, { ...station, connectors });
}

export function fleetOf(stations: readonly Station[]): Fleet {
  return stations.reduce(withStation, new Map() as Fleet);
}

function measured(connector: Connector, m: Measurement): Connector {
  const next: Connector = { ...connector, updated_at: new Date(m.t * 1000).toISOString() };
  for (const key of SAMPLE_KEYS) {
    const value = m[key];
    if (value !== null && value !== undefined) next[key] = value;
  }
  for (const key of PHASE_KEYS) {
    const value = m[key];
    if (value !== null && value !== undefined) next[key] = value;
  }
  return next;
}

// A station delivers what it queued while it was offline: older samples must not become "now".
function isNews(connector: Connector, m: Measurement): boolean {
  return connector.updated_at === null || m.t * 1000 >= Date.parse(connector.updated_at);
}

export function withMeasurement(fleet: Fleet, m: Measurement): Fleet {
  const station = fleet.get(m.station_id);
  if (!station) return fleet;
  const connectors = station.connectors.map((c) =>
    c.connector_id === m.connector_id && isNews(c, m) ? measured(c, m) : c,
  );
  return new Map(fleet).set(station.id, { ...station, connectors });
}

// Connector 0 is the station itself (OCPP 1.6 §4.9): it has a state, but no plug.
export const plugs = (station: Station): Connector[] => station.connectors.filter((c) => c.connector_id > 0);

export const isCharging = (c: Connector): boolean => c.status === "Charging";

// What an offline station last said about power is history.
export const powerNow = (station: Station): number =>
  station.online ? plugs(station).reduce((sum, c) => sum + (isCharging(c) ? (c.power_w ?? 0) : 0), 0) : 0;

export const hasFault = (c: Connector): boolean =>
  c.status === "Faulted" || (c.error_code !== null && c.error_code !== "" && c.error_code !== "NoError");

export interface Totals {
  stations: number;
  online: number;
  connectors: number;
  charging: number;
  power_w: number;
  faults: number;
}

export function totals(fleet: Fleet): Totals {
  const sum: Totals = { stations: 0, online: 0, connectors: 0, charging: 0, power_w: 0, faults: 0 };
  for (const station of fleet.values()) {
    sum.stations += 1;
    sum.online += station.online ? 1 : 0;
    sum.connectors += plugs(station).length;
    sum.charging += station.online ? plugs(station).filter(isCharging).length : 0;
    sum.power_w += powerNow(station);
    sum.faults += station.connectors.filter(hasFault).length;
  }
  return sum;
}

// Where people look first: faults, then charging, then the rest; offline last; by name within.
export function inOrder(fleet: Fleet): Station[] {
  const rank = (s: Station): number => {
    if (!s.online) return 3;
    if (s.connectors.some(hasFault)) return 0;
    return plugs(s).some((c) => c.transaction_id !== null) ? 1 : 2;
  };
  return [...fleet.values()].sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id, undefined, { numeric: true }));
}

export const runningOn = (sessions: readonly Session[], station: string, c: Connector): Session | undefined =>
  c.transaction_id === null
    ? undefined
    : sessions.find(
        (s) => s.station_id === station && s.transaction_id === c.transaction_id && s.connector_id === c.connector_id,
      );

// The charge on a connector: the one that runs, or the one that has just ended while its vehicle is still there.
export function chargeOn(sessions: readonly Session[], station: string, c: Connector): Session | undefined {
  if (c.transaction_id !== null) return runningOn(sessions, station, c);
  if (c.status !== "Finishing") return undefined;
  return sessions.find((s) => s.station_id === station && s.connector_id === c.connector_id);
}

// Samples stop with the charge: the last one must not stand as if current still flowed.
export function flowing(c: Connector): Connector {
  const old = c.transaction_id === null && Date.parse(c.updated_at ?? "") < Date.parse(c.since ?? "");
  return old ? { ...c, power_w: null, current_a: null, offered_a: null, voltage_v: null } : c;
}

// What this charge has delivered: the register minus where it began.
export function sessionEnergy(session: Session | undefined, c: Connector | undefined): number | null {
  if (!session) return null;
  const began = session.meter_start_wh;
  if (session.stop_at === null && c && c.energy_wh !== null && began !== null && c.energy_wh >= began) {
    return c.energy_wh - began;
  }
  return session.energy_wh;
}

export function startOfDay(now: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

// A session over midnight counts with the part of its time that lies in today.
export function energyToday(sessions: readonly Session[], fleet: Fleet, now: number): number {
  const midnight = startOfDay(now);
  let sum = 0;
  for (const s of sessions) {
    const start = Date.parse(s.start_at);
    const stop = s.stop_at === null ? now : Date.parse(s.stop_at);
    if (stop <= midnight) continue;
    const share = start >= midnight || stop <= start ? 1 : (stop - midnight) / (stop - start);
    const plug = fleet.get(s.station_id)?.connectors.find((c) => c.transaction_id === s.transaction_id);
    sum += (sessionEnergy(s, plug) ?? 0) * share;
  }
  return sum;
}
