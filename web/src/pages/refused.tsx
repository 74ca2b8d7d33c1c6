import { useSignal, useSignalEffect } from "@preact/signals";
import * as api from "../data/api";
import { fleet, opened } from "../data/live";
import type { Refused } from "../data/types";
import { Button, Chip, Empty, Loading, Problem, When } from "../ui/parts";
import { AddStation, addressOf } from "./add_station";

// What usually helps: the first row whose status and words fit.
const ADVICE: readonly (readonly [number, RegExp, string])[] = [
  [401, /unknown station/, "Add the station here to get its key. If it is known under another name, correct its identity."],
  [401, /no credentials/, "The station sent no password. Enter the key as its AuthorizationKey (security profile 1)."],
  [401, /not HTTP Basic/, "The station must use HTTP Basic authentication (security profile 1)."],
  [401, /user name/, "The user name must be the station's identity, exactly as in its address."],
  [401, /wrong key/, "Enter the key again in the station, or add the station again for a new one."],
  [404, /./, "The path of the address is wrong; see below how it must read."],
  [429, /./, "Wrong keys came too often from this address. Correct the key; it is let in again after a pause."],
  [400, /subprotocol/, "The station must offer the WebSocket subprotocol ocpp1.6 (OCPP 1.6 over JSON)."],
  [409, /./, "Two devices use this identity at the same time. Give one of them its own."],
  [1008, /duplicate/, "Two devices use this identity at the same time. Give one of them its own."],
  [503, /./, "The central has no room for another station."],
];

const advice = (r: Refused): string => ADVICE.find(([status, words]) => status === r.status && words.test(r.reason))?.[2] ?? "";

// A new key helps who has none or a wrong one.
const wantsKey = (r: Refused): boolean => r.status === 401 && r.station_id !== "" && /unknown|wrong key|no credentials/.test(r.reason);

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
      <p class="soft lead">
        Stations that knocked and were not let in, and what usually helps. A station's address reads{" "}
        <code>{addressOf("ID")}</code>, with its own identity for ID.
      </p>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load()} />}
      {list.value === null && problem.value === null && <Loading />}
      {list.value?.length === 0 && (
        <Empty icon="doctor" title="Nobody was refused">
          <p>
            A station that appears neither here nor among the stations has not reached this central at all: check its
            address, its network and what lies between.
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
              {fleet.value?.get(r.station_id)?.online ? (
                <Chip tone="go">Connected now</Chip>
              ) : (
                wantsKey(r) && <Button needs="admin" onClick={() => (adding.value = r.station_id)}>Add station</Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {adding.value !== null && <AddStation id={adding.value} onClose={() => (adding.value = null)} />}
    </>
  );
}
