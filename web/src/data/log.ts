// OCPP messages paired by id: one exchange is a CALL and the CALLRESULT or CALLERROR that belongs to it.
import type { LogEntry } from "./types";

export type Sender = "station" | "central";

export interface Exchange {
  seq: number; // of its first message: stable while the answer arrives
  time: string;
  sender: Sender; // who asked
  action: string;
  id: string;
  request: LogEntry | null; // null: the question is older than the log that was read
  answer: LogEntry | null; // null: not answered (yet)
}

const senderOf = (entry: LogEntry): Sender => (entry.direction === "in" ? "station" : "central");
const other = (sender: Sender): Sender => (sender === "station" ? "central" : "station");

// Both sides choose their ids freely, so an id is only unique together with who asked; and a
// station may count from 1 again after a restart, so an answer belongs to the latest open question.
export function exchanges(entries: readonly LogEntry[]): Exchange[] {
  const result: Exchange[] = [];
  const open = new Map<string, Exchange>();
  for (const entry of entries) {
    const isCall = entry.kind === "call";
    const sender = isCall ? senderOf(entry) : other(senderOf(entry));
    const key = `${sender} ${entry.message_id}`;
    const asked = isCall ? undefined : open.get(key);
    if (asked) {
      asked.answer = entry;
      open.delete(key);
      continue;
    }
    const fresh: Exchange = {
      seq: entry.seq,
      time: entry.time,
      sender,
      action: entry.action ?? "",
      id: entry.message_id,
      request: isCall ? entry : null,
      answer: isCall ? null : entry,
    };
    if (isCall) open.set(key, fresh);
    result.push(fresh);
  }
  return result;
}

// Adds entries to a list in order of seq; what is there already stays once. Keeps the newest `most`.
export function merge(list: readonly LogEntry[], more: readonly LogEntry[], most: number): LogEntry[] {
  const bySeq = new Map(list.map((entry) => [entry.seq, entry]));
  for (const entry of more) bySeq.set(entry.seq, entry);
  const merged = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  return merged.slice(Math.max(0, merged.length - most));
}

export interface LogFilter {
  action: string;
  sender: "" | Sender;
  text: string;
  quiet: boolean; // without what every charge sends all the time
}

const CHATTER = new Set(["Heartbeat", "MeterValues"]);

const isVehicleInfo = (exchange: Exchange): boolean =>
  exchange.action === "DataTransfer" && fields(exchange.request?.payload)["messageId"] === "VehicleInfo";

export function matches(exchange: Exchange, filter: LogFilter): boolean {
  // Who asks for one action wants to see it, chatter or not; and an error is never chatter.
  const isRoutine = CHATTER.has(exchange.action) || isVehicleInfo(exchange);
  if (filter.quiet && filter.action === "" && isRoutine && exchange.answer?.kind !== "error") return false;
  if (filter.action !== "" && exchange.action !== filter.action) return false;
  if (filter.sender !== "" && exchange.sender !== filter.sender) return false;
  if (filter.text === "") return true;
  const haystack = [exchange.action, exchange.id, exchange.request?.payload, exchange.answer?.payload].join("\n");
  return haystack.toLowerCase().includes(filter.text.toLowerCase());
}

// Whatever was on the wire: an object if it is one, else nothing to look into.
function fields(payload: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

function scalar(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

// The one or two values of a payload a reader looks for first.
const TELLING: Record<string, readonly string[]> = {
  Authorize: ["idTag"],
  BootNotification: ["chargePointVendor", "chargePointModel", "firmwareVersion"],
  ChangeAvailability: ["connectorId", "type"],
  ChangeConfiguration: ["key", "value"],
  DataTransfer: ["vendorId", "messageId", "data"],
  MeterValues: ["connectorId", "transactionId"],
  RemoteStartTransaction: ["connectorId", "idTag"],
  RemoteStopTransaction: ["transactionId"],
  Reset: ["type"],
  StartTransaction: ["connectorId", "idTag", "meterStart"],
  StatusNotification: ["connectorId", "status", "errorCode"],
  StopTransaction: ["transactionId", "reason", "meterStop"],
  UnlockConnector: ["connectorId"],
};

export function summary(exchange: Exchange): string {
  const values = fields(exchange.request?.payload);
  const keys = TELLING[exchange.action] ?? [];
  return keys
    .map((key) => [key, scalar(values[key])] as const)
    .filter(([key, value]) => value !== null && !(key === "errorCode" && value === "NoError"))
    .map(([key, value]) => (key === "connectorId" ? `connector ${value}` : (value as string)))
    .join(" · ");
}

// "Accepted", "NotSupported", "tx 12": what came back, in a word.
export function outcome(exchange: Exchange): string {
  const answer = exchange.answer;
  if (!answer) return exchange.request ? "no answer yet" : "";
  const values = fields(answer.payload);
  if (answer.kind === "error") return scalar(values["code"]) ?? "CALLERROR";
  const tag = values["idTagInfo"] as Record<string, unknown> | null | undefined;
  const status = scalar(values["status"]) ?? scalar(tag?.["status"]);
  const transaction = scalar(values["transactionId"]);
  return [status, transaction === null ? null : `transaction ${transaction}`].filter(Boolean).join(" · ") || "OK";
}

export function jsonLines(entries: readonly LogEntry[]): string {
  return entries.map((entry) => JSON.stringify(entry) + "\n").join("");
}
