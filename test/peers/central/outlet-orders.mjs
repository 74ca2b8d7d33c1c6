// The command line, a real central and an outlet of another make between them:
//   node outlet-orders.mjs <pilotwire-central> <pilotwire>
// Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlayedOutlet } from "./outlet.mjs";

const [program, tool] = process.argv.slice(2);
const ID = "HOUSE-01";
const KEY = "a-key-of-the-outlet-1";
const LIMIT_MS = 60_000;
setTimeout(() => {
  console.error(`this took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const data = mkdtempSync(join(tmpdir(), "pilotwire-outlet-"));
const children = new Set();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));

function start(command, words, input = "") {
  const child = spawn(command, words, { stdio: ["pipe", "pipe", "pipe"] });
  children.add(child);
  const running = { child, out: "", err: "" };
  child.stdout.on("data", (text) => (running.out += text));
  child.stderr.on("data", (text) => (running.err += text));
  child.once("exit", () => children.delete(child));
  child.stdin.end(input);
  return running;
}

async function run(command, words, input) {
  const running = start(command, words, input);
  const [code] = await once(running.child, "close");
  return { code, ...running };
}

async function until(holds, what) {
  const end = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function added() {
  const added = await run(program, ["--data", data, "--stdin", "station", "add", ID], `${KEY}\n`);
  assert.equal(added.code, 0, added.err);
  const shown = await run(program, ["--data", data, "link", "pin"]);
  assert.match(shown.out, /^[0-9a-f]{64}\n$/);
  assert.equal(statSync(join(data, "link.key")).mode & 0o777, 0o600);
  return shown.out.trim();
}

async function orders(pilotwire, outlet) {
  const refused = await pilotwire("energize", ID, "on");
  assert.deepEqual([refused.code, /the station refused: no vehicle \(A1\)/.test(refused.err)], [3, true], refused.err);
  outlet.plug();
  const on = await pilotwire("energize", ID, "on");
  assert.deepEqual([on.code, on.out], [0, "Accepted\n"], on.err);
  const limited = await pilotwire("limit", ID, "10.5", "--lease", "60", "--fallback", "0");
  assert.deepEqual([limited.code, outlet.asked.at(-1)], [0, ["limit", 10_500, 60, 0]], limited.err);
  const wrong = await pilotwire("limit", ID, "5.9");
  assert.deepEqual([wrong.code, /current_a: 5\.9 is not 0 or 6 to 80 A/.test(wrong.err)], [3, true], wrong.err);
  assert.equal((await pilotwire("limit", ID, "ten")).code, 2);
  assert.equal((await pilotwire("energize", ID, "maybe")).code, 2);
}

async function lists(pilotwire, outlet) {
  const snapshot = await pilotwire("snapshot", ID, "--tsv");
  const [titles, row] = snapshot.out.trimEnd().split("\n").map((line) => line.split("\t"));
  const shown = Object.fromEntries(titles.map((title, i) => [title, row[i]]));
  assert.deepEqual([shown.kind, shown.pilot, shown.energised, shown.limit_a, shown.limit_by], ["ac", "C2", "true", "10.5", "load"]);
  assert.equal(shown.current_a, "10.38 10.44 10.29");
  assert.equal(JSON.parse((await pilotwire("snapshot", ID, "--json")).out).link.online, true);

  const events = (await pilotwire("link-events", ID, "--tsv")).out.trimEnd().split("\n");
  assert.equal(events.length - 1, outlet.event - 1);
  outlet.log("warn", "evse", "a line to find", 3);
  outlet.log("debug", "meter", "another");
  await until(() => outlet.linesKept === outlet.cursor, "the acknowledgement of log lines");
  const found = (await pilotwire("logs", ID, "--find", "TO FIND", "--tsv")).out.trimEnd().split("\n");
  assert.equal(found.length, 2);
  assert.match(found[1], /\twarn\tevse\t3\ta line to find$/);
  assert.equal((await pilotwire("logs", ID, "--level", "loud")).code, 3);
}

async function follow(words, outlet) {
  const following = start(tool, [...words, "logs", ID, "--follow", "--level", "info", "--tsv"]);
  // Nobody says when the stream is open: a line is told again until it is seen.
  const timer = setInterval(() => outlet.log("info", "evse", "as it happens"), 200);
  outlet.log("debug", "evse", "not asked for");
  await until(() => following.out.includes("as it happens"), `a line that is followed: ${following.err}`);
  clearInterval(timer);
  following.child.kill("SIGTERM");
  assert.ok(!following.out.includes("not asked for"));
}

try {
  const pin = await added();
  const central = start(program, ["--data", data, "--listen", "127.0.0.1:0"]);
  await until(() => /Dashboard: /.test(central.out), `the central: ${central.err}`);
  const [, port, told] = /Station links: tls:\/\/127\.0\.0\.1:(\d+) with pin (\S+)/.exec(central.out);
  assert.equal(told, pin);
  const url = /Dashboard: (\S+)/.exec(central.out)[1].replace(/\/$/, "");
  writeFileSync(join(data, "password"), /password (\S+)/.exec(central.out)[1]);
  const words = ["--central", url, "--password-file", join(data, "password")];
  const pilotwire = (...rest) => run(tool, [...words, ...rest]);

  assert.equal((await pilotwire("limit", ID, "10")).code, 3, "a station that is not there");
  const outlet = new PlayedOutlet(url, { host: "127.0.0.1", port: Number(port), pin }, ID, KEY);
  await outlet.connect();
  await orders(pilotwire, outlet);
  await lists(pilotwire, outlet);
  await follow(words, outlet);
  await outlet.end();
  central.child.kill("SIGTERM");
  const [code] = await once(central.child, "exit");
  assert.equal(code, 0);
  console.log("passed");
} finally {
  rmSync(data, { recursive: true, force: true });
}
