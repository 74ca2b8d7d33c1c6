// Firmware updates, diagnostics and logs: asked for, and every status that came.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { may } from "../../../data/api";
import { on, opened } from "../../../data/live";
import { bytes, uploads, uploadUrl } from "../../../data/releases";
import { useLoad } from "../../../ui/load";
import { askLog, files, updateFirmware, type FileJob } from "../../../data/ocpp";
import { clockTime, dateTime } from "../../../data/format";
import type { Station } from "../../../data/types";
import { ask } from "../../../ui/dialog";
import { Area, Choice, Moment, Text } from "../../../ui/fields";
import { Button, Chip, Empty, For, Loading, Problem, When, type Tone } from "../../../ui/parts";
import { Jobs } from "../jobs";
import { useOrder, useWatched, whyOffline } from "./watch";

const MESSAGES = ["GetDiagnostics", "GetLog", "UpdateFirmware", "SignedUpdateFirmware", "DiagnosticsStatusNotification", "LogStatusNotification", "FirmwareStatusNotification", "SignedFirmwareStatusNotification", "BootNotification"];

const LOGS = [
  ["diagnostics", "Diagnostics (GetDiagnostics)"],
  ["DiagnosticsLog", "Diagnostics log (GetLog)"],
  ["SecurityLog", "Security log (GetLog)"],
] as const;

const KINDS: Record<FileJob["kind"], string> = { firmware: "Firmware", "signed firmware": "Signed firmware", diagnostics: "Diagnostics", log: "Log" };

const GOOD = new Set(["Installed", "Uploaded"]);
const BAD = /Fail|Invalid|Rejected|PermissionDenied|BadMessage|NotSupported|Revoked|Error/;

function tone(job: FileJob): Tone {
  if (GOOD.has(job.state)) return "go";
  if (BAD.test(job.state)) return "bad";
  return job.over ? "mute" : "info";
}

const isUrl = (text: string): boolean => /^(https?|ftps?|sftp):\/\/\S+$/i.test(text.trim());
const wrongUrl = (text: string): string | undefined => (isUrl(text) ? undefined : "must be an address that begins with https://, http://, ftps:// or ftp://");

function whole(text: string, most: number): number | undefined | null {
  if (text.trim() === "") return undefined;
  const value = Number(text);
  return /^\d+$/.test(text.trim()) && value <= most ? value : null;
}

interface Retry {
  retries?: number;
  retry_interval_s?: number;
}

function retryOf(retries: string, interval: string): Retry | null {
  const [r, i] = [whole(retries, 100), whole(interval, 86_400)];
  if (r === null || i === null) return null;
  return { ...(r !== undefined && { retries: r }), ...(i !== undefined && { retry_interval_s: i }) };
}

function Retries({ retries, interval, tried }: { retries: { value: string }; interval: { value: string }; tried: boolean }) {
  return (
    <div class="fields">
      <Text label="Retries (optional)" numeric value={retries.value} wrong={tried && whole(retries.value, 100) === null ? "0 to 100" : undefined} onInput={(v) => (retries.value = v)} />
      <Text label="Between them (optional)" unit="s" numeric value={interval.value} wrong={tried && whole(interval.value, 86_400) === null ? "0 to 86400" : undefined} onInput={(v) => (interval.value = v)} />
    </div>
  );
}

const instant = (text: string): string | undefined => (text === "" || Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString());

function AskLog({ station }: { station: Station }) {
  const order = useOrder(station.id);
  const [type, location, from, to, retries, interval] = [useSignal<string>("diagnostics"), useSignal(""), useSignal(""), useSignal(""), useSignal(""), useSignal("")];
  const tried = useSignal(false);
  const why = whyOffline(station.ocpp_online);
  const here = location.value.trim() === "";
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tried.value = true;
    const retry = retryOf(retries.value, interval.value);
    if ((!here && !isUrl(location.value)) || retry === null || why !== null || order.busy) return;
    const asked = { type: type.value, ...(!here && { location: location.value.trim() }), ...retry, ...(instant(from.value) && { from: instant(from.value) }), ...(instant(to.value) && { to: instant(to.value) }) };
    const action = type.value === "diagnostics" ? "GetDiagnostics" : "GetLog";
    void order.give({ action, payload: {}, title: `Upload: ${LOGS.find(([name]) => name === type.value)?.[1] ?? type.value}` }, () => askLog(station.id, asked)).then((job) => {
      if (job) tried.value = false;
    });
  };
  return (
    <section class="card pad">
      <h2>Have a log uploaded</h2>
      <form onSubmit={submit} noValidate>
        <Choice label="What" value={type.value} options={LOGS} onChange={(v) => (type.value = v)} />
        <Text label="Upload to (optional: this central)" value={location.value} length={512} placeholder="https://files.example/upload/" wrong={tried.value && !here ? wrongUrl(location.value) : undefined} onInput={(v) => (location.value = v)} />
        <div class="fields">
          <Moment label="From (optional)" value={from.value} onInput={(v) => (from.value = v)} />
          <Moment label="To (optional)" value={to.value} onInput={(v) => (to.value = v)} />
        </div>
        <Retries retries={retries} interval={interval} tried={tried.value} />
        {order.refused !== null && <Problem error={order.refused} />}
        <button class="button" disabled={why !== null || order.busy} title={why ?? undefined}>
          Ask for it
        </button>
      </form>
    </section>
  );
}

