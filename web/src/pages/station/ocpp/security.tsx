// Security: with what the station connects, what it told of, and whose certificates it trusts and has.
import { useSignal } from "@preact/signals";
import { may } from "../../../data/api";
import {
  certificates,
  deleteCertificate,
  installCertificate,
  putSecurity,
  readCertificates,
  renewCertificate,
  renewKey,
  revokeCertificate,
  security,
  securityEvents,
  type CertificateUse,
  type Certificates,
  type InstalledCertificate,
  type IssuedCertificate,
} from "../../../data/ocpp";
import { words } from "../../../data/format";
import type { Station } from "../../../data/types";
import { CopyButton, download } from "../../../ui/copy";
import { ask } from "../../../ui/dialog";
import { Area, Choice } from "../../../ui/fields";
import { Button, Chip, Empty, Fact, For, Loading, Problem, When, type Tone } from "../../../ui/parts";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline, type Order } from "./watch";

// As the whitepaper counts them.
const PROFILES: Record<number, string> = {
  0: "0: no key, no encryption",
  1: "1: key, no encryption",
  2: "2: TLS, key",
  3: "3: TLS, certificate",
};

const USES: readonly (readonly [CertificateUse, string])[] = [
  ["CentralSystemRootCertificate", "of the central system"],
  ["ManufacturerRootCertificate", "of the manufacturer"],
];

const useWords = (use: string): string => USES.find(([name]) => name === use)?.[1] ?? use;

// Events that say somebody may be at work; whitepaper, list of security events.
const GRAVE = /^(Invalid|Failed|Attempted|TamperDetection|MemoryExhaustion|SecurityLogWasCleared)/;

const ISSUED: Record<IssuedCertificate["state"], Tone> = { sent: "info", taken: "go", refused: "bad", revoked: "mute" };

function Connection({ station, order }: { station: Station; order: Order }) {
  const now = useWatched(station.id, () => security(station.id), ["BootNotification", "ChangeConfiguration"]);
  const problem = useSignal<unknown>(null);
  const why = whyOffline(station.ocpp_online);
  const set = (text: string): void => {
    putSecurity(station.id, text === "" ? null : Number(text)).then(
      () => {
        problem.value = null;
        now.reload();
      },
      (error: unknown) => (problem.value = error),
    );
  };
  const key = async (): Promise<void> => {
    if (!(await ask("Give the station a new key?", "Both keys count until the station has taken the new one. Nobody sees either of them.", "New key"))) return;
    void order.give({ action: "ChangeConfiguration", payload: {}, title: "Give the station a new key" }, () => renewKey(station.id));
  };
  return (
    <section class="card pad">
      <h2>Connection</h2>
      {now.error !== null && <Problem error={now.error} retry={now.reload} />}
      {now.value && (
        <>
          <dl class="facts">
            {!may("admin") && now.value.least_profile !== null && <Fact label="Not with less than">{PROFILES[now.value.least_profile] ?? now.value.least_profile}</Fact>}
            <Fact label="Security profile">{now.value.profile === null ? <span class="soft">not connected</span> : (PROFILES[now.value.profile] ?? now.value.profile)}</Fact>
          </dl>
          <For least="admin">
            <div class="leastprofile">
              <Choice
                label="It may not connect with less than"
                value={now.value.least_profile === null ? "" : String(now.value.least_profile)}
                options={[["", "any profile"], ...Object.entries(PROFILES)]}
                onChange={set}
              />
            </div>
          </For>
        </>
      )}
      {problem.value !== null && <Problem error={problem.value} />}
      <div class="row">
        <Button needs="admin" icon="lock" why={why} onClick={() => void key()}>
          New key
        </Button>
      </div>
    </section>
  );
}

const PAGE = 50;

