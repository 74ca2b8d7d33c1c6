// The station's interface and its event stream. One EventSource, reopened with back-off.
import { signal } from "@preact/signals";
import { retryDelay } from "../data/retry";
import type { About, Certificate, Charge, ConnectorFaults, ConnectorLimits, DebugArea, Files, History, HouseHistory, KnownCards, LogLine, Network, Reserved, Schedule, SecurityLog, Setting, StationProfiles, StationStatus, Update, Visitor } from "./types";

export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type Link = "connecting" | "live" | "lost";

export const visitor = signal<Visitor | null>(null);
export const status = signal<StationStatus | null>(null);
export const limits = signal<readonly ConnectorLimits[]>([]);
export const faults = signal<readonly ConnectorFaults[]>([]);
export const schedule = signal<Schedule | null>(null);
export const lines = signal<readonly LogLine[]>([]); // the log, oldest first
export const missed = signal(0); // lines that were gone before they could be read
export const link = signal<Link>("connecting");
export const opened = signal(0); // counts openings: who shows a history reads it again

const ANSWER_MS = 10_000;
const SILENCE_MS = 6000; // the station speaks every second
const LINES_KEPT = 1000;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && visitor.value?.csrf) headers["X-CSRF"] = visitor.value.csrf;
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(ANSWER_MS), cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new Refusal(0, "The station cannot be reached.");
  }
  const text = await response.text();
  if (response.ok) return (text === "" ? null : JSON.parse(text)) as T;
  const message = spoken(text) ?? `The station answered with HTTP ${response.status}.`;
  if (response.status === 401 && path !== "/login") void look();
  throw new Refusal(response.status, message);
}

// Who is here may have changed.
export async function look(): Promise<void> {
  const before = visitor.value;
  visitor.value = await call<Visitor>("GET", "/me");
  if (before !== null && before.inside !== visitor.value.inside) reopen();
}

export async function login(password: string): Promise<void> {
  visitor.value = await call<Visitor>("POST", "/login", { password });
  reopen();
}

export async function logout(): Promise<void> {
  await call("POST", "/logout", {});
  lines.value = [];
  settings.value = null;
  await look();
}

// The table of settings as last read; null: not read yet.
export const settings = signal<readonly Setting[] | null>(null);

export async function readSettings(): Promise<void> {
  settings.value = (await call<{ settings: Setting[] }>("GET", "/settings")).settings;
}

export async function putSetting(path: string, value: string): Promise<string> {
  const { message } = await call<{ message: string }>("PUT", `/settings/${encodeURIComponent(path)}`, { value });
  await readSettings();
  return message;
}

export const charges = async (): Promise<Charge[]> => (await call<{ charges: Charge[] }>("GET", "/charges")).charges;

export const certificate = (): Promise<Certificate> => call("GET", "/certificate");

export const newCertificate = async (): Promise<string> => (await call<{ message: string }>("POST", "/certificate/new", {})).message;

export const about = (): Promise<About> => call("GET", "/about");

// The board answers when its line is free.
export const rapi = async (connector: number, line: string): Promise<string> => (await call<{ answer: string }>("POST", `/connectors/${connector}/rapi`, { line })).answer;

export const debugAreas = async (): Promise<DebugArea[]> => (await call<{ areas: DebugArea[] }>("GET", "/debug")).areas;

export const reservations = async (): Promise<Reserved[]> => (await call<{ reservations: Reserved[] }>("GET", "/reservations")).reservations;

export const profiles = (): Promise<StationProfiles> => call("GET", "/profiles");

export const cards = (): Promise<KnownCards> => call("GET", "/cards");

export const securityLog = (): Promise<SecurityLog> => call("GET", "/security");

export const checkSecurityLog = (): Promise<{ message: string }> => call("POST", "/security/check", {});

export const factoryReset = (name: string, forget: boolean): Promise<{ message: string }> => call("POST", "/factory-reset", { name, forget });

export const updateState = async (): Promise<Update> => (await call<Files>("GET", "/update")).update;

export const checkUpdate = async (): Promise<string> => (await call<{ message: string }>("POST", "/update/check", {})).message;

