// The charges of this station that have ended, as far as it keeps them.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { csv } from "../data/csv";
import { duration, energy, percent, plain, words } from "../data/format";
import { download } from "../ui/copy";
import { Button, Empty, Loading, Problem, When } from "../ui/parts";
import { charges, status } from "./data";
import { total } from "./model";
import type { Charge } from "./types";

const COLUMNS = ["number", "connector_id", "id_tag", "began", "ended", "duration_s", "energy_wh", "soc_begin_percent", "soc_end_percent", "reason"] as const;

const RECORDED_MS = 1500;

const socWords = (c: Charge): string =>
  c.soc_end_percent === null ? "–" : `${c.soc_begin_percent === null ? "" : `${plain(percent(c.soc_begin_percent))} → `}${plain(percent(c.soc_end_percent))}`;

function Row({ c, many }: { c: Charge; many: boolean }) {
  return (
    <tr>
      <td data-label="Began">
        <When at={c.began} />
      </td>
      {many && <td data-label="Connector">{c.connector_id}</td>}
      <td data-label="Energy" class="right">
        <b>{plain(energy(c.energy_wh))}</b>
      </td>
      <td data-label="Time" class="right">
        {duration(c.duration_s)}
      </td>
      <td data-label="State of charge">{socWords(c)}</td>
      <td data-label="Card">{c.id_tag}</td>
      <td data-label="Ended by">{words(c.reason)}</td>
    </tr>
  );
}

export function HistoryPage() {
  const all = useSignal<Charge[] | null>(null);
  const problem = useSignal<unknown>(null);
  const phases = status.value?.connectors.map((c) => c.phase).join(" ") ?? "";
  const many = (status.value?.connectors.length ?? 1) > 1;
  const read = (): void => {
    charges().then(
      (rows) => {
        all.value = rows;
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  // One that ends is one more, as soon as its record is on the disk.
  useEffect(() => {
    read();
    const again = setTimeout(read, RECORDED_MS);
    return () => clearTimeout(again);
  }, [phases]);
  const sum = total(all.value ?? []);
  return (
    <>
      <div class="title">
        <h1>History</h1>
        <span class="grow" />
        {all.value !== null && all.value.length > 0 && (
          <Button icon="download" onClick={() => download("charges.csv", "text/csv", csv(COLUMNS, all.value ?? []))}>
            CSV
          </Button>
        )}
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={read} />}
      {all.value === null && problem.value === null && <Loading />}
      {all.value !== null && all.value.length === 0 && (
        <section class="card">
          <Empty icon="sessions" title="No charge has ended yet">
            <p>The last 50 charges of this station will stand here, with and without a central system.</p>
          </Empty>
        </section>
      )}
      {all.value !== null && all.value.length > 0 && (
        <section class="card">
          <p class="pad soft">
            {all.value.length === 1 ? "One charge" : `${all.value.length} charges`}, {plain(energy(sum))} together. The station keeps the last 50.
          </p>
          <table class="table">
            <thead>
              <tr>
                <th>Began</th>
                {many && <th>Connector</th>}
                <th class="right">Energy</th>
                <th class="right">Time</th>
                <th>State of charge</th>
                <th>Card</th>
                <th>Ended by</th>
              </tr>
            </thead>
            <tbody>
              {all.value.map((c) => (
                <Row key={c.number} c={c} many={many} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