function Events({ station }: { station: Station }) {
  const most = useSignal(PAGE);
  const list = useWatched(station.id, () => securityEvents(station.id, null, most.peek()), ["SecurityEventNotification", "SignCertificate"]);
  return (
    <section class="card">
      <div class="toolbar">
        <h2>Security events</h2>
      </div>
      {list.error !== null && <Problem error={list.error} retry={list.reload} />}
      {list.value === null && list.error === null && <Loading />}
      {list.value?.length === 0 && (
        <Empty icon="lock" title="No security event yet">
          <p>A station tells of its starts, of settings of its clock, of keys and certificates that do not fit, and of tampering.</p>
        </Empty>
      )}
      <ol class="securityevents">
        {list.value?.map((event) => (
          <li key={event.n} class={GRAVE.test(event.type) ? "grave" : ""}>
            <time class="soft small">
              <When at={event.at ?? event.received_at} />
            </time>
            <b>{words(event.type)}</b>
            {event.tech_info !== null && event.tech_info !== "" && <span class="soft info">{event.tech_info}</span>}
          </li>
        ))}
      </ol>
      {list.value !== null && list.value.length === most.value && most.value < 500 && (
        <p class="more">
          <Button
            onClick={() => {
              most.value = Math.min(500, most.value * 4);
              list.reload();
            }}
          >
            Show more
          </Button>
        </p>
      )}
    </section>
  );
}

