// What the network's page says, without the page.
import type { Network, Visitor } from "./types";

// May read it: whoever is inside, and whoever set-up by the access point's password let in.
export const canSetUp = (visitor: Visitor | null): boolean => visitor !== null && (visitor.inside || visitor.csrf !== null);

// Why nothing can be changed; null: it can.
export function whyNoSetUp(visitor: Visitor | null): string | null {
  if (visitor === null) return "the station is not connected";
  if (visitor.csrf !== null) return null;
  return visitor.password_set || visitor.set_up ? "log in first" : "this page only shows: no password is set";
}

export function networkTone(net: Network): "go" | "info" | "warn" | "mute" {
  if (net.connected) return "go";
  if (!net.managed) return "mute";
  return net.ap ? "info" : "warn";
}

// From per cent to words, as people see it in bars.
export function signalWords(percent: number | null): string {
  if (percent === null) return "–";
  const word = percent >= 70 ? "strong" : percent >= 45 ? "good" : percent >= 25 ? "weak" : "very weak";
  return `${word}, ${percent} %`;
}

export function joinedWords(net: Network): string {
  if (!net.managed) return "This station leaves its network to the system it runs on (network.managed is off).";
  if (net.ap) return "No known network could be joined: this station has opened its own, so that you can tell it another.";
  if (net.ssid !== null) return `Joined to ${net.ssid}.`;
  return net.connected ? "Connected by cable." : "Not connected.";
}
