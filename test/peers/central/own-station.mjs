// Our station and our central, over real sockets, through the security profiles 1, 2 and 3 as an
// operator would lead it there: root installed, key changed, profile raised, certificate signed,
// profile raised again; then what profile 3 refuses. Nothing is touched at the station itself.
//   node own-station.mjs <folder of the programs>
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const programs = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "pilotwire-own-"));
const data = join(folder, "central");
const traffic = join(import.meta.dirname, "../../said/traffic.py");
const central = join(programs, "pilotwire-central");
const run = (...words) => execFileSync(central, ["--data", data, ...words], { encoding: "utf8" }).trim();
const children = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

setTimeout(() => fail("not done within 110 s"), 110000).unref();
function fail(why) {
  console.error(why, children.map((child) => child.said).join("\n---\n"));
  children.forEach((child) => child.kill("SIGKILL"));
  process.exit(1);
}

function start(name, ...words) {
  const child = spawn(join(programs, name), words);
  children.push(child);
  child.said = "";
  child.stderr.on("data", (text) => { child.said += text; });
  return child;
}

run("ca", "init", "Example Operator");
run("ca", "server", "localhost", "127.0.0.1");
const key = run("station", "add", "OWN-1");
const server = start("pilotwire-central", "--data", data, "--listen", "127.0.0.1:0", "--link-listen", "127.0.0.1:0",
  "--tls-listen", "127.0.0.1:0");
let port;
let link;
let pin;
let tlsPort;
let password;
for await (const line of createInterface({ input: server.stdout })) {
  password = /with the password (\S+)/.exec(line)?.[1] ?? password;
  port = /^Stations:\s+ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1] ?? port;
  [, link, pin] = /^Station links: tls:\/\/(\S+) with pin (\w+)/.exec(line) ?? [undefined, link, pin];
  tlsPort = /^With TLS:\s+wss:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
  if (tlsPort) break;
}
writeFileSync(join(folder, "station.yaml"), `
station:
  id: OWN-1
console:
  device: "off"
page:
  listen: ""
can:
  bus0: "mcast:239.74.163.9:${20000 + (process.pid % 10000)}"
ocpp:
  url: ws://127.0.0.1:${port}/ocpp
  tls_url: wss://localhost:${tlsPort}/ocpp
  security_profile: 1
uplink:
  url: tls://${link}
  pin: "${pin}"
connectors:
  - kind: dc
`);
writeFileSync(join(folder, "secrets.yaml"), `ocpp:\n  authorization_key: ${key}\n`, { mode: 0o600 });
const startStation = () => start("pilotwire-station", "--config", join(folder, "station.yaml"),
  "--secrets", join(folder, "secrets.yaml"), "--data", join(folder, "data"), "--control", join(folder, "control"));
const first = startStation();

const login = await fetch(`http://127.0.0.1:${port}/api/v1/login`,
  { method: "POST", body: JSON.stringify({ user: "admin", password }) });
const cookie = login.headers.get("set-cookie").split(";")[0];
const { csrf } = await login.json();
async function rest(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`,
    { method, headers: { cookie, "x-csrf": csrf }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return text === "" ? {} : JSON.parse(text);
}
const at = (path) => `/stations/OWN-1${path}`;

async function until(what, test, seconds = 25) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
    const found = await test();
    if (found) return found;
  }
  return fail(`${what}: not within ${seconds} s; ${JSON.stringify((await rest("GET", at("/commands?limit=5"))).commands)}`);
}

// Asks, and waits until the effect is seen.
async function done(method, path, body) {
  const { command_id: id, error } = await rest(method, at(path), body);
  assert.ok(id, `${path}: ${JSON.stringify(error)}`);
  const command = await until(`${method} ${path}`, async () => {
    const shown = await rest("GET", `/commands/${id}`);
    assert.ok(!["error", "timeout", "offline"].includes(shown.state), JSON.stringify(shown));
    return shown.effect_state === "seen" && shown;
  });
  return command.effect;
}
const set = (name, value) => done("PUT", "/configuration", { key: name, value });
const profile = async () => (await rest("GET", at("/security"))).profile;

const linked = async () => (await rest("GET", at(""))).link?.online === true;
const refusals = async (what) => (await rest("GET", "/refused")).refused.filter((row) => what.test(row.reason));

await until("profile 1", async () => (await profile()) === 1);
await until("the boot", async () => (await rest("GET", at(""))).boot_at);
assert.equal(await set("CpoName", "Example Operator"), "read back: Example Operator");
assert.match(await done("POST", "/certificates", { use: "CentralSystemRootCertificate" }), /lists 1 certificate/);
assert.match(await done("POST", "/key", {}), /connected again, by its key/);
assert.match(await set("SecurityProfile", "2"), /connected again, by its key/);
assert.deepEqual(await rest("GET", at("/security")), { least_profile: 2, profile: 2 });
assert.equal(await done("POST", "/certificates/renew", {}), "SignCertificate came");
await until("the certificate", async () => (await rest("GET", at("/certificates"))).issued[0]?.state === "taken");
assert.match(await set("SecurityProfile", "3"), /connected again, by its certificate/);
assert.deepEqual(await rest("GET", at("/security")), { least_profile: 3, profile: 3 });
assert.equal((await rest("POST", at("/commands"), { action: "ChangeConfiguration",
  payload: { key: "SecurityProfile", value: "1" } })).state, "pending");
await until("the refusal", async () => (await rest("GET", at("/commands?limit=1"))).commands[0].answer?.status === "Rejected");
const events = (await rest("GET", at("/security-events"))).events.map((event) => event.type);
assert.ok(events.includes("StartupOfTheDevice"), events.join());
// At the station link the same: it came in by its key before there was a certificate. From now on the
// certificate is asked for as well, and shown without being told to.
await until("the station link", linked);
first.kill("SIGTERM");
await new Promise((end) => first.once("exit", end));
startStation();
await until("profile 3 again", async () => (await profile()) === 3);
await until("the station link by key and certificate", linked);
assert.deepEqual(await refusals(/^link/), []);
// A certificate that is taken back ends its links, and does not open another one.
const { serial } = (await rest("GET", at("/certificates"))).issued[0];
await rest("POST", at("/certificates/revoke"), { serial });
await until("the refused handshake", async () => (await refusals(/^the certificate was revoked/)).length > 0, 40);
await until("the refused hello", async () => (await refusals(/^link: the certificate was revoked/)).length > 0, 40);
assert.equal(await linked(), false);
const left = children.filter((child) => child.exitCode === null);
left.forEach((child) => child.kill("SIGTERM"));
await Promise.all(left.map((child) => new Promise((end) => child.once("exit", end))));
execFileSync("python3", [traffic, folder]); // for the judge with the official schemas
rmSync(folder, { recursive: true, force: true });
console.log("own-station: all as expected");
process.exit();
