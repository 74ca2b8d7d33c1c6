// One roll-out: its stages, what it waits for, and each station with its reason.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../data/api";
import { on, opened } from "../data/live";
import { changeRollout, countOf, finds, grows, rollout as read, STATE_TONES, stepTone, type RolloutSummary } from "../data/releases";
import { duration } from "../data/format";
import { href } from "../route";
import { ask } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { useLoad } from "../ui/load";
import { Button, Chip, Fact, Loading, Problem, Segments, Since, When } from "../ui/parts";
import { Kinds, StageBars } from "./firmware_stages";

const READ_MS = 500;

function Actions({ one, changed }: { one: RolloutSummary; changed: () => void }) {
  const problem = useSignal<unknown>(null);
  const give = (what: "pause" | "resume" | "cancel" | "retry"): void => {
    problem.value = null;
    changeRollout(one.id, what).then(changed, (error: unknown) => (problem.value = error));
  };
  const cancel = async (): Promise<void> => {
    if (await ask("Cancel this roll-out?", "No other station begins. Those that have begun go on by themselves.", "Cancel it")) give("cancel");
  };
  const live = one.state === "running" || one.state === "paused" || one.state === "stopped";
  if (!live) return null;
  return (
    <>
      {one.state === "running" && may("operator") && (
        <Button icon="pause" onClick={() => give("pause")}>
          Pause
        </Button>
      )}
      {one.state === "paused" && may("admin") && (
        <Button icon="play" tone="primary" onClick={() => give("resume")}>
          Go on
        </Button>
      )}
      {(one.counts.failed ?? 0) > 0 && may("admin") && (
        <Button icon="reload" onClick={() => give("retry")}>
          Try the failed again
        </Button>
      )}
      {may("admin") && (
        <Button tone="danger" onClick={() => void cancel()}>
          Cancel
        </Button>
      )}
      {problem.value !== null && (
        <div class="whole">
          <Problem error={problem.value} />
        </div>
      )}
    </>
  );
}

function next(one: RolloutSummary): string {
  if (one.state === "stopped") return "It has stopped itself. Look at the stations that failed; they can be tried again.";
  if (one.state === "paused") return "No station begins until it goes on.";
  if (one.state !== "running") return "";
  if (one.stage === 0 && one.canary > 1 && one.soak_until === null)
    return `A canary goes first. ${grows(one)} Each step waits until the one before is done.`;
  if (one.soak_until !== null) return "The stage is done; it is watched for a while before the next begins.";
  return (one.counts.waiting ?? 0) > 0 && one.stage + 1 >= one.stages.length ? "Stations that are offline are told when they come back." : "";
}

const FILTERS = [
  ["all", "All"],
  ["busy", "Under way"],
  ["failed", "Failed"],
  ["waiting", "Waiting"],
  ["done", "Done"],
] as const;

export function RolloutPage({ id }: { id: number }) {
  const loaded = useLoad(() => read(id), [id, opened.value]);
  const filter = useSignal<string>("all");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const off = on("rollout", (news) => {
      if (news.id !== id || timer !== null) return;
      timer = setTimeout(() => {
        timer = null;
        loaded.reload();
      }, READ_MS);
    });
    return () => {
      off();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id, loaded.reload]);
  const one = loaded.value?.rollout;
  const stations = (loaded.value?.stations ?? []).filter((s) => {
    if (filter.value === "all") return true;
    if (filter.value === "busy") return !["waiting", "done", "failed", "has it", "gone"].includes(s.state);
    if (filter.value === "done") return s.state === "done" || s.state === "has it";
    return s.state === filter.value;
  });
  return (
    <>
      <a class="back soft" href={href.firmware}>
        <Icon name="left" size={16} /> Firmware
      </a>
      {loaded.error !== null && <Problem error={loaded.error} retry={loaded.reload} />}
      {!one && loaded.error === null && <Loading />}
      {one && (
        <>
          <div class="title firmwaretitle">
            <h1>{one.name}</h1>
            <Chip tone={STATE_TONES[one.state]}>{one.state}</Chip>
            <span class="grow" />
            <Actions one={one} changed={loaded.reload} />
          </div>
          {one.why && (
            <p class={`notice ${one.state === "stopped" ? "bad" : "info"}`}>
              <Icon name={one.state === "stopped" ? "alert" : "info"} />
              <span>{one.why}</span>
            </p>
          )}
          <section class="card pad">
            <StageBars rollout={one} />
            {next(one) !== "" && <p class="soft small">{next(one)}</p>}
            <dl class="facts wide">
              <Fact label="Version">{one.version}</Fact>
              <Fact label="Begun">
                <When at={one.made_at} /> by {one.made_by}
              </Fact>
              <Fact label="Next stage">{one.soak_until ? <When at={one.soak_until} /> : `${duration(one.soak_s)} after a stage is done`}</Fact>
              {one.canary > 0 && one.canary_finds_percent > 0 && (
                <Fact label="Canary">
                  {countOf(one.canary, "station")}; {finds(one)}
                </Fact>
              )}
              <Fact label="At once">at most {countOf(one.at_most, "station")}</Fact>
              <Fact label="Stops itself">
                {one.canary > 0 && (one.canary_failures === 0 ? "at the first failure in the canary, then " : `above ${countOf(one.canary_failures, "failure")} in the canary, then `)}
                {one.stop_percent < 100 ? `above ${one.stop_percent} % failures in a stage` : "not by rate"}
                {one.stop_count > 0 && `, at ${countOf(one.stop_count, "failure")}`}
              </Fact>
              <Fact label="A station fails">{duration(one.deadline_s)} after it was asked, its charges not counted</Fact>
            </dl>
          </section>
          {(loaded.value?.kinds.length ?? 0) > 0 && (
            <section class="card">
              <Kinds kinds={loaded.value?.kinds ?? []} />
            </section>
          )}
          <section class="card">
            <div class="toolbar">
              <Segments label="Which stations" value={filter.value} options={FILTERS} onChange={(v) => (filter.value = v)} />
              <span class="grow" />
              <span class="soft small">
                {stations.length} of {one.total}
              </span>
            </div>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Station</th>
                  <th scope="col">State</th>
                  <th scope="col">Since</th>
                  <th scope="col">Had</th>
                  <th scope="col">By</th>
                  <th scope="col">Reason</th>
                </tr>
              </thead>
              <tbody>
                {stations.map((s) => (
                  <tr key={s.station_id} data-station={s.station_id}>
                    <td data-label="Station">
                      <a href={href.station(s.station_id)}>{s.station_id}</a>
                    </td>
                    <td data-label="State">
                      <Chip tone={stepTone(s.state)}>{s.state}</Chip>
                    </td>
                    <td data-label="Since">
                      <Since at={s.since} />
                    </td>
                    <td data-label="Had">{s.was ?? "–"}</td>
                    <td data-label="By">{s.began_at === null ? "–" : s.way === "link" ? "station link" : "OCPP"}</td>
                    <td data-label="Reason">{s.why ?? "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </>
  );
}
