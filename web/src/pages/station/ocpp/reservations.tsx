// Reservations: made, used, cancelled, and what became of each.
import { useSignal } from "@preact/signals";
import * as api from "../../../data/api";
import { plugs } from "../../../data/fleet";
import { localTime } from "../../../data/forms";
import { cancelReservation, reservations, reserve, type Reservation } from "../../../data/ocpp";
import type { Station } from "../../../data/types";
import { ask } from "../../../ui/dialog";
import { Choice, Moment, Text } from "../../../ui/fields";
import { useLoad } from "../../../ui/load";
import { Button, Chip, Empty, For, Loading, Problem, When, type Tone } from "../../../ui/parts";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline } from "./watch";

const HOUR_MS = 3_600_000;

const TONES: Record<string, Tone> = { asked: "info", reserved: "info", used: "go", cancelled: "mute", expired: "mute" };

const nameOf = (connector: number): string => (connector === 0 ? "any connector" : `connector ${connector}`);

function Make({ station }: { station: Station }) {
  const cards = useLoad(api.cards, []);
  const order = useOrder(station.id);
  const connector = useSignal("0");
  const tag = useSignal("");
  const until = useSignal(localTime(new Date(Date.now() + HOUR_MS)));
  const tried = useSignal(false);
  const why = whyOffline(station.ocpp_online);
  const at = new Date(until.value);
  const wrongTag = tag.value.trim() === "" ? "is required" : undefined;
  const wrongTime = Number.isNaN(at.getTime()) ? "must be a date and a time" : at.getTime() <= Date.now() ? "must be in the future" : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (wrongTag || wrongTime || why !== null || order.busy) return;
    const wish = { connector_id: Number(connector.value), id_tag: tag.value.trim(), expires: at.toISOString() };
    const parent = cards.value?.find((card) => card.id_tag === wish.id_tag)?.parent;
    const title = `Reserve ${nameOf(wish.connector_id)} for ${wish.id_tag}`;
    void order.give({ action: "ReserveNow", payload: { connectorId: wish.connector_id }, title }, () => reserve(station.id, parent ? { ...wish, parent } : wish)).then((job) => {
      if (job) tried.value = false;
    });
  };
  return (
    <section class="card pad">
      <h2>Reserve</h2>
      <form onSubmit={submit} noValidate>
        <Choice
          label="Connector"
          value={connector.value}
          options={[["0", "any"], ...plugs(station).map((c) => [String(c.connector_id), String(c.connector_id)] as const)]}
          onChange={(value) => (connector.value = value)}
        />
        <Text label="Card" value={tag.value} length={20} list="cards" wrong={tried.value ? wrongTag : undefined} onInput={(value) => (tag.value = value)} />
        <datalist id="cards">
          {(cards.value ?? []).map((card) => (
            <option key={card.id_tag} value={card.id_tag}>
              {card.name ?? ""}
            </option>
          ))}
        </datalist>
        <Moment label="Until" value={until.value} wrong={tried.value ? wrongTime : undefined} onInput={(value) => (until.value = value)} />
        {order.refused !== null && <Problem error={order.refused} />}
        <button class="button primary" disabled={why !== null || order.busy} title={why ?? undefined}>
          Reserve
        </button>
        {why !== null && <span class="soft small">{why}</span>}
      </form>
    </section>
  );
}

export function Reservations({ station }: { station: Station }) {
  const list = useWatched(station.id, () => reservations(station.id), ["ReserveNow", "CancelReservation", "StatusNotification", "StartTransaction", "BootNotification"]);
  const order = useOrder(station.id);
  const cancel = async (r: Reservation): Promise<void> => {
    if (!(await ask(`Cancel reservation ${r.id}?`, `${nameOf(r.connector_id)} is then free for everybody.`.replace(/^./, (c) => c.toUpperCase()), "Cancel it"))) return;
    void order.give({ action: "CancelReservation", payload: {}, title: `Cancel reservation ${r.id}` }, () => cancelReservation(station.id, r.id)).then(list.reload);
  };
  return (
    <div class="split">
      <section class="card">
        {list.error !== null && <Problem error={list.error} retry={list.reload} />}
        {order.refused !== null && <Problem error={order.refused} />}
        {list.value === null && list.error === null && <Loading />}
        {list.value?.length === 0 && (
          <Empty icon="clock" title="Nothing was ever reserved here">
            <p>A reservation keeps a connector free for one card, or for the cards of its group, until its time is over.</p>
          </Empty>
        )}
        {list.value !== null && list.value.length > 0 && (
          <table class="table">
            <thead>
              <tr>
                <th>No.</th>
                <th>Connector</th>
                <th>Card</th>
                <th>Until</th>
                <th>State</th>
                <th>
                  <span class="unseen">Cancel</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.value.map((r) => (
                <tr key={r.id} data-reservation={r.id}>
                  <td data-label="No.">{r.id}</td>
                  <td data-label="Connector">{r.connector_id === 0 ? "any" : r.connector_id}</td>
                  <td data-label="Card">
                    <code>{r.id_tag}</code>
                    {r.parent !== null && <small class="soft"> group {r.parent}</small>}
                  </td>
                  <td data-label="Until">
                    <When at={r.expires} />
                  </td>
                  <td data-label="State">
                    <Chip tone={TONES[r.state] ?? "bad"}>{r.state}</Chip>
                    {r.transaction_id !== null && <small class="soft"> by charge {r.transaction_id}</small>}
                  </td>
                  <td class="right">
                    {r.state === "reserved" && (
                      <Button needs="operator" why={whyOffline(station.ocpp_online)} onClick={() => void cancel(r)}>
                        Cancel
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <aside class="stack">
        <For least="operator">
          <Make station={station} />
        </For>
        <Jobs station={station.id} />
      </aside>
    </div>
  );
}
