// The station's configuration keys as the central last read them; changes go one key at a time.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../../../data/api";
import { configuration, putKey, readKeys, type ConfigurationChange, type ConfigurationKey } from "../../../data/ocpp";
import { send } from "../../../data/jobs";
import type { Station } from "../../../data/types";
import { href } from "../../../route";
import { ask } from "../../../ui/dialog";
import { Button, Chip, Empty, For, Loading, Problem, When } from "../../../ui/parts";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline, type Order } from "./watch";

// Written by the central, and shown by nobody.
const SECRET = new Set(["AuthorizationKey"]);

function Value({ item, why, change }: { item: ConfigurationKey; why: string | null; change: (value: string) => void }) {
  const edited = useSignal<string | null>(null);
  const value = edited.value ?? item.wanted ?? item.value ?? "";
  const dirty = edited.value !== null && edited.value !== (item.wanted ?? item.value ?? "");
  return (
    <form
      class="row tight"
      onSubmit={(event) => {
        event.preventDefault();
        if (dirty && why === null) change(value);
        edited.value = null;
      }}
    >
      <input aria-label={`Value of ${item.key}`} value={value} maxLength={500} onInput={(event) => (edited.value = event.currentTarget.value)} />
      {dirty && (
        <button class="button small primary" disabled={why !== null} title={why ?? undefined}>
          Save
        </button>
      )}
    </form>
  );
}

function KeyRow({ item, why, station, change }: { item: ConfigurationKey; why: string | null; station: string; change: (value: string) => void }) {
  return (
    <tr>
      <th scope="row">
        <code>{item.key}</code>
      </th>
      <td>
        {SECRET.has(item.key) ? (
          <span class="soft small">
            Never shown. A new one is given under <a href={href.station(station, "security")}>Security</a>.
          </span>
        ) : item.readonly || !may("operator") ? (
          <span class="value">{(item.readonly ? null : item.wanted) ?? item.value ?? ""}</span>
        ) : (
          <Value item={item} why={why} change={change} />
        )}
        {item.reboot_required && (
          <p class="small wantsboot">
            <Chip tone="warn">Reboot required</Chip> still <code>{item.value ?? ""}</code>
          </p>
        )}
      </td>
      <td class="soft">{item.readonly ? "read only" : ""}</td>
    </tr>
  );
}

// Stations may have keys they do not list.
function OtherKey({ why, order, change }: { why: string | null; order: Order; change: (key: string, value: string) => void }) {
  const key = useSignal("");
  const value = useSignal("");
  return (
    <section class="card pad">
      <h2>Set another key</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null) change(key.value.trim(), value.value);
        }}
      >
        <label>
          Key
          <input value={key.value} required maxLength={50} onInput={(event) => (key.value = event.currentTarget.value)} />
        </label>
        <label>
          Value
          <input value={value.value} maxLength={500} onInput={(event) => (value.value = event.currentTarget.value)} />
        </label>
        {order.refused !== null && <Problem error={order.refused} />}
        <button class="button" disabled={why !== null} title={why ?? undefined}>
          Set
        </button>
      </form>
    </section>
  );
}

function Changes({ changes }: { changes: readonly ConfigurationChange[] }) {
  if (changes.length === 0) return null;
  return (
    <section class="card pad">
      <h2>Changes</h2>
      <ol class="changes">
        {changes.slice(0, 20).map((change, index) => (
          <li key={index}>
            <code>{change.key}</code>
            <span class="value">
              {change.old ?? "nothing"} → {change.new ?? "nothing"}
            </span>
            <span class="soft small">
              {change.why} · <When at={change.at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Configuration({ station }: { station: Station }) {
  const kept = useWatched(station.id, () => configuration(station.id), ["GetConfiguration", "ChangeConfiguration", "BootNotification"]);
  const order = useOrder(station.id);
  const find = useSignal("");
  const why = whyOffline(station.ocpp_online) ?? (order.busy ? "the station is being asked" : null);
  const keys = kept.value?.keys ?? [];
  const read = (): void => void order.give({ action: "GetConfiguration", payload: {}, title: "Read the configuration" }, () => readKeys(station.id));
  const change = (key: string, value: string): void =>
    void order.give({ action: "ChangeConfiguration", payload: { key, value }, title: `Set ${key} to ${value || "nothing"}` }, () => putKey(station.id, key, value));
  const restart = async (): Promise<void> => {
    if (await ask(`Restart ${station.id}?`, "Running charges are ended in order first. It is offline for a moment.", "Restart")) void send(station.id, "Reset", { type: "Soft" }, "Soft restart");
  };
  // What was never read is read at once.
  const nothing = kept.value !== null && keys.length === 0;
  useEffect(() => {
    if (nothing && station.ocpp_online && may("operator")) read();
  }, [station.id, nothing]);

  const wanted = find.value.toLowerCase();
  const shown = keys.filter((k) => `${k.key} ${k.value ?? ""} ${k.wanted ?? ""}`.toLowerCase().includes(wanted));
  const waiting = keys.filter((k) => k.reboot_required).length;
  const readAt = keys.reduce<string | null>((last, k) => (k.read_at !== null && (last === null || k.read_at > last) ? k.read_at : last), null);
  return (
    <div class="split">
      <section class="card">
        <div class="toolbar">
          <label class="find">
            <span class="unseen">Find a key</span>
            <input type="search" placeholder="Find a key" value={find.value} onInput={(e) => (find.value = e.currentTarget.value)} />
          </label>
          {readAt !== null && (
            <span class="soft small">
              last read <When at={readAt} />
            </span>
          )}
          <span class="grow" />
          <Button needs="operator" icon="reload" why={why} onClick={read}>
            Read again
          </Button>
        </div>
        {kept.error !== null && <Problem error={kept.error} retry={kept.reload} />}
        {kept.value === null && kept.error === null && <Loading />}
        {waiting > 0 && (
          <div class="notice warn rebootnotice">
            <span>
              {waiting === 1 ? "One change counts" : `${waiting} changes count`} after the station's next start.
            </span>
            <Button needs="operator" icon="reload" why={whyOffline(station.ocpp_online)} onClick={() => void restart()}>
              Soft restart
            </Button>
          </div>
        )}
        {nothing && (
          <Empty icon="station" title={station.ocpp_online && may("operator") ? "Asking the station…" : "Not read yet"}>
            <p>{station.ocpp_online ? "The keys come from the station itself." : "The station is offline; its keys can be read when it is back."}</p>
          </Empty>
        )}
        {keys.length > 0 && (
          <table class="keys">
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">Value</th>
                <th scope="col">
                  <span class="unseen">May be changed</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((item) => (
                <KeyRow key={item.key} item={item} why={why} station={station.id} change={(value) => change(item.key, value)} />
              ))}
            </tbody>
          </table>
        )}
        {keys.length > 0 && shown.length === 0 && <Empty icon="station" title="No key matches" />}
      </section>
      <aside class="stack">
        <Jobs station={station.id} />
        <For least="operator">
          <OtherKey why={why} order={order} change={change} />
        </For>
        <Changes changes={kept.value?.changes ?? []} />
      </aside>
    </div>
  );
}
