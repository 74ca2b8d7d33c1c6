// What the central keeps of a station, read again whenever a message or a command about it went by.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { follow, type Asked, type Queued } from "../../../data/jobs";
import type { Job } from "../../../data/command";
import { on, opened } from "../../../data/live";
import { useLoad, type Loaded } from "../../../ui/load";

const SETTLE_MS = 300; // a message is told before all of it is kept; several come together

export function useWatched<T>(station: string, read: () => Promise<T>, actions: readonly string[]): Loaded<T> {
  const loaded = useLoad(read, [station, opened.value]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const news = (event: { station_id: string; action: string | null }): void => {
      if (event.station_id !== station || event.action === null || !actions.includes(event.action)) return;
      clearTimeout(timer);
      timer = setTimeout(loaded.reload, SETTLE_MS);
    };
    const ends = [on("command", news), on("ocpp", news)];
    return () => {
      clearTimeout(timer);
      ends.forEach((end) => end());
    };
  }, [loaded.reload]);
  return loaded;
}

export interface Order {
  refused: string | null; // what the central found wrong with the last request
  busy: boolean;
  forget: () => void;
  give: (asked: Asked, ask: () => Promise<Queued | object>) => Promise<Job | undefined>;
}

export function useOrder(station: string): Order {
  const refused = useSignal<string | null>(null);
  const busy = useSignal(false);
  return {
    refused: refused.value,
    busy: busy.value,
    forget: () => (refused.value = null),
    give: async (asked, ask) => {
      refused.value = null;
      busy.value = true;
      try {
        return await follow(
          station,
          asked,
          async () => {
            const queued = await ask();
            busy.value = false; // it is on its way: what comes of it is followed beside the form
            return queued;
          },
          (problem) => (refused.value = problem),
        );
      } finally {
        busy.value = false;
      }
    },
  };
}

export const whyOffline = (online: boolean): string | null => (online ? null : "the station is offline");
