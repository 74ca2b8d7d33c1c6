// The station's own log: searched at the central, followed as it grows; what was lost is said.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../../data/api";
import { clockTime, dateTime } from "../../data/format";
import { droppedWords, fits, LEVELS, mergeLines, type LinesView } from "../../data/lines";
import { on, opened, wantMessagesOf } from "../../data/live";
import type { Level, Line, Station } from "../../data/types";
import { download } from "../../ui/copy";
import { Button, Empty, Problem } from "../../ui/parts";

const PAGE = 200;
const MOST = 3000;
const TYPING_MS = 250;

const LEVEL_WORDS: Record<Level, string> = {
  error: "Errors",
  warn: "Warnings and worse",
  info: "Information and worse",
  debug: "Everything",
};

// Newest first: what was lost before a line stands below it.
function Row({ line }: { line: Line }) {
  return (
    <>
      <li class={`logline ${line.level}`}>
        <time title={dateTime(line.time)}>{line.time === null ? "–" : clockTime(new Date(line.time), true)}</time>
        <span class="level">{line.level}</span>
        <span class="room">{line.room}</span>
        <span class="text">{line.text}</span>
      </li>
      {line.dropped > 0 && <li class="lost">{droppedWords(line.dropped)}</li>}
    </>
  );
}

const asText = (line: Line): string => `${line.time ?? "-"} ${line.level} ${line.room} ${line.text}\n`;

export function StationLines({ station }: { station: Station }) {
  const view = useSignal<LinesView>({ query: "", level: "info" });
  const lines = useSignal<Line[]>([]);
  const dropped = useSignal(0);
  const follow = useSignal(true);
  const oldest = useSignal(false);
  const read = useSignal(false);
  const problem = useSignal<unknown>(null);

  const load = async (before: number | null): Promise<void> => {
    const asked = view.peek();
    try {
      const page = await api.lines(station.id, { ...asked, before, limit: PAGE });
      if (view.peek() !== asked) return; // the filter has changed meanwhile
      lines.value = before === null ? mergeLines([], page.lines, MOST) : mergeLines(lines.peek(), page.lines, MOST);
      dropped.value = page.dropped;
      oldest.value = page.lines.length < PAGE;
      problem.value = null;
      read.value = true;
    } catch (error) {
      problem.value = error;
    }
  };

  useEffect(() => {
    wantMessagesOf(station.id);
    const off = on("log", (line) => {
      if (line.station_id !== station.id || !follow.peek()) return;
      dropped.value += line.dropped;
      if (fits(line, view.peek())) lines.value = mergeLines(lines.peek(), [line], MOST);
    });
    return () => {
      off();
      wantMessagesOf(null);
    };
  }, [station.id]);
  useSignalEffect(() => {
    void opened.value;
    if (!follow.value) return;
    void view.value;
    const timer = setTimeout(() => void load(null), TYPING_MS);
    return () => clearTimeout(timer);
  });

  const set = (part: Partial<LinesView>): void => {
    view.value = { ...view.value, ...part };
    if (!follow.value) void load(null);
  };
  const shown = [...lines.value].reverse();
  return (
    <section class="card log ownlog">
      <div class="toolbar">
        <label>
          <span class="unseen">Level</span>
          <select value={view.value.level} onChange={(event) => set({ level: event.currentTarget.value as Level })}>
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {LEVEL_WORDS[level]}
              </option>
            ))}
          </select>
        </label>
        <label class="find">
          <span class="unseen">Text</span>
          <input type="search" placeholder="Find text" value={view.value.query} maxLength={100} onInput={(event) => set({ query: event.currentTarget.value })} />
        </label>
        <span class="grow" />
        {follow.value ? (
          <Button icon="pause" onClick={() => (follow.value = false)}>
            Pause
          </Button>
        ) : (
          <Button icon="play" tone="primary" onClick={() => (follow.value = true)}>
            Follow
          </Button>
        )}
        <Button
          icon="download"
          why={shown.length === 0 ? "nothing to export" : null}
          onClick={() => download(`${station.id}.log`, "text/plain", lines.value.map(asText).join(""))}
        >
          Export
        </Button>
      </div>
      {dropped.value > 0 && (
        <p class="soft pad small lostsum">
          {dropped.value} {dropped.value === 1 ? "line was" : "lines were"} lost at the station before they could be sent; the places are marked.
        </p>
      )}
      {problem.value !== null && <Problem error={problem.value} retry={() => void load(null)} />}
      {read.value && shown.length === 0 && (
        <Empty icon="sessions" title={view.value.query === "" ? "No line yet" : "No line matches"}>
          <p>
            {station.link
              ? "Lines come over the station link. A lower level or another word may show more."
              : "This station has no station link; its log stays with it."}
          </p>
        </Empty>
      )}
      <ol class="loglines">
        {shown.map((line) => (
          <Row key={line.n} line={line} />
        ))}
      </ol>
      {read.value && !oldest.value && (
        <p class="more">
          <Button onClick={() => void load(lines.value[0]?.n ?? null)}>Read older lines</Button>
        </p>
      )}
    </section>
  );
}
