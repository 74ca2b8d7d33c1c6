// What was asked of the station and what became of it: sent → answered → seen.
import { connectorOf, isOver, type Job, type Phase } from "../../data/command";
import { second } from "../../data/clock";
import { clockTime } from "../../data/format";
import { jobs } from "../../data/jobs";
import { Icon, type IconName } from "../../ui/icon";

const LOOK: Record<Phase, { tone: string; icon: IconName | null }> = {
  sending: { tone: "info", icon: null },
  pending: { tone: "info", icon: null },
  watching: { tone: "info", icon: null },
  done: { tone: "go", icon: "check" },
  refused: { tone: "bad", icon: "close" },
  failed: { tone: "bad", icon: "close" },
  unseen: { tone: "warn", icon: "alert" },
};

const SHOWN = 6;
const FRESH_MS = 60_000;

function State({ phase }: { phase: Phase }) {
  const { icon } = LOOK[phase];
  return <span class="state">{icon ? <Icon name={icon} size={14} /> : <i class="spin" />}</span>;
}

// Beside the button that asked, for as long as it is news.
export function LatestJob({ station, connector }: { station: string; connector: number }) {
  void second.value;
  const fresh = (job: Job): boolean => !isOver(job) || Date.now() - job.at < FRESH_MS;
  const job = jobs.value.find((j) => j.station === station && connectorOf(j) === connector && fresh(j));
  if (!job) return null;
  return (
    <p class={`latest ${LOOK[job.phase].tone}`} role="status">
      <State phase={job.phase} />
      <span>
        <b>{job.title}:</b> {job.note}
      </span>
    </p>
  );
}

export function Jobs({ station }: { station: string }) {
  const mine = jobs.value.filter((job) => job.station === station).slice(0, SHOWN);
  if (mine.length === 0) return null;
  return (
    <section class="card pad" aria-live="polite">
      <h2>Requests</h2>
      <ol class="jobs">
        {mine.map((job) => {
          return (
            <li key={job.key} class={LOOK[job.phase].tone} data-phase={job.phase} data-action={job.action}>
              <State phase={job.phase} />
              <div>
                <b>{job.title}</b>
                <span>{job.note}</span>
              </div>
              <time class="soft">{clockTime(new Date(job.at)).slice(0, 5)}</time>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
