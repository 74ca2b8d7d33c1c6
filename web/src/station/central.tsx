// The station and its central system: the connection, what it reserves and allows, which cards are known without it,
// what is moved, and the security log.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current, plain, words } from "../data/format";
import { scheduleWords } from "../data/profile";
import { Icon } from "../ui/icon";
import { Button, Chip, Empty, Fact, Problem, When } from "../ui/parts";
import { cards, checkSecurityLog, profiles, reservations, securityLog, visitor } from "./data";
import { centralWords, chainWords, movingWords, PROFILE_PURPOSES, SECURITY_PROFILES, whyNothing } from "./model";
import type { KnownCards, Reserved, SecurityLog, StationProfiles, StationStatus } from "./types";

const READ_MS = 4000;

interface Read<T> {
  value: T | null;
  problem: unknown;
}

// Read again and again while it is looked at.
function useReading<T>(read: () => Promise<T>, on = true): Signal<Read<T>> {
  const reading = useSignal<Read<T>>({ value: null, problem: null });
  useEffect(() => {
    if (!on) return;
    let ended = false;
    const look = (): void => {
      read().then(
        (value) => {
          if (!ended) reading.value = { value, problem: null };
        },
        (problem: unknown) => {
          if (!ended) reading.value = { ...reading.value, problem };
        },
      );
    };
    look();
    const timer = setInterval(look, READ_MS);
    return () => {
      ended = true;
      clearInterval(timer);
    };
  }, [on]);
  return reading;
}

function Connection({ status }: { status: StationStatus }) {
  const central = centralWords(status);
  const lost = status.messages_thinned + status.messages_dropped;
  return (
    <section class="card pad" aria-label="Connection">
      <h2>Connection</h2>
      <dl class="facts">
        <Fact label="State">{central && <Chip tone={central.tone}>{central.text}</Chip>}</Fact>
        <Fact label="Security profile">{SECURITY_PROFILES[status.security_profile] ?? status.security_profile}</Fact>
        <Fact label="Messages waiting">{status.messages_waiting}</Fact>
        <Fact label="Meter values let go">
          <span title="The queue was full; starts, stops, first and last values are never let go">{lost}</span>
        </Fact>
        <Fact label="Refused for good">
          <span title="Messages the central system refused again and again; they are set aside">{status.messages_parked}</span>
        </Fact>
        {status.records_damaged > 0 && <Fact label="Damaged records">{status.records_damaged}</Fact>}
      </dl>
    </section>
  );
}

