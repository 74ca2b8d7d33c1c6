// One load group: its circuits and members now, and limit, offer and use over time.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../data/api";
import { current, plain } from "../data/format";
import { depth, moodOf, PHASES, type Circuit, type GroupHistory, type GroupState, type Member } from "../data/groups";
import { on, opened } from "../data/live";
import { href } from "../route";
import { ask } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { Button, Chip, Empty, For, Loading, Problem, Segments } from "../ui/parts";
import { PhaseBars } from "../ui/phases";
import { fromZero, Panel, type Line } from "../ui/plot";

const READ_MS = 1000; // the group is read again at most so often
const HISTORY_MS = 10_000;

type Shown = "load_limit" | "load_offer" | "load_used";

const LINES: readonly Line<Shown>[] = [
  { key: "load_used", label: "Drawn", scale: 1, unit: "A", format: current, axis: "left", range: fromZero, fill: true },
  { key: "load_offer", label: "Offered", scale: 1, unit: "A", format: current, axis: "left", range: fromZero },
  { key: "load_limit", label: "Limit", scale: 1, unit: "A", format: current, axis: "left", range: fromZero, dash: [5, 4] },
];

function History({ id }: { id: string }) {
  const phase = useSignal<0 | 1 | 2>(0);
  const hours = useSignal<1 | 6 | 24>(1);
  const history = useSignal<GroupHistory | null>(null);
  const problem = useSignal<unknown>(null);
  const load = (): void => {
    api.groupHistory(id, new Date(Date.now() - hours.peek() * 3_600_000)).then(
      (read) => {
        history.value = read;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  useSignalEffect(() => {
    void opened.value;
    void hours.value;
    load();
    const timer = setInterval(load, HISTORY_MS);
    return () => clearInterval(timer);
  });
  const [h, p] = [history.value, phase.value];
  return (
    <section class="card pad">
      <div class="row">
        <h2>Limit, offer and use</h2>
        <span class="grow" />
        <Segments label="Phase" value={p} options={PHASES.map((name, i) => [i as 0 | 1 | 2, name] as const)} onChange={(v) => (phase.value = v)} />
        <Segments
          label="Time"
          value={hours.value}
          options={[
            [1, "1 h"],
            [6, "6 h"],
            [24, "24 h"],
          ]}
          onChange={(v) => (hours.value = v)}
        />
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={load} />}
      {h && h.t.length > 1 && (
        <div class="curve loadcurve">
          <Panel lines={LINES} columns={{ t: h.t, load_limit: h.limit_a[p], load_offer: h.offer_a[p], load_used: h.used_a[p] }} />
        </div>
      )}
      {h && h.t.length <= 1 && <p class="soft">The first points come within half a minute.</p>}
    </section>
  );
}

function CircuitRow({ circuit, circuits }: { circuit: Circuit; circuits: Circuit[] }) {
  const reserved = Math.max(...circuit.reserved_a);
  return (
    <li class={`circuit deep${Math.min(4, depth(circuits, circuit.id))}`}>
      <div>
        <b>{circuit.name}</b>
        {reserved > 0 && <span class="soft small">{plain(current(reserved))} kept for other consumers</span>}
      </div>
      <PhaseBars limit={circuit.limit_a} offer={circuit.offer_a} used={circuit.used_a} label={`Phases of ${circuit.name}`} />
    </li>
  );
}

function MemberRow({ member, group }: { member: Member; group: GroupState }) {
  const { tone, text } = moodOf(member);
  const circuit = group.circuits.find((c) => c.id === member.circuit);
  return (
    <tr>
      <td>
        <div class="who">
          <a href={href.station(member.station_id)}>{member.station_id}</a>
          <span class="soft">
            connector {member.connector_id} · {circuit?.name ?? member.circuit}
            {member.priority > 0 && ` · priority ${member.priority}`}
          </span>
        </div>
      </td>
      <td>
        <Chip tone={tone}>{text}</Chip>
      </td>
      <td class="right" data-label="Drawn">
        {plain(current(member.used_a))}
      </td>
      <td class="right" data-label="Offered">
        <b>{plain(current(member.offer_a))}</b>
      </td>
      <td class="right soft" data-label="Range">
        {member.min_a}–{plain(current(member.max_a))}
      </td>
      <td class="reason">{member.reason_text}</td>
    </tr>
  );
}

function Members({ group }: { group: GroupState }) {
  if (group.members.length === 0) {
    return (
      <section class="card">
        <Empty icon="station" title="No connector shares this fuse yet">
          <a class="button" href={href.group(group.id, true)}>
            Add connectors
          </a>
        </Empty>
      </section>
    );
  }
  return (
    <section class="card">
      <table class="table loadmembers">
        <thead>
          <tr>
            <th>Connector</th>
            <th>State</th>
            <th class="right">Drawn</th>
            <th class="right">Offered</th>
            <th class="right">Range</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {group.members.map((m) => (
            <MemberRow key={`${m.station_id} ${m.connector_id}`} member={m} group={group} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Body({ group }: { group: GroupState }) {
  return (
    <>
      {!group.served && (
        <p class="notice warn">
          <Icon name="alert" />
          <span>This central has no way to tell stations their limits, so nothing is shared.</span>
        </p>
      )}
      <section class="card pad">
        <h2>Circuits now</h2>
        <p class="soft small legend">
          <span class="key load_used">drawn</span> <span class="key load_offer">offered</span> of the limit, in ampere per phase
        </p>
        <ul class="circuits">
          {group.circuits.map((c) => (
            <CircuitRow key={c.id} circuit={c} circuits={group.circuits} />
          ))}
        </ul>
      </section>
      <History id={group.id} />
      <Members group={group} />
    </>
  );
}

export function GroupPage({ id }: { id: string }) {
  const group = useSignal<GroupState | null>(null);
  const problem = useSignal<unknown>(null);
  const load = (): void => {
    api.group(id).then(
      (read) => {
        group.value = read;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  useSignalEffect(() => {
    void opened.value;
    load();
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const off = on("group", (news) => {
      if (news.id !== id || timer !== null) return;
      timer = setTimeout(() => {
        timer = null;
        load();
      }, READ_MS);
    });
    return () => {
      off();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id]);
  const remove = async (): Promise<void> => {
    const yes = await ask(`Remove ${group.value?.name ?? id}?`, "Its connectors are limited no more. What they drew stays in their sessions.", "Remove");
    if (!yes) return;
    try {
      await api.deleteGroup(id);
      window.location.hash = href.groups;
    } catch (error) {
      problem.value = error;
    }
  };
  const g = group.value;
  return (
    <>
      <a class="back soft" href={href.groups}>
        <Icon name="left" size={16} /> Load groups
      </a>
      <div class="title">
        <h1>{g?.name ?? id}</h1>
        <span class="grow" />
        {g && (
          <>
            <For least="operator">
              <a class="button" href={href.group(id, true)}>
                Edit
              </a>
            </For>
            <Button needs="operator" tone="danger" onClick={() => void remove()}>
              Remove
            </Button>
          </>
        )}
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={load} />}
      {g ? <Body group={g} /> : problem.value === null && <Loading />}
    </>
  );
}
