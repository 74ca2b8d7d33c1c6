// What can be asked of an outlet over the station link; the safety machine has the last word.
import { useSignal } from "@preact/signals";
import { send } from "../../data/jobs";
import type { Connector, Station } from "../../data/types";
import { ask, Dialog } from "../../ui/dialog";
import { Button } from "../../ui/parts";

const LEASES: readonly (readonly [number, string])[] = [
  [60, "1 minute"],
  [300, "5 minutes"],
  [900, "15 minutes"],
  [3600, "1 hour"],
];

// 1 to 5 A do not exist on a pilot (IEC 61851-1 Annex A): a charge has 6 A or pauses.
const allowed = (amps: number): boolean => amps === 0 || (amps >= 6 && amps <= 80);

function Amps({ label, note, value, onInput }: { label: string; note: string; value: string; onInput: (text: string) => void }) {
  return (
    <label>
      {label}
      <input
        type="number"
        inputMode="decimal"
        min={0}
        max={80}
        step={0.1}
        required
        value={value}
        onInput={(event) => {
          const amps = Number(event.currentTarget.value);
          event.currentTarget.setCustomValidity(allowed(amps) ? "" : "0, or 6 to 80 A");
          onInput(event.currentTarget.value);
        }}
      />
      <span class="soft small">{note}</span>
    </label>
  );
}

export function LimitDialog({ station, c, onClose }: { station: Station; c: Connector; onClose: () => void }) {
  const amps = useSignal(String(c.limit?.a ?? 16));
  const fallback = useSignal("6");
  const lease = useSignal(300);
  const set = (event: SubmitEvent): void => {
    event.preventDefault();
    const payload = {
      connector_id: c.connector_id,
      current_a: Number(amps.value),
      lease_s: lease.value,
      fallback_a: Number(fallback.value),
    };
    void send(station.id, "LinkLimit", payload, `Limit connector ${c.connector_id} to ${amps.value} A`);
    onClose();
  };
  return (
    <Dialog title={`Limit connector ${c.connector_id}`} onClose={onClose}>
      <form onSubmit={set}>
        <Amps label="Current per phase, A" note="0 pauses the charge; otherwise 6 to 80 A. It only ever lowers." value={amps.value} onInput={(text) => (amps.value = text)} />
        <label>
          For
          <select value={lease.value} onChange={(event) => (lease.value = Number(event.currentTarget.value))}>
            {LEASES.map(([seconds, text]) => (
              <option key={seconds} value={seconds}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <Amps label="After that, A" note="Stands when the time is over, also when the link is down." value={fallback.value} onInput={(text) => (fallback.value = text)} />
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary">Set limit</button>
        </div>
      </form>
    </Dialog>
  );
}

export function OutletActions({ station, c }: { station: Station; c: Connector }) {
  const limiting = useSignal(false);
  const why = station.link?.online ? null : "the station link is down";
  const name = `connector ${c.connector_id}`;
  const turn = async (on: boolean): Promise<void> => {
    const text = "The vehicle is asked to stop first; after 6 s at most the contactor opens.";
    if (!on && !(await ask(`Switch ${name} off?`, text, "Switch off"))) return;
    const payload = { connector_id: c.connector_id, on, force: false };
    void send(station.id, "LinkEnergize", payload, on ? `Switch ${name} on` : `Switch ${name} off`);
  };
  const look = (): void => void send(station.id, "LinkSnapshot", { connector_id: c.connector_id }, "Read everything again");
  return (
    <div class="row orders">
      <Button needs="operator" icon="limit" tone="quiet" why={why} onClick={() => (limiting.value = true)}>
        Set limit
      </Button>
      <Button needs="operator" icon="bolt" tone="quiet" why={why} onClick={() => void turn(true)}>
        Switch on
      </Button>
      <Button needs="operator" icon="stop" tone="quiet" why={why} onClick={() => void turn(false)}>
        Switch off
      </Button>
      <Button needs="operator" icon="reload" tone="quiet" why={why} onClick={look}>
        Snapshot
      </Button>
      {limiting.value && <LimitDialog station={station} c={c} onClose={() => (limiting.value = false)} />}
    </div>
  );
}
