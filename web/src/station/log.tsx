// The station's log from its memory, followed as it grows.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clockTime, dateTime } from "../data/format";
import { download } from "../ui/copy";
import { Button, Empty, Segments } from "../ui/parts";
import { Debug } from "./debug";
import { lines, missed, visitor } from "./data";
import type { LogLine } from "./types";
import { Closed } from "./visit";

const LEVELS = ["error", "warn", "info", "debug"] as const;
type Level = (typeof LEVELS)[number];

const asText = (line: LogLine): string => `${line.time ?? "-"} ${line.level} ${line.room} ${line.text}`;

function fits(line: LogLine, most: Level, query: string): boolean {
  return LEVELS.indexOf(line.level) <= LEVELS.indexOf(most) && `${line.room} ${line.text}`.toLowerCase().includes(query);
}

export function LogPage() {
  const most = useSignal<Level>("info");
  const find = useSignal("");
  const follow = useSignal(true);
  const frozen = useSignal<readonly LogLine[]>([]);
  const end = useRef<HTMLLIElement>(null);
  const inside = visitor.value?.inside === true;
  const all = follow.value ? lines.value : frozen.value;
  const shown = all.filter((line) => fits(line, most.value, find.value.trim().toLowerCase()));
  const last = shown[shown.length - 1]?.cursor;
  useEffect(() => {
    if (follow.value) end.current?.scrollIntoView({ block: "end" });
  }, [last, follow.value]);
  const toggle = (): void => {
    frozen.value = lines.value;
    follow.value = !follow.value;
  };
  if (!inside) {
    return (
      <>
        <div class="title">
          <h1>Log</h1>
        </div>
        <Closed what="The log" />
      </>
    );
  }
  return (
    <>
      <div class="title">
        <h1>Log</h1>
      </div>
      <section class="card">
        <div class="toolbar">
          <Segments
            label="Least level"
            value={most.value}
            options={[
              ["error", "Errors"],
              ["warn", "Warnings"],
              ["info", "Info"],
              ["debug", "All"],
            ]}
            onChange={(level) => (most.value = level)}
          />
          <label class="find">
            <span class="unseen">Find in the log</span>
            <input type="search" placeholder="Find" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} />
          </label>
          <span class="grow" />
          <Button icon={follow.value ? "pause" : "play"} onClick={toggle}>
            {follow.value ? "Hold" : "Follow"}
          </Button>
          <Button icon="download" onClick={() => download("station-log.txt", "text/plain", shown.map(asText).join("\n") + "\n")}>
            Save
          </Button>
        </div>
        {shown.length === 0 ? (
          <Empty icon="sessions" title={all.length === 0 ? "Nothing has been logged yet" : "No line matches"} />
        ) : (
          <ul class="loglines tail">
            {missed.value > 0 && <li class="lost">{missed.value} older lines are gone: the station keeps the last ones in memory.</li>}
            {shown.map((line) => (
              <li key={line.cursor} class={`logline ${line.level}`}>
                <time title={dateTime(line.time)}>{line.time === null ? "–" : clockTime(new Date(line.time), true)}</time>
                <span class="level">{line.level}</span>
                <span class="room">{line.room}</span>
                <span class="text">{line.text}</span>
              </li>
            ))}
            <li ref={end} aria-hidden="true" />
          </ul>
        )}
      </section>
      <Debug />
    </>
  );
}
