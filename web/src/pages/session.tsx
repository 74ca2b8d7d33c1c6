import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../data/api";
import { withSample } from "../data/curve";
import { duration, energy, percent, plain, power, words } from "../data/format";
import { on, opened } from "../data/live";
import type { Columns, SessionDetail } from "../data/types";
import { href } from "../route";
import { Icon } from "../ui/icon";
import { Chip, Empty, Fact, Loading, Num, Problem, When } from "../ui/parts";
import { isOutletCurve } from "../data/curve";
import { CHARGE_AC, CHARGE_DC, Curve } from "../ui/plot";
import { energyOf, secondsOf } from "./sessions";

// OCPP 1.6 §7.36, in words for the person who wonders why it stopped.
const REASONS: Record<string, string> = {
  DeAuthorized: "The central did not accept the card, so the station ended the charge.",
  EmergencyStop: "The emergency stop at the station was pressed.",
  EVDisconnected: "The plug was pulled, or the vehicle stopped and was unplugged.",
  HardReset: "The station was told to restart at once.",
  Local: "It was ended at the station, usually with the card.",
  Other: "The station gave no listed reason. Its OCPP log around the end tells more.",
  PowerLoss: "The station lost its power while charging.",
  Reboot: "The station restarted by itself while charging.",
  Remote: "It was stopped from here.",
  SoftReset: "The station was told to restart and ended the charge first.",
  UnlockCommand: "The connector was told to unlock.",
};

function average(s: SessionDetail): number | null {
  const [wh, seconds] = [energyOf(s), secondsOf(s)];
  return wh === null || seconds === null || seconds < 60 ? null : (wh * 3600) / seconds;
}

function peak(curve: Columns): number | null {
  const known = curve.power_w.filter((p): p is number => p !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function Body({ s }: { s: SessionDetail }) {
  const running = s.stop_at === null;
  return (
    <>
      <dl class="kpis">
        <div class="kpi lead">
          <dt>Energy</dt>
          <dd>
            <Num value={energy(energyOf(s))} />
            <span class="soft">
              meter {plain(energy(s.meter_start_wh))}
              {!running && ` → ${plain(energy(s.meter_stop_wh))}`}
            </span>
          </dd>
        </div>
        <div class="kpi">
          <dt>State of charge</dt>
          <dd>
            <span class="num">
              {percent(s.soc_start).text} → {percent(s.soc_end).text}
              <small>%</small>
            </span>
            <span class="soft">{s.vehicle_model ?? "vehicle not identified"}</span>
          </dd>
        </div>
        <div class="kpi">
          <dt>Duration</dt>
          <dd>
            <span class="num">{duration(secondsOf(s))}</span>
            <span class="soft">
              <When at={s.start_at} />
            </span>
          </dd>
        </div>
        <div class="kpi">
          <dt>Power</dt>
          <dd>
            <Num value={power(average(s))} />
            <span class="soft">on average, peak {plain(power(peak(s.curve)))}</span>
          </dd>
        </div>
      </dl>
      {s.suspect && (
        <p class="notice warn">
          <Icon name="alert" />
          <span>The figures of this session are doubtful: {s.suspect.replaceAll("_", " ")}.</span>
        </p>
      )}
      <section class="card pad">
        <h2>Curve</h2>
        {s.curve.t.length > 0 ? (
          <Curve columns={s.curve} panels={isOutletCurve(s.curve) ? CHARGE_AC : CHARGE_DC} />
        ) : (
          <Empty icon="signal" title="No measurement in this session">
            <p>The station sent no MeterValues. Its keys MeterValueSampleInterval and MeterValuesSampledData decide that.</p>
          </Empty>
        )}
      </section>
      <section class="card pad">
        <h2>{running ? "Details" : "How it ended"}</h2>
        {!running && <p>{REASONS[s.stop_reason ?? "Local"] ?? `The station says: ${s.stop_reason}.`}</p>}
        <dl class="facts wide">
          <Fact label="Station">
            <a href={href.station(s.station_id)}>{s.station_id}</a>, connector {s.connector_id}
          </Fact>
          <Fact label="Card">{s.id_tag}</Fact>
          <Fact label="Start">
            <When at={s.start_at} />
          </Fact>
          <Fact label="End">
            <When at={s.stop_at} />
          </Fact>
          {!running && <Fact label="Stop reason">{words(s.stop_reason ?? "Local")}</Fact>}
          <Fact label="Transaction">{s.transaction_id}</Fact>
        </dl>
      </section>
    </>
  );
}

export function SessionPage({ id }: { id: number }) {
  const detail = useSignal<SessionDetail | null>(null);
  const problem = useSignal<unknown>(null);
  const load = (): void => {
    api.session(id).then(
      (read) => {
        detail.value = read;
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
    const offs = [
      on("transaction", (s) => {
        if (s.id === id) load();
      }),
      on("measurement", (m) => {
        const s = detail.peek();
        if (!s || s.stop_at !== null || m.station_id !== s.station_id || m.connector_id !== s.connector_id) return;
        const soc = m.soc_percent ?? s.soc_end;
        detail.value = { ...s, soc_end: soc, curve: withSample(s.curve, m, Date.parse(s.start_at) / 1000) };
      }),
    ];
    return () => offs.forEach((off) => off());
  }, [id]);
  const s = detail.value;
  return (
    <>
      <a class="back soft" href={href.sessions}>
        <Icon name="left" size={16} /> Sessions
      </a>
      <div class="title">
        <h1>Session {id}</h1>
        {s && s.stop_at === null && <Chip tone="go">Running</Chip>}
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={load} />}
      {s ? <Body s={s} /> : problem.value === null && <Loading />}
    </>
  );
}
