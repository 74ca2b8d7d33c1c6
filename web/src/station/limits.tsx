// Who limits the current of a connector: in one sentence, and every limit that stands with its reason and age.
import { clockTime, current, elapsed, plain } from "../data/format";
import { Num } from "../ui/parts";
import { limitNote, whySentence } from "./model";
import type { ConnectorLimits, StationLimit } from "./types";

const since = (age: number | null): string | undefined => (age === null ? undefined : `since ${clockTime(new Date(Date.now() - age * 1000))}`);

function LimitRow({ limit }: { limit: StationLimit }) {
  return (
    <tr class={limit.counts ? "counts" : ""} aria-current={limit.counts ? "true" : undefined}>
      <th scope="row">
        {limit.words}
        <small>
          {limit.source}
          {limitNote(limit) !== "" && `: ${limitNote(limit)}`}
        </small>
      </th>
      <td>
        <Num value={current(limit.limit_a)} />
      </td>
      <td class="soft" title={since(limit.age_s)}>
        {limit.age_s === null ? "" : `for ${elapsed(limit.age_s)}`}
        {limit.expires_s !== null && <small>ends in {elapsed(limit.expires_s)}</small>}
      </td>
    </tr>
  );
}

// "Why is it 6 A?": every limit that stands, the one that counts first.
export function Limits({ of }: { of: ConnectorLimits | undefined }) {
  if (!of) return null;
  const rows = [...of.limits].sort((a, b) => Number(b.counts) - Number(a.counts) || a.limit_a - b.limit_a);
  return (
    <section class="whylimit">
      <h3>Why is it {plain(current(of.effective_a))}?</h3>
      <p class="whysentence">{whySentence(of)}</p>
      <table class="limits">
        <caption class="unseen">Limits of the current: source and reason, ampere, and for how long; the one that counts first</caption>
        <tbody>
          {rows.map((limit) => (
            <LimitRow key={limit.source} limit={limit} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
