// ocpp-rpc, in strict mode, is the central system; pilotwire-station is the charge point, charging a
// vehicle of pilotwire-sim over CAN on UDP multicast. Every message either way is checked against
// the official schemas by ocpp-rpc. Real sockets, loopback, free ports, a clock ten times as fast.
//   node central-system.mjs <folder of the programs>
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RPCServer, createRPCError } from "ocpp-rpc";

const programs = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "pilotwire-station-"));
const KEY = "0123456789abcdef0123";
const ID = "STRICT-1";
const SPEED = 10;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const children = [];

process.on("uncaughtException", (error) => fail(error.stack));
const watchdog = setTimeout(() => fail("not done within 100 s"), 100000);

function fail(reason) {
  console.error(reason);
  children.forEach((child) => child.kill("SIGKILL"));
  process.exit(1);
}

async function until(what, condition, seconds = 15) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
    if (condition()) return;
  }
  fail(`${what}: not within ${seconds} s\n${JSON.stringify(heard.slice(-12), null, 1)}`);
}

// --- The central system: answers what a simple one would, and writes everything down.

const heard = [];
const offences = [];
let client = null;
let connections = 0;
let transactions = 0;
let boot = "Accepted";
const now = () => new Date().toISOString();
const idTagInfo = { status: "Accepted" };

const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true });
server.auth((accept, reject, handshake) => {
  if (handshake.identity !== ID || handshake.password?.toString() !== KEY) {
    offences.push(`bad credentials: ${handshake.identity}`);
    return reject(401);
  }
  accept();
});
const answers = {
  BootNotification: () => ({ status: boot, interval: 300, currentTime: now() }),
  Heartbeat: () => ({ currentTime: now() }),
  StatusNotification: () => ({}),
  Authorize: () => ({ idTagInfo }),
  StartTransaction: () => ({ transactionId: ++transactions, idTagInfo }),
  StopTransaction: () => ({ idTagInfo }),
  MeterValues: () => ({}),
  DataTransfer: () => ({ status: "Accepted" }),
  SecurityEventNotification: () => ({}),
};
server.on("client", (connected) => {
  client = connected;
  connections++;
  for (const [action, answer] of Object.entries(answers)) {
    connected.handle(action, ({ params }) => {
      heard.push({ action, params });
      return answer(params);
    });
  }
  connected.handle(({ method }) => {
    offences.push(`unexpected action ${method}`);
    throw createRPCError("NotImplemented");
  });
  connected.on("strictValidationFailure", (event) =>
    offences.push(`schema: ${event.method} ${event.outbound ? "out" : "in"} ${event.error?.message}`),
  );
  connected.on("badMessage", (event) => offences.push(`bad message: ${event.error?.message}`));
});

const all = (action) => heard.filter((message) => message.action === action);
const last = (action) => all(action).at(-1)?.params;
const status = (connector) =>
  all("StatusNotification").filter((m) => m.params.connectorId === connector).at(-1)?.params.status;

// --- The world and the station.

