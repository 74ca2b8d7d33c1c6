import { useSignal, useSignalEffect } from "@preact/signals";
import * as api from "../data/api";
import { opened } from "../data/live";
import type { Refused } from "../data/types";
import { Empty, Button, Loading, Problem, When } from "../ui/parts";
import { AddStation, addressOf } from "./add_station";

// What usually helps, by the HTTP status the central answered with.
function advice(r: Refused): string {
  switch (r.status) {
    case 400:
      return "The request was no proper WebSocket handshake. Check that the station speaks OCPP over JSON (1.6J).";
    case 401:
      return "The station is not known or its key is wrong. Add it here, or enter the key again in the station.";
    case 403:
      return "The address the station was given is not one this central was started for.";
    case 404:
      return `The path is wrong. The station's address must read ${addressOf(r.station_id || "ID")}.`;
    case 426:
    case 505:
      return "The station did not offer the subprotocol ocpp1.6.";
    case 429:
      return "It tried too often with a wrong key. Correct the key and wait a minute.";
    default:
      return "";
  }
}

export function RefusedPage() {
  const list = useSignal<Refused[] | null>(null);
  const problem = useSignal<unknown>(null);
  const adding = useSignal<string | null>(null);
  const load = async (): Promise<void> => {
    try {
      list.value = await api.refused();
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useSignalEffect(() => {
    void opened.value;
    void load();
    const timer = setInterval(() => void load(), 5000);
    return () => clearInterval(timer);
  });
  return (
    <>
      <div class="title">
        <h1>Connection doctor</h1>
      </div>
      <p class="soft lead">Stations that knocked and were not let in, and what usually helps.</p>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load()} />}
      {list.value === null && problem.value === null && <Loading />}
      {list.value?.length === 0 && (
        <Empty icon="doctor" title="Nobody was refused">
          <p>
            A station that does not appear anywhere has not reached this central at all. Its address must read{" "}
            <code>{addressOf("ID")}</code>, with its own identity for ID.
          </p>
        </Empty>
      )}
      {list.value && list.value.length > 0 && (
        <ul class="card refusals">
          {list.value.map((r) => (
            <li key={`${r.time} ${r.address} ${r.station_id}`}>
              <div class="who">
                <b>{r.station_id || "no identity"}</b>
                <span class="soft">
                  {r.address} · <When at={r.time} />
                  {r.count > 1 && ` · ${r.count} times in a row`}
                </span>
              </div>
              <div class="why">
                <p>
                  <code class="status">{r.status}</code> {r.reason}
                </p>
                <p class="soft">{advice(r)}</p>
              </div>
              {r.status === 401 && r.station_id !== "" && <Button onClick={() => (adding.value = r.station_id)}>Add station</Button>}
            </li>
          ))}
        </ul>
      )}
      {adding.value !== null && <AddStation id={adding.value} onClose={() => (adding.value = null)} />}
    </>
  );
}
