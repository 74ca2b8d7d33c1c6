// The frame: which station, whether it is live, who is here.
import { useSignal } from "@preact/signals";
import { Asking, Dialog } from "../ui/dialog";
import { Icon, Mark, type IconName } from "../ui/icon";
import { Loading } from "../ui/parts";
import { ThemeButton } from "../ui/theme_button";
import { connect, link, login, logout, status, visitor } from "./data";
import { LogPage } from "./log";
import { Now } from "./now";
import { href, place, type Place } from "./place";
import { SettingsPage } from "./settings";
import { loginAsked } from "./visit";

const PLACES: readonly { to: Place; icon: IconName; text: string }[] = [
  { to: "now", icon: "bolt", text: "Now" },
  { to: "settings", icon: "overview", text: "Settings" },
  { to: "log", icon: "sessions", text: "Log" },
];

function Nav() {
  return (
    <nav aria-label="Pages" class="three">
      {PLACES.map(({ to, icon, text }) => (
        <a key={to} href={href[to]} aria-current={place.value === to ? "page" : undefined}>
          <Icon name={icon} />
          {text}
        </a>
      ))}
    </nav>
  );
}

const LINK_WORDS = { connecting: "Connecting", live: "Live", lost: "Lost" } as const;

function Door() {
  const who = visitor.value;
  if (!who?.password_set) return null;
  const inside = who.csrf !== null;
  return (
    <button
      type="button"
      class="bare"
      aria-label={inside ? "Log out" : "Log in"}
      title={inside ? "Log out" : "Log in"}
      onClick={() => (inside ? void logout() : (loginAsked.value = true))}
    >
      <Icon name={inside ? "leave" : "unlock"} />
    </button>
  );
}

function LoginDialog() {
  const problem = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    problem.value = "";
    try {
      await login(String(form.get("password")));
      loginAsked.value = false;
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title="Log in to this station" onClose={() => (loginAsked.value = false)}>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required maxLength={64} autofocus />
          <span class="soft small">It is the setting page.password in the station's secrets file.</span>
        </label>
        {problem.value !== "" && (
          <p class="notice bad" role="alert">
            {problem.value}
          </p>
        )}
        <button class="button primary" disabled={busy.value}>
          {busy.value ? "Logging in…" : "Log in"}
        </button>
      </form>
    </Dialog>
  );
}

function LostBanner() {
  if (link.value !== "lost") return null;
  return (
    <div class="notice warn" role="alert">
      <Icon name="alert" />
      <span>
        <b>Connection to the station lost.</b> What you see may be old. Trying again…
      </span>
      <button type="button" class="button small" onClick={connect}>
        Now
      </button>
    </div>
  );
}

function Page() {
  if (status.value === null) return link.value === "lost" ? null : <Loading />;
  switch (place.value) {
    case "now":
      return <Now status={status.value} />;
    case "settings":
      return <SettingsPage />;
    case "log":
      return <LogPage />;
  }
}

export function App() {
  return (
    <div class="frame">
      <header class="side">
        <a class="brand" href={href.now}>
          <Mark />
          <span>{status.value?.station ?? "Charging station"}</span>
        </a>
        <Nav />
        <div class="foot">
          <span class={`link ${link.value}`} role="status">
            {LINK_WORDS[link.value]}
          </span>
          <ThemeButton />
          <Door />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <LostBanner />
        <Page />
      </main>
      {loginAsked.value && <LoginDialog />}
      <Asking />
    </div>
  );
}
