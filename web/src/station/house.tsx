// The house behind its meter: what each phase carries under its breaker, what is left for charging, and why.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current, elapsed, percent, plain, power } from "../data/format";
import { Chip, Empty, Fact, Num, Problem, Reading } from "../ui/parts";
import { fromZero, Panel, type Line } from "../ui/plot";
import { houseHistory, opened } from "./data";
import { activeWords, hasCharger, houseBars, houseTone, houseWord, mostOf, offeredOf, HOUR_KEYS, withHouse, type HouseBar } from "./house_model";
import { upper } from "./model";
import type { House, HouseCharger, HouseHistory } from "./types";

const line = (key: (typeof HOUR_KEYS)[number], label: string, dash?: number[]): Line<(typeof HOUR_KEYS)[number]> => ({
  key,
  label,
  scale: 1,
  unit: "A",
  format: current,
  axis: "left",
  range: (max, min) => [Math.min(0, min * 1.15), fromZero(max)[1]],
  ...(dash && { dash }),
});

const GRID = [line("grid1_a", "L1"), line("grid2_a", "L2"), line("grid3_a", "L3"), line("target_a", "Target", [3, 4]), line("breaker_a", "Breaker", [8, 3])];
const GRID_ONE = [line("grid1_a", "Grid"), line("target_a", "Target", [3, 4]), line("breaker_a", "Breaker", [8, 3])];
const CHARGER = [line("charger_a", "Charging"), line("offered_a", "Offered", [3, 4])];

function Bar({ bar }: { bar: HouseBar }) {
  return (
    <div class={bar.over ? "bar over" : "bar"} title={bar.words}>
      <dt>{bar.name}</dt>
      <dd>
        <svg preserveAspectRatio="none" viewBox="0 0 100 10" aria-hidden="true">
          <rect class="track" width="100" height="10" />
          <rect class="drawn" width={bar.all} height="10" />
          <rect class="house" width={bar.house} height="10" />
          {bar.target !== null && <rect class="mark" x={bar.target} width="0.8" height="10" />}
        </svg>
        <span class="num">
          <b>{plain(current(bar.amps))}</b> of {plain(current(bar.breaker))}
          <span class="sharing">{bar.words}</span>
        </span>
      </dd>
    </div>
  );
}

function Hour({ house }: { house: House }) {
  const columns = useSignal<HouseHistory | null>(null);
  const problem = useSignal<unknown>(null);
  useSignalEffect(() => {
    void opened.value; // after every reconnect: what was missed is in the station
    houseHistory().then(
      (read) => {
        columns.value = read;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  });
  useEffect(() => {
    const before = columns.peek();
    if (before !== null) columns.value = withHouse(before, house, Date.now() / 1000);
  }, [house]);
  if (problem.value !== null) return <Problem error={problem.value} />;
  if (columns.value === null || columns.value.t.length < 2) return null;
  return (
    <section class="card pad housecurve">
      <h2>The last hour</h2>
      <div class="curve">
        <Panel lines={house.phases === 1 ? GRID_ONE : GRID} columns={columns.value} />
        {hasCharger(columns.value) && <Panel lines={CHARGER} columns={columns.value} />}
      </div>
    </section>
  );
}

// What belongs to one connector is headed by its number where there are several.
const heading = (house: House, charger: HouseCharger, words: string): string =>
  house.connectors.length > 1 ? `${words}, connector ${charger.connector_id}` : words;

function Solar({ house, charger }: { house: House; charger: HouseCharger }) {
  if (charger.solar_state === "off") return null;
  return (
    <section class="card pad">
      <h2>{heading(house, charger, "Solar")}</h2>
      <dl class="facts">
        <Fact label="Surplus for charging">{plain(power(charger.surplus_w))}</Fact>
        <Fact label="Offered from it">{plain(current(charger.solar_a))}</Fact>
        <Fact label="State">
          {charger.solar_state}
          {charger.solar_why !== "" && `: ${charger.solar_why}`}
        </Fact>
      </dl>
    </section>
  );
}

function Why({ house, charger }: { house: House; charger: HouseCharger }) {
  const words = upper(charger.why === "" ? charger.state : charger.why);
  return (
    <p class="whysentence" role="status">
      <b>{heading(house, charger, words)}</b>
      {house.connectors.length > 1 && <span> · {plain(current(charger.offered_a))}</span>}
      {charger.age_s !== null && <span class="soft"> · for {elapsed(charger.age_s)}</span>}
    </p>
  );
}

function Management({ house }: { house: House }) {
  return (
    <section class="card pad">
      <h2>Load management</h2>
      <dl class="facts">
        <Fact label="Meter">
          {house.trust === "" ? house.quality : house.trust}
        </Fact>
        <Fact label="Breaker">{plain(current(house.breaker_a))} each phase</Fact>
        <Fact label="Target">{house.managed ? house.target_a.slice(0, house.phases).map((a) => plain(current(a))).join(" / ") : "off"}</Fact>
        {house.connectors.map((charger) => (
          <Fact key={charger.connector_id} label={heading(house, charger, "The vehicle's phases")}>
            {activeWords(charger)}
          </Fact>
        ))}
        <Fact label="Pauses today">{house.connectors.reduce((sum, charger) => sum + charger.pauses_today, 0)}</Fact>
      </dl>
    </section>
  );
}

function NoMeter() {
  return (
    <section class="card">
      <Empty icon="house" title="No meter of the house">
        <p>
          With a meter where the supply comes in, the station keeps the house below its breaker and shows here what each phase carries. Set{" "}
          <code>metering.house_meter</code> in the configuration file, then <code>house.breaker_ma</code> and <code>house.load_management</code> under{" "}
          <a href="#/settings">Settings</a>.
        </p>
      </Empty>
    </section>
  );
}

export function HousePage({ house }: { house: House | null }) {
  return (
    <>
      <div class="title">
        <h1>House</h1>
        {house && <Chip tone={houseTone(house)}>{houseWord(house)}</Chip>}
        <span class="grow" />
      </div>
      {house === null ? (
        <NoMeter />
      ) : (
        <div class="stack">
          <section class="card pad housenow">
            <dl class="readings">
              <div class="reading lead">
                <dt>{(house.grid_w[0] ?? 0) < 0 ? "Given back" : "From the grid"}</dt>
                <dd>
                  <Num value={power(house.grid_w.every((w) => w === null) ? null : house.grid_w.reduce<number>((sum, w) => sum + (w ?? 0), 0))} />
                </dd>
              </div>
              <Reading label="Charging" value={current(mostOf(house.charger_a))} title="Of the phase that carries most" />
              <Reading label="Offered" value={current(offeredOf(house))} title="What the house's breaker leaves for charging" />
              <Reading label="Busiest phase" value={percent(house.grid_a.every((a) => a === null) ? null : (Math.max(0, mostOf(house.grid_a) ?? 0) / (house.breaker_a || 1)) * 100)} title="Of its breaker" />
            </dl>
            <dl class="bars" aria-label="Current of each phase under its breaker">
              {houseBars(house).map((bar) => (
                <Bar key={bar.name} bar={bar} />
              ))}
            </dl>
            {house.managed ? (
              house.connectors.map((charger) => <Why key={charger.connector_id} house={house} charger={charger} />)
            ) : (
              <p class="whysentence soft">The house is only watched: house.load_management is off.</p>
            )}
          </section>
          <Hour house={house} />
          <div class="stack pair">
            <Management house={house} />
            {house.connectors.map((charger) => (
              <Solar key={charger.connector_id} house={house} charger={charger} />
            ))}
          </div>
        </div>
      )}
    </>
  );
}
