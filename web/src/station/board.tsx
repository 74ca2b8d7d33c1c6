// The OpenEVSE board of a connector: what it is, how it stands, what it counted, its display, and commands by hand.
import { useSignal } from "@preact/signals";
import { current, energy, plain } from "../data/format";
import { Button, Chip, Fact } from "../ui/parts";
import { putSetting, rapi, settings, visitor } from "./data";
import { heartbeatWords, kindWords, phaseWords, whyNothing } from "./model";
import { useSettings } from "./settings";
import type { Board, StationConnector, StationStatus } from "./types";
import { VisitNotice } from "./visit";

const known = (value: string | number | null): string => (value === null || value === "" ? "–" : String(value));

function State({ board }: { board: Board }) {
  return (
    <dl class="facts">
      <Fact label="Firmware">{known(board.firmware)}</Fact>
      <Fact label="RAPI version">{known(board.rapi)}</Fact>
      <Fact label="State">
        {known(board.state_text)}
        {board.state !== null && <span class="soft"> · code 0x{board.state.toString(16).padStart(2, "0")}</span>}
      </Fact>
      <Fact label="Offers">{plain(current(board.offered_a))}</Fact>
      <Fact label="Most, by its settings">{plain(current(board.config_a))}</Fact>
      <Fact label="Most, by its build">{plain(current(board.hardware_a))}</Fact>
      <Fact label="Phases in use">{phaseWords(board.phases_in_use)}</Fact>
      <Fact label="Heartbeat">{heartbeatWords(board)}</Fact>
      <Fact label="Delivered, by its own count">{plain(energy(board.total_wh))}, one phase</Fact>
      <Fact label="Last event">{board.last_event === "" ? "–" : <code>{board.last_event}</code>}</Fact>
    </dl>
  );
}

const COUNTERS: readonly (readonly [keyof Board, string])[] = [
  ["gfi_trips", "Residual current trips"],
  ["ground_trips", "Missing earth"],
  ["stuck_trips", "Stuck relay"],
  ["heartbeats_missed", "Heartbeats missed"],
  ["reboots", "Restarts seen"],
  ["answers", "Answers"],
  ["refusals", "Refused commands"],
  ["timeouts", "Time-outs"],
  ["bad_lines", "Unreadable lines"],
];

function Counters({ board }: { board: Board }) {
  return (
    <dl class="facts">
      {COUNTERS.map(([key, label]) => (
        <Fact key={key} label={label}>
          {known(board[key] as number | null)}
        </Fact>
      ))}
    </dl>
  );
}

const DISPLAY = "rapi.lcd_text";

// Two lines of sixteen characters.
function Display() {
  useSettings();
  const stands = settings.value?.find((setting) => setting.path === DISPLAY)?.value;
  const edited = useSignal<string | null>(null);
  const problem = useSignal("");
  const nobody = whyNothing(visitor.value);
  if (stands === undefined) return null;
  const text = edited.value ?? stands;
  const put = (value: string): void => {
    putSetting(DISPLAY, value).then(
      () => {
        edited.value = null;
        problem.value = "";
      },
      (error: unknown) => (problem.value = error instanceof Error ? error.message : String(error)),
    );
  };
  const lines = [text.slice(0, 16), text.slice(16, 32)];
  const edit = (line: number, value: string): void => {
    const next = lines.map((old, n) => (n === line ? value.slice(0, 16) : old));
    edited.value = (next[1] === "" ? (next[0] ?? "") : `${(next[0] ?? "").padEnd(16)}${next[1]}`).trimEnd();
  };
  return (
    <section class="card pad">
      <h2>Display of the board</h2>
      <form
        class="lcd"
        onSubmit={(event) => {
          event.preventDefault();
          put(text);
        }}
      >
        {lines.map((line, index) => (
          <input key={index} aria-label={`Line ${index + 1} of the display`} maxLength={16} spellcheck={false} autocomplete="off" disabled={nobody !== null} value={line.trimEnd()} onInput={(event) => edit(index, event.currentTarget.value)} />
        ))}
        <div class="row">
          <Button tone="primary" why={nobody ?? (edited.value === null ? "nothing has changed" : null)} onClick={() => put(text)}>
            Show
          </Button>
          <Button icon="broom" why={nobody ?? (stands === "" ? "it shows the board's own text" : null)} onClick={() => put("")}>
            Erase
          </Button>
          <span class="soft small">{stands === "" ? "The board shows its own text." : "The board shows this text."}</span>
        </div>
      </form>
      {problem.value !== "" && (
        <p class="answer bad" role="alert">
          {problem.value}
        </p>
      )}
    </section>
  );
}

const KEPT = 20; // lines of the talk

function Commands({ c }: { c: StationConnector }) {
  const text = useSignal("");
  const talk = useSignal<readonly { asked: string; answer: string; bad: boolean }[]>([]);
  const busy = useSignal(false);
  const nobody = whyNothing(visitor.value);
  const send = async (): Promise<void> => {
    const asked = text.value.trim();
    if (asked === "" || busy.value || nobody !== null) return;
    busy.value = true;
    text.value = "";
    let said: { answer: string; bad: boolean };
    try {
      said = { answer: await rapi(c.connector_id, asked), bad: false };
    } catch (error) {
      said = { answer: error instanceof Error ? error.message : String(error), bad: true };
    }
    talk.value = [{ asked, ...said }, ...talk.value].slice(0, KEPT);
    busy.value = false;
  };
  return (
    <section class="card pad">
      <h2>Commands by hand</h2>
      <form
        class="row tight"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="inline">
          <span class="unseen">RAPI command</span>
          <input class="mono" placeholder="GS" spellcheck={false} autocomplete="off" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        </label>
        <Button tone="primary" why={nobody ?? (busy.value ? "the board has not answered yet" : null)} onClick={() => void send()}>
          Send
        </Button>
        <span class="soft small">RAPI, without $ and checksum. What could make charging unsafe is refused.</span>
      </form>
      <ul class="talk" aria-live="polite">
        {talk.value.map((line, index) => (
          <li key={talk.value.length - index}>
            <code>{line.asked}</code> <code class={line.bad ? "wrong" : ""}>{line.answer}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function BoardCards({ c, board, many }: { c: StationConnector; board: Board; many: boolean }) {
  return (
    <section class="stack" aria-label={`Board of connector ${c.connector_id}`}>
      <div class="row">
        {many && <h2>Connector {c.connector_id}</h2>}
        <Chip tone={board.answers_now ? "go" : "bad"}>{board.answers_now ? "answers" : board.why === "" ? "silent" : board.why}</Chip>
        <span class="soft">{kindWords(c)}</span>
      </div>
      <div class="stack pair">
        <section class="card pad">
          <h2>Board</h2>
          <State board={board} />
        </section>
        <section class="card pad">
          <h2>Counters</h2>
          <Counters board={board} />
        </section>
      </div>
      <Commands c={c} />
    </section>
  );
}

export function BoardPage({ status }: { status: StationStatus }) {
  const all = status.connectors.filter((c) => c.board !== undefined);
  return (
    <>
      <div class="title">
        <h1>Board</h1>
      </div>
      <VisitNotice />
      <div class="stack">
        {all.map((c) => c.board && <BoardCards key={c.connector_id} c={c} board={c.board} many={all.length > 1} />)}
        {visitor.value?.inside === true && <Display />}
      </div>
    </>
  );
}
