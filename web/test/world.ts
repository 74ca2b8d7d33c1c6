// Stations, connectors and sessions with everything a test does not care about filled in.
import type { Connector, Session, Station } from "../src/data/types";

export function connector(part: Partial<Connector> = {}): Connector {
  return {
    connector_id: 1,
    status: "Available",
    error_code: "NoError",
    info: null,
    vendor_error_code: null,
    since: null,
    transaction_id: null,
    id_tag: null,
    power_w: null,
    voltage_v: null,
    current_a: null,
    offered_a: null,
    energy_wh: null,
    soc_percent: null,
    temperature_c: null,
    limit_a: null,
    updated_at: null,
    vehicle: null,
    kind: null,
    board: null,
    phases: null,
    phase_voltage_v: null,
    phase_current_a: null,
    phase_power_w: null,
    pilot: null,
    cable_a: null,
    energised: null,
    limit: null,
    state: null,
    state_why: null,
    faults: null,
    ...part,
  };
}

export function station(part: Partial<Station> = {}): Station {
  return {
    id: "A",
    vendor: null,
    model: null,
    firmware: null,
    serial: null,
    online: true,
    ocpp_online: true,
    link: null,
    last_seen: null,
    boot_at: "2026-01-01T00:00:00Z",
    connectors: [connector()],
    ...part,
  };
}

export function session(part: Partial<Session> = {}): Session {
  return {
    id: 1,
    station_id: "A",
    connector_id: 1,
    transaction_id: 5,
    id_tag: "04A2",
    start_at: "2026-01-01T10:00:00Z",
    stop_at: null,
    stop_reason: null,
    meter_start_wh: 1000,
    meter_stop_wh: null,
    energy_wh: 0,
    duration_s: 0,
    soc_start: null,
    soc_end: null,
    vehicle_model: null,
    ...part,
  };
}
