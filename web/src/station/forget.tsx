// Factory reset: whoever sells, rents out or sends in a station makes it forget its owner.
import { useSignal } from "@preact/signals";
import { ask } from "../ui/dialog";
import { Button, Problem } from "../ui/parts";
import { factoryReset, status, visitor } from "./data";
import { whyNothing } from "./model";

export function Forget() {
  const name = useSignal("");
  const unsent = useSignal(false);
  const problem = useSignal<unknown>(null);
  const done = useSignal("");
  const station = status.value?.station ?? "";
  const why = whyNothing(visitor.value) ?? (name.value === station ? null : "type the name of this station");
  const forget = async (): Promise<void> => {
    const text = "Passwords, keys, certificates, cards, charges, settings made here and logs are gone for good. Hardware limits and installed programs stay. The station restarts.";
    if (!(await ask(`Reset ${station} to factory state?`, text, "Forget everything"))) return;
    factoryReset(name.value, unsent.value).then(
      (answer) => {
        problem.value = null;
        name.value = "";
        done.value = answer.message;
      },
      (error: unknown) => (problem.value = error),
    );
  };
  return (
    <details class="card">
      <summary class="grouphead">
        <b>Factory reset</b> <span class="soft small">forget passwords, certificates, cards and records</span>
      </summary>
      <div class="pad stack">
        <label>
          Name of this station{" "}
          <input type="text" autocomplete="off" placeholder={station} value={name.value} onInput={(event) => (name.value = event.currentTarget.value.trim())} />
        </label>
        <label class="check small">
          <input type="checkbox" checked={unsent.value} onChange={(event) => (unsent.value = event.currentTarget.checked)} />
          also charges that the central system was not told of
        </label>
        <div>
          <Button tone="danger" why={why} onClick={() => void forget()}>
            Factory reset
          </Button>
        </div>
        {problem.value !== null && <Problem error={problem.value} />}
        {done.value !== "" && (
          <p class="notice info" role="status">
            {done.value}
          </p>
        )}
      </div>
    </details>
  );
}
