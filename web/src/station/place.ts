// Three places behind the hash of the address.
import { signal } from "@preact/signals";

export type Place = "now" | "settings" | "log";

export const place = signal<Place>("now");

export const href: Record<Place, string> = { now: "#/", settings: "#/settings", log: "#/log" };

export function parse(hash: string): Place {
  const name = hash.replace(/^#\/?/, "");
  return name === "settings" || name === "log" ? name : "now";
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
