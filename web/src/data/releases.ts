// Releases, roll-outs and uploaded logs; see central/api/openapi.yaml.
import { ApiError, call, me, segment } from "./api";
import type { Tone } from "../ui/parts";

export interface Manifest {
  product: string;
  hardware: string[];
  version: string;
  min_from: string;
  security_counter: number;
  expires: string;
  notes_url: string;
  components: { name: string; size: number; sha256: string }[];
}

export interface ModelFit {
  model: string;
  stations: number;
  fits: boolean;
}

export interface Release {
  id: number;
  name: string;
  sha256: string;
  size: number;
  manifest: Manifest;
  signed_by: string[];
  verdict: string | null; // null: this central has no root to judge by
  why: string | null;
  added_by: string;
  added_at: string;
  ocpp_signed: boolean;
  rollouts: number; // that are not over
  location: string;
  models: ModelFit[];
  only_models: string[];
}

export type RolloutState = "running" | "paused" | "stopped" | "cancelled" | "finished";

export interface Stage {
  stage: number;
  percent: number | null; // null: the canary
  stations: number;
  begun: number;
  done: number;
  failed: number;
}

export interface RolloutSummary {
  id: number;
  name: string;
  release_id: number;
  version: string;
  state: RolloutState;
  why: string | null;
  way: string;
  canary: number;
  canary_failures: number;
  canary_finds_percent: number; // 0: of one from before this was reckoned
  soak_s: number;
  at_most: number;
  stop_percent: number;
  stop_count: number;
  deadline_s: number;
  stage: number;
  stages: Stage[];
  soak_until: string | null;
  made_at: string;
  changed_at: string;
  made_by: string;
  counts: Record<string, number>;
  total: number;
}

export interface Kind {
  kind: string;
  stations: number;
  canary: number; // of them in the canary
  done?: number;
  failed?: number;
}

export interface RolloutStation {
  station_id: string;
  state: string;
  stage: number;
  since: string;
  why: string | null;
  way: string | null;
  was: string | null;
  began_at: string | null;
  ended_at: string | null;
}

export interface Upload {
  id: number;
  kind: string;
  asked_at: string;
  state: "here" | "awaited";
  got_at: string | null;
  size: number | null;
  name: string | null;
}

export const releases = async (): Promise<Release[]> => (await call<{ releases: Release[] }>("GET", "/releases")).releases;
export interface ReleaseChange {
  models?: string[];
  certificate?: string; // PEM; with an empty signature: none
  signature?: string; // base64
}
export const changeRelease = (id: number, change: ReleaseChange): Promise<Release> => call("PUT", `/releases/${id}`, change);
export const deleteRelease = (id: number): Promise<unknown> => call("DELETE", `/releases/${id}`);
export const rollouts = async (): Promise<RolloutSummary[]> => (await call<{ rollouts: RolloutSummary[] }>("GET", "/rollouts")).rollouts;
export const rollout = (id: number): Promise<{ rollout: RolloutSummary; kinds: Kind[]; stations: RolloutStation[] }> => call("GET", `/rollouts/${id}`);
export const planRollout = (asked: object): Promise<{ rollout: RolloutSummary; kinds: Kind[] }> => call("POST", "/rollouts/plan", asked);
export const startRollout = (asked: object): Promise<{ rollout: RolloutSummary }> => call("POST", "/rollouts", asked);
export const changeRollout = (id: number, what: "pause" | "resume" | "cancel" | "retry"): Promise<unknown> => call("POST", `/rollouts/${id}/${what}`, {});
export const uploads = async (station: string): Promise<Upload[]> => (await call<{ uploads: Upload[] }>("GET", `/stations/${segment(station)}/uploads`)).uploads;
export const deleteUpload = (id: number): Promise<unknown> => call("DELETE", `/uploads/${id}`);
export const uploadUrl = (id: number): string => `/api/v1/uploads/${id}/file`;

// fetch() does not tell how much of a body has left; XMLHttpRequest does.
export function addRelease(file: File, progress: (part: number) => void): Promise<Release> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/releases?name=${segment(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (me.value) request.setRequestHeader("X-CSRF", me.value.csrf);
    request.upload.onprogress = (event) => progress(event.total > 0 ? event.loaded / event.total : 0);
    request.onerror = () => fail(new ApiError(0, "unreachable", "The central ended the upload. Is it running, and are you logged in?"));
    request.onload = () => {
      let said: unknown = null;
      try {
        said = JSON.parse(request.responseText);
      } catch {
        // what follows says so
      }
      const message = (said as { error?: { code: string; message: string } } | null)?.error;
      if (request.status === 201) done(said as Release);
      else fail(new ApiError(request.status, message?.code ?? String(request.status), message?.message ?? `The central answered with HTTP ${request.status}.`));
    };
    request.send(file);
  });
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const units = ["kB", "MB", "GB"];
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] ?? "GB"}`;
}

export const STATE_TONES: Record<RolloutState, Tone> = { running: "info", paused: "warn", stopped: "bad", cancelled: "mute", finished: "go" };

const STEP_TONES: Record<string, Tone> = { waiting: "mute", failed: "bad", done: "go", "has it": "calm", gone: "mute" };
export const stepTone = (state: string): Tone => STEP_TONES[state] ?? "info";

export const stageName = (stage: Stage): string => (stage.percent === null ? "Canary" : stage.percent === 100 ? "All" : `${stage.percent} %`);

export const countOf = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

// What a canary of this size is worth.
export function finds(one: RolloutSummary): string {
  if (one.canary === 0) return "no canary: a fault is found among all others";
  return `finds a fault in 5\u00a0% of the stations with ${one.canary_finds_percent}\u00a0% probability`;
}

// A canary that is lost at once is no canary.
export function grows(one: RolloutSummary): string {
  if (one.canary < 2) return "";
  return one.canary > 5 ? "It grows: one station, then five, then all of it." : "It grows: one station, then the others.";
}

// "10, 50, 100" as numbers; null when it is nothing a roll-out takes.
export function readStages(text: string): number[] | null {
  const parts = text.split(/[\s,;%]+/).filter((part) => part !== "");
  const list = parts.map(Number);
  const good = list.length >= 1 && list.length <= 8 && list.every((n, i) => Number.isInteger(n) && n >= 1 && n <= 100 && n > (list[i - 1] ?? 0));
  return good && list[list.length - 1] === 100 ? list : null;
}

// Names a line each, as a person types them.
export const readModels = (text: string): string[] =>
  text
    .split("\n")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export const base64 = (file: Uint8Array): string => btoa(Array.from(file, (byte) => String.fromCharCode(byte)).join(""));