export const cancelUpdate = async (): Promise<string> => (await call<{ message: string }>("POST", "/update/cancel", {})).message;

// A release file, with its progress: fetch tells nothing of what has left.
export function uploadRelease(file: File, force: boolean, told: (share: number) => void): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/v1/update/file${force ? "?force=1" : ""}`);
    request.setRequestHeader("X-CSRF", visitor.value?.csrf ?? "");
    request.upload.addEventListener("progress", (event) => told(event.total > 0 ? event.loaded / event.total : 0));
    request.addEventListener("load", () => {
      if (request.status === 200) return done();
      failed(new Refusal(request.status, spoken(request.responseText) ?? `The station answered with HTTP ${request.status}.`));
    });
    request.addEventListener("error", () => failed(new Refusal(0, "The station closed the connection: see below why.")));
    request.send(file);
  });
}

function spoken(text: string): string | null {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return null;
  }
}

export const network = (): Promise<Network> => call("GET", "/network");

export const scanNetworks = (): Promise<{ message: string }> => call("POST", "/network/scan");

// Without a password the one that is set stays; an empty one: an open network.
export const putWifi = async (row: { slot: number; ssid: string; password?: string }): Promise<string> => (await call<{ message: string }>("PUT", "/network/wifi", row)).message;

export const houseHistory = (): Promise<HouseHistory> => call("GET", "/house/history");

export const history = (connector: number): Promise<History> => call("GET", `/history?connector=${connector}`);

export type Action = "start" | "stop" | "limit" | "until" | "now" | "clear" | "enable" | "disable";

export const act = (connector: number, action: Action, body: object = {}): Promise<{ message: string }> =>
  call("POST", `/connectors/${connector}/${action}`, body);

// ---------------------------------------------------------------------------------------------

let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;
let heardAt = 0;

function lose(): void {
  source?.close();
  source = null;
  link.value = "lost";
  clearTimeout(timer);
  timer = setTimeout(connect, retryDelay(attempt, Math.random()));
  attempt += 1;
}

function listen<T>(from: EventSource, kind: string, apply: (event: T) => void): void {
  from.addEventListener(kind, (message) => {
    heardAt = Date.now();
    apply(JSON.parse((message as MessageEvent<string>).data) as T);
  });
}

function addLine(line: LogLine): void {
  const last = lines.value[lines.value.length - 1];
  if (last && line.cursor <= last.cursor) return;
  lines.value = [...lines.value, line].slice(-LINES_KEPT);
}

// What is there already, then the stream from its cursor on: nothing falls between.
async function readLog(): Promise<number | null> {
  if (!visitor.value?.inside) return null;
  try {
    const read = await call<{ lines: LogLine[]; next: number; gone: number }>("GET", "/log?limit=200");
    lines.value = read.lines;
    missed.value = read.gone;
    return read.next;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return null; // it keeps no log
    throw error;
  }
}

async function open(): Promise<void> {
  await look();
  const cursor = await readLog();
  const opening = new EventSource(`/api/v1/events${cursor === null ? "" : `?log=${cursor}`}`);
  source = opening;
  heardAt = Date.now();
  opening.onerror = () => {
    if (source === opening) lose();
  };
  listen<StationStatus>(opening, "status", (event) => {
    status.value = event;
    attempt = 0;
    if (link.value !== "live") opened.value += 1;
    link.value = "live";
  });
  listen<{ connectors: ConnectorLimits[] }>(opening, "limits", (event) => (limits.value = event.connectors));
  listen<Schedule>(opening, "schedule", (event) => (schedule.value = event));
  listen<{ connectors: ConnectorFaults[] }>(opening, "faults", (event) => (faults.value = event.connectors));
  listen<LogLine>(opening, "log", addLine);
}

export function connect(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  open().catch(lose);
}

function reopen(): void {
  if (link.value === "live") connect();
}

// A station whose plug is pulled closes nothing.
setInterval(() => {
  if (source !== null && Date.now() - heardAt > SILENCE_MS) lose();
}, 1000);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && link.value === "lost") connect();
});