function ReservationsCard() {
  const { value, problem } = useReading(reservations).value;
  return (
    <section class="card pad" aria-label="Reservations">
      <h2>Reserved</h2>
      {problem !== null && <Problem error={problem} />}
      {value?.length === 0 && <p class="soft small">Nothing is reserved.</p>}
      <ul class="plainlist">
        {value?.map((r: Reserved) => (
          <li key={r.reservation_id}>
            <b>{r.connector_id === 0 ? "Any connector" : `Connector ${r.connector_id}`}</b> for card {r.id_tag}
            <span class="soft small">
              {" "}
              until <When at={r.expires} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ProfilesCard() {
  const { value, problem } = useReading<StationProfiles>(profiles).value;
  return (
    <section class="card pad" aria-label="Charging profiles">
      <h2>Charging profiles</h2>
      {problem !== null && <Problem error={problem} />}
      {value?.profiles.length === 0 && <p class="soft small">The central system has set none: it limits no charge.</p>}
      {value?.connectors
        .filter((c) => c.limit_a !== null)
        .map((c) => (
          <p key={c.connector_id}>
            Connector {c.connector_id}: <b>{plain(current(c.limit_a))}</b> <span class="soft small">{c.why}</span>
          </p>
        ))}
      <ul class="plainlist">
        {value?.profiles.map((p) => (
          <li key={`${p.profile_id} ${p.connector_id}`} class={p.counts ? "counts" : ""}>
            <b>Profile {p.profile_id}</b> {PROFILE_PURPOSES[p.purpose] ?? p.purpose}, {p.connector_id === 0 ? "whole station" : `connector ${p.connector_id}`}, level {p.stack_level}
            {p.counts && <Chip tone="go">counts now</Chip>}
            <span class="soft small">
              {scheduleWords({ chargingRateUnit: p.unit, chargingSchedulePeriod: p.periods.map((q) => ({ startPeriod: q.start_s, limit: q.limit, ...(q.phases !== null && { numberPhases: q.phases }) })) })}
              {p.valid_to !== null && (
                <>
                  {" "}
                  · valid to <When at={p.valid_to} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function FilesCard({ status }: { status: StationStatus }) {
  const { upload, update } = status.files;
  return (
    <section class="card pad" aria-label="Update and diagnostics">
      <h2>Update and diagnostics</h2>
      <dl class="facts">
        <Fact label="Update">{movingWords(update)}</Fact>
        {update.url !== "" && <Fact label="From">{update.url}</Fact>}
        {update.install_at !== null && (
          <Fact label="Installs">
            <When at={update.install_at} />
          </Fact>
        )}
        <Fact label="Upload">{movingWords(upload)}</Fact>
        {upload.name !== "" && <Fact label="File">{upload.name}</Fact>}
      </dl>
      {update.holds_charges && (
        <p class="notice warn" role="status">
          <Icon name="alert" />
          <span>No charge begins until the update is over.</span>
        </p>
      )}
    </section>
  );
}

function CardsCard({ inside }: { inside: boolean }) {
  const { value, problem } = useReading<KnownCards>(cards, inside).value;
  return (
    <section class="card pad" aria-label="Known cards">
      <h2>Cards known without the central system</h2>
      {!inside && <p class="soft small">Shown after a login.</p>}
      {problem !== null && <Problem error={problem} />}
      {value && (
        <p class="small">
          Local list: {value.list_entries} {value.list_entries === 1 ? "card" : "cards"}, version {value.list_version} · seen lately: {value.cached}
        </p>
      )}
      <ul class="plainlist">
        {value?.cache.slice(0, 20).map((card, index) => (
          <li key={index}>
            <code>{card.id_tag}</code> {words(card.status)}
            {card.expires !== undefined && (
              <span class="soft small">
                {" "}
                until <When at={card.expires} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function SecurityCard({ inside }: { inside: boolean }) {
  const { value, problem } = useReading<SecurityLog>(securityLog, inside).value;
  const said = useSignal("");
  const chain = value && chainWords(value);
  const check = (): void => {
    checkSecurityLog().then(
      () => (said.value = ""), // the chip says how it goes
      (error: unknown) => (said.value = error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <section class="card pad" aria-label="Security log">
      <div class="row">
        <h2>Security log</h2>
        {chain && <Chip tone={chain.tone}>{chain.text}</Chip>}
        <span class="grow" />
        {inside && (
          <Button icon="check" why={whyNothing(visitor.value)} onClick={check}>
            Check the chain
          </Button>
        )}
      </div>
      {!inside && <p class="soft small">Shown after a login.</p>}
      {problem !== null && <Problem error={problem} />}
      {value && (
        <p class="soft small" role="status">
          {value.checked} of {value.newest} records checked
          {value.untold > 0 && `, ${value.untold} not told to the central system yet`}
          {value.lost > 0 && `, ${value.lost} lost`}
          {said.value !== "" && ` · ${said.value}`}
        </p>
      )}
      <ol class="plainlist">
        {[...(value?.records ?? [])].reverse().map((record) => (
          <li key={record.number}>
            <b>{words(record.event)}</b> <span class="small">{record.detail}</span>
            <span class="soft small">
              {" "}
              no. {record.number}, {record.at === undefined ? "before the clock was set" : <When at={record.at} />}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function CentralPage({ status }: { status: StationStatus }) {
  const inside = visitor.value?.inside ?? false;
  return (
    <>
      <div class="title">
        <h1>Central system</h1>
      </div>
      {!status.has_central && (
        <Empty icon="signal" title="This station has no central system">
          <p>It charges by itself. The setting ocpp.url gives it one.</p>
        </Empty>
      )}
      <div class="stack pair">
        <div class="stack">
          {status.has_central && <Connection status={status} />}
          {status.has_central && <ReservationsCard />}
          {status.has_central && <ProfilesCard />}
          <FilesCard status={status} />
        </div>
        <div class="stack">
          <CardsCard key={`c${inside}`} inside={inside} />
          <SecurityCard key={`s${inside}`} inside={inside} />
        </div>
      </div>
    </>
  );
}
