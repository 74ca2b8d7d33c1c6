import { useSignal } from "@preact/signals";
import * as api from "../../data/api";
import { plugs } from "../../data/fleet";
import { send } from "../../data/jobs";
import type { Connector, Station } from "../../data/types";
import { href } from "../../route";
import { Dialog } from "../../ui/dialog";
import { useLoad } from "../../ui/load";
import { Problem } from "../../ui/parts";

export function StartDialog({ station, c, onClose }: { station: Station; c: Connector; onClose: () => void }) {
  const cards = useLoad(api.cards, []);
  const connector = useSignal(c.connector_id);
  const tag = useSignal("");
  const usable = (cards.value ?? []).filter((card) => card.status === "Accepted");
  const chosen = tag.value || usable[0]?.id_tag || "";
  const start = (event: SubmitEvent): void => {
    event.preventDefault();
    const payload = { connectorId: connector.value, idTag: chosen };
    void send(station.id, "RemoteStartTransaction", payload, `Start charging on connector ${connector.value}`);
    onClose();
  };
  return (
    <Dialog title={`Start charging at ${station.id}`} onClose={onClose}>
      <form onSubmit={start}>
        <label>
          Connector
          <select value={connector.value} onChange={(event) => (connector.value = Number(event.currentTarget.value))}>
            {plugs(station).map((p) => (
              <option key={p.connector_id} value={p.connector_id} disabled={p.transaction_id !== null}>
                {p.connector_id}
                {p.transaction_id !== null ? " – a charge is running" : ""}
              </option>
            ))}
          </select>
        </label>
        <label>
          Card
          <select value={chosen} onChange={(event) => (tag.value = event.currentTarget.value)} required>
            {usable.map((card) => (
              <option key={card.id_tag} value={card.id_tag}>
                {card.name ? `${card.name} (${card.id_tag})` : card.id_tag}
              </option>
            ))}
          </select>
        </label>
        {cards.error !== null && <Problem error={cards.error} retry={cards.reload} />}
        {cards.value && usable.length === 0 && (
          <p class="notice warn">
            No card may charge yet. <a href={href.cards}>Add one</a> first.
          </p>
        )}
        {!station.ocpp_online && <p class="notice warn">The station has gone offline.</p>}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" disabled={chosen === "" || !station.ocpp_online}>
            Start
          </button>
        </div>
      </form>
    </Dialog>
  );
}
