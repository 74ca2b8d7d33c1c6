// The station's configuration keys, read from the station itself; changes go one key at a time.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { send } from "../../data/jobs";
import type { Station } from "../../data/types";
import { Button, Empty } from "../../ui/parts";
import { Jobs } from "./jobs";

interface Key {
  key: string;
  readonly: boolean;
  value?: string;
}

// Written by the central when it adds a station, and by nobody else.
const SECRET = new Set(["AuthorizationKey"]);

function keysOf(answer: unknown): Key[] {
  const list = (answer as { configurationKey?: Key[] } | null)?.configurationKey ?? [];
  return [...list].sort((a, b) => a.key.localeCompare(b.key));
}

function KeyRow({ item, why, change }: { item: Key; why: string | null; change: (value: string) => void }) {
  const edited = useSignal<string | null>(null);
  const value = edited.value ?? item.value ?? "";
  const dirty = edited.value !== null && edited.value !== (item.value ?? "");
  return (
    <tr>
      <th scope="row">
        <code>{item.key}</code>
      </th>
      <td>
        {SECRET.has(item.key) ? (
          <span class="soft small">Never shown. Add the station again to give it a new one.</span>
        ) : item.readonly ? (
          <span class="value">{item.value ?? ""}</span>
        ) : (
          <form
            class="row tight"
            onSubmit={(event) => {
              event.preventDefault();
              if (dirty && why === null) change(value);
              edited.value = null;
            }}
          >
            <input
              aria-label={`Value of ${item.key}`}
              value={value}
              maxLength={500}
              onInput={(event) => (edited.value = event.currentTarget.value)}
            />
            {dirty && (
              <button class="button small primary" disabled={why !== null} title={why ?? undefined}>
                Save
              </button>
            )}
          </form>
        )}
      </td>
      <td class="soft">{item.readonly ? "read only" : ""}</td>
    </tr>
  );
}

export function Configuration({ station }: { station: Station }) {
  const keys = useSignal<Key[] | null>(null);
  const busy = useSignal(false);
  const find = useSignal("");
  const why = station.ocpp_online ? (busy.value ? "the station is being asked" : null) : "the station is offline";

  const read = async (): Promise<void> => {
    busy.value = true;
    const job = await send(station.id, "GetConfiguration", {}, "Read the configuration");
    if (job?.phase === "done") keys.value = keysOf(job.answer);
    busy.value = false;
  };
  const change = async (key: string, value: string): Promise<void> => {
    const job = await send(station.id, "ChangeConfiguration", { key, value }, `Set ${key} to ${value || "nothing"}`);
    // What the station keeps may differ from what was asked: look again.
    if (job?.phase === "done") await read();
  };
  useEffect(() => {
    if (station.ocpp_online) void read();
  }, [station.id]);

  const wanted = find.value.toLowerCase();
  const shown = (keys.value ?? []).filter((k) => `${k.key} ${k.value ?? ""}`.toLowerCase().includes(wanted));
  return (
    <div class="split">
      <section class="card">
        <div class="toolbar">
          <label class="find">
            <span class="unseen">Find a key</span>
            <input type="search" placeholder="Find a key" value={find.value} onInput={(e) => (find.value = e.currentTarget.value)} />
          </label>
          <span class="grow" />
          <Button icon="reload" why={why} onClick={() => void read()}>
            Read again
          </Button>
        </div>
        {keys.value === null ? (
          <Empty icon="station" title={busy.value ? "Asking the station…" : "Not read yet"}>
            <p>{station.ocpp_online ? "The keys come from the station itself." : "The station is offline; its keys can be read when it is back."}</p>
          </Empty>
        ) : (
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
                <KeyRow key={item.key} item={item} why={why} change={(value) => void change(item.key, value)} />
              ))}
            </tbody>
          </table>
        )}
        {keys.value !== null && shown.length === 0 && (
          <Empty icon="station" title={keys.value.length > 0 ? "No key matches" : "The station's answer holds no key that can be shown"}>
            {keys.value.length === 0 && (
              <p>Its OCPP log has the answer. One in which a station tells its own AuthorizationKey is hidden as a whole.</p>
            )}
          </Empty>
        )}
      </section>
      <aside class="stack">
        <Jobs station={station.id} />
        <OtherKey why={why} change={(key, value) => void change(key, value)} />
      </aside>
    </div>
  );
}

// Stations may have keys they do not list.
function OtherKey({ why, change }: { why: string | null; change: (key: string, value: string) => void }) {
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
        <button class="button" disabled={why !== null} title={why ?? undefined}>
          Set
        </button>
      </form>
    </section>
  );
}
