// What the page of the station's own network says.
import { describe, expect, it } from "vitest";
import { canSetUp, joinedWords, networkTone, signalWords, whyNoSetUp } from "../src/station/network_model";
import type { Network } from "../src/station/types";

const home: Network = {
  managed: true,
  state: "joined",
  why: "it has let us in",
  since_s: 5,
  connected: true,
  ap: false,
  ssid: "Home",
  signal_percent: 60,
  ip: "192.168.7.33",
  ap_ssid: "Pilotwire-1",
  guests: null,
  failed_ssid: null,
  failed_why: null,
  known: [],
  found_s_ago: null,
  found: [],
};

describe("who may set up the network", () => {
  it("is whoever is inside, or logged in by the access point's password", () => {
    expect(canSetUp(null)).toBe(false);
    expect(canSetUp({ password_set: false, set_up: true, inside: false, encrypted: true, https_port: 0, csrf: null })).toBe(false);
    expect(canSetUp({ password_set: false, set_up: true, inside: false, encrypted: true, https_port: 0, csrf: "x" })).toBe(true);
    expect(canSetUp({ password_set: false, set_up: false, inside: true, encrypted: true, https_port: 0, csrf: null })).toBe(true);
  });

  it("is told why he may not", () => {
    expect(whyNoSetUp({ password_set: false, set_up: true, inside: false, encrypted: true, https_port: 0, csrf: null })).toBe("log in first");
    expect(whyNoSetUp({ password_set: false, set_up: false, inside: true, encrypted: true, https_port: 0, csrf: null })).toMatch(/only shows/);
    expect(whyNoSetUp({ password_set: false, set_up: true, inside: false, encrypted: true, https_port: 0, csrf: "x" })).toBeNull();
  });
});

describe("words of the network", () => {
  it("say what stands", () => {
    expect(joinedWords(home)).toBe("Joined to Home.");
    expect(joinedWords({ ...home, ssid: null })).toBe("Connected by cable.");
    expect(joinedWords({ ...home, ssid: null, connected: false, ap: true })).toMatch(/opened its own/);
    expect(joinedWords({ ...home, managed: false })).toMatch(/network\.managed is off/);
    expect(networkTone(home)).toBe("go");
    expect(networkTone({ ...home, connected: false })).toBe("warn");
    expect(networkTone({ ...home, connected: false, ap: true })).toBe("info");
  });

  it("give the signal as people see it", () => {
    expect(signalWords(null)).toBe("–");
    expect(signalWords(70)).toBe("strong, 70 %");
    expect(signalWords(44)).toBe("weak, 44 %");
    expect(signalWords(3)).toBe("very weak, 3 %");
  });
});
