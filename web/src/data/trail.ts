// The yard's power over the last minutes this page has been open, for the line behind the figure.
import { signal } from "@preact/signals";
import { totals } from "./fleet";
import { fleet, link } from "./live";

const TRAIL = 150;
const STEP_MS = 2000;

export const trail = signal<readonly number[]>([]);

setInterval(() => {
  if (fleet.value === null || link.value !== "live") return;
  trail.value = [...trail.value, totals(fleet.value).power_w].slice(-TRAIL);
}, STEP_MS);