function freeUdpPort() {
  return new Promise((done) => {
    const probe = dgram.createSocket("udp4");
    probe.bind(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

const epoch = Date.now();
const env = { ...process.env, PILOTWIRE_CLOCK: `${epoch}:${epoch}:${SPEED}` };

function start(name, ...words) {
  const child = spawn(join(programs, name), words, { env });
  children.push(child);
  child.output = "";
  child.stdout.on("data", (text) => (child.output += text));
  child.stderr.on("data", (text) => (child.output += text));
  child.ended = new Promise((done) => child.once("exit", (code) => done(code)));
  return child;
}

const port = (await server.listen(0)).address().port;
const bus = `mcast:239.74.163.2:${await freeUdpPort()}`;
const sim = start("pilotwire-sim", "dc", "--can", bus, "--vehicle", "pro", "--soc", "40",
  "--card-reader", `pty:${join(folder, "card")}`, "--status", "0");
await until("the card reader", () => existsSync(join(folder, "card")));
writeFileSync(join(folder, "station.yaml"), `
station:
  id: ${ID}
can:
  bus0: "${bus}"
console:
  device: "off"
card_reader:
  device: ${join(folder, "card")}
ocpp:
  url: ws://127.0.0.1:${port}/ocpp
metering:
  sample_interval_s: 10
  stop_sampled_data: Energy.Active.Import.Register,SoC
connectors:
  - kind: dc
`);
writeFileSync(join(folder, "secrets.yaml"), `ocpp:\n  authorization_key: ${KEY}\n`, { mode: 0o600 });
const startStation = () =>
  start("pilotwire-station", "--config", join(folder, "station.yaml"), "--secrets",
    join(folder, "secrets.yaml"), "--data", join(folder, "data"), "--control",
    join(folder, "control"));
let station = startStation();
const tell = (line) => sim.stdin.write(`${line}\n`);

// --- Boot: identity, credentials, every connector reported.

await until("the boot", () => last("BootNotification"));
assert.equal(last("BootNotification").chargePointVendor, "Pilotwire");
await until("both statuses", () => status(0) === "Available" && status(1) === "Available");

// --- Configuration.

const change = async (key, value) =>
  (await client.call("ChangeConfiguration", { key, value: String(value) })).status;
const whole = await client.call("GetConfiguration", {});
const keys = new Map(whole.configurationKey.map((entry) => [entry.key, entry]));
for (const key of ["AuthorizeRemoteTxRequests", "ClockAlignedDataInterval", "ConnectionTimeOut",
  "ConnectorPhaseRotation", "GetConfigurationMaxKeys", "HeartbeatInterval", "LocalAuthorizeOffline",
  "LocalPreAuthorize", "MeterValuesAlignedData", "MeterValuesSampledData",
  "MeterValueSampleInterval", "NumberOfConnectors", "ResetRetries",
  "StopTransactionOnEVSideDisconnect", "StopTransactionOnInvalidId", "StopTxnAlignedData",
  "StopTxnSampledData", "SupportedFeatureProfiles", "TransactionMessageAttempts",
  "TransactionMessageRetryInterval", "UnlockConnectorOnEVSideDisconnect"]) {
  assert.ok(keys.has(key), `required key ${key}`);
}
assert.equal(keys.get("AuthorizationKey").value, undefined, "AuthorizationKey is write-only");
assert.equal(await change("MeterValueSampleInterval", 20), "Accepted");
assert.equal(await change("MeterValueSampleInterval", -1), "Rejected");
assert.equal(await change("NumberOfConnectors", 3), "Rejected");
assert.equal(await change("NoSuchKey", 1), "NotSupported");
assert.equal(await change("MeterValuesSampledData", "Voltage,Nonsense"), "Rejected");
const some = await client.call("GetConfiguration", { key: ["MeterValueSampleInterval", "Nope"] });
assert.deepEqual(some.unknownKey, ["Nope"]);
assert.equal(some.configurationKey[0].value, "20");

// --- What is empty or not there says so.

assert.equal((await client.call("GetLocalListVersion", {})).listVersion, 0);
assert.equal((await client.call("ClearCache", {})).status, "Accepted");
assert.equal((await client.call("UnlockConnector", { connectorId: 1 })).status, "NotSupported");
assert.equal((await client.call("DataTransfer", { vendorId: "org.example" })).status, "UnknownVendorId");

// --- Who limits the current, why and since when: OCPP has no message for it.

const own = (messageId, data) => client.call("DataTransfer", { vendorId: "org.pilotwire", messageId, data });
assert.equal((await own("Nonsense", "1")).status, "UnknownMessageId");
assert.equal((await own("Limit", "9")).status, "Rejected");
const limit = await own("Limit", "1");
assert.equal(limit.status, "Accepted");
const { connector_id, limit_a, source, why, since } = JSON.parse(limit.data);
assert.equal(connector_id, 1);
assert.ok(limit_a > 0 && source.length > 0 && typeof why === "string", limit.data);
assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60000, since);

// --- Plug: the vehicle is told before the charge; then a remote start, values, and a remote stop.

tell("plug");
await until("Preparing", () => status(1) === "Preparing");
await until("VehicleInfo", () => last("DataTransfer"));
assert.equal(JSON.parse(last("DataTransfer").data).imaxA, 60);
assert.equal(all("StartTransaction").length, 0, "VehicleInfo comes before the charge");
const far = await client.call("RemoteStartTransaction", { connectorId: 1, idTag: "FAR" });
assert.equal(far.status, "Accepted");
await until("Charging", () => status(1) === "Charging");
await until("three meter values", () => all("MeterValues").length >= 3);
assert.equal(last("MeterValues").transactionId, 1);
const measured = new Set(last("MeterValues").meterValue[0].sampledValue.map((v) => v.measurand));
for (const measurand of ["Energy.Active.Import.Register", "Power.Active.Import", "Voltage",
  "Current.Import", "Current.Offered", "SoC", "Temperature"]) {
  assert.ok(measured.has(measurand), measurand);
}
assert.equal((await client.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" })).status,
  "Scheduled");
assert.equal((await client.call("RemoteStartTransaction", { connectorId: 1, idTag: "TWO" })).status,
  "Rejected");
assert.equal((await client.call("RemoteStopTransaction", { transactionId: 77 })).status, "Rejected");

// --- The link breaks: charging goes on, the station comes back and delivers.

const before = all("MeterValues").length;
await client.close({ code: 1001, force: true });
await until("the next connection", () => connections >= 2, 20);
await until("values after it", () => all("MeterValues").length > before);
assert.equal(status(1), "Charging");
assert.equal((await client.call("RemoteStopTransaction", { transactionId: 1 })).status, "Accepted");
await until("StopTransaction", () => last("StopTransaction"));
assert.equal(last("StopTransaction").reason, "Remote");
assert.ok(last("StopTransaction").meterStop > last("StartTransaction").meterStart);
assert.ok(last("StopTransaction").transactionData.length >= 2);
tell("unplug");
await until("Unavailable, as scheduled", () => status(1) === "Unavailable", 30);
assert.equal((await client.call("ChangeAvailability", { connectorId: 0, type: "Operative" })).status,
  "Accepted");
await until("Available again", () => status(1) === "Available");

// --- A card, and a reset in the middle of the charge: the stop is delivered, boot follows.

tell("plug");
await until("Preparing again", () => status(1) === "Preparing");
tell("card 04A1B2C3");
await until("Authorize", () => last("Authorize")?.idTag === "04A1B2C3");
await until("Charging by card", () => status(1) === "Charging", 30);
const boots = all("BootNotification").length;
assert.equal((await client.call("Reset", { type: "Soft" })).status, "Accepted");
await until("the stop of a reset", () => last("StopTransaction").reason === "SoftReset", 30);
if ((await Promise.race([station.ended, sleep(8000).then(() => "runs")])) !== "runs") {
  station = startStation();
}
await until("the boot after it", () => all("BootNotification").length > boots, 20);
// What the restart cut off from its answer is sent again: at least once, and the same one.
const stopped = new Set(all("StopTransaction").map((message) => message.params.transactionId));
const started = new Set(all("StartTransaction").map((message) => JSON.stringify(message.params)));
assert.equal(stopped.size, started.size);

// --- The end.

station.kill("SIGTERM");
const code = await Promise.race([station.ended, sleep(15000).then(() => "still running")]);
assert.equal(code, 0, `the station ends with 0 on SIGTERM\n${station.output.slice(-2000)}`);
assert.ok(!station.output.includes(KEY), "the key is in no log");
tell("help");
sim.kill("SIGTERM");
assert.equal(await sim.ended, 0);
await server.close({ force: true });
rmSync(folder, { recursive: true });
clearTimeout(watchdog);
if (offences.length > 0) fail(`offences against the standard:\n${offences.join("\n")}`);
console.log(`${heard.length} messages, all within the schemas`);
process.exit(0);
