import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../data/api";
import { second } from "../data/clock";
import { sessionsCsv } from "../data/csv";
import { duration, energy, percent, words } from "../data/format";
import { sessionEnergy } from "../data/fleet";
import { fleet, on, opened } from "../data/live";
import type { Session } from "../data/types";
import { href } from "../route";
import { download } from "../ui/copy";
import { Button, Chip, Empty, Loading, Num, Problem, When } from "../ui/parts";

const PAGE = 100;

export function socSpan(s: Session): string {
  const end = s.soc_end ?? null;
  if (s.soc_start === null && end === null) return "–";
  return `${percent(s.soc_start).text} → ${percent(end).text} %`;
}

export function secondsOf(s: Session): number | null {
  if (s.stop_at !== null) return s.duration_s;
  return Math.max(0, (second.value - Date.parse(s.start_at)) / 1000);
}

export function energyOf(s: Session): number | null {
  const plug = fleet.value?.get(s.station_id)?.connectors.find((c) => c.connector_id === s.connector_id);
  return sessionEnergy(s, plug);
}

function Row({ s }: { s: Session }) {
  const go = (event: MouseEvent): void => {
    if (!(event.target as HTMLElement).closest("a")) window.location.hash = href.session(s.id);
  };
  return (
    <tr class="go" onClick={go}>
      <td data-label="Start">
        <a href={href.session(s.id)}>
          <When at={s.start_at} />
        </a>
      </td>
      <td data-label="Station">
        {s.station_id} <span class="soft">· {s.connector_id}</span>
      </td>
      <td data-label="Card">{s.id_tag ?? "–"}</td>
      <td data-label="Vehicle">{s.vehicle_model ?? "–"}</td>
      <td data-label="Duration" class="right">
        {duration(secondsOf(s))}
      </td>
      <td data-label="Energy" class="right strong">
        <Num value={energy(energyOf(s))} />
      </td>
      <td data-label="Charge" class="right">
        {socSpan(s)}
      </td>
      <td data-label="End">
        {s.stop_at === null ? (
          <Chip tone="go">Running</Chip>
        ) : (
          <span class="ended">{words(s.stop_reason ?? "Local")}</span>
        )}
        {s.suspect && <Chip tone="warn">{s.suspect.replaceAll("_", " ")}</Chip>}
      </td>
    </tr>
  );
}

function matchesFilter(s: Session, station: string, connector: string): boolean {
  return (station === "" || s.station_id === station) && (connector === "" || String(s.connector_id) === connector);
}

export function Sessions() {
  const list = useSignal<Session[] | null>(null);
  const complete = useSignal(false);
  const station = useSignal("");
  const connector = useSignal("");
  const problem = useSignal<unknown>(null);
  const exporting = useSignal(false);

  const filter = (before?: number, limit = PAGE): api.SessionFilter => ({
    ...(station.value !== "" && { station: station.value }),
    ...(connector.value !== "" && { connector: connector.value }),
    ...(before !== undefined && { before }),
    limit,
  });
  const load = async (before?: number): Promise<void> => {
    try {
      const more = await api.sessions(filter(before));
      list.value = before === undefined ? more : [...(list.value ?? []), ...more];
      complete.value = more.length < PAGE;
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useSignalEffect(() => {
    void [station.value, connector.value, opened.value];
    void load();
  });
  useEffect(
    () =>
      on("transaction", (s) => {
        if (!list.peek() || !matchesFilter(s, station.peek(), connector.peek())) return;
        const others = (list.peek() ?? []).filter((other) => other.id !== s.id);
        list.value = [s, ...others].sort((a, b) => b.id - a.id);
      }),
    [],
  );
  const save = async (): Promise<void> => {
    exporting.value = true;
    try {
      const all: Session[] = [];
      for (let more = await api.sessions(filter(undefined, 500)); ; ) {
        all.push(...more);
        const last = more[more.length - 1];
        if (!last || more.length < 500) break;
        more = await api.sessions(filter(last.id, 500));
      }
      download("sessions.csv", "text/csv", sessionsCsv(all));
    } catch (error) {
      problem.value = error;
    }
    exporting.value = false;
  };

  const stations = [...(fleet.value?.values() ?? [])];
  const numbers = [...new Set(stations.filter((s) => station.value === "" || s.id === station.value).flatMap((s) => s.connectors.map((c) => c.connector_id)))];
  const filtered = station.value !== "" || connector.value !== "";
  return (
    <>
      <div class="title">
        <h1>Sessions</h1>
        <span class="grow" />
        <Button icon="download" why={exporting.value ? "the export is being made" : list.value?.length === 0 ? "there is nothing to export" : null} onClick={() => void save()}>
          {exporting.value ? "Exporting…" : "Export CSV"}
        </Button>
      </div>
      <div class="toolbar free">
        <label>
          <span class="unseen">Station</span>
          <select value={station.value} onChange={(event) => (station.value = event.currentTarget.value)}>
            <option value="">All stations</option>
            {stations.map((s) => (
              <option key={s.id}>{s.id}</option>
            ))}
          </select>
        </label>
        <label>
          <span class="unseen">Connector</span>
          <select value={connector.value} onChange={(event) => (connector.value = event.currentTarget.value)}>
            <option value="">All connectors</option>
            {numbers.filter((id) => id > 0).sort((a, b) => a - b).map((id) => (
              <option key={id} value={id}>
                Connector {id}
              </option>
            ))}
          </select>
        </label>
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load()} />}
      {list.value === null && problem.value === null && <Loading />}
      {list.value?.length === 0 && (
        <Empty icon="sessions" title={filtered ? "No session matches" : "No session yet"}>
          <p>
            {filtered ? (
              "Choose another station or connector."
            ) : (
              <>
                A session begins when a card is presented at a station, or when you start one from a{" "}
                <a href={href.overview}>station's page</a>.
              </>
            )}
          </p>
        </Empty>
      )}
      {list.value && list.value.length > 0 && (
        <div class="card">
          <table class="table sessions">
            <thead>
              <tr>
                <th scope="col">Start</th>
                <th scope="col">Station</th>
                <th scope="col">Card</th>
                <th scope="col">Vehicle</th>
                <th scope="col" class="right">Duration</th>
                <th scope="col" class="right">Energy</th>
                <th scope="col" class="right">State of charge</th>
                <th scope="col">End</th>
              </tr>
            </thead>
            <tbody>
              {list.value.map((s) => (
                <Row key={s.id} s={s} />
              ))}
            </tbody>
          </table>
          {!complete.value && (
            <p class="more">
              <Button onClick={() => void load(list.value?.[list.value.length - 1]?.id)}>Show older sessions</Button>
            </p>
          )}
        </div>
      )}
    </>
  );
}
