// One's own password. The old one is asked for: an open browser is not the account.
import { useSignal } from "@preact/signals";
import * as api from "../data/api";
import { Problem } from "../ui/parts";

const WORDS = {
  viewer: "You see everything and change nothing.",
  operator: "You run charging: cards, starts and stops, limits, reservations.",
  admin: "You also decide who may do what, and what stations trust and run.",
};

export function AccountPage() {
  const problem = useSignal<unknown>(null);
  const done = useSignal(false);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    problem.value = null;
    done.value = false;
    try {
      await api.setMyPassword(String(given.get("old")), String(given.get("new")));
      done.value = true;
      form.reset();
    } catch (error) {
      problem.value = error;
    }
  };
  const me = api.me.value;
  if (!me) return null;
  return (
    <>
      <div class="title">
        <h1>Your account</h1>
      </div>
      <p class="lead">
        <b>{me.user}</b>, {me.role}. <span class="soft">{WORDS[me.role]}</span>
      </p>
      <section class="card pad slim">
        <h2>Change your password</h2>
        <form onSubmit={(event) => void save(event)}>
          <input type="hidden" autocomplete="username" value={me.user} />
          <label>
            Old password
            <input name="old" type="password" autocomplete="current-password" required maxLength={128} />
          </label>
          <label>
            New password
            <input name="new" type="password" autocomplete="new-password" required minLength={10} maxLength={128} />
            <span class="soft small">10 characters or more. Your other logins end.</span>
          </label>
          {problem.value !== null && <Problem error={problem.value} />}
          {done.value && (
            <p class="notice info" role="status">
              Your password is changed.
            </p>
          )}
          <button class="button primary">Change it</button>
        </form>
      </section>
    </>
  );
}
