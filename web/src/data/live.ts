// The event stream: one EventSource, reopened with back-off, its events applied to the fleet.
import { signal } from "@preact/signals";
import * as api from "./api";
import { observe } from "./clock";
import type { GroupSummary } from "./groups";
import { fleetOf, withMeasurement, withStation, type Fleet } from "./fleet";
import type { RolloutSummary } from "./releases";
import { retryDelay } from "./retry";
import type { Command, Line, LogEntry, Measurement, Session, Station } from "./types";

export type Link = "connecting" | "live" | "lost";

export const fleet = signal<Fleet | null>(null);
export const recent = signal<readonly Session[]>([]); // newest first
export const link = signal<Link>("connecting");
// Counts openings of the stream: who shows a history reads it again, nothing may fall between.
export const opened = signal(0);
export const retryAt = signal<number | null>(null);

export interface LiveEvents {
  station: Station;
  measurement: Measurement;
  transaction: Session;
  ocpp: LogEntry & { station_id: string };
  command: Command;
  log: Line & { station_id: string };
  group: GroupSummary;
  rollout: RolloutSummary;
  upload: { station_id: string };
}

const RECENT = 500;
const DRAW_MS = 100;
const SILENCE_MS = 15_000;

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void;

const listeners: { [K in keyof LiveEvents]: Set<Listener<K>> } = {
  station: new Set(),
  measurement: new Set(),
  transaction: new Set(),
  ocpp: new Set(),
  command: new Set(),
  log: new Set(),
  group: new Set(),
  rollout: new Set(),
  upload: new Set(),
};

export function on<K extends keyof LiveEvents>(kind: K, listener: Listener<K>): () => void {
  listeners[kind].add(listener);
  return () => listeners[kind].delete(listener);
}

let ocppOf: string | null = null; // the station whose messages or log lines are on screen
let heardAt = 0;
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;

function deliver<K extends keyof LiveEvents>(kind: K, event: LiveEvents[K]): void {
  for (const listener of listeners[kind]) listener(event);
}

function listen<K extends keyof LiveEvents>(from: EventSource, kind: K, apply?: Listener<K>): void {
  from.addEventListener(kind, (message) => {
    heardAt = Date.now();
    const event = JSON.parse((message as MessageEvent<string>).data) as LiveEvents[K];
    apply?.(event);
    deliver(kind, event);
  });
}

// A large yard sends hundreds of events a second; the pages are drawn a few times a second.
let staged: Fleet | null = null;

type Step = (before: Fleet) => Fleet;

// What comes while everything is being read is newer than what is read, and goes on top of it.
let early: { steps: Step[]; sessions: Session[] } | null = null;

function stage(step: Step): void {
  early?.steps.push(step);
  if (staged === null) {
    setTimeout(() => {
      if (staged !== null) fleet.value = staged;
      staged = null;
    }, DRAW_MS);
  }
  staged = step(staged ?? fleet.value ?? new Map());
}

async function readAll(): Promise<void> {
  const since: { steps: Step[]; sessions: Session[] } = { steps: [], sessions: [] };
  early = since;
  const [stations, sessions] = await Promise.all([api.stations(), api.sessions({ limit: RECENT })]);
  if (early !== since) return; // somebody reads it anew
  early = null;
  for (const station of stations) observe(Date.parse(station.last_seen ?? ""));
  staged = null;
  fleet.value = since.steps.reduce((before, step) => step(before), fleetOf(stations));
  recent.value = sessions;
  since.sessions.forEach(withSession);
}

function withSession(session: Session): void {
  early?.sessions.push(session);
  const others = recent.value.filter((s) => s.id !== session.id);
  recent.value = [session, ...others].sort((a, b) => b.id - a.id).slice(0, RECENT);
}

function lose(): void {
  source?.close();
  source = null;
  if (!api.me.value) return;
  link.value = "lost";
  const delay = retryDelay(attempt, Math.random());
  attempt += 1;
  retryAt.value = Date.now() + delay;
  clearTimeout(timer);
  timer = setTimeout(connect, delay);
}

// Asks who we are first: an event stream cannot tell "log in again" from "gone".
export function connect(): void {
  clearTimeout(timer);
  source?.close();
  retryAt.value = null;
  if (link.value !== "lost") link.value = "connecting";
  api.whoAmI().then(open, lose);
}

function open(): void {
  if (!api.me.value) return;
  source?.close();
  const wanted = ocppOf === null ? "" : `?ocpp=${encodeURIComponent(ocppOf)}`;
  const opening = new EventSource(`/api/v1/events${wanted}`);
  source = opening;
  opening.onopen = () => {
    attempt = 0;
    heardAt = Date.now();
    // Only now, so that nothing falls between the reading and the first event.
    readAll().then(() => {
      link.value = "live";
      opened.value += 1;
    }, lose);
  };
  opening.onerror = () => {
    if (source === opening) lose();
  };
  listen(opening, "station", (station) => {
    observe(Date.parse(station.last_seen ?? ""));
    stage((before) => withStation(before, station));
  });
  listen(opening, "measurement", (m) => {
    observe(m.t * 1000);
    stage((before) => withMeasurement(before, m));
  });
  listen(opening, "transaction", withSession);
  listen(opening, "ocpp", (entry) => observe(Date.parse(entry.time)));
  listen(opening, "command");
  listen(opening, "log");
  listen(opening, "group");
  listen(opening, "rollout");
  listen(opening, "upload");
}

// The central sends OCPP messages and log lines only to those who ask for a station's.
export function wantMessagesOf(station: string | null): void {
  if (station === ocppOf) return;
  ocppOf = station;
  if (source) open();
}

export function disconnect(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  attempt = 0;
  link.value = "connecting";
  staged = null;
  early = null;
  fleet.value = null;
}

function retryNow(): void {
  if (link.value !== "lost") return;
  attempt = 0;
  connect();
}

// A cable that is pulled closes nothing: a stream that says nothing for long is asked about.
setInterval(() => {
  const asked = source;
  if (asked === null || link.value !== "live" || Date.now() - heardAt < SILENCE_MS) return;
  heardAt = Date.now();
  api.whoAmI().catch(() => {
    if (source === asked) lose();
  });
}, 1000);

window.addEventListener("offline", () => {
  if (source) lose();
});

// A laptop that wakes, a phone that finds its network: no reason to wait for the back-off.
window.addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) retryNow();
});
