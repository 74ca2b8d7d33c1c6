// The editor of a load group: circuits as a tree, connectors on them, and what is wrong beside the
// field it is wrong in. The central has the last word; its refusal finds its field too.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../data/api";
import { plugs } from "../data/fleet";
import {
  depth,
  documentOf,
  draftOf,
  newCircuit,
  newDraft,
  newMember,
  ordered,
  PHASES,
  problemsOf,
  refusalAt,
  ROTATIONS,
  type CircuitDraft,
  type Draft,
  type MemberDraft,
  type Problems,
} from "../data/groups";
import { fleet } from "../data/live";
import { href } from "../route";
import { Choice, Text } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Loading, Problem } from "../ui/parts";

interface Editing {
  draft: Signal<Draft>;
  problems: Problems; // shown ones
}

const nameOf = (c: CircuitDraft): string => c.name.trim() || c.id || "unnamed";

// One value for all phases is the rule; three where they differ.
function ThreePhases(props: { label: string; value: [string, string, string]; wrong: string | undefined; onInput: (value: [string, string, string]) => void }) {
  const set = (phase: number, text: string): void => {
    const next: [string, string, string] = [...props.value];
    next[phase] = text;
    props.onInput(next);
  };
  return (
    <fieldset class={props.wrong ? "three wrong" : "three"}>
      <legend>{props.label}, A</legend>
      {PHASES.map((name, phase) => (
        <input
          key={name}
          aria-label={`${props.label} on ${name}`}
          title={name}
          inputMode="decimal"
          value={props.value[phase] ?? ""}
          aria-invalid={Boolean(props.wrong)}
          onInput={(event) => set(phase, event.currentTarget.value)}
        />
      ))}
      {props.wrong && (
        <span class="small" role="alert">
          {props.wrong}
        </span>
      )}
    </fieldset>
  );
}

