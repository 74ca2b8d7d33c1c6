import { useSignal } from "@preact/signals";
import * as api from "../data/api";
import { connect } from "../data/live";
import { Mark } from "../ui/icon";
import { ThemeButton } from "../ui/theme_button";

export function Login() {
  const busy = useSignal(false);
  const problem = useSignal("");
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    problem.value = "";
    try {
      await api.login(String(form.get("user")), String(form.get("password")));
      connect();
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <div class="door">
      <main>
        <form onSubmit={(event) => void submit(event)}>
          <div class="brand">
            <Mark size={40} />
            <div>
              <h1>Pilotwire</h1>
              <p class="soft">Central system</p>
            </div>
          </div>
          {api.ended.value && <p class="notice info">Your login has ended, or the central restarted: log in again.</p>}
          <label>
            User
            <input name="user" autocomplete="username" value="admin" required maxLength={64} />
          </label>
          <label>
            Password
            <input name="password" type="password" autocomplete="current-password" required maxLength={128} autofocus />
          </label>
          {problem.value !== "" && (
            <p class="notice bad" role="alert">
              {problem.value}
            </p>
          )}
          <button class="button primary" disabled={busy.value}>
            {busy.value ? "Logging in…" : "Log in"}
          </button>
          <p class="soft small">The password was printed once, when the central started for the first time.</p>
        </form>
      </main>
      <ThemeButton />
    </div>
  );
}
