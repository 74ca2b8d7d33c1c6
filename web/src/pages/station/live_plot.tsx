// The stored curve, continued by what arrives.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../../data/api";
import { serverNow } from "../../data/clock";
import { emptyColumns, withSample } from "../../data/curve";
import { on, opened } from "../../data/live";
import { isAc } from "../../data/outlet";
import type { Columns, Connector } from "../../data/types";
import { CHARGE_AC, CHARGE_DC, Curve } from "../../ui/plot";
import { Empty, Problem, Segments } from "../../ui/parts";

const SPANS: readonly (readonly [number, string])[] = [
  [900, "15 min"],
  [3600, "1 h"],
  [21600, "6 h"],
  [86400, "24 h"],
];

export function LivePlot({ station, plugs }: { station: string; plugs: readonly Connector[] }) {
  const connectors = plugs.map((c) => c.connector_id);
  const connector = useSignal(connectors[0] ?? 1);
  const span = useSignal(3600);
  const columns = useSignal<Columns | null>(null);
  const problem = useSignal<unknown>(null);

  useSignalEffect(() => {
    void opened.value; // after every reconnect: what was missed is in the store
    const [id, seconds] = [connector.value, span.value];
    let gone = false;
    api.measurements(station, id, new Date(serverNow() - seconds * 1000)).then(
      (read) => {
        if (gone) return;
        columns.value = read;
        problem.value = null;
      },
      (error: unknown) => {
        if (!gone) problem.value = error;
      },
    );
    return () => {
      gone = true;
    };
  });

  useEffect(
    () =>
      on("measurement", (m) => {
        if (m.station_id !== station || m.connector_id !== connector.peek()) return;
        columns.value = withSample(columns.peek() ?? emptyColumns(), m, m.t - span.peek());
      }),
    [station],
  );

  const data = columns.value;
  return (
    <section class="card pad">
      <header class="row">
        <h2>Curve</h2>
        <span class="grow" />
        {connectors.length > 1 && (
          <Segments
            label="Connector"
            value={connector.value}
            options={connectors.map((id) => [id, `Connector ${id}`] as const)}
            onChange={(id) => {
              columns.value = null;
              connector.value = id;
            }}
          />
        )}
        <Segments label="Time span" value={span.value} options={SPANS} onChange={(value) => (span.value = value)} />
      </header>
      {problem.value !== null && <Problem error={problem.value} />}
      {data && data.t.length === 0 && (
        <Empty icon="signal" title="Nothing measured in this time">
          <p>The curve begins with the first MeterValues of a charge. A longer span may show an earlier one.</p>
        </Empty>
      )}
      {data && data.t.length > 0 && <Curve columns={data} panels={plugs.some((c) => c.connector_id === connector.value && isAc(c)) ? CHARGE_AC : CHARGE_DC} />}
    </section>
  );
}
