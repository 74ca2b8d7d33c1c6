// A new station gets a key that is shown once: what to enter in the station is put together here.
import { useSignal } from "@preact/signals";
import * as api from "../data/api";
import { CopyButton, CopyText } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/parts";

export function addressOf(id: string): string {
  const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${window.location.host}/ocpp/${encodeURIComponent(id)}`;
}

// What goes into the station's configuration file.
export function snippet(id: string, link: { port: number; pin: string } | null | undefined): string {
  const rows = ["station:", `  id: ${JSON.stringify(id)}`, "ocpp:", `  url: "${addressOf(id).replace(/\/[^/]*$/, "")}"`];
  if (link) rows.push("uplink:", `  url: "tls://${window.location.hostname}:${link.port}"`, `  pin: "${link.pin}"`);
  return rows.join("\n");
}

// Secrets have a file of their own, that only the station may read.
const secrets = (key: string): string => `ocpp:\n  authorization_key: "${key}"`;

function Snippet({ label, text }: { label: string; text: string }) {
  return (
    <div data-copy>
      <div class="row">
        <span class="soft small">{label}</span>
        <span class="grow" />
        <CopyButton text={text} label="Copy" />
      </div>
      <pre class="snippet">{text}</pre>
    </div>
  );
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
        <Snippet label="Or as lines of its station.yaml" text={snippet(added.value.id, api.me.value?.link)} />
        {added.value.key && <Snippet label="and of its secrets.yaml" text={secrets(added.value.key)} />}
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
