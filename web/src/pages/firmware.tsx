// Releases that the central keeps, and the roll-outs that bring them to stations.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../data/api";
import { on, opened } from "../data/live";
import { addRelease, bytes, countOf, deleteRelease, releases, rollouts, STATE_TONES, type Release, type RolloutSummary } from "../data/releases";
import { href } from "../route";
import { ask } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { useLoad } from "../ui/load";
import { Button, Chip, Empty, Fact, Loading, Problem, Since, When, type Tone } from "../ui/parts";
import { StageBars } from "./firmware_stages";
import { ReleaseEdit } from "./release_edit";

function Verdict({ release }: { release: Release }) {
  if (release.verdict === null) return <Chip tone="mute">not judged here</Chip>;
  const tone: Tone = release.verdict === "fine" ? "go" : "bad";
  return <Chip tone={tone}>{release.verdict === "fine" ? "signed" : release.verdict}</Chip>;
}

function Row({ release, changed }: { release: Release; changed: () => void }) {
  const problem = useSignal<unknown>(null);
  const editing = useSignal(false);
  const m = release.manifest;
  const remove = async (): Promise<void> => {
    if (!(await ask(`Delete ${m.product} ${m.version}?`, "Stations that have it keep it. Bring the file again to roll it out again.", "Delete"))) return;
    try {
      await deleteRelease(release.id);
      changed();
    } catch (error) {
      problem.value = error;
    }
  };
  const fitting = release.models.filter((model) => model.fits);
  return (
    <li class="card pad release" data-release={release.id}>
      <header>
        <h2>
          {m.product} {m.version}
        </h2>
        <Verdict release={release} />
        {release.ocpp_signed && <Chip tone="info">OCPP signature</Chip>}
        <span class="grow" />
        {may("admin") && (
          <>
            <a class="button" href={href.newRollout(release.id)}>
              Roll out
            </a>
            <Button onClick={() => (editing.value = true)}>Models, signature</Button>
            <Button tone="danger" why={release.rollouts > 0 ? "A roll-out that is not over uses it" : null} onClick={() => void remove()}>
              Delete
            </Button>
          </>
        )}
      </header>
      {editing.value && (
        <ReleaseEdit
          release={release}
          onClose={() => (editing.value = false)}
          onDone={() => {
            editing.value = false;
            changed();
          }}
        />
      )}
      {problem.value !== null && <Problem error={problem.value} />}
      {release.why && (
        <p class="notice bad">
          <Icon name="alert" />
          <span>{release.why}</span>
        </p>
      )}
      <dl class="facts wide">
        <Fact label="For">{m.hardware.join(", ")}</Fact>
        {release.only_models.length > 0 && <Fact label="Only for models">{release.only_models.join(", ")}</Fact>}
        <Fact label="Fits here">{fitting.length === 0 ? "no model of this fleet by name" : fitting.map((f) => `${f.model} (${f.stations})`).join(", ")}</Fact>
        <Fact label="Security counter">{String(m.security_counter)}</Fact>
        <Fact label="Can follow">{m.min_from === "" ? "any version" : `${m.min_from} and later`}</Fact>
        <Fact label="Expires">{m.expires === "" ? "never" : <When at={m.expires} />}</Fact>
        <Fact label="Brought">
          <When at={release.added_at} /> by {release.added_by}
        </Fact>
        <Fact label="File">
          {release.name || "release"}, {bytes(release.size)}
        </Fact>
        {m.notes_url !== "" && (
          <Fact label="Notes">
            <a href={m.notes_url} rel="noreferrer noopener" target="_blank">
              {m.notes_url}
            </a>
          </Fact>
        )}
      </dl>
      <details>
        <summary class="soft small">Components and signatures</summary>
        <table class="table small">
          <tbody>
            {m.components.map((c) => (
              <tr key={c.name}>
                <td data-label="Component">{c.name}</td>
                <td data-label="Size">{bytes(c.size)}</td>
                <td data-label="SHA-256">
                  <code>{c.sha256}</code>
                </td>
              </tr>
            ))}
            {release.signed_by.map((key) => (
              <tr key={key}>
                <td data-label="">signed by</td>
                <td data-label="" />
                <td data-label="Key id">
                  <code>{key}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </li>
  );
}

function Bring({ changed }: { changed: () => void }) {
  const part = useSignal<number | null>(null);
  const problem = useSignal<unknown>(null);
  const take = (file: File | undefined): void => {
    if (!file) return;
    problem.value = null;
    part.value = 0;
    addRelease(file, (p) => (part.value = p)).then(
      () => {
        part.value = null;
        changed();
      },
      (error: unknown) => {
        part.value = null;
        problem.value = error;
      },
    );
  };
  const busy = part.value !== null;
  return (
    <>
      <label class={`button primary bring${busy ? " busy" : ""}`}>
        <Icon name="plus" size={16} />
        {busy ? `Bringing it, ${Math.round((part.value ?? 0) * 100)} %` : "Bring a release"}
        <input
          type="file"
          accept=".pwr"
          disabled={busy}
          onChange={(event) => {
            take(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </label>
      {busy && <progress class="bringing" max={1} value={part.value ?? 0} aria-label="Upload" />}
      {problem.value !== null && (
        <div class="whole">
          <Problem error={problem.value} />
        </div>
      )}
    </>
  );
}

export function RolloutRow({ one }: { one: RolloutSummary }) {
  return (
    <li class="card pad rollout" data-rollout={one.id}>
      <header>
        <h2>
          <a href={href.rollout(one.id)}>{one.name}</a>
        </h2>
        <Chip tone={STATE_TONES[one.state]}>{one.state}</Chip>
        <span class="soft small">
          {countOf(one.total, "station")}, {one.counts.done ?? 0} done
          {(one.counts.failed ?? 0) > 0 && `, ${one.counts.failed ?? 0} failed`}
        </span>
        <span class="grow" />
        <span class="soft small">
          <Since at={one.changed_at} suffix=" ago" />
        </span>
      </header>
      {one.why && <p class="soft small">{one.why}</p>}
      <StageBars rollout={one} />
    </li>
  );
}

export function Firmware() {
  const list = useLoad(releases, [opened.value]);
  const runs = useLoad(rollouts, [opened.value]);
  useEffect(
    () =>
      on("rollout", () => {
        runs.reload();
        list.reload();
      }),
    [runs.reload, list.reload],
  );
  return (
    <>
      <div class="title firmwaretitle">
        <h1>Firmware</h1>
        <span class="grow" />
        {may("admin") && <Bring changed={list.reload} />}
      </div>
      <p class="soft lead">A release is signed by its maker; stations believe that signature and nobody else's. It goes to a few stations first, then to more.</p>
      {(runs.value?.length ?? 0) > 0 && (
        <>
          <h2 class="subtitle">Roll-outs</h2>
          <ul class="stack">
            {runs.value?.map((one) => <RolloutRow key={one.id} one={one} />)}
          </ul>
          <h2 class="subtitle">Releases</h2>
        </>
      )}
      {list.error !== null && <Problem error={list.error} retry={list.reload} />}
      {list.value === null && list.error === null && <Loading />}
      {list.value?.length === 0 && (
        <Empty icon="download" title="No release yet">
          <p>
            Bring a release file (<code>.pwr</code>) that <code>pilotwire release build</code> has made and its maker has signed.
          </p>
        </Empty>
      )}
      <ul class="stack">
        {list.value?.map((release) => <Row key={release.id} release={release} changed={list.reload} />)}
      </ul>
    </>
  );
}
