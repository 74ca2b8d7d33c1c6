// The local authorisation list: what the station is believed to hold, and how it follows the cards.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../../../data/api";
import { send } from "../../../data/jobs";
import { commands, localList, putList, type ListOrder, type LocalList } from "../../../data/ocpp";
import type { Command, Station } from "../../../data/types";
import { href } from "../../../route";
import { ask } from "../../../ui/dialog";
import { Button, Chip, Empty, Fact, Loading, Problem, Since, When, type Tone } from "../../../ui/parts";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline } from "./watch";

const STATES: Record<LocalList["state"], { tone: Tone; text: string }> = {
  unknown: { tone: "mute", text: "Never sent" },
  sent: { tone: "go", text: "Taken" },
  mismatch: { tone: "warn", text: "Version mismatch" },
  failed: { tone: "bad", text: "Failed" },
  "not supported": { tone: "mute", text: "Not supported" },
};

interface Told {
  version: number;
  at: string | null;
}

// What the station itself last said its version is.
function toldIn(list: readonly Command[]): Told | null {
  for (const command of list) {
    const version = (command.answer as { listVersion?: unknown } | null)?.listVersion;
    if (command.action === "GetLocalListVersion" && typeof version === "number") return { version, at: command.answered_at };
  }
  return null;
}

const versionWords = (version: number): string => (version === -1 ? "no list there" : version === 0 ? "0, empty" : String(version));

export function List({ station }: { station: Station }) {
  const list = useWatched(station.id, () => localList(station.id), ["SendLocalList", "GetLocalListVersion"]);
  const sent = useWatched(station.id, () => commands(station.id, null, 500), ["GetLocalListVersion", "SendLocalList"]);
  const order = useOrder(station.id);
  const find = useSignal("");
  const follows = useSignal<boolean | null>(null); // as just wished, until the central has it
  useEffect(() => {
    if (follows.value === list.value?.automatic) follows.value = null;
  }, [list.value]);
  const why = whyOffline(station.ocpp_online);
  const told = toldIn(sent.value ?? []);
  const put = async (what: ListOrder, title: string): Promise<void> => {
    const job = await order.give({ action: "SendLocalList", payload: {}, title }, () => putList(station.id, what));
    if (job?.phase === "failed") follows.value = null;
    list.reload();
  };
  const full = async (): Promise<void> => {
    if (await ask("Send the whole list?", "What the station holds is replaced by the cards as they are here.", "Send", false)) void put({ mode: "full" }, "Send the whole list");
  };
  const value = list.value;
  if (value === null) return list.error === null ? <Loading /> : <Problem error={list.error} retry={list.reload} />;
  const shown = value.entries.filter((e) => `${e.id_tag} ${e.status} ${e.parent ?? ""}`.toLowerCase().includes(find.value.toLowerCase()));
  return (
    <div class="split">
      <section class="card">
        <div class="toolbar">
          <h2>{value.entries.length === 1 ? "1 entry" : `${value.entries.length} entries`}</h2>
          <label class="find">
            <span class="unseen">Find an entry</span>
            <input type="search" placeholder="Find a card" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} />
          </label>
          <span class="grow" />
          <Button needs="operator" icon="right" tone="primary" why={why} onClick={() => void put({ mode: "differential" }, "Send what differs")}>
            Send what differs
          </Button>
          <Button needs="operator" why={why} onClick={() => void full()}>
            Send all
          </Button>
        </div>
        {list.error !== null && <Problem error={list.error} retry={list.reload} />}
        {order.refused !== null && <Problem error={order.refused} />}
        {value.entries.length === 0 ? (
          <Empty icon="cards" title="The station holds no entries, as far as the central knows">
            <p>
              With a list the station knows its <a href={href.cards}>cards</a> while it is offline, and asks nobody while it is online.
            </p>
          </Empty>
        ) : (
          <table class="table">
            <thead>
              <tr>
                <th>Card</th>
                <th>Status</th>
                <th>Group</th>
                <th>Until</th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, 500).map((entry) => (
                <tr key={entry.id_tag}>
                  <td data-label="Card">
                    <code>{entry.id_tag}</code>
                  </td>
                  <td data-label="Status">
                    <Chip tone={entry.status === "Accepted" ? "go" : "warn"}>{entry.status}</Chip>
                  </td>
                  <td data-label="Group">{entry.parent ?? ""}</td>
                  <td data-label="Until">{entry.expires === null ? <span class="soft">no end</span> : <When at={entry.expires} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {shown.length > 500 && <p class="more soft small">The first 500 of {shown.length}: search for more.</p>}
      </section>
      <aside class="stack">
        <section class="card pad">
          <h2>Versions</h2>
          <dl class="facts">
            <Fact label="At the central">{value.version}</Fact>
            <Fact label="At the station">
              {told === null ? (
                <span class="soft">not asked yet</span>
              ) : (
                <>
                  {versionWords(told.version)}{" "}
                  <span class="soft small">
                    told <Since at={told.at} suffix=" ago" />
                  </span>
                </>
              )}
            </Fact>
            <Fact label="Last sending">
              <Chip tone={STATES[value.state].tone}>{STATES[value.state].text}</Chip>
            </Fact>
            <Fact label="When">
              <When at={value.at} />
            </Fact>
            <Fact label="Differs from the cards">{value.differences === 0 ? "no" : `in ${value.differences} ${value.differences === 1 ? "entry" : "entries"}`}</Fact>
            <Fact label="Room at the station">{value.max_length ? `${value.max_length} entries` : null}</Fact>
          </dl>
          <label class="check follows">
            <input
              type="checkbox"
              checked={follows.value ?? value.automatic}
              disabled={!may("operator")}
              onChange={(event) => {
                const automatic = event.currentTarget.checked;
                follows.value = automatic;
                void put({ mode: "none", automatic }, automatic ? "Let the list follow the cards" : "Let the list stay as it is");
              }}
            />
            Follows the cards by itself
          </label>
          <Button needs="operator" icon="reload" why={why} onClick={() => void send(station.id, "GetLocalListVersion", {}, "Ask for the list's version")}>
            Ask the station
          </Button>
        </section>
        <Jobs station={station.id} />
      </aside>
    </div>
  );
}