function Update({ station }: { station: Station }) {
  const order = useOrder(station.id);
  const [location, retrieve, install, certificate, signature, retries, interval] = [useSignal(""), useSignal(""), useSignal(""), useSignal(""), useSignal(""), useSignal(""), useSignal("")];
  const signed = useSignal(true);
  const tried = useSignal(false);
  const why = whyOffline(station.ocpp_online);
  const wrongCertificate = certificate.value.includes("-----BEGIN CERTIFICATE-----") ? (certificate.value.length > 5500 ? "has more than 5500 characters" : undefined) : "must be a certificate as PEM";
  const wrongSignature = signature.value.trim() === "" ? "is required" : signature.value.trim().length > 800 ? "has more than 800 characters" : undefined;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    tried.value = true;
    const retry = retryOf(retries.value, interval.value);
    if (!isUrl(location.value) || retry === null || why !== null || order.busy) return;
    if (signed.value && (wrongCertificate || wrongSignature)) return;
    const asked = {
      location: location.value.trim(),
      ...retry,
      ...(instant(retrieve.value) && { retrieve_at: instant(retrieve.value) }),
      ...(signed.value && { signing_certificate: certificate.value, signature: signature.value.trim(), ...(instant(install.value) && { install_at: instant(install.value) }) }),
    };
    if (!(await ask(`Update ${station.id}?`, "The station fetches the program and installs it when nothing charges; it is offline for a moment.", "Update"))) return;
    const job = await order.give({ action: signed.value ? "SignedUpdateFirmware" : "UpdateFirmware", payload: {}, title: `Update from ${asked.location}` }, () => updateFirmware(station.id, asked));
    if (job) tried.value = false;
  };
  return (
    <section class="card pad">
      <h2>Update the firmware</h2>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Text label="Program" value={location.value} length={512} placeholder="https://files.example/release.pwr" wrong={tried.value ? wrongUrl(location.value) : undefined} onInput={(v) => (location.value = v)} />
        <Moment label="Fetch it at (optional: now)" value={retrieve.value} onInput={(v) => (retrieve.value = v)} />
        <label class="check">
          <input type="checkbox" checked={signed.value} onChange={(event) => (signed.value = event.currentTarget.checked)} />
          Signed
        </label>
        {signed.value && (
          <>
            <Moment label="Install it at (optional)" value={install.value} onInput={(v) => (install.value = v)} />
            <Area label="Signing certificate" placeholder="-----BEGIN CERTIFICATE-----" value={certificate.value} wrong={tried.value ? wrongCertificate : undefined} onInput={(v) => (certificate.value = v)} />
            <Area label="Signature, base64" value={signature.value} wrong={tried.value ? wrongSignature : undefined} onInput={(v) => (signature.value = v)} />
          </>
        )}
        <Retries retries={retries} interval={interval} tried={tried.value} />
        {order.refused !== null && <Problem error={order.refused} />}
        <button class="button" disabled={why !== null || order.busy} title={why ?? undefined}>
          Update
        </button>
      </form>
    </section>
  );
}

function JobRow({ job }: { job: FileJob }) {
  return (
    <li class="filejob" data-kind={job.kind} data-over={job.over}>
      <header>
        <b>{KINDS[job.kind]}</b>
        <Chip tone={tone(job)}>{job.state}</Chip>
        {job.request_id !== null && <span class="soft small">request {job.request_id}</span>}
        <span class="grow" />
        <span class="soft small">
          <When at={job.made_at} />
        </span>
      </header>
      <p class="soft small place">{job.location === "" ? "The station began by itself" : job.location}</p>
      {job.file_name !== null && (
        <p class="small">
          as <code>{job.file_name}</code>
        </p>
      )}
      {job.why !== null && (
        <p class="small why">
          {job.state}: {job.why}
        </p>
      )}
      {job.statuses.length > 0 && (
        <ol class="statuses">
          {job.statuses.map((status, index) => (
            <li key={index}>
              <time class="soft" title={dateTime(status.at)}>
                {clockTime(new Date(status.at))}
              </time>{" "}
              {status.status}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

// What the station has brought to this central.
function Uploads({ station }: { station: string }) {
  const list = useLoad(() => uploads(station), [station, opened.value]);
  useEffect(() => on("upload", (news) => news.station_id === station && list.reload()), [station, list.reload]);
  if (list.error !== null) return <Problem error={list.error} retry={list.reload} />;
  const here = (list.value ?? []).filter((one) => one.state === "here");
  return (
    <section class="card pad">
      <h2>Uploaded here</h2>
      {here.length === 0 && <p class="soft small">Nothing yet. What it brings stands here to be fetched; the oldest go beyond 64 MiB.</p>}
      <ul class="uploads">
        {here.map((one) => (
          <li key={one.id}>
            {may("operator") ? (
              <a href={uploadUrl(one.id)} download>
                {one.name ?? one.kind}
              </a>
            ) : (
              <span>{one.name ?? one.kind}</span>
            )}
            <span class="soft small">
              {bytes(one.size ?? 0)}, <When at={one.got_at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const PAGE = 50;

export function Files({ station }: { station: Station }) {
  const most = useSignal(PAGE);
  const list = useWatched(station.id, () => files(station.id, null, most.peek()), MESSAGES);
  return (
    <div class="split">
      <section class="card">
        {list.error !== null && <Problem error={list.error} retry={list.reload} />}
        {list.value === null && list.error === null && <Loading />}
        {list.value?.length === 0 && (
          <Empty icon="download" title="No file was moved yet">
            <p>Updates and uploads stand here with every status the station tells.</p>
          </Empty>
        )}
        <ol class="filejobs">
          {list.value?.map((job) => (
            <JobRow key={job.id} job={job} />
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
      <aside class="stack">
        <Jobs station={station.id} />
        <For least="operator">
          <AskLog station={station} />
        </For>
        <Uploads station={station.id} />
        <For least="admin">
          <Update station={station} />
        </For>
      </aside>
    </div>
  );
}
