// The debug switches: whose lines go to the log whatever its level, and whose to the broker.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../ui/parts";
import { debugAreas, putSetting, settings, visitor } from "./data";
import { switched, whyNothing } from "./model";
import { useSettings } from "./settings";
import type { DebugArea } from "./types";

const PATH = "mqtt.debug";

export function Debug() {
  const areas = useSignal<DebugArea[]>([]);
  const problem = useSignal<unknown>(null);
  const unread = useSettings();
  const nobody = whyNothing(visitor.value);
  const digits = settings.value?.find((setting) => setting.path === PATH)?.value ?? "";
  useEffect(() => {
    debugAreas().then(
      (read) => (areas.value = read),
      (error: unknown) => (problem.value = error),
    );
  }, []);
  const turn = (at: number): void => {
    putSetting(PATH, switched(digits, at)).then(
      () => (problem.value = null),
      (error: unknown) => (problem.value = error),
    );
  };
  const box = (area: string, label: string, at: number) => (
    <label class="check small" title={nobody ?? undefined}>
      <input type="checkbox" aria-label={`${area}: ${label}`} checked={digits[at] === "1"} disabled={nobody !== null} onChange={() => turn(at)} />
      {label}
    </label>
  );
  return (
    <details class="card">
      <summary class="grouphead">
        <b>Debug switches</b> <span class="soft small">everything an area says, whatever the level: here and over MQTT</span>
      </summary>
      {(problem.value ?? unread) !== null && <Problem error={problem.value ?? unread} />}
      <ul class="debug">
        {areas.value.map(
          (area, index) =>
            area.name !== "" && (
              <li key={area.name}>
                <span title={area.rooms}>{area.name}</span>
                {box(area.name, "log", 2 * index)}
                {box(area.name, "MQTT", 2 * index + 1)}
              </li>
            ),
        )}
      </ul>
    </details>
  );
}
