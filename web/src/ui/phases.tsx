// Three bars, one a phase: what flows within what is offered within the limit.
import { current, plain } from "../data/format";
import { PHASES, type Amperes } from "../data/groups";

const share = (part: number, of: number): number => (of > 0 ? Math.min(1, part / of) * 100 : part > 0 ? 100 : 0);

export function PhaseBars(props: { limit: Amperes; offer: Amperes; used: Amperes; label: string }) {
  return (
    <dl class="bars" aria-label={props.label}>
      {PHASES.map((name, p) => {
        const [limit = 0, offer = 0, used = 0] = [props.limit[p], props.offer[p], props.used[p]];
        const over = offer > limit + 0.05 || used > limit + 0.05;
        return (
          <div key={name} class={over ? "bar over" : "bar"} title={`${name}: ${plain(current(used))} drawn, ${plain(current(offer))} offered, limit ${plain(current(limit))}`}>
            <dt>{name}</dt>
            <dd>
              <svg preserveAspectRatio="none" viewBox="0 0 100 8" aria-hidden="true">
                <rect class="track" width="100" height="8" />
                <rect class="offered" width={share(offer, limit)} height="8" />
                <rect class="drawn" width={share(used, limit)} height="8" />
              </svg>
              <span class="num">
                <b>{current(used).text}</b> / {current(offer).text} / {plain(current(limit))}
              </span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
