import { useEffect, useRef } from "preact/hooks";
import { dateTime } from "../../data/format";
import { fleet } from "../../data/live";
import { plugs } from "../../data/fleet";
import type { Station } from "../../data/types";
import { href, OCPP_TABS, type OcppTab, type StationTab } from "../../route";
import { Icon } from "../../ui/icon";
import { Chip, Empty, Fact, Since, When } from "../../ui/parts";
import { ConnectorCard } from "./connector";
import { Jobs } from "./jobs";
import { StationLines } from "./lines";
import { LinkCard } from "./link_card";
import { LivePlot } from "./live_plot";
import { OcppLog } from "./ocpp_log";
import { OcppTabs } from "./ocpp_tabs";
import { StationActions } from "./station_actions";

const TABS: readonly [StationTab, string][] = [
  ["charge", "Charging"],
  ["commands", "Commands"],
  ["profiles", "Profiles"],
  ["reservations", "Reservations"],
  ["list", "Local list"],
  ["configuration", "Configuration"],
  ["files", "Files"],
  ["security", "Security"],
  ["log", "OCPP log"],
  ["lines", "Station log"],
];

const isOcpp = (tab: StationTab): tab is OcppTab => OCPP_TABS.some((name) => name === tab);

function Head({ station, tab }: { station: Station; tab: StationTab }) {
  const tabs = useRef<HTMLElement>(null);
  // On a telephone they are a row wider than the screen.
  useEffect(() => {
    const [row, here] = [tabs.current, tabs.current?.querySelector<HTMLElement>("[aria-current]")];
    if (row && here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }, [tab]);
  return (
    <header class="stationhead">
      <a class="back soft" href={href.overview}>
        <Icon name="left" size={16} /> Stations
      </a>
      <div class="title">
        <h1>{station.id}</h1>
        {station.online ? (
          <Chip tone="go">Online</Chip>
        ) : (
          <Chip tone="mute">Offline {station.last_seen && <Since at={station.last_seen} />}</Chip>
        )}
      </div>
      <nav class="tabs" ref={tabs} aria-label="Parts of the station">
        {TABS.map(([name, text]) => (
          <a key={name} href={href.station(station.id, name)} aria-current={name === tab ? "page" : undefined}>
            {text}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Warnings({ station }: { station: Station }) {
  return (
    <>
      {!station.online && (
        <p class="notice mute">
          <Icon name="alert" />
          <span>
            The station is offline{station.last_seen ? ` since ${dateTime(station.last_seen)}` : ""}. What is shown is the
            last it reported; a charge that runs goes on without us. Check its power and network, then the{" "}
            <a href={href.refused}>connection doctor</a>.
          </span>
        </p>
      )}
      {station.online && !station.ocpp_online && (
        <p class="notice warn">
          <Icon name="alert" />
          <span>The station is here by its link only: it has no OCPP connection, so charges cannot be started or stopped.</span>
        </p>
      )}
      {station.duplicate_at && (
        <p class="notice warn">
          <Icon name="alert" />
          <span>
            A second device connected as {station.id} on {dateTime(station.duplicate_at)}. Two stations with one identity
            throw each other out.
          </span>
        </p>
      )}
    </>
  );
}

function About({ station }: { station: Station }) {
  return (
    <section class="card pad">
      <h2>About</h2>
      <dl class="facts">
        <Fact label="Vendor">{station.vendor}</Fact>
        <Fact label="Model">{station.model}</Fact>
        <Fact label="Firmware">{station.firmware}</Fact>
        <Fact label="Serial number">{station.serial}</Fact>
        <Fact label="Started">
          <When at={station.boot_at} />
        </Fact>
        <Fact label="Last heard">
          <Since at={station.last_seen} suffix=" ago" />
        </Fact>
        <Fact label="Violations">
          <span title="Messages that broke OCPP since the central started">{station.violations ?? null}</span>
        </Fact>
      </dl>
    </section>
  );
}

function Charging({ station }: { station: Station }) {
  const list = plugs(station);
  return (
    <div class="split">
      <div class="stack">
        {list.length === 0 && (
          <Empty icon="station" title="No connector has reported yet">
            <p>Connectors appear here with the station's first StatusNotification.</p>
          </Empty>
        )}
        {list.map((c) => (
          <ConnectorCard key={c.connector_id} station={station} c={c} />
        ))}
        {list.length > 0 && <LivePlot station={station.id} plugs={list} />}
      </div>
      <aside class="stack">
        <Jobs station={station.id} />
        <LinkCard station={station} />
        <StationActions station={station} />
        <About station={station} />
      </aside>
    </div>
  );
}

export function StationPage({ id, tab }: { id: string; tab: StationTab }) {
  const station = fleet.value?.get(id);
  if (!station) {
    return (
      <Empty icon="station" title={`The central knows no station ${id}`}>
        <p>
          If it tries to connect, the <a href={href.refused}>connection doctor</a> shows it. Or go back to{" "}
          <a href={href.overview}>all stations</a>.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <Head station={station} tab={tab} />
      <Warnings station={station} />
      {tab === "charge" && <Charging station={station} />}
      {tab === "lines" && <StationLines station={station} />}
      {tab === "log" && <OcppLog station={id} />}
      {isOcpp(tab) && <OcppTabs station={station} tab={tab} />}
    </>
  );
}
