// The program's update: what runs, what is under way or came of the last one, and a release from here.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button, Fact, Problem, When } from "../ui/parts";
import { cancelUpdate, checkUpdate, putSetting, readSettings, settings, updateState, uploadRelease, visitor } from "./data";
import { movingWords, whyNothing } from "./model";
import type { Update } from "./types";

const LOOK_MS = 2000;

const setting = (path: string): string | undefined => settings.value?.find((row) => row.path === path)?.value;

function Facts({ of }: { of: Update }) {
  return (
    <dl class="facts">
      <Fact label="Running">{of.running}</Fact>
      <Fact label={of.under_way ? "Under way" : "Last update"}>
        {of.version !== "" && `${of.version}: `}
        {of.under_way && of.trial ? "on trial; it stays when it is healthy" : movingWords(of)}
      </Fact>
      {of.by !== "nobody" && <Fact label="Asked for by">{of.by}</Fact>}
      {of.ended_at !== null && (
        <Fact label="Ended">
          <When at={of.ended_at} />
        </Fact>
      )}
      {of.returned !== "" && (
        <Fact label="Given up">
          {of.returned}: {of.returned_why}
        </Fact>
      )}
      <Fact label="Source">{setting("update.source") || "none (update.source)"}</Fact>
    </dl>
  );
}

export function UpdateCard() {
  const read = useSignal<Update | null>(null);
  const problem = useSignal<unknown>(null);
  const share = useSignal<number | null>(null); // of the upload
  const force = useSignal(false);
  const message = useSignal("");
  const look = (): void => {
    updateState().then(
      (answer) => (read.value = answer),
      () => undefined, // the rest of the page says so
    );
  };
  const inside = visitor.value?.inside ?? false;
  useEffect(() => {
    if (!inside) {
      read.value = null;
      return undefined;
    }
    if (settings.value === null) readSettings().catch(() => undefined);
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [inside]);
  const run = (what: Promise<string>): void => {
    problem.value = null;
    message.value = "";
    what.then(
      (text) => (message.value = text),
      (error: unknown) => (problem.value = error),
    ).finally(look);
  };
  const upload = (input: HTMLInputElement): void => {
    const file = input.files?.[0];
    if (!file) return;
    share.value = 0;
    run(
      uploadRelease(file, force.value, (part) => (share.value = part))
        .then(() => "The release is good. It is installed when nobody charges.")
        .finally(() => {
          share.value = null;
          input.value = "";
        }),
    );
  };
  const of = read.value;
  if (!inside) {
    return (
      <section class="card pad" aria-label="Update">
        <h2>Update</h2>
        <p class="soft small">How updates stand, and a release file from here, are for those who have logged in.</p>
      </section>
    );
  }
  if (!of) return null;
  const why = whyNothing(visitor.value) ?? (of.able ? null : "this station has no place to install a release (update.folder)");
  const automatic = setting("update.automatic") === "true";
  return (
    <section class="card pad" aria-label="Update">
      <h2>Update</h2>
      <Facts of={of} />
      {why !== null && <p class="soft small held">Nothing can be installed from here: {why}.</p>}
      {why === null && (
        <div class="stack release">
          <label>
            Install a release file (.pwr)
            <input type="file" accept=".pwr" disabled={share.value !== null} onChange={(event) => upload(event.currentTarget)} />
          </label>
          <label class="check">
            <input type="checkbox" checked={force.value} onChange={(event) => (force.value = event.currentTarget.checked)} />
            even if it is the version that runs
          </label>
          {share.value !== null && (
            <p role="status">
              <progress value={share.value} max={1} aria-label="Upload" /> {Math.floor(share.value * 100)} %
            </p>
          )}
          <div class="row">
            <Button onClick={() => run(checkUpdate())} why={setting("update.source") ? null : "no source is set (update.source)"}>
              Look for a newer one
            </Button>
            {of.under_way && (
              <Button tone="danger" onClick={() => run(cancelUpdate())}>
                Give it up
              </Button>
            )}
            <Button tone="quiet" onClick={() => run(putSetting("update.automatic", automatic ? "false" : "true"))}>
              {automatic ? "Automatic: on" : "Automatic: off"}
            </Button>
          </div>
        </div>
      )}
      {message.value !== "" && (
        <p class="notice info" role="status">
          {message.value}
        </p>
      )}
      {problem.value !== null && <Problem error={problem.value} />}
    </section>
  );
}
