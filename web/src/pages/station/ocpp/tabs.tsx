import { useEffect } from "preact/hooks";
import { wantMessagesOf } from "../../../data/live";
import type { Station } from "../../../data/types";
import type { OcppTab } from "../../../route";
import { Commands } from "./commands";
import { Configuration } from "./configuration";
import { Files } from "./files";
import { List } from "./list";
import { Profiles } from "./profiles";
import { Reservations } from "./reservations";
import { Security } from "./security";

const PAGES = { commands: Commands, configuration: Configuration, files: Files, list: List, profiles: Profiles, reservations: Reservations, security: Security };

export function Tabs({ station, tab }: { station: Station; tab: OcppTab }) {
  useEffect(() => {
    wantMessagesOf(station.id);
    return () => wantMessagesOf(null);
  }, [station.id]);
  const Page = PAGES[tab];
  return <Page key={tab} station={station} />;
}
