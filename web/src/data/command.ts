// What became of a command: sent → answered → its effect seen on the station. Pure steps; rows say what the effect is.
import { plugs } from "./fleet";
import type { Command, Connector, Station } from "./types";

export type Phase = "sending" | "pending" | "watching" | "done" | "refused" | "failed" | "unseen";

export interface Job {
  key: number; // ours
  station: string;
  action: string;
  payload: Record<string, unknown>;
  title: string;
  phase: Phase;
  commandId: number | null;
  answer: unknown;
  note: string;
  told: boolean; // the central watches for the effect and tells it
  before: Station | undefined; // as it was when we asked
  at: number; // ms
}

// How long the station may take to show what it accepted, ms. Two sample intervals and a reboot fit.
export const EFFECT_WAIT_MS = 90_000;

interface Effect {
  expect: string;
  seen(now: Station, job: Job): string | null;
}

const plug = (station: Station | undefined, id: unknown): Connector | undefined =>
  station?.connectors.find((c) => c.connector_id === id);

// Connector 0 means every plug of the station (OCPP 1.6 §5.2).
const named = (station: Station, id: unknown): Connector[] =>
  id === 0 || id === undefined ? plugs(station) : plugs(station).filter((c) => c.connector_id === id);

const EFFECTS: Record<string, Effect> = {
  RemoteStartTransaction: {
    expect: "waiting for the charge to begin",
    seen(now, job) {
      const started = named(now, job.payload["connectorId"]).find(
        (c) => c.transaction_id !== null && c.transaction_id !== plug(job.before, c.connector_id)?.transaction_id,
      );
      return started ? `charge ${started.transaction_id} began on connector ${started.connector_id}` : null;
    },
  },
  RemoteStopTransaction: {
    expect: "waiting for the charge to end",
    seen: (now, job) =>
      now.connectors.some((c) => c.transaction_id === job.payload["transactionId"]) ? null : "the charge has ended",
  },
  Reset: {
    expect: "waiting for the station to come back",
    seen: (now, job) =>
      now.online && now.boot_at !== null && now.boot_at !== job.before?.boot_at ? "the station has restarted" : null,
  },
  LinkLimit: {
    expect: "waiting for the limit to apply",
    seen(now, job) {
      const limit = plug(now, job.payload["connector_id"])?.limit;
      const asked = job.payload["current_a"];
      return limit && typeof asked === "number" && limit.a <= asked ? `limited to ${limit.a} A by ${limit.source}` : null;
    },
  },
  LinkEnergize: {
    expect: "waiting for the contactor",
    seen(now, job) {
      const on = job.payload["on"] === true;
      return plug(now, job.payload["connector_id"])?.energised === on ? (on ? "the contactor is closed" : "the contactor is open") : null;
    },
  },
  ChangeAvailability: {
    expect: "waiting for the connector to report it",
    seen(now, job) {
      const out = job.payload["type"] === "Inoperative";
      const all = named(now, job.payload["connectorId"]).every((c) => (c.status === "Unavailable") === out);
      return all ? (out ? "out of service" : "back in service") : null;
    },
  },
};

const GOOD = new Set(["Accepted", "Scheduled", "Unlocked", "RebootRequired"]);

const NOTES: Record<string, string> = {
  Scheduled: "the station does it when the running charge ends",
  RebootRequired: "stored; it takes effect after a restart",
  UnlockFailed: "the station could not unlock the plug",
  NotSupported: "the station does not support this",
  Rejected: "the station rejected it",
};

export function answerStatus(answer: unknown): string | null {
  const status = (answer as { status?: unknown } | null)?.status;
  return typeof status === "string" ? status : null;
}

function callError(answer: unknown): string {
  const error = answer as { code?: unknown; description?: unknown; message?: unknown } | null;
  const parts = [error?.code, error?.description ?? error?.message].filter((p) => typeof p === "string" && p !== "");
  return parts.length > 0 ? parts.join(": ") : "the station answered with an error";
}

