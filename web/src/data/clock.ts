// The central's clock. It may run apart from this computer's, and faster in a demonstration, so
// "since" is counted against the latest time the central itself has told.
import { signal } from "@preact/signals";

let ahead: number | null = null; // ms the central is ahead of this computer

export function serverNow(): number {
  return Date.now() + (ahead ?? 0);
}

export function observe(serverMs: number): void {
  if (!Number.isFinite(serverMs)) return;
  const difference = serverMs - Date.now();
  if (ahead === null || difference > ahead) ahead = difference;
}

// Ticks once a second; read it where a "since" is drawn.
export const second = signal(serverNow());

setInterval(() => {
  second.value = serverNow();
}, 1000);
