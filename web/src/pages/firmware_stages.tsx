// A roll-out's stages, one bar each: done, failed, begun, still to come.
import { stageName, type Kind, type RolloutSummary, type Stage } from "../data/releases";

function Bar({ stage, now }: { stage: Stage; now: boolean }) {
  const of = Math.max(1, stage.stations, stage.begun);
  const x = (n: number): number => (n / of) * 100;
  const busy = Math.max(0, stage.begun - stage.done - stage.failed);
  return (
    <div class={`stage${now ? " current" : ""}`}>
      <dt>{stageName(stage)}</dt>
      <dd>
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={`${stage.done} of ${stage.stations} done, ${stage.failed} failed`}>
          <rect class="track" width="100" height="8" />
          <rect class="begun" width={x(stage.begun)} height="8" />
          <rect class="done" width={x(stage.done)} height="8" />
          <rect class="failed" x={x(stage.done)} width={x(stage.failed)} height="8" />
        </svg>
        <span class="soft small">
          {stage.done} of {stage.stations}
          {busy > 0 && `, ${busy} at it`}
          {stage.failed > 0 && <b class="bad">, {stage.failed} failed</b>}
        </span>
      </dd>
    </div>
  );
}

export function StageBars({ rollout }: { rollout: RolloutSummary }) {
  const live = rollout.state === "running" || rollout.state === "paused" || rollout.state === "stopped";
  const stages = rollout.stages.filter((stage) => stage.stations > 0 || stage.begun > 0);
  return (
    <dl class="stages">
      {stages.map((stage) => (
        <Bar key={stage.stage} stage={stage} now={live && stage.stage === rollout.stage} />
      ))}
    </dl>
  );
}

// What a release should treat alike: that all failures are of one kind is seen here.
export function Kinds({ kinds }: { kinds: Kind[] }) {
  const begun = kinds.some((one) => one.done !== undefined);
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Kind of station</th>
          <th scope="col">Stations</th>
          <th scope="col">In the canary</th>
          {begun && <th scope="col">Done</th>}
          {begun && <th scope="col">Failed</th>}
        </tr>
      </thead>
      <tbody>
        {kinds.map((one) => (
          <tr key={one.kind}>
            <td data-label="Kind">{one.kind}</td>
            <td data-label="Stations">{one.stations}</td>
            <td data-label="In the canary">{one.canary}</td>
            {begun && <td data-label="Done">{one.done}</td>}
            {begun && <td data-label="Failed">{(one.failed ?? 0) > 0 ? <b class="bad">{one.failed}</b> : 0}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
