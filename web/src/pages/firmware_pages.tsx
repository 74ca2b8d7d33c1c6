// The pages of firmware together: one file, read when one of them is opened.
import type { Route } from "../route";
import { Firmware } from "./firmware";
import { RolloutPage } from "./rollout";
import { NewRollout } from "./rollout_new";
import "../style/firmware.css";

export function FirmwarePages({ where }: { where: Route }) {
  if (where.page === "rollout") return <RolloutPage key={where.id} id={where.id} />;
  if (where.page === "rollout_new") return <NewRollout key={where.release} release={where.release} />;
  return <Firmware />;
}
