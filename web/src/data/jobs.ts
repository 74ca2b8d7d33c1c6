// The commands this page has sent, newest first, followed to their effect.
import { effect, signal, untracked } from "@preact/signals";
import * as api from "./api";
import { isOver, withAnswer, withEffect, type Job } from "./command";
import { fleet, on } from "./live";
import type { Command } from "./types";

export const jobs = signal<readonly Job[]>([]);

const KEPT = 20;
const POLL_MS = 2000;
const SLOW_POLL_MS = 10_000; // an update may take an hour
let lastKey = 0;

function update(key: number, step: (job: Job) => Job): void {
  jobs.value = jobs.value.map((job) => (job.key === key ? step(job) : job));
}

const find = (key: number): Job | undefined => jobs.value.find((job) => job.key === key);

function watch(): void {
  if (!jobs.value.some((job) => job.phase === "watching")) return;
  jobs.value = jobs.value.map((job) => withEffect(job, fleet.value?.get(job.station), Date.now()));
}

// The event stream tells first; asking is for the time it is down.
async function poll(key: number): Promise<void> {
  for (let job = find(key); job && !isOver(job); job = find(key)) {
    if (job.commandId !== null && (job.phase !== "watching" || job.told)) {
      const state = await api.commandState(job.commandId).catch(() => null);
      if (state) update(key, (j) => withAnswer(j, state));
    }
    watch();
    await new Promise((resolve) => setTimeout(resolve, job.told ? SLOW_POLL_MS : POLL_MS));
  }
}

function over(key: number): Promise<Job | undefined> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const job = find(key);
      if (job && !isOver(job)) return;
      queueMicrotask(() => stop());
      resolve(job);
    });
  });
}

export type Queued = Pick<Command, "command_id" | "state">;

export interface Asked {
  action: string;
  payload: Record<string, unknown>;
  title: string;
}

export const send = (station: string, action: string, payload: Record<string, unknown>, title: string): Promise<Job | undefined> =>
  follow(station, { action, payload, title }, () => api.command(station, action, payload));

// `ask` queues the command; what has no command_id had nothing to do. `refused` gets what the central finds wrong with
// the request itself (400): that belongs to the form, not to the list.
export async function follow(
  station: string,
  { action, payload, title }: Asked,
  ask: () => Promise<Queued | object>,
  refused?: (problem: string) => void,
): Promise<Job | undefined> {
  lastKey += 1;
  const key = lastKey;
  const before = fleet.value?.get(station);
  const job: Job = {
    key,
    station,
    action,
    payload,
    title,
    before,
    phase: "sending",
    commandId: null,
    answer: null,
    note: "sending",
    told: false,
    at: Date.now(),
  };
  jobs.value = [job, ...jobs.value].slice(0, KEPT);
  try {
    const queued = await ask();
    if (!("command_id" in queued)) {
      update(key, (j) => ({ ...j, answer: queued, phase: "done", note: "nothing had to be sent" }));
      return find(key);
    }
    update(key, (j) => withAnswer({ ...j, commandId: queued.command_id }, { state: queued.state, answer: null }));
  } catch (error) {
    if (refused && error instanceof api.ApiError && error.status === 400) {
      jobs.value = jobs.value.filter((j) => j.key !== key);
      refused(error.message);
      return undefined;
    }
    update(key, (j) => ({ ...j, phase: "failed", note: error instanceof Error ? error.message : String(error) }));
    return find(key);
  }
  void poll(key);
  return over(key);
}

on("command", (command: Command) => {
  for (const job of jobs.value) {
    if (job.commandId === command.command_id) update(job.key, (j) => withAnswer(j, command));
  }
  watch();
});
effect(() => {
  void fleet.value;
  untracked(watch);
});
