// The station link: is it there, how fast, and what came over it last.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../../data/api";
import { clockTime, dateTime, latency } from "../../data/format";
import { eventWords } from "../../data/outlet";
import type { LinkEvent, Station } from "../../data/types";
import { href } from "../../route";
import { Chip, Fact, Problem, Since } from "../../ui/parts";

const SHOWN = 8;
const READ = 60; // what a meter tells is in the curve; it must not push the rest out of sight

function Event({ event }: { event: LinkEvent }) {
  const at = event.time ?? event.received_at;
  return (
    <li>
      <time class="soft" dateTime={at} title={dateTime(at)}>
        {clockTime(new Date(at))}
      </time>
      <span>
        <b>{event.kind}</b> {eventWords(event)}
        {event.connector_id > 0 && <span class="soft"> · connector {event.connector_id}</span>}
      </span>
    </li>
  );
}

function Events({ station }: { station: Station }) {
  const events = useSignal<LinkEvent[]>([]);
  const problem = useSignal<unknown>(null);
  useEffect(() => {
    api.linkEvents(station.id, READ).then(
      (read) => {
        events.value = read.filter((event) => event.kind !== "meter").slice(0, SHOWN);
        problem.value = null;
      },
      (error: unknown) => (problem.value = error),
    );
  }, [station.id, station.link?.last_event_seq, station.link?.since]);
  if (problem.value !== null) return <Problem error={problem.value} />;
  if (events.value.length === 0) return <p class="soft small">No event yet.</p>;
  return (
    <ol class="linkevents">
      {events.value.map((event) => (
        <Event key={event.n} event={event} />
      ))}
    </ol>
  );
}

export function LinkCard({ station }: { station: Station }) {
  const link = station.link;
  if (!link) return null;
  return (
    <section class="card pad">
      <h2>Station link</h2>
      <dl class="facts">
        <Fact label="State">
          {link.online ? <Chip tone="go">Up</Chip> : <Chip tone="warn">Down</Chip>}
        </Fact>
        <Fact label="Since">
          <Since at={link.since} />
        </Fact>
        <Fact label="Round trip">{link.online && link.rtt_ms !== null ? latency(link.rtt_ms) : null}</Fact>
        <Fact label="Address">{link.address}</Fact>
        <Fact label="Lost log lines">
          <a href={href.station(station.id, "lines")}>{link.lines_dropped}</a>
        </Fact>
      </dl>
      <h3 class="small">Last events</h3>
      <Events station={station} />
    </section>
  );
}
