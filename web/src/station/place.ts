// The places behind the hash of the address.
import { signal } from "@preact/signals";

export const PLACES = ["charge", "house", "timers", "history", "board", "network", "central", "settings", "log", "about"] as const;

export type Place = (typeof PLACES)[number];

export const place = signal<Place>("charge");

export const href = (to: Place): string => (to === "charge" ? "#/" : `#/${to}`);

export function parse(hash: string): Place {
  const name = hash.replace(/^#\/?/, "");
  return PLACES.find((known) => known === name) ?? "charge";
}

export function followAddress(): void {
  const read = (): void => {
    place.value = parse(window.location.hash);
  };
  window.addEventListener("hashchange", () => {
    read();
    window.scrollTo(0, 0);
  });
  read();
}
