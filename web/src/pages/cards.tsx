import { useSignal, useSignalEffect } from "@preact/signals";
import * as api from "../data/api";
import { opened } from "../data/live";
import type { Card, UnknownCard } from "../data/types";
import { href } from "../route";
import { ask } from "../ui/dialog";
import { Button, Chip, Empty, Loading, Problem, Since, When, type Tone } from "../ui/parts";
import { CardDialog, NEW_CARD } from "./card_dialog";

const TONES: Record<Card["status"], Tone> = { Accepted: "go", Blocked: "bad", Expired: "warn" };
const WORDS: Record<Card["status"], string> = { Accepted: "May charge", Blocked: "Blocked", Expired: "Expired" };

function Unknown({ list, add }: { list: UnknownCard[]; add: (tag: string) => void }) {
  if (list.length === 0) return null;
  return (
    <section class="card pad">
      <h2>Presented, but not known</h2>
      <p class="soft">Somebody held these cards to a station and was refused.</p>
      <ul class="unknown">
        {list.map((card) => (
          <li key={card.id_tag}>
            <code>{card.id_tag}</code>
            <span class="soft">
              <a href={href.station(card.station_id)}>{card.station_id}</a> · <Since at={card.seen_at} suffix=" ago" />
              {card.count > 1 && ` · ${card.count} times`}
            </span>
            <span class="grow" />
            <Button needs="operator" icon="plus" onClick={() => add(card.id_tag)}>
              Add
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Cards({ add }: { add: string }) {
  const cards = useSignal<Card[] | null>(null);
  const unknown = useSignal<UnknownCard[]>([]);
  const problem = useSignal<unknown>(null);
  const editing = useSignal<{ card: Card; fresh: boolean } | null>(add === "" ? null : { card: { ...NEW_CARD, id_tag: add }, fresh: true });

  const load = async (): Promise<void> => {
    try {
      [cards.value, unknown.value] = await Promise.all([api.cards(), api.unknownCards()]);
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useSignalEffect(() => {
    void opened.value;
    void load();
    const timer = setInterval(() => void load(), 5000); // a refused card leaves no event of its own
    return () => clearInterval(timer);
  });

  const remove = async (card: Card): Promise<void> => {
    const yes = await ask(`Remove ${card.name ?? card.id_tag}?`, "It can no longer start a charge. Its sessions stay.", "Remove");
    if (!yes) return;
    try {
      await api.deleteCard(card.id_tag);
    } catch (error) {
      problem.value = error;
    }
    await load();
  };
  const addCard = (tag: string): void => {
    editing.value = { card: { ...NEW_CARD, id_tag: tag }, fresh: true };
  };
  return (
    <>
      <div class="title">
        <h1>Cards</h1>
        <span class="grow" />
        <Button needs="operator" icon="plus" onClick={() => addCard("")}>
          Add a card
        </Button>
      </div>
      {problem.value !== null && <Problem error={problem.value} retry={() => void load()} />}
      <Unknown list={unknown.value} add={addCard} />
      {cards.value === null && problem.value === null && <Loading />}
      {cards.value?.length === 0 && (
        <Empty icon="cards" title="No card yet">
          <p>Hold a card to a station: it appears here as unknown and is added with one click. Or type its number.</p>
          <Button needs="operator" icon="plus" tone="primary" onClick={() => addCard("")}>
            Add a card
          </Button>
        </Empty>
      )}
      {cards.value && cards.value.length > 0 && (
        <div class="card">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Number</th>
                <th scope="col">State</th>
                <th scope="col">Group</th>
                <th scope="col">Expires</th>
                <th scope="col">
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {cards.value.map((card) => (
                <tr key={card.id_tag}>
                  <td data-label="Name">{card.name ?? <span class="soft">–</span>}</td>
                  <td data-label="Number">
                    <code>{card.id_tag}</code>
                  </td>
                  <td data-label="State">
                    <Chip tone={TONES[card.status]}>{WORDS[card.status]}</Chip>
                  </td>
                  <td data-label="Group">{card.parent ?? "–"}</td>
                  <td data-label="Expires">{card.expires ? <When at={card.expires} /> : "never"}</td>
                  <td class="right">
                    <Button needs="operator" tone="quiet" onClick={() => (editing.value = { card, fresh: false })}>
                      Edit
                    </Button>
                    <Button needs="operator" tone="quiet" onClick={() => void remove(card)}>
                      Remove
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editing.value && (
        <CardDialog
          card={editing.value.card}
          fresh={editing.value.fresh}
          onClose={(changed) => {
            editing.value = null;
            if (changed) void load();
          }}
        />
      )}
    </>
  );
}
