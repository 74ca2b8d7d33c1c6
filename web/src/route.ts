// Hash routes: the central serves one page, what follows # is ours.
import { signal } from "@preact/signals";

export type Route =
  | { page: "overview" }
  | { page: "station"; id: string; tab: StationTab }
  | { page: "sessions" }
  | { page: "session"; id: number }
  | { page: "cards"; add: string }
  | { page: "groups" }
  | { page: "group"; id: string; edit: boolean }
  | { page: "group_new" }
  | { page: "firmware" }
  | { page: "rollout"; id: number }
  | { page: "rollout_new"; release: number }
  | { page: "refused" }
  | { page: "people" }
  | { page: "account" }
  | { page: "missing"; hash: string };

export type StationTab = "charge" | OcppTab | "lines" | "log";

// What OCPP lets a central do beyond a charge: pages of their own, read when they are opened.
export type OcppTab = (typeof OCPP_TABS)[number];

export const OCPP_TABS = ["commands", "profiles", "reservations", "list", "configuration", "files", "security"] as const;

const TABS: readonly StationTab[] = [...OCPP_TABS, "lines", "log"];

export function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter((part) => part !== "");
  const [page, id, tab] = parts.map(decode);
  if (page === undefined) return { page: "overview" };
  if (page === "stations" && id !== undefined && parts.length <= 3) {
    if (tab === undefined) return { page: "station", id, tab: "charge" };
    const known = TABS.find((name) => name === tab);
    if (known) return { page: "station", id, tab: known };
  }
  if (page === "sessions" && parts.length === 1) return { page: "sessions" };
  if (page === "sessions" && parts.length === 2 && /^\d+$/.test(id ?? "")) return { page: "session", id: Number(id) };
  if (page === "cards" && parts.length === 1) return { page: "cards", add: new URLSearchParams(search).get("add") ?? "" };
  if (page === "groups" && parts.length === 1) return { page: "groups" };
  if (page === "groups" && id !== undefined && (parts.length === 2 || (parts.length === 3 && tab === "edit"))) {
    return { page: "group", id, edit: tab === "edit" };
  }
  if (page === "new-group" && parts.length === 1) return { page: "group_new" };
  if (page === "firmware" && parts.length === 1) return { page: "firmware" };
  if (page === "rollouts" && parts.length === 2 && /^\d+$/.test(id ?? "")) return { page: "rollout", id: Number(id) };
  if (page === "new-rollout" && parts.length === 2 && /^\d+$/.test(id ?? "")) return { page: "rollout_new", release: Number(id) };
  if (page === "refused" && parts.length === 1) return { page: "refused" };
  if (page === "people" && parts.length === 1) return { page: "people" };
  if (page === "account" && parts.length === 1) return { page: "account" };
  return { page: "missing", hash };
}

// A half-typed escape is not worth a crash.
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const href = {
  overview: "#/",
  sessions: "#/sessions",
  cards: "#/cards",
  groups: "#/groups",
  newGroup: "#/new-group",
  group: (id: string, edit = false): string => `#/groups/${encodeURIComponent(id)}${edit ? "/edit" : ""}`,
  firmware: "#/firmware",
  rollout: (id: number): string => `#/rollouts/${id}`,
  newRollout: (release: number): string => `#/new-rollout/${release}`,
  refused: "#/refused",
  people: "#/people",
  account: "#/account",
  station: (id: string, tab?: StationTab): string =>
    `#/stations/${encodeURIComponent(id)}${tab && tab !== "charge" ? `/${tab}` : ""}`,
  session: (id: number): string => `#/sessions/${id}`,
  addCard: (tag: string): string => `#/cards?add=${encodeURIComponent(tag)}`,
};

export const route = signal<Route>({ page: "overview" });

export function followAddress(): void {
  const read = (): void => {
    route.value = parse(window.location.hash);
  };
  window.addEventListener("hashchange", () => {
    const before = route.peek().page;
    read();
    window.scrollTo(0, 0);
    // Who listens or tabs goes on in the new page, not in the menu; a station's tabs keep the place.
    if (route.peek().page !== before) document.getElementById("main")?.focus({ preventScroll: true });
  });
  read();
}
