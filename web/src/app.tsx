// The frame: who is logged in, where we are, whether the data is live.
import { useEffect } from "preact/hooks";
import { logout, may, me } from "./data/api";
import { fleet, link, retryAt, connect } from "./data/live";
import { second } from "./data/clock";
import { Cards } from "./pages/cards";
import { FirmwareLater } from "./pages/firmware_later";
import { Groups } from "./pages/groups";
import { GroupPage } from "./pages/groups_detail";
import { EditGroup, NewGroup } from "./pages/groups_editor";
import { AccountPage } from "./pages/account";
import { Login } from "./pages/login";
import { Overview } from "./pages/overview";
import { PeoplePage } from "./pages/people";
import { RefusedPage } from "./pages/refused";
import { SessionPage } from "./pages/session";
import { Sessions } from "./pages/sessions";
import { StationPage } from "./pages/station/page";
import { href, route, type Route } from "./route";
import { Asking } from "./ui/dialog";
import { Icon, Mark, type IconName } from "./ui/icon";
import { Empty, Loading } from "./ui/parts";
import { ThemeButton } from "./ui/theme_button";

const PLACES: readonly { pages: Route["page"][]; to: string; icon: IconName; text: string; admin?: boolean }[] = [
  { pages: ["overview", "station"], to: href.overview, icon: "overview", text: "Stations" },
  { pages: ["sessions", "session"], to: href.sessions, icon: "sessions", text: "Sessions" },
  { pages: ["cards"], to: href.cards, icon: "cards", text: "Cards" },
  { pages: ["groups", "group", "group_new"], to: href.groups, icon: "tree", text: "Load" },
  { pages: ["firmware", "rollout", "rollout_new"], to: href.firmware, icon: "download", text: "Firmware" },
  { pages: ["refused"], to: href.refused, icon: "doctor", text: "Doctor" },
  { pages: ["people"], to: href.people, icon: "lock", text: "People", admin: true },
];

function Nav() {
  return (
    <nav aria-label="Pages">
      {PLACES.filter(({ admin }) => !admin || may("admin")).map(({ pages, to, icon, text }) => (
        <a key={to} href={to} aria-current={pages.includes(route.value.page) ? "page" : undefined}>
          <Icon name={icon} />
          {text}
        </a>
      ))}
    </nav>
  );
}

const LINK_WORDS = { connecting: "Connecting", live: "Live", lost: "Lost" } as const;

function LinkState() {
  return (
    <span class={`link ${link.value}`} role="status">
      {LINK_WORDS[link.value]}
    </span>
  );
}

function LostBanner() {
  if (link.value !== "lost") return null;
  const wait = retryAt.value === null ? 0 : Math.ceil((retryAt.value - Date.now()) / 1000);
  void second.value; // counts down
  return (
    <div class="notice warn" role="alert">
      <Icon name="alert" />
      <span>
        <b>Connection to the central lost.</b> What you see may be old.{" "}
        {wait > 0 ? `Trying again in ${wait} s.` : "Trying again…"}
      </span>
      <button type="button" class="button small" onClick={connect}>
        Now
      </button>
    </div>
  );
}

const TITLES: Record<Route["page"], string> = {
  overview: "Stations",
  station: "Station",
  sessions: "Sessions",
  session: "Session",
  cards: "Cards",
  groups: "Load groups",
  group: "Load group",
  group_new: "New load group",
  firmware: "Firmware",
  rollout: "Roll-out",
  rollout_new: "New roll-out",
  refused: "Connection doctor",
  people: "People",
  account: "Your account",
  missing: "Not found",
};

// An address that somebody was given who may more.
function NotYours({ least }: { least: "operator" | "admin" }) {
  return (
    <Empty icon="lock" title={`This page is for ${least === "admin" ? "admins" : "operators and admins"}`}>
      <p>
        <a href={href.overview}>Go to the stations</a>
      </p>
    </Empty>
  );
}

function Page() {
  const where = route.value;
  useEffect(() => {
    const name = where.page === "station" ? where.id : TITLES[where.page];
    document.title = `${name} · Pilotwire`;
  }, [where]);
  if (fleet.value === null && (where.page === "overview" || where.page === "station")) return <Loading />;
  switch (where.page) {
    case "overview":
      return <Overview />;
    case "station":
      return <StationPage key={where.id} id={where.id} tab={where.tab} />;
    case "sessions":
      return <Sessions />;
    case "session":
      return <SessionPage key={where.id} id={where.id} />;
    case "cards":
      return <Cards add={where.add} />;
    case "groups":
      return <Groups />;
    case "group":
      if (where.edit && !may("operator")) return <NotYours least="operator" />;
      return where.edit ? <EditGroup key={where.id} id={where.id} /> : <GroupPage key={where.id} id={where.id} />;
    case "group_new":
      return may("operator") ? <NewGroup /> : <NotYours least="operator" />;
    case "firmware":
    case "rollout":
    case "rollout_new":
      return <FirmwareLater where={where} />;
    case "refused":
      return <RefusedPage />;
    case "people":
      return may("admin") ? <PeoplePage /> : <NotYours least="admin" />;
    case "account":
      return <AccountPage />;
    case "missing":
      return (
        <Empty icon="alert" title="There is no such page">
          <p>
            <a href={href.overview}>Go to the stations</a>
          </p>
        </Empty>
      );
  }
}

export function App() {
  if (me.value === undefined) return link.value === "lost" ? <LostBanner /> : <Loading />;
  if (me.value === null) return <Login />;
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        Skip to content
      </a>
      <header class="side">
        <a class="brand" href={href.overview}>
          <Mark />
          <span>Pilotwire</span>
        </a>
        <Nav />
        <div class="foot">
          <LinkState />
          <ThemeButton />
          <a class="bare" href={href.account} aria-label="Your account" title={`${me.value.user}, ${me.value.role}`}>
            <Icon name="lock" />
          </a>
          <button type="button" class="bare" aria-label="Log out" title={`Log out ${me.value.user}`} onClick={() => void logout()}>
            <Icon name="leave" />
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <LostBanner />
        <Page />
      </main>
      <Asking />
    </div>
  );
}
