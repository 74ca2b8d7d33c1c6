// The station's OCPP messages, question and answer together, as they happen.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../../data/api";
import { clockTime, dateTime, latency } from "../../data/format";
import { on, opened, wantMessagesOf } from "../../data/live";
import { exchanges, jsonLines, matches, merge, outcome, pretty, summary, type Exchange, type LogFilter } from "../../data/log";
import type { LogEntry } from "../../data/types";
import { CopyButton, download } from "../../ui/copy";
import { Icon } from "../../ui/icon";
import { Button, Empty, Problem, Segments } from "../../ui/parts";

const PAGE = 200;
const MOST = 4000; // entries kept in the page
const FEW = 25;
const ROWS = 250; // exchanges drawn at once

function Payload({ title, entry }: { title: string; entry: LogEntry | null }) {
  if (!entry) return null;
  const text = pretty(entry.payload);
  return (
    <div class="payload" data-copy>
      <div class="row">
        <b>{title}</b>
        <span class="soft">
          {clockTime(new Date(entry.time), true)} · {entry.message_id}
        </span>
        <span class="grow" />
        <CopyButton text={text} label="Copy" />
      </div>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

const milliseconds = (time: string): string => clockTime(new Date(time), true).slice(8);

function Row({ exchange, open, toggle }: { exchange: Exchange; open: boolean; toggle: () => void }) {
  const failed = exchange.answer?.kind === "error";
  const waiting = exchange.request !== null && exchange.answer === null;
  const fromStation = exchange.sender === "station";
  return (
    <li class={`exchange ${failed ? "failed" : ""} ${waiting ? "waiting" : ""}`}>
      <button type="button" aria-expanded={open} onClick={toggle}>
        <time title={dateTime(exchange.time)}>
          {clockTime(new Date(exchange.time))}
          <span class="ms">{milliseconds(exchange.time)}</span>
        </time>
        <span
          class={`arrow ${exchange.sender}`}
          role="img"
          aria-label={fromStation ? "from the station" : "to the station"}
          title={fromStation ? "station → central" : "central → station"}
        >
          <Icon name={fromStation ? "right" : "left"} size={15} />
        </span>
        <b>{exchange.action || "?"}</b>
        <span class="summary">{summary(exchange)}</span>
        <span class="outcome">{outcome(exchange)}</span>
        <span class="latency soft">{latency(exchange.answer?.latency_ms)}</span>
      </button>
      {open && (
        <div class="payloads">
          <Payload title="Request" entry={exchange.request} />
          <Payload title={failed ? "Error" : "Answer"} entry={exchange.answer} />
        </div>
      )}
    </li>
  );
}

export function OcppLog({ station }: { station: string }) {
  const entries = useSignal<LogEntry[]>([]);
  const held = useSignal<LogEntry[]>([]); // arrived while paused
  const paused = useSignal(false);
  const filter = useSignal<LogFilter>({ action: "", sender: "", text: "", quiet: true });
  const expanded = useSignal<ReadonlySet<number>>(new Set());
  const problem = useSignal<unknown>(null);
  const oldest = useSignal(false);
  const read = useSignal(false);

  const paired = useComputed(() => exchanges(entries.value));
  const actions = useComputed(() => [...new Set(paired.value.map((e) => e.action))].filter(Boolean).sort());
  const shown = useComputed(() => paired.value.filter((e) => matches(e, filter.value)).reverse());

  const load = async (before: number | null): Promise<void> => {
    try {
      const more = await api.log(station, before, PAGE);
      entries.value = merge(entries.peek(), more, MOST);
      if (before !== null || entries.peek().length <= PAGE) oldest.value = more.length < PAGE;
      problem.value = null;
      read.value = true;
      // A quiet station's log is nearly all chatter: look further back until there is something to see.
      const first = entries.peek()[0];
      if (first && !oldest.peek() && shown.peek().length < FEW && entries.peek().length < MOST) await load(first.seq);
    } catch (error) {
      problem.value = error;
    }
  };

  useEffect(() => {
    wantMessagesOf(station);
    const off = on("ocpp", (entry) => {
      if (entry.station_id !== station) return;
      const into = paused.peek() ? held : entries;
      into.value = merge(into.peek(), [entry], MOST);
    });
    return () => {
      off();
      wantMessagesOf(null);
    };
  }, [station]);
  useSignalEffect(() => {
    void opened.value;
    void load(null);
  });

  const set = (part: Partial<LogFilter>): void => {
    filter.value = { ...filter.value, ...part };
  };
  const toggle = (seq: number): void => {
    const next = new Set(expanded.value);
    if (!next.delete(seq)) next.add(seq);
    expanded.value = next;
  };
  const resume = (): void => {
    entries.value = merge(entries.value, held.value, MOST);
    held.value = [];
    paused.value = false;
  };
  const save = (): void => {
    const chosen = shown.value.flatMap((e) => [e.request, e.answer]).filter((e): e is LogEntry => e !== null);
    download(`${station}-ocpp.jsonl`, "application/jsonl", jsonLines(chosen.sort((a, b) => a.seq - b.seq)));
  };

  const f = filter.value;
  return (
    <section class="card log">
      <div class="toolbar">
        <label>
          <span class="unseen">Action</span>
          <select value={f.action} onChange={(event) => set({ action: event.currentTarget.value })}>
            <option value="">All actions</option>
            {actions.value.map((action) => (
              <option key={action}>{action}</option>
            ))}
          </select>
        </label>
        <Segments
          label="Who asked"
          value={f.sender}
          options={[
            ["", "Both ways"],
            ["station", "From station"],
            ["central", "To station"],
          ]}
          onChange={(sender) => set({ sender })}
        />
        <label class="find">
          <span class="unseen">Text</span>
          <input type="search" placeholder="Find text" value={f.text} onInput={(event) => set({ text: event.currentTarget.value })} />
        </label>
        <label class="check" title="Heartbeat, MeterValues and the vehicle's DataTransfer">
          <input type="checkbox" checked={f.quiet} onChange={(event) => set({ quiet: event.currentTarget.checked })} />
          Hide routine messages
        </label>
        <span class="grow" />
        {paused.value ? (
          <Button icon="play" tone="primary" onClick={resume}>
            Go on{held.value.length > 0 ? ` (${held.value.length} new)` : ""}
          </Button>
        ) : (
          <Button icon="pause" onClick={() => (paused.value = true)}>
            Pause
          </Button>
        )}
        <Button icon="download" onClick={save} why={shown.value.length === 0 ? "nothing to export" : null}>
          Export
        </Button>
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load(null)} />}
      {read.value && shown.value.length === 0 && (
        <Empty icon="sessions" title={entries.value.length === 0 ? "No message yet" : "No message matches"}>
          <p>
            {entries.value.length === 0
              ? "Messages appear here as soon as the station sends its first one."
              : "Loosen the filters, or show Heartbeat, MeterValues and vehicle data too."}
          </p>
        </Empty>
      )}
      <ol class="exchanges">
        {shown.value.slice(0, ROWS).map((e) => (
          <Row key={e.seq} exchange={e} open={expanded.value.has(e.seq)} toggle={() => toggle(e.seq)} />
        ))}
      </ol>
      {read.value && !oldest.value && (
        <p class="more">
          <Button onClick={() => void load(entries.value[0]?.seq ?? null)}>Read older messages</Button>
        </p>
      )}
    </section>
  );
}
