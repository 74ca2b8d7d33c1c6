// The frame: which station, whether it is live, who is here.
import { useSignal } from "@preact/signals";
import { Asking, Dialog } from "../ui/dialog";
import { Icon, Mark, type IconName } from "../ui/icon";
import { Loading } from "../ui/parts";
import { ThemeButton } from "../ui/theme_button";
import { connect, link, login, logout, status, visitor } from "./data";
import { AboutPage } from "./about";
import { BoardPage } from "./board";
import { CentralPage } from "./central";
import { ChargePage } from "./charge";
import { HistoryPage } from "./history";
import { HousePage } from "./house";
import { LogPage } from "./log";
import { hasBoard, overTls } from "./model";
import { NetworkPage } from "./network";
import { href, place, type Place } from "./place";
import { SettingsPage } from "./settings";
import { TimersPage } from "./timers";
import { loginAsked } from "./visit";

const PLACES: readonly { to: Place; icon: IconName; text: string; short?: string; rest?: boolean }[] = [
  { to: "charge", icon: "bolt", text: "Charge" },
  { to: "house", icon: "house", text: "House" },
  { to: "timers", icon: "clock", text: "Limits & timers", short: "Timers" },
  { to: "settings", icon: "limit", text: "Settings" },
  { to: "history", icon: "overview", text: "History", rest: true },
  { to: "board", icon: "station", text: "Board", rest: true },
  { to: "central", icon: "tree", text: "Central", rest: true },
  { to: "network", icon: "wifi", text: "Network", rest: true },
  { to: "log", icon: "sessions", text: "Log", rest: true },
  { to: "about", icon: "info", text: "About", rest: true },
];

// A telephone has room for five: the rest opens above them.
function Nav() {
  const more = useSignal(false);
  const here = PLACES.find(({ to }) => to === place.value);
  return (
    <nav aria-label="Pages" class={more.value ? "own open" : "own"}>
      {PLACES.filter(({ to }) => to !== "board" || hasBoard(status.value)).map(({ to, icon, text, short, rest }) => (
        <a key={to} href={href(to)} class={rest ? "rest" : ""} aria-current={place.value === to ? "page" : undefined} onClick={() => (more.value = false)}>
          <Icon name={icon} />
          {short ? <span data-short={short}>{text}</span> : text}
        </a>
      ))}
      <button type="button" class={here?.rest ? "morebutton here" : "morebutton"} aria-expanded={more.value} onClick={() => (more.value = !more.value)}>
        <Icon name="more" />
        More
      </button>
    </nav>
  );
}

const LINK_WORDS = { connecting: "Connecting", live: "Live", lost: "Lost" } as const;

function Door() {
  const who = visitor.value;
  if (!who?.password_set && !who?.set_up) return null;
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

// Who types a password has to know whether somebody on the way can read it.
function Overheard() {
  const who = visitor.value;
  if (who === null || who.encrypted) return null;
  return (
    <p class="notice warn">
      <Icon name="alert" />
      <span>
        This connection is not encrypted: who listens on this network can read the password.
        {who.https_port > 0 && (
          <>
            {" "}
            <a href={overTls(location.hostname, who.https_port)}>Encrypted page</a>
          </>
        )}
      </span>
    </p>
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
          <span class="soft small">
            {visitor.value?.set_up
              ? "It is the password of the station's access point: the display shows it."
              : "It is the setting page.password in the station's secrets file."}
          </span>
        </label>
        <Overheard />
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
    case "charge":
      return <ChargePage status={status.value} />;
    case "house":
      return <HousePage house={status.value.house} />;
    case "timers":
      return <TimersPage />;
    case "history":
      return <HistoryPage />;
    case "settings":
      return <SettingsPage />;
    case "board":
      return <BoardPage status={status.value} />;
    case "central":
      return <CentralPage status={status.value} />;
    case "network":
      return <NetworkPage />;
    case "log":
      return <LogPage />;
    case "about":
      return <AboutPage />;
  }
}

export function App() {
  return (
    <div class="frame">
      <header class="side">
        <a class="brand" href={href("charge")}>
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