// Over the station link a refusal comes with the safety machine's own words.
function refusal(status: string, answer: unknown): string {
  const reason = (answer as { reason?: unknown } | null)?.reason;
  return typeof reason === "string" && reason !== "" ? `the station refused: ${reason}` : (NOTES[status] ?? status);
}

type Told = Pick<Command, "effect_state" | "effect">;

// What this page sees on the station itself comes first; of all else the central tells.
function answered(job: Job, answer: unknown, told: Told): Job {
  const status = answerStatus(answer);
  if (status !== null && !GOOD.has(status)) {
    return { ...job, answer, phase: "refused", note: refusal(status, answer) };
  }
  const effect = EFFECTS[job.action];
  if (effect && status !== "Scheduled") return { ...job, answer, phase: "watching", note: effect.expect };
  if (told.effect_state) return withTold({ ...job, answer, told: true }, told);
  return { ...job, answer, phase: "done", note: status === null ? "answered" : (NOTES[status] ?? status.toLowerCase()) };
}

function withTold(job: Job, { effect_state, effect }: Told): Job {
  switch (effect_state) {
    case "seen":
      return { ...job, phase: "done", note: effect ?? "done" };
    case "failed":
      return { ...job, phase: "failed", note: effect ?? "it did not work" };
    case "none":
    case "unknown":
      return { ...job, phase: "unseen", note: effect ?? "accepted, but nothing changed since" };
    default:
      return { ...job, phase: "watching", note: effect ?? "accepted; nothing was seen yet" };
  }
}

export function withAnswer(job: Job, command: Pick<Command, "state" | "answer"> & Told): Job {
  if (job.told && job.phase === "watching") return withTold(job, command);
  // The answer may be told before what it leads to is known.
  if (job.phase === "done" && !job.told && command.effect_state && !EFFECTS[job.action]) return withTold({ ...job, told: true }, command);
  if (job.phase !== "sending" && job.phase !== "pending") return job;
  switch (command.state) {
    case "pending":
      return { ...job, phase: "pending", note: "waiting for the station's answer" };
    case "answered":
      return answered(job, command.answer, command);
    case "error":
      return { ...job, answer: command.answer, phase: "failed", note: callError(command.answer) };
    case "timeout":
      return { ...job, phase: "failed", note: "the station did not answer in time" };
    case "offline":
      return { ...job, phase: "failed", note: "the station is offline" };
  }
}

export function withEffect(job: Job, now: Station | undefined, ms: number): Job {
  if (job.phase !== "watching" || job.told) return job;
  const seen = now ? EFFECTS[job.action]?.seen(now, job) : null;
  if (seen) return { ...job, phase: "done", note: seen };
  if (ms - job.at > EFFECT_WAIT_MS) return { ...job, phase: "unseen", note: "accepted, but nothing changed since" };
  return job;
}

// The connector a request is about; null: the station as a whole.
export function connectorOf(job: Job): number | null {
  const { transactionId } = job.payload;
  const connectorId = job.payload["connectorId"] ?? job.payload["connector_id"];
  if (typeof connectorId === "number") return connectorId > 0 ? connectorId : null;
  const plug = job.before?.connectors.find((c) => c.transaction_id === transactionId);
  return transactionId === undefined || !plug ? null : plug.connector_id;
}

export const isOver = (job: Job): boolean => !["sending", "pending", "watching"].includes(job.phase);

// Keys whose value nobody needs to read over another's shoulder.
const SECRET = /authorizationkey|password|secret|passphrase|token/i;

// What a command is about, where its name alone does not tell: the key that is changed, and to what.
export function subjectOf({ action, payload }: Pick<Command, "action"> & { payload?: unknown }): string {
  const { key, value } = (payload ?? {}) as { key?: unknown; value?: unknown };
  if (action !== "ChangeConfiguration" || typeof key !== "string") return "";
  return typeof value !== "string" ? key : `${key} = ${SECRET.test(key) ? "•••" : value}`;
}
