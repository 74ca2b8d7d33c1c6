import { useSignal } from "@preact/signals";
import * as api from "../data/api";
import type { Card } from "../data/types";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/parts";

export const NEW_CARD: Card = { id_tag: "", status: "Accepted", parent: null, expires: null, name: null };

// A datetime-local field speaks local time without a zone.
function localField(iso: string | null): string {
  if (iso === null) return "";
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const textOrNull = (value: FormDataEntryValue | null): string | null => (value === null || value === "" ? null : String(value));

export function CardDialog(props: { card: Card; fresh: boolean; onClose: (changed: boolean) => void }) {
  const { card, fresh } = props;
  const problem = useSignal<unknown>(null);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const expires = textOrNull(form.get("expires"));
    try {
      await api.putCard({
        id_tag: fresh ? String(form.get("id_tag")).trim() : card.id_tag,
        name: textOrNull(form.get("name")),
        status: form.get("status") === "Blocked" ? "Blocked" : "Accepted",
        parent: textOrNull(form.get("parent")),
        expires: expires === null ? null : new Date(expires).toISOString(),
      });
      props.onClose(true);
    } catch (error) {
      problem.value = error;
    }
  };
  return (
    <Dialog title={fresh ? "Add a card" : `Card ${card.id_tag}`} onClose={() => props.onClose(false)}>
      <form onSubmit={(event) => void save(event)}>
        {fresh && (
          <label>
            Number
            <input name="id_tag" defaultValue={card.id_tag} required maxLength={20} autofocus={card.id_tag === ""} />
            <span class="soft small">As the station reads it, at most 20 characters</span>
          </label>
        )}
        <label>
          Name
          <input name="name" defaultValue={card.name ?? ""} maxLength={64} placeholder="Whose card it is" autofocus={card.id_tag !== ""} />
        </label>
        <label>
          State
          <select name="status" defaultValue={card.status === "Blocked" ? "Blocked" : "Accepted"}>
            <option value="Accepted">May charge</option>
            <option value="Blocked">Blocked</option>
          </select>
        </label>
        <label>
          Group
          <input name="parent" defaultValue={card.parent ?? ""} maxLength={20} placeholder="none" />
          <span class="soft small">Cards of one group may stop each other's charge</span>
        </label>
        <label>
          Expires
          <input name="expires" type="datetime-local" defaultValue={localField(card.expires)} />
        </label>
        {problem.value !== null && <Problem error={problem.value} />}
        <div class="row end">
          <button type="button" class="button" onClick={() => props.onClose(false)}>
            Cancel
          </button>
          <button class="button primary">Save</button>
        </div>
      </form>
    </Dialog>
  );
}