function Installed({ of, why, remove }: { of: readonly InstalledCertificate[]; why: string | null; remove: (c: InstalledCertificate) => void }) {
  if (of.length === 0) {
    return (
      <Empty icon="lock" title="No root certificate is known of">
        <p>Read them from the station, or install one.</p>
      </Empty>
    );
  }
  return (
    <ul class="certificates">
      {of.map((c) => (
        <li key={`${c.use} ${c.serial_number} ${c.issuer_key_hash}`}>
          <div>
            <b>Root {useWords(c.use)}</b>
            <span class="small">
              serial <code>{c.serial_number}</code>
            </span>
            <span class="soft small">
              {c.hash_algorithm} of the issuer's key <code>{c.issuer_key_hash.slice(0, 16)}…</code> · read <When at={c.read_at} />
            </span>
          </div>
          <Button needs="admin" why={why} onClick={() => remove(c)}>
            Delete
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Issued({ of, revoke }: { of: readonly IssuedCertificate[]; revoke: (c: IssuedCertificate) => void }) {
  if (of.length === 0) return <p class="soft small pad">The central's authority has issued no certificate to this station.</p>;
  return (
    <ul class="certificates">
      {of.map((c) => (
        <li key={c.serial}>
          <div>
            <b>{c.subject}</b> <Chip tone={ISSUED[c.state]}>{c.state}</Chip>
            <span class="small">
              serial <code>{c.serial}</code>
            </span>
            <span class="soft small">
              <When at={c.from} /> to <When at={c.to} />
            </span>
          </div>
          <div class="row">
            <CopyButton text={c.pem} label="Copy PEM" />
            {c.state !== "revoked" && (
              <Button needs="admin" onClick={() => revoke(c)}>
                Take back
              </Button>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Install({ station, authority, order }: { station: Station; authority: string | null; order: Order }) {
  const use = useSignal<string>("CentralSystemRootCertificate");
  const whose = useSignal(authority === null ? "other" : "own");
  const pem = useSignal("");
  const tried = useSignal(false);
  const why = whyOffline(station.ocpp_online);
  const other = whose.value === "other" || authority === null;
  const wrong = other && !pem.value.includes("-----BEGIN CERTIFICATE-----") ? "must be a certificate as PEM" : pem.value.length > 5500 ? "has more than 5500 characters" : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    if (wrong || why !== null || order.busy) return;
    void order.give({ action: "InstallCertificate", payload: {}, title: `Install a root ${useWords(use.value)}` }, () =>
      installCertificate(station.id, use.value as CertificateUse, other ? pem.value : ""),
    );
    tried.value = false;
  };
  return (
    <section class="card pad">
      <h2>Install a root certificate</h2>
      <form onSubmit={submit} noValidate>
        <Choice label="Root" value={use.value} options={USES} onChange={(v) => (use.value = v)} />
        {authority !== null && (
          <Choice
            label="Whose"
            value={whose.value}
            options={[
              ["own", "the central's own authority"],
              ["other", "another one"],
            ]}
            onChange={(v) => (whose.value = v)}
          />
        )}
        {other && <Area label="Certificate" placeholder="-----BEGIN CERTIFICATE-----" value={pem.value} wrong={tried.value ? wrong : undefined} onInput={(v) => (pem.value = v)} />}
        <button class="button" disabled={why !== null || order.busy} title={why ?? undefined}>
          Install
        </button>
      </form>
    </section>
  );
}

function Authority({ pem }: { pem: string | null }) {
  return (
    <section class="card pad">
      <h2>Authority</h2>
      {pem === null ? (
        <p class="soft small">
          This central has no authority of its own. <code>pilotwire-central ca init OPERATOR</code> makes one; it then signs the stations' certificates.
        </p>
      ) : (
        <div class="row" data-copy>
          <span class="soft small">The central signs stations' certificates itself.</span>
          <CopyButton text={pem} label="Copy PEM" />
          <Button icon="download" onClick={() => download("authority.pem", "application/x-pem-file", pem)}>
            Download
          </Button>
        </div>
      )}
    </section>
  );
}

export function Security({ station }: { station: Station }) {
  const list = useWatched(station.id, () => certificates(station.id), ["GetInstalledCertificateIds", "InstallCertificate", "DeleteCertificate", "SignCertificate", "CertificateSigned"]);
  const order = useOrder(station.id);
  const why = whyOffline(station.ocpp_online);
  const problem = useSignal<unknown>(null);
  const read = (): void => {
    for (const [use, text] of USES) void order.give({ action: "GetInstalledCertificateIds", payload: {}, title: `Read the roots ${text}` }, () => readCertificates(station.id, use));
  };
  const remove = async (c: InstalledCertificate): Promise<void> => {
    if (!(await ask("Delete this root certificate?", "The station then no longer trusts what it has signed.", "Delete"))) return;
    void order.give({ action: "DeleteCertificate", payload: {}, title: `Delete root ${c.serial_number}` }, () => deleteCertificate(station.id, c)).then(list.reload);
  };
  const revoke = async (c: IssuedCertificate): Promise<void> => {
    if (!(await ask("Take this certificate back?", "A connection that uses it is closed, and it lets nobody in any more.", "Take back"))) return;
    revokeCertificate(station.id, c.serial).then(list.reload, (error: unknown) => (problem.value = error));
  };
  const value: Certificates | null = list.value;
  return (
    <div class="split">
      <div class="stack">
        <section class="card">
          <div class="toolbar">
            <h2>Certificates</h2>
            <span class="grow" />
            <Button needs="operator" icon="reload" why={why} onClick={read}>
              Read from the station
            </Button>
            <Button needs="admin" why={why} onClick={() => void order.give({ action: "ExtendedTriggerMessage", payload: {}, title: "Renew the station's certificate" }, () => renewCertificate(station.id))}>
              Renew its own
            </Button>
          </div>
          {list.error !== null && <Problem error={list.error} retry={list.reload} />}
          {problem.value !== null && <Problem error={problem.value} />}
          {order.refused !== null && <Problem error={order.refused} />}
          {value === null && list.error === null && <Loading />}
          {value && <Installed of={value.installed} why={why} remove={(c) => void remove(c)} />}
          {value && <Issued of={value.issued} revoke={(c) => void revoke(c)} />}
        </section>
        <Events station={station} />
      </div>
      <aside class="stack">
        <Jobs station={station.id} />
        <Connection station={station} order={order} />
        <For least="admin">{value && <Install station={station} authority={value.authority} order={order} />}</For>
        {value && <Authority pem={value.authority} />}
      </aside>
    </div>
  );
}
