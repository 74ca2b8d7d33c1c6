// Load groups: what each may take, offers and draws.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../data/api";
import { may } from "../data/api";
import type { GroupSummary } from "../data/groups";
import { on, opened } from "../data/live";
import { href } from "../route";
import { Icon } from "../ui/icon";
import { Chip, Empty, Loading, Problem } from "../ui/parts";
import { PhaseBars } from "../ui/phases";

export function Counts({ group }: { group: GroupSummary }) {
  return (
    <>
      {group.charging > 0 && <Chip tone="go">{group.charging} offered</Chip>}
      {group.waiting > 0 && <Chip tone="warn">{group.waiting} waiting</Chip>}
      {group.unreachable > 0 && <Chip tone="bad">{group.unreachable} unreachable</Chip>}
      {group.charging + group.waiting + group.unreachable === 0 && <Chip tone="calm">nothing to share</Chip>}
    </>
  );
}

function Row({ group }: { group: GroupSummary }) {
  return (
    <li class="card pad group">
      <header>
        <h2>
          <a href={href.group(group.id)}>{group.name}</a>
        </h2>
        <span class="soft small">
          {group.members} {group.members === 1 ? "connector" : "connectors"} on {group.circuits} {group.circuits === 1 ? "circuit" : "circuits"}
        </span>
        <span class="grow" />
        <Counts group={group} />
      </header>
      <PhaseBars limit={group.limit_a} offer={group.offer_a} used={group.used_a} label={`Phases of ${group.name}`} />
    </li>
  );
}

export function Groups() {
  const groups = useSignal<GroupSummary[] | null>(null);
  const problem = useSignal<unknown>(null);
  const load = (): void => {
    api.groups().then(
      (list) => {
        groups.value = list;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  useSignalEffect(() => {
    void opened.value;
    load();
  });
  useEffect(
    () =>
      on("group", (news) => {
        const list = groups.peek();
        if (list?.some((g) => g.id === news.id)) groups.value = list.map((g) => (g.id === news.id ? news : g));
        else if (list) load();
      }),
    [],
  );
  return (
    <>
      <div class="title">
        <h1>Load groups</h1>
        <span class="grow" />
        {may("operator") && (
          <a class="button" href={href.newGroup}>
            <Icon name="plus" size={16} />
            Add a group
          </a>
        )}
      </div>
      <p class="soft lead">Stations behind one fuse share its current: per phase, fair, and never more than it carries.</p>
      {problem.value !== null && <Problem error={problem.value} retry={load} />}
      {groups.value === null && problem.value === null && <Loading />}
      {groups.value?.length === 0 && (
        <Empty icon="tree" title="No load group yet">
          <p>Name the fuse and the connectors behind it; the central then gives each its share.</p>
          {may("operator") && (
            <a class="button primary" href={href.newGroup}>
              Add a group
            </a>
          )}
        </Empty>
      )}
      <ul class="stack">
        {groups.value?.map((group) => <Row key={group.id} group={group} />)}
      </ul>
    </>
  );
}
