// A new station gets a key that is shown once: what to enter in the station is put together here.
import { useSignal } from "@preact/signals";
import * as api from "../data/api";
import { CopyText } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/parts";

export function addressOf(id: string): string {
  const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${window.location.host}/ocpp/${encodeURIComponent(id)}`;
}

export function AddStation({ id, onClose }: { id: string; onClose: () => void }) {
  const name = useSignal(id);
  const added = useSignal<{ id: string; key?: string } | null>(null);
  const problem = useSignal<unknown>(null);
  const known = problem.value instanceof api.ApiError && problem.value.code === "exists";
  const add = async (replace: boolean): Promise<void> => {
    problem.value = null;
    try {
      added.value = await api.addStation(name.value.trim(), replace);
    } catch (error) {
      problem.value = error;
    }
  };
  if (added.value) {
    return (
      <Dialog title={`Enter this in ${added.value.id}`} onClose={onClose}>
        <dl class="secrets">
          <dt>Address</dt>
          <dd>
            <CopyText text={addressOf(added.value.id)} />
          </dd>
          <dt>Protocol</dt>
          <dd>OCPP 1.6J, HTTP Basic authentication, user = {added.value.id}</dd>
          {added.value.key && (
            <>
              <dt>Key (password)</dt>
              <dd>
                <CopyText text={added.value.key} />
              </dd>
            </>
          )}
        </dl>
        <p class="notice warn">The key is shown only now. If it gets lost, add the station again to get a new one.</p>
        <div class="row end">
          <button type="button" class="button primary" onClick={onClose}>
            Done
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="Add a station" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add(false);
        }}
      >
        <label>
          Identity
          <input
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
            required
            maxLength={48}
            pattern="[A-Za-z0-9_.:@=*+\-]+"
            placeholder="YARD-01"
            autofocus
          />
          <span class="soft small">The name the station connects with: letters, digits, _.:@=*+-</span>
        </label>
        {problem.value !== null && <Problem error={problem.value} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          {known && (
            <button type="button" class="button danger solid" onClick={() => void add(true)}>
              Replace its key
            </button>
          )}
          <button class="button primary">Add</button>
        </div>
      </form>
    </Dialog>
  );
}
