// What a visitor may not do, and how he may.
import { signal } from "@preact/signals";
import { Icon } from "../ui/icon";
import { Empty } from "../ui/parts";
import { visitor } from "./data";

export const loginAsked = signal(false);

const SECRETS = "page:\n  password: your own, 8 characters or more";

// Above everything that could be operated.
export function VisitNotice() {
  const who = visitor.value;
  if (who === null || who.csrf !== null) return null;
  if (who.password_set) {
    return (
      <div class="notice info">
        <Icon name="unlock" />
        <span>You are looking on. Log in to start, stop and change things.</span>
        <button type="button" class="button small" onClick={() => (loginAsked.value = true)}>
          Log in
        </button>
      </div>
    );
  }
  return (
    <details class="notice info viewonly">
      <summary>
        <Icon name="unlock" />
        <span>
          <b>This page only shows.</b> How to operate the station from here
        </span>
      </summary>
      <p>Put a password into the station's secrets file (its path follows --secrets) and start the station again:</p>
      <pre class="snippet">{SECRETS}</pre>
    </details>
  );
}

// In place of what only people inside may read.
export function Closed({ what }: { what: string }) {
  const set = visitor.value?.password_set === true;
  return (
    <section class="card">
      <Empty icon="unlock" title={`${what} can be read after a login`}>
        <p>
          {set
            ? "Log in with the station's password."
            : "No password is set. Without one they can only be read on the station itself. Set page.password in its secrets file."}
        </p>
        {set && (
          <button type="button" class="button primary" onClick={() => (loginAsked.value = true)}>
            Log in
          </button>
        )}
      </Empty>
    </section>
  );
}
