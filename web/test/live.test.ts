import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Session, Station } from "../src/data/types";
import { station } from "./world";

// A central that answers when it is told to.
const answers = new Map<string, (body: unknown) => void>();
let stream: Stream;

class Stream extends EventTarget {
  onopen: () => void = () => undefined;
  constructor() {
    super();
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the test plays the central
    stream = this;
  }
  close(): void {}
  say(kind: string, event: unknown): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(event) }));
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("fetch", (url: string) =>
    new Promise((resolve) => answers.set(url.replace(/\?.*/, ""), (body) => resolve(new Response(JSON.stringify(body))))),
  );
});
afterEach(() => vi.unstubAllGlobals());

// Reason: a page reads everything when it opens its stream anew; a station that went away meanwhile
// was shown as online for ever.
test("what comes while everything is read goes on top of it", async () => {
  const live = await import("../src/data/live");
  live.connect();
  answers.get("/api/v1/me")?.({ user: "admin", csrf: "x" });
  await settled();
  stream.onopen();
  const charge = { id: 7 } as Session;
  stream.say("station", station({ online: false }));
  stream.say("transaction", charge);
  const before: Station[] = [station({ online: true })];
  answers.get("/api/v1/stations")?.({ stations: before });
  answers.get("/api/v1/sessions")?.({ sessions: [] });
  await vi.waitFor(() => expect(live.link.value).toBe("live"));
  expect(live.fleet.value?.get("A")?.online).toBe(false);
  expect(live.recent.value).toEqual([charge]);
  live.disconnect();
});
