// A new roll-out: which stations, how many first, when it stops itself. What is there already is good.
import { useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { may } from "../data/api";
import { fleet } from "../data/live";
import { countOf, finds, grows, planRollout, readStages, releases, startRollout, type Release } from "../data/releases";
import { href } from "../route";
import { Choice, Text } from "../ui/fields";
import { Icon } from "../ui/icon";
import { useLoad } from "../ui/load";
import { Loading, Problem } from "../ui/parts";
import { Kinds } from "./firmware_stages";

const PLAN_MS = 300;

const WAYS = [
  ["auto", "OCPP, or the station link where OCPP is offline"],
  ["ocpp", "OCPP only"],
  ["link", "Station link only"],
] as const;

const whole = (text: string, least: number, most: number): number | null => {
  const value = Number(text);
  return /^\d+$/.test(text.trim()) && value >= least && value <= most ? value : null;
};

// What the central would make of it, read again as the form changes. `asked` as JSON; empty: not yet good.
function Plan({ asked }: { asked: string }) {
  const [settled, settle] = useState(asked);
  useEffect(() => {
    const timer = setTimeout(() => settle(asked), PLAN_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  const plan = useLoad(() => (settled === "" ? Promise.resolve(null) : planRollout(JSON.parse(settled) as object)), [settled]);
  const one = plan.value?.rollout;
  if (plan.error !== null) return <Problem error={plan.error} />;
  if (!one || !plan.value) return null;
  const stations = plan.value.kinds.reduce((sum, kind) => sum + kind.stations, 0);
  return (
    <div class="plan" aria-live="polite">
      <p class="notice info">
        <Icon name="info" />
        <span>
          {one.canary > 0 && `A canary of ${Math.min(one.canary, stations)} of ${countOf(stations, "station")} `}
          {finds(one)}.
          {" " + grows(one)}
          {one.total > stations && ` ${countOf(one.total - stations, "station has", "stations have")} this version already.`}
        </span>
      </p>
      {plan.value.kinds.length > 0 && <Kinds kinds={plan.value.kinds} />}
    </div>
  );
}

function Form({ release }: { release: Release }) {
  const models = release.models;
  const first = models.find((m) => m.fits) ?? models[0];
  const [who, canary, lost, stages, soak, most, percent, days, way, name] = [
    useSignal(first ? `model:${first.model}` : "ids"),
    useSignal(""),
    useSignal("0"),
    useSignal("10, 50, 100"),
    useSignal("60"),
    useSignal("20"),
    useSignal("5"),
    useSignal("24"),
    useSignal("auto"),
    useSignal(""),
  ];
  const ids = useSignal("");
  const tried = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<unknown>(null);
  const list = ids.value.split(/[\s,;]+/).filter((id) => id !== "");
  const unknown = list.find((id) => !fleet.value?.has(id));
  const asked = {
    canary: canary.value.trim() === "" ? undefined : whole(canary.value, 0, 20000),
    lost: whole(lost.value, 0, 10),
    stages: readStages(stages.value),
    soak: whole(soak.value, 0, 43200),
    most: whole(most.value, 1, 1000),
    percent: whole(percent.value, 0, 100),
    hours: whole(days.value, 1, 720),
  };
  const wrongIds = who.value !== "ids" ? undefined : list.length === 0 ? "name at least one station" : unknown !== undefined ? `${unknown} is no station here` : undefined;
  const good = Object.values(asked).every((value) => value !== null) && wrongIds === undefined;
  const body = {
    release_id: release.id,
    ...(name.value.trim() !== "" && { name: name.value.trim() }),
    ...(who.value === "ids" ? { stations: list } : { model: who.value.slice("model:".length) }),
    ...(asked.canary !== undefined && { canary: asked.canary }),
    canary_failures: asked.lost,
    stages: asked.stages,
    soak_s: (asked.soak ?? 0) * 60,
    at_most: asked.most,
    stop_percent: asked.percent,
    deadline_s: (asked.hours ?? 24) * 3600,
    way: way.value,
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (!good || busy.value) return;
    busy.value = true;
    problem.value = null;
    startRollout(body).then(
      ({ rollout }) => (window.location.hash = href.rollout(rollout.id)),
      (error: unknown) => {
        busy.value = false;
        problem.value = error;
      },
    );
  };
  const wrong = (value: unknown, text: string): string | undefined => (tried.value && value === null ? text : undefined);
  return (
    <form class="card pad narrow" onSubmit={submit} noValidate>
      <h2>Which stations</h2>
      <Choice
        label="Stations"
        value={who.value}
        options={[...models.map((m) => [`model:${m.model}`, `all ${m.stations} of model ${m.model}${m.fits ? "" : " (not named by the release)"}`] as const), ["ids", "these, by id"] as const]}
        onChange={(v) => (who.value = v)}
      />
      {who.value === "ids" && <Text label="Ids, between spaces or commas" value={ids.value} length={4000} wrong={tried.value ? wrongIds : undefined} onInput={(v) => (ids.value = v)} />}
      <h2>How many at a time</h2>
      <div class="fields">
        <Text label="First, as a canary" unit="stations" numeric value={canary.value} placeholder="as many as it takes" wrong={wrong(asked.canary, "0 to 20000, or nothing")} onInput={(v) => (canary.value = v)} />
        <Text label="Then, as stages" unit="%" value={stages.value} wrong={wrong(asked.stages, "percentages that rise, the last one 100")} onInput={(v) => (stages.value = v)} />
        <Text label="Watch each stage for" unit="min" numeric value={soak.value} wrong={wrong(asked.soak, "0 to 43200")} onInput={(v) => (soak.value = v)} />
        <Text label="At once at most" unit="stations" numeric value={most.value} wrong={wrong(asked.most, "1 to 1000")} onInput={(v) => (most.value = v)} />
      </div>
      <Plan asked={good ? JSON.stringify(body) : ""} />
      <h2>When it is too much</h2>
      <div class="fields">
        <Text label="Of the canary may fail" unit="stations" numeric value={lost.value} wrong={wrong(asked.lost, "0 to 10")} onInput={(v) => (lost.value = v)} />
        <Text label="Later stop above" unit="% failures" numeric value={percent.value} wrong={wrong(asked.percent, "0 to 100")} onInput={(v) => (percent.value = v)} />
        <Text label="A station has failed after" unit="h" numeric value={days.value} wrong={wrong(asked.hours, "1 to 720")} onInput={(v) => (days.value = v)} />
      </div>
      <Choice label="By" value={way.value} options={WAYS} onChange={(v) => (way.value = v)} />
      <Text label="Name (optional)" value={name.value} placeholder={`${release.manifest.product} ${release.manifest.version}`} onInput={(v) => (name.value = v)} />
      <p class="soft small">No charge is interrupted: a station that charges installs it afterwards, and that time does not count. Stations that are offline wait.</p>
      {problem.value !== null && <Problem error={problem.value} />}
      <div class="row end">
        <a class="button" href={href.firmware}>
          Cancel
        </a>
        <button class="button primary" disabled={busy.value}>
          Begin
        </button>
      </div>
    </form>
  );
}

function Offer({ release }: { release: number }) {
  const list = useLoad(releases, [release]);
  const found = list.value?.find((one) => one.id === release);
  return (
    <>
      <div class="title">
        <h1>{found ? `Roll out ${found.manifest.product} ${found.manifest.version}` : "Roll out"}</h1>
      </div>
      {list.error !== null && <Problem error={list.error} retry={list.reload} />}
      {list.value === null && list.error === null && <Loading />}
      {list.value !== null && !found && <Problem error="There is no such release any more." />}
      {found && <Form key={found.id} release={found} />}
    </>
  );
}

export function NewRollout({ release }: { release: number }) {
  return (
    <>
      <a class="back soft" href={href.firmware}>
        <Icon name="left" size={16} /> Firmware
      </a>
      {may("admin") ? <Offer release={release} /> : <Problem error="Only an admin may begin a roll-out." />}
    </>
  );
}
