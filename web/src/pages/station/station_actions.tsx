import * as api from "../../data/api";
import { plugs } from "../../data/fleet";
import { send } from "../../data/jobs";
import type { Station } from "../../data/types";
import { href } from "../../route";
import { ask } from "../../ui/dialog";
import { Button } from "../../ui/parts";

async function reset(station: Station, type: "Soft" | "Hard"): Promise<void> {
  const running = plugs(station).filter((c) => c.transaction_id !== null).length;
  const charges = running === 0 ? "" : ` ${running === 1 ? "The running charge is" : `${running} charges are`} ended.`;
  const how = type === "Soft" ? "Running charges are ended in order first." : "It restarts at once, as if its power had failed.";
  const yes = await ask(`${type} restart of ${station.id}?`, `${how}${charges} It is offline for a moment.`, "Restart");
  if (yes) void send(station.id, "Reset", { type }, `${type} restart`);
}

async function clearCache(station: Station): Promise<void> {
  const text = "While it is offline, the station then no longer knows which cards may charge.";
  if (await ask("Clear the card cache?", text, "Clear")) {
    void send(station.id, "ClearCache", {}, "Clear the card cache");
  }
}

async function turnAll(station: Station, type: "Operative" | "Inoperative"): Promise<void> {
  const out = type === "Inoperative";
  const text = "Running charges end first; after that nobody can charge at this station until it is put back in service.";
  if (out && !(await ask(`Take ${station.id} out of service?`, text, "Take out of service"))) return;
  const title = out ? "Take the station out of service" : "Put the station back in service";
  void send(station.id, "ChangeAvailability", { connectorId: 0, type }, title);
}

async function remove(station: Station): Promise<void> {
  const text = "Its key is forgotten and its connection closed. Its sessions stay.";
  if (!(await ask(`Remove ${station.id}?`, text, "Remove"))) return;
  await api.removeStation(station.id);
  window.location.hash = href.overview;
}

export function StationActions({ station }: { station: Station }) {
  const why = station.ocpp_online ? null : "the station is offline";
  const all = plugs(station);
  const out = all.length > 0 && all.every((c) => c.status === "Unavailable");
  return (
    <section class="card pad">
      <h2>Station</h2>
      {why && <p class="soft small">These need the station to be online.</p>}
      <div class="actions">
        <Button needs="operator" icon="reload" tone="quiet" why={why} onClick={() => void reset(station, "Soft")}>
          Soft restart
        </Button>
        <Button needs="operator" icon="power" tone="quiet" why={why} onClick={() => void reset(station, "Hard")}>
          Hard restart
        </Button>
        <Button needs="operator" icon="stop" tone="quiet" why={why} onClick={() => void turnAll(station, out ? "Operative" : "Inoperative")}>
          {out ? "Put in service" : "Take out of service"}
        </Button>
        <Button needs="operator" icon="broom" tone="quiet" why={why} onClick={() => void clearCache(station)}>
          Clear the card cache
        </Button>
        <Button needs="admin" icon="close" tone="quiet" why={station.online ? "disconnect the station first" : null} onClick={() => void remove(station)}>
          Remove from the central
        </Button>
      </div>
    </section>
  );
}