function CircuitForm({ editing, circuit }: { editing: Editing; circuit: CircuitDraft }) {
  const { draft, problems } = editing;
  const all = draft.value.circuits;
  const wrong = (field: string): string | undefined => problems.get(`c${circuit.key}.${field}`);
  const change = (part: Partial<CircuitDraft>): void => {
    // While it is typed an id may pass through another circuit's: nothing moves over then.
    const shared = all.some((c) => c.key !== circuit.key && c.id === circuit.id);
    const renamed = shared ? undefined : part.id;
    draft.value = {
      ...draft.value,
      circuits: all.map((c) =>
        c.key === circuit.key ? { ...c, ...part } : renamed !== undefined && c.parent === circuit.id ? { ...c, parent: renamed } : c,
      ),
      // What hangs on it follows its new id.
      members: renamed === undefined ? draft.value.members : draft.value.members.map((m) => (m.circuit === circuit.id ? { ...m, circuit: renamed } : m)),
    };
  };
  const remove = (): void => {
    draft.value = { ...draft.value, circuits: all.filter((c) => c.key !== circuit.key) };
  };
  const parents = all.filter((c) => c.key !== circuit.key).map((c) => [c.id, nameOf(c)] as const);
  return (
    <li class={`fields circuitform deep${Math.min(4, depth(all, circuit.id))}`}>
      <Text label="Name" value={circuit.name} wrong={wrong("name")} placeholder={circuit.id} onInput={(name) => change({ name })} />
      <Text label="Id" value={circuit.id} wrong={wrong("id")} onInput={(id) => change({ id: id.trim() })} />
      <Choice label="Fed by" value={circuit.parent} wrong={wrong("parent")} options={[["", "the grid"], ...parents]} onChange={(parent) => change({ parent })} />
      <ThreePhases label="Fuse" value={circuit.limit} wrong={wrong("limit")} onInput={(limit) => change({ limit })} />
      <ThreePhases label="Kept for others" value={circuit.reserved} wrong={wrong("reserved")} onInput={(reserved) => change({ reserved })} />
      <button type="button" class="bare" aria-label={`Remove ${nameOf(circuit)}`} title="Remove" onClick={remove}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

function MemberForm({ editing, member }: { editing: Editing; member: MemberDraft }) {
  const { draft, problems } = editing;
  const wrong = (field: string): string | undefined => problems.get(`m${member.key}.${field}`);
  const change = (part: Partial<MemberDraft>): void => {
    draft.value = { ...draft.value, members: draft.value.members.map((m) => (m.key === member.key ? { ...m, ...part } : m)) };
  };
  const remove = (): void => {
    draft.value = { ...draft.value, members: draft.value.members.filter((m) => m.key !== member.key) };
  };
  const stations = [...(fleet.value?.keys() ?? [])].sort().map((id) => [id, id] as const);
  const circuits = draft.value.circuits.map((c) => [c.id, nameOf(c)] as const);
  return (
    <li class="fields memberform">
      <Choice label="Station" value={member.station} wrong={wrong("station")} options={stations} onChange={(station) => change({ station })} />
      <Text label="Connector" value={member.connector} wrong={wrong("connector")} numeric onInput={(connector) => change({ connector })} />
      <Choice label="Circuit" value={member.circuit} wrong={wrong("circuit")} options={circuits} onChange={(circuit) => change({ circuit })} />
      <Text label="Priority" value={member.priority} wrong={wrong("priority")} numeric onInput={(priority) => change({ priority })} />
      <Text label="Least" unit="A" value={member.min} wrong={wrong("min")} numeric onInput={(min) => change({ min })} />
      <Text label="Most" unit="A" value={member.max} wrong={wrong("max")} numeric onInput={(max) => change({ max })} />
      <Text label="Fail-safe" unit="A" value={member.failsafe} wrong={wrong("failsafe")} numeric onInput={(failsafe) => change({ failsafe })} />
      <Choice
        label="Phases"
        value={member.phases}
        wrong={wrong("phases")}
        options={[
          ["1", "1"],
          ["2", "2"],
          ["3", "3"],
        ]}
        onChange={(phases) => change({ phases })}
      />
      <Choice label="Rotation" value={member.rotation} wrong={wrong("rotation")} options={ROTATIONS.map((r) => [r, r] as const)} onChange={(rotation) => change({ rotation })} />
      <button type="button" class="bare" aria-label={`Remove ${member.station || "this connector"}`} title="Remove" onClick={remove}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

// The first connector of the fleet that is not in the list yet.
function suggestion(draft: Draft): MemberDraft {
  const circuit = draft.circuits[draft.circuits.length - 1]?.id ?? "";
  for (const station of fleet.value?.values() ?? []) {
    for (const c of plugs(station)) {
      const taken = draft.members.some((m) => m.station === station.id && m.connector === String(c.connector_id));
      if (!taken) return newMember(station.id, circuit, String(c.connector_id));
    }
  }
  return newMember("", circuit);
}

function Editor({ start, fresh }: { start: Draft; fresh: boolean }) {
  const draft = useSignal(start);
  const tried = useSignal(false);
  const refusal = useSignal<{ of: Draft; place: string | null; text: string } | null>(null);
  const busy = useSignal(false);
  const d = draft.value;
  const found = problemsOf(d, fresh);
  // A refusal belongs to what was sent; once something is changed it is history.
  const refused = refusal.value?.of === d ? refusal.value : null;
  const shown: Problems = refused?.place ? new Map([[refused.place, refused.text]]) : tried.value ? found : new Map();
  const editing: Editing = { draft, problems: shown };

  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    tried.value = true;
    refusal.value = null;
    if (found.size > 0) return;
    busy.value = true;
    try {
      await api.putGroup(d.id, documentOf(d));
      window.location.hash = href.group(d.id);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const place = refusalAt(d, text);
      refusal.value = { of: d, place: place?.[0] ?? null, text: place?.[1] ?? text };
    }
    busy.value = false;
  };
  const add = (part: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const lastCircuit = d.circuits[0]?.id ?? "";
  return (
    <form class="groupform" onSubmit={(event) => void save(event)} noValidate>
      <section class="card pad">
        <div class="fields">
          <Text label="Name" value={d.name} wrong={shown.get("name")} placeholder={d.id || "Garage"} onInput={(name) => add({ name })} />
          <Text label="Id" value={d.id} wrong={shown.get("id")} placeholder="garage" disabled={!fresh} onInput={(id) => add({ id: id.trim() })} />
          <Text label="A turn, when not all can charge" unit="min" value={d.rotation} wrong={shown.get("rotation")} numeric onInput={(rotation) => add({ rotation })} />
        </div>
      </section>
      <section class="card pad">
        <h2>Circuits</h2>
        <p class="soft small">Each fuse and what it is fed by. The first one is the one that is plotted.</p>
        <ul class="forms">
          {ordered(d.circuits).map((c) => (
            <CircuitForm key={c.key} editing={editing} circuit={c} />
          ))}
        </ul>
        {shown.has("circuits") && <p class="wrong small">{shown.get("circuits")}</p>}
        <button type="button" class="button small" onClick={() => add({ circuits: [...d.circuits, newCircuit(lastCircuit, `circuit${d.circuits.length + 1}`)] })}>
          <Icon name="plus" size={16} /> Circuit
        </button>
      </section>
      <section class="card pad">
        <h2>Connectors</h2>
        <p class="soft small">
          Priority 9 is served first. The fail-safe current is what a station falls back to when it hears no more from the central: the sum of all
          must fit the fuses.
        </p>
        <ul class="forms">
          {d.members.map((m) => (
            <MemberForm key={m.key} editing={editing} member={m} />
          ))}
        </ul>
        <button type="button" class="button small" onClick={() => add({ members: [...d.members, suggestion(d)] })}>
          <Icon name="plus" size={16} /> Connector
        </button>
      </section>
      {refused && refused.place === null && <Problem error={refused.text} />}
      {shown.size > 0 && <p class="notice warn">{shown.size === 1 ? "One field needs" : `${shown.size} fields need`} another value.</p>}
      <div class="row end">
        <a class="button" href={fresh ? href.groups : href.group(d.id)}>
          Cancel
        </a>
        <button class="button primary" disabled={busy.value}>
          Save
        </button>
      </div>
    </form>
  );
}

export function NewGroup() {
  return (
    <>
      <a class="back soft" href={href.groups}>
        <Icon name="left" size={16} /> Load groups
      </a>
      <div class="title">
        <h1>New load group</h1>
      </div>
      <Editor start={newDraft()} fresh />
    </>
  );
}

export function EditGroup({ id }: { id: string }) {
  const start = useSignal<Draft | null>(null);
  const problem = useSignal<unknown>(null);
  useEffect(() => {
    api.group(id).then(
      (group) => (start.value = draftOf(group)),
      (error: unknown) => (problem.value = error),
    );
  }, [id]);
  return (
    <>
      <a class="back soft" href={href.group(id)}>
        <Icon name="left" size={16} /> {id}
      </a>
      <div class="title">
        <h1>Edit {start.value?.name ?? id}</h1>
      </div>
      {problem.value !== null && <Problem error={problem.value} />}
      {start.value ? <Editor start={start.value} fresh={false} /> : problem.value === null && <Loading />}
    </>
  );
}
