// The station's table of settings, as the station itself describes it; a change goes through the same check as
// everywhere, and a refusal is shown at its field in the station's own words.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty, Loading, Problem, Segments } from "../ui/parts";
import { readSettings, settings, visitor } from "./data";
import { grouped, isOpen } from "./model";
import { SettingRow } from "./setting_row";
import { Closed, VisitNotice } from "./visit";

// Reads the table for whoever may; what went wrong is told.
export function useSettings(): unknown {
  const problem = useSignal<unknown>(null);
  const inside = visitor.value?.inside === true;
  useEffect(() => {
    if (!inside) return;
    readSettings().then(
      () => (problem.value = null),
      (error: unknown) => (problem.value = error),
    );
  }, [inside]);
  return problem.value;
}

export function SettingsPage() {
  const find = useSignal("");
  const which = useSignal<"open" | "all">("open");
  const chosen = useSignal("");
  const problem = useSettings();
  const inside = visitor.value?.inside === true;
  const all = settings.value;
  const groups = grouped((all ?? []).filter((setting) => which.value === "all" || isOpen(setting)), find.value);
  const searching = find.value.trim() !== "";
  const shown = searching ? groups : groups.filter((group) => group.name === (groups.some((g) => g.name === chosen.value) ? chosen.value : groups[0]?.name));
  return (
    <>
      <div class="title many">
        <h1>Settings</h1>
        <span class="grow" />
        {inside && (
          <Segments
            label="Which settings"
            value={which.value}
            options={[
              ["open", "Can be changed"],
              ["all", "All"],
            ]}
            onChange={(value) => (which.value = value)}
          />
        )}
        {inside && (
          <label class="find">
            <span class="unseen">Find a setting</span>
            <input type="search" placeholder="Find a setting" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} />
          </label>
        )}
      </div>
      {inside && <VisitNotice />}
      {!inside && <Closed what="Settings" />}
      {inside && problem !== null && <Problem error={problem} retry={() => void readSettings()} />}
      {inside && all === null && problem === null && <Loading />}
      {inside && groups.length > 0 && (
        <div class="settingsgrid">
          {!searching && (
            <div class="groupnav" role="group" aria-label="Group of settings">
              {groups.map((group) => (
                <button type="button" key={group.name} aria-pressed={shown[0]?.name === group.name} onClick={() => (chosen.value = group.name)}>
                  {group.name} <small>{group.settings.length}</small>
                </button>
              ))}
            </div>
          )}
          <div>
            {shown.map((group) => (
              <section class="card" key={group.name}>
                <h2 class="grouphead">{group.name}</h2>
                <ul>
                  {group.settings.map((setting) => (
                    <SettingRow key={setting.path} setting={setting} />
                  ))}
                </ul>
              </section>
            ))}
          </div>
        </div>
      )}
      {inside && all !== null && groups.length === 0 && <Empty icon="overview" title="No setting matches" />}
    </>
  );
}
