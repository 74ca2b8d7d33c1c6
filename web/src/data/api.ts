// The REST client: one function a call, errors as ApiError with the central's own words.
import { signal } from "@preact/signals";
import type { GroupHistory, GroupState, GroupSummary } from "./groups";
import type {
  Card,
  Columns,
  Command,
  Level,
  Line,
  LinkEvent,
  LogEntry,
  Me,
  Refused,
  Role,
  Session,
  SessionDetail,
  Station,
  Token,
  UnknownCard,
  User,
} from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const BASE = "/api/v1";
const ANSWER_MS = 15_000;

// undefined: not known yet; null: nobody is logged in.
export const me = signal<Me | null | undefined>(undefined);
export const ended = signal(false); // logged out by the central, not by the person

function failure(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  if (typeof error?.message === "string") {
    return new ApiError(status, String(error.code ?? status), error.message);
  }
  return new ApiError(status, String(status), `The central answered with HTTP ${status}.`);
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && me.value) headers["X-CSRF"] = me.value.csrf;
  const signal = AbortSignal.timeout(ANSWER_MS);
  const init: RequestInit = { method, headers, signal, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch {
    throw new ApiError(0, "unreachable", "The central cannot be reached. Is it running?");
  }
  const text = await response.text();
  let value: unknown = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    throw new ApiError(response.status, "not-json", `The central answered ${path} with something that is not JSON.`);
  }
  if (!response.ok) {
    if (response.status === 401 && path !== "/login") {
      ended.value = Boolean(me.value);
      me.value = null;
    }
    throw failure(response.status, value);
  }
  return value as T;
}

export function query(parameters: Record<string, string | number | undefined | null>): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") parts.set(key, String(value));
  }
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

export const segment = encodeURIComponent;

export async function whoAmI(): Promise<void> {
  try {
    me.value = await call<Me>("GET", "/me");
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    me.value = null;
  }
}

export async function login(user: string, password: string): Promise<void> {
  const answer = await call<Me>("POST", "/login", { user, password });
  ended.value = false;
  me.value = answer;
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

// What the page offers; the central itself refuses in any case.
export const may = (least: Role): boolean => RANKS[me.value?.role ?? "viewer"] >= RANKS[least];

export const setMyPassword = (old: string, fresh: string): Promise<unknown> => call("PUT", "/me/password", { old, new: fresh });

export const users = async (): Promise<User[]> => (await call<{ users: User[] }>("GET", "/users")).users;

// A password that the central made comes back only here and only once.
export const addUser = (name: string, role: Role): Promise<{ name: string; password?: string }> =>
  call("POST", "/users", { name, role });

export const setRole = (name: string, role: Role): Promise<unknown> => call("PUT", `/users/${segment(name)}`, { role });

export const removeUser = (name: string): Promise<unknown> => call("DELETE", `/users/${segment(name)}`);

export const newPassword = (name: string): Promise<{ name: string; password?: string }> =>
  call("POST", `/users/${segment(name)}/password`);

export const tokens = async (): Promise<Token[]> => (await call<{ tokens: Token[] }>("GET", "/tokens")).tokens;

export const addToken = (name: string, role: Role, days: number): Promise<{ id: number; token: string }> =>
  call("POST", "/tokens", { name, role, days });

export const removeToken = (id: number): Promise<unknown> => call("DELETE", `/tokens/${id}`);

export async function logout(): Promise<void> {
  await call("POST", "/logout");
  me.value = null;
}

export const stations = async (): Promise<Station[]> =>
  (await call<{ stations: Station[] }>("GET", "/stations")).stations;

export const station = (id: string): Promise<Station> => call("GET", `/stations/${segment(id)}`);

// The key comes back only here and only once.
export const addStation = (id: string, replace: boolean): Promise<{ id: string; key?: string }> =>
  call("POST", "/stations", { id, replace });

export const removeStation = (id: string): Promise<unknown> => call("DELETE", `/stations/${segment(id)}`);

export const measurements = (id: string, connector: number, from: Date, to?: Date): Promise<Columns> =>
  call(
    "GET",
    `/stations/${segment(id)}/measurements${query({ connector, from: from.toISOString(), to: to?.toISOString() })}`,
  );

export const log = async (id: string, before: number | null, limit: number): Promise<LogEntry[]> =>
  (await call<{ entries: LogEntry[] }>("GET", `/stations/${segment(id)}/log${query({ before, limit })}`)).entries;

// Orders that go over the station link, by the name their commands have.
const ORDERS: Record<string, string> = { LinkLimit: "limit", LinkEnergize: "energize", LinkSnapshot: "snapshot" };

export function command(id: string, action: string, payload: object): Promise<Pick<Command, "command_id" | "state">> {
  const order = ORDERS[action];
  return order === undefined
    ? call("POST", `/stations/${segment(id)}/commands`, { action, payload })
    : call("POST", `/stations/${segment(id)}/link/${order}`, payload);
}

export interface LinesFilter {
  query?: string;
  level?: Level;
  before?: number | null;
  limit?: number;
}

export const lines = (id: string, filter: LinesFilter): Promise<{ lines: Line[]; dropped: number }> =>
  call("GET", `/stations/${segment(id)}/logs${query({ ...filter })}`);

export const linkEvents = async (id: string, limit: number): Promise<LinkEvent[]> =>
  (await call<{ events: LinkEvent[] }>("GET", `/stations/${segment(id)}/link/events${query({ limit })}`)).events;

export const commandState = (id: number): Promise<Command> => call("GET", `/commands/${id}`);

export interface SessionFilter {
  station?: string;
  connector?: string;
  before?: number;
  limit?: number;
}

export const sessions = async (filter: SessionFilter): Promise<Session[]> =>
  (await call<{ sessions: Session[] }>("GET", `/sessions${query({ ...filter })}`)).sessions;

export const session = (id: number): Promise<SessionDetail> => call("GET", `/sessions/${id}`);

export const cards = async (): Promise<Card[]> => (await call<{ cards: Card[] }>("GET", "/cards")).cards;

export const unknownCards = async (): Promise<UnknownCard[]> =>
  (await call<{ cards: UnknownCard[] }>("GET", "/cards/unknown")).cards;

export type CardChange = Omit<Card, "status"> & { status: "Accepted" | "Blocked" };

export const putCard = ({ id_tag, ...rest }: CardChange): Promise<unknown> => call("PUT", `/cards/${segment(id_tag)}`, rest);

export const deleteCard = (tag: string): Promise<unknown> => call("DELETE", `/cards/${segment(tag)}`);

export const groups = async (): Promise<GroupSummary[]> =>
  (await call<{ groups: GroupSummary[] }>("GET", "/groups")).groups;

export const group = (id: string): Promise<GroupState> => call("GET", `/groups/${segment(id)}`);

export const putGroup = (id: string, document: object): Promise<GroupState> => call("PUT", `/groups/${segment(id)}`, document);

export const deleteGroup = (id: string): Promise<unknown> => call("DELETE", `/groups/${segment(id)}`);

export const groupHistory = (id: string, from: Date): Promise<GroupHistory> =>
  call("GET", `/groups/${segment(id)}/history${query({ from: from.toISOString() })}`);

export const refused = async (): Promise<Refused[]> => (await call<{ refused: Refused[] }>("GET", "/refused")).refused;
