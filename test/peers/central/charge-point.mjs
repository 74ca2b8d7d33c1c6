// ocpp-rpc, in strict mode, is the charge point; pilotwire-central is the central system. Every
// message either way is checked against the official schemas by ocpp-rpc. Real sockets, loopback, a
// free port.
//   node charge-point.mjs <pilotwire-central>
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import http from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RPCClient } from "ocpp-rpc";

const program = process.argv[2];
const data = mkdtempSync(join(tmpdir(), "pilotwire-central-"));
const run = (...words) =>
  execFileSync(program, ["--data", data, ...words], { encoding: "utf8" }).trim();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

setTimeout(() => {
  console.error("not done within 90 s");
  process.exit(1);
}, 90000).unref();

// --- The server, on a free port.

const key = run("station", "add", "CP-1");
assert.match(key, /^[a-z2-9]{24}$/, "the key is printed, alone");
run("card", "add", "CARD-1", "First card");
let server;
let port;

async function start() {
  server = spawn(program, ["--data", data, "--listen", `127.0.0.1:${port ?? 0}`]);
  server.stderr.pipe(process.stderr);
  const lines = createInterface({ input: server.stdout });
  for await (const line of lines) {
    const password = /with the password (\S+)/.exec(line);
    if (password) start.password = password[1];
    const found = /^Stations:\s+ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
    if (found) {
      port = Number(found[1]);
      return;
    }
  }
  throw new Error("the central ended at its start");
}

async function stop() {
  const ended = new Promise((done) => server.once("exit", (code, signal) => done({ code, signal })));
  server.kill("SIGTERM");
  return ended;
}

// --- REST.

let cookie = "";
let csrf = "";

async function rest(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method,
    headers: { cookie, "x-csrf": csrf, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const set = answer.headers.get("set-cookie");
  if (set) cookie = set.split(";")[0];
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
}

// The events of one stream, as they come.
function events() {
  const seen = [];
  const request = http.get({ port, host: "127.0.0.1", path: "/api/v1/events", headers: { cookie } });
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk) => {
      text += chunk;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const [first, second] = text.slice(0, end).split("\n");
        if (first.startsWith("event: ")) {
          seen.push({ name: first.slice(7), data: JSON.parse(second.slice(6)) });
        }
      }
    });
  });
  request.on("error", () => {});
  return { seen, close: () => request.destroy() };
}

async function until(what, test) {
  for (let i = 0; i < 200; i++) {
    const found = await test();
    if (found) return found;
    await sleep(25);
  }
  assert.fail(`waited 5 s for ${what}`);
}

// --- The charge point.

function chargePoint(password, identity = "CP-1") {
  const station = new RPCClient({
    endpoint: `ws://127.0.0.1:${port}/ocpp`,
    identity,
    password,
    protocols: ["ocpp1.6"],
    strictMode: true,
    reconnect: false,
  });
  station.on("strictValidationFailure", (failure) => {
    console.error("not as the schema has it:", failure.error?.message, failure.outbound);
    process.exitCode = 1;
  });
  return station;
}

async function refused(station) {
  try {
    await station.connect();
  } catch (error) {
    return error;
  }
  await station.close();
  return assert.fail("the connection was accepted");
}

async function steps() {
  await start();
  assert.match(start.password, /^[a-z2-9]{20}$/, "the first password is printed once");

  const login = await rest("POST", "/login", { user: "admin", password: start.password });
  assert.equal(login.status, 200);
  csrf = login.body.csrf;
  const live = events();

  // Not let in: wrong key, no key, nobody we know. Nobody learns which it was.
  for (const [password, identity] of [["x".repeat(24)], [undefined], [key, "CP-9"]]) {
    const error = await refused(chargePoint(password, identity));
    assert.equal(error.code, 401, `${error}`);
  }
  const doctor = await rest("GET", "/refused");
  assert.equal(doctor.body.refused.length, 3);
  assert.deepEqual(
    doctor.body.refused.map((row) => row.reason),
    ["unknown station, or one without a key", "no credentials", "wrong key"]);

  // Boot.
  const station = chargePoint(key);
  const asked = [];
  for (const [action, answer] of [
    ["RemoteStartTransaction", { status: "Accepted" }],
    ["RemoteStopTransaction", { status: "Accepted" }],
    ["GetConfiguration", { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }] }],
  ]) {
    station.handle(action, ({ params }) => {
      asked.push([action, params]);
      return answer;
    });
  }
  await station.connect();
  const boot = await station.call("BootNotification", {
    chargePointVendor: "Peer", chargePointModel: "Strict", firmwareVersion: "1.0" });
  assert.equal(boot.status, "Accepted");
  assert.equal(boot.interval, 300);
  assert.ok(Math.abs(Date.parse(boot.currentTime) - Date.now()) < 5000);
  for (const connectorId of [0, 1]) {
    await station.call("StatusNotification", { connectorId, errorCode: "NoError", status: "Available" });
  }
  assert.ok((await station.call("Heartbeat", {})).currentTime);

  // Cards.
  const accepted = await station.call("Authorize", { idTag: "card-1" });
  assert.equal(accepted.idTagInfo.status, "Accepted", "idTags compare without case");
  const unknown = await station.call("Authorize", { idTag: "NOBODY" });
  assert.equal(unknown.idTagInfo.status, "Invalid");
  const strangers = await rest("GET", "/cards/unknown");
  assert.equal(strangers.body.cards[0].id_tag, "NOBODY");

  // A remote start, from REST to the station and back.
  const wanted = await rest("POST", "/stations/CP-1/commands",
    { action: "RemoteStartTransaction", payload: { connectorId: 1, idTag: "CARD-1" } });
  assert.equal(wanted.status, 202);
  const done = await until("the remote start's answer", async () => {
    const { body } = await rest("GET", `/commands/${wanted.body.command_id}`);
    return body.state === "pending" ? null : body;
  });
  assert.equal(done.state, "answered");
  assert.deepEqual(done.answer, { status: "Accepted" });
  assert.deepEqual(asked, [["RemoteStartTransaction", { connectorId: 1, idTag: "CARD-1" }]]);

  // What the station knows of the vehicle, then the start; and the start again, as after a lost
  // answer: the same transaction, still accepted.
  const info = await station.call("DataTransfer", {
    vendorId: "org.pilotwire", messageId: "VehicleInfo",
    data: JSON.stringify({ connectorId: 1, ah: 22.31, imaxA: 30.0, packV: 76.2, socPercent: 74.4 }) });
  assert.equal(info.status, "Accepted");
  const begun = new Date(Date.now() - 60000).toISOString();
  const startReq = { connectorId: 1, idTag: "CARD-1", meterStart: 1000, timestamp: begun };
  const first = await station.call("StartTransaction", startReq);
  assert.equal(first.idTagInfo.status, "Accepted");
  assert.ok(first.transactionId > 0);
  const second = await station.call("StartTransaction", startReq);
  assert.deepEqual(second, first);
  const elsewhere = await station.call("StartTransaction",
    { connectorId: 2, idTag: "CARD-1", meterStart: 0, timestamp: begun });
  assert.equal(elsewhere.idTagInfo.status, "ConcurrentTx");
  await station.call("StopTransaction",
    { transactionId: elsewhere.transactionId, meterStop: 0, timestamp: begun, reason: "DeAuthorized" });

  await station.call("MeterValues", {
    connectorId: 1, transactionId: first.transactionId,
    meterValue: [{ timestamp: new Date(Date.now() - 30000).toISOString(), sampledValue: [
      { value: "1200", measurand: "Energy.Active.Import.Register", unit: "Wh" },
      { value: "1.9", measurand: "Power.Active.Import", unit: "kW" },
      { value: "78.4", measurand: "Voltage", unit: "V" },
      { value: "24.2", measurand: "Current.Import", unit: "A" },
      { value: "30", measurand: "Current.Offered", unit: "A" },
      { value: "76", measurand: "SoC", unit: "Percent" },
    ] }] });
  const now = (await rest("GET", "/stations/CP-1")).body.connectors.find((c) => c.connector_id === 1);
  assert.equal(now.transaction_id, first.transactionId);
  assert.equal(now.power_w, 1900);
  assert.equal(now.soc_percent, 76);
  assert.equal(now.vehicle.model, "NX-100 Classic");
  assert.equal(now.vehicle.capacity_ah, 30);
  assert.equal(now.vehicle.charge_ah, 22.8);
  assert.equal(now.vehicle.range_km, 61.56);

  // Stop; and again, as after a lost answer.
  const stopReq = { transactionId: first.transactionId, meterStop: 1400, idTag: "CARD-1",
    timestamp: new Date().toISOString(), reason: "Remote" };
  assert.equal((await station.call("StopTransaction", stopReq)).idTagInfo.status, "Accepted");
  assert.equal((await station.call("StopTransaction", stopReq)).idTagInfo.status, "Accepted");
  // A stop of nobody's transaction is answered, or the station would repeat it for ever.
  assert.deepEqual(await station.call("StopTransaction",
    { transactionId: -1, meterStop: 7, timestamp: begun }), {});

  const session = (await rest("GET", `/sessions/${first.transactionId}`)).body;
  assert.equal(session.energy_wh, 400);
  assert.equal(session.stop_reason, "Remote");
  assert.equal(session.soc_start, 74.4);
  assert.equal(session.soc_end, 76);
  assert.equal(session.vehicle_model, "NX-100 Classic");
  assert.deepEqual(session.curve.power_w, [1900]);
  const all = (await rest("GET", "/sessions?station=CP-1")).body.sessions;
  assert.deepEqual(all.map((row) => row.id), [elsewhere.transactionId, first.transactionId]);

  // Remote stop reaches the station too; an unknown action does not leave the server.
  const ended = await rest("POST", "/stations/CP-1/commands",
    { action: "RemoteStopTransaction", payload: { transactionId: first.transactionId } });
  assert.equal(ended.status, 202);
  await until("the remote stop", () => asked.some(([action]) => action === "RemoteStopTransaction"));
  assert.equal((await rest("POST", "/stations/CP-1/commands", { action: "Explode" })).status, 400);

  // The log pairs calls and answers.
  const log = (await rest("GET", "/stations/CP-1/log?limit=500")).body.entries;
  const call = log.find((row) => row.action === "RemoteStartTransaction" && row.kind === "call");
  const result = log.find((row) => row.message_id === call.message_id && row.kind === "result");
  assert.equal(call.direction, "out");
  assert.equal(result.direction, "in");
  assert.ok(result.latency_ms >= 0);
  assert.deepEqual(JSON.parse(result.payload), { status: "Accepted" });

  // And the pages saw it live.
  await until("live events", () => ["station", "measurement", "transaction", "ocpp", "command"].every(
    (name) => live.seen.some((event) => event.name === name)));

  // A second socket with the right key, while the first one lives: refused, the first stays.
  const twin = chargePoint(key);
  const closed = new Promise((done) => twin.once("close", done));
  await twin.connect();
  assert.equal((await closed).code, 1008);
  assert.ok((await station.call("Heartbeat", {})).currentTime);

  await hostile();

  // Killed the moment a start is answered: what was answered is there after the restart.
  const killed = { connectorId: 1, idTag: "CARD-1", meterStart: 1400, timestamp: new Date().toISOString() };
  const promised = await station.call("StartTransaction", killed);
  const lost = new Promise((done) => station.once("close", done));
  server.kill("SIGKILL");
  await lost;
  live.close();
  await start();
  await station.connect();
  assert.deepEqual(await station.call("StartTransaction", killed), promised);
  await station.call("StopTransaction",
    { transactionId: promised.transactionId, meterStop: 1400, timestamp: new Date().toISOString() });

  // Ended by SIGTERM while a station and a page are connected: at once, with 0, and all is kept.
  const gone = new Promise((done) => station.once("close", done));
  assert.deepEqual(await stop(), { code: 0, signal: null });
  await gone;
  await start();
  const again = await rest("GET", "/me");
  assert.equal(again.status, 401, "logins end with the program");
  const after = chargePoint(key);
  await after.connect();
  assert.deepEqual(await after.call("StartTransaction", startReq), first,
    "a repeat after our restart is still the same transaction");
  await after.close();
  assert.deepEqual(await stop(), { code: 0, signal: null });
}

// --- Bytes that no library sends.

function raw(text, wait = 3000) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    const chunks = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => done(Buffer.concat(chunks)));
    setTimeout(() => socket.destroy(), wait);
  });
}

const frame = (opcode, payload) => {
  const head = payload.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
    : payload.length < 65536 ? Buffer.from([0x80 | opcode, 0xfe, payload.length >> 8, payload.length & 255])
    : Buffer.from([0x80 | opcode, 0xff, 0, 0, 0, 0, 0, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255]);
  return Buffer.concat([head, Buffer.from([0, 0, 0, 0]), payload]); // masked with zeros
};

const upgrade = (protocol, id, secret) => Buffer.from(
  `GET /ocpp/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n` +
  `Sec-WebSocket-Protocol: ${protocol}\r\n` +
  `Authorization: Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}\r\n\r\n`);

// The close code of the last frame, or 0.
const closeCode = (bytes) => {
  const at = bytes.lastIndexOf(0x88);
  return at >= 0 && bytes.length >= at + 4 ? bytes.readUInt16BE(at + 2) : 0;
};

async function hostile() {
  const other = run("station", "add", "CP-2"); // while the server runs

  // OCPP-J 3.1.2: without a common subprotocol the handshake is completed without one, then closed.
  const none = await raw(upgrade("ocpp2.0.1", "CP-2", other));
  assert.match(none.toString("latin1"), /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(none.toString("latin1"), /sec-websocket-protocol/i);
  assert.equal(closeCode(none), 1000);

  const hello = (...frames) => raw(Buffer.concat([upgrade("ocpp1.6", "CP-2", other), ...frames]));
  assert.equal(closeCode(await hello(frame(1, Buffer.alloc(65537, 0x20)))), 1009);
  assert.equal(closeCode(await hello(frame(2, Buffer.from("[]")))), 1003);
  assert.equal(closeCode(await hello(frame(1, Buffer.from([0xff, 0xfe])))), 1007);

  // Bad JSON is counted, not answered; a bad call is answered with its id.
  const bad = await raw(Buffer.concat([upgrade("ocpp1.6", "CP-2", other),
    frame(1, Buffer.from("{{{")), frame(1, Buffer.from('[2,"7","Heartbeat",[]]'))]), 1000);
  assert.match(bad.toString("latin1"), /\[4,"7","(FormationViolation|TypeConstraintViolation)"/);

  // 1 byte a second is no handshake.
  const slow = await raw("GET / HT", 15000);
  assert.equal(slow.length === 0 || /^HTTP\/1\.[01] 4/.test(slow.toString("latin1")), true);

  // Headers of a rebound name, and of a foreign page.
  const rebound = await raw("GET /api/v1/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  assert.match(rebound.toString("latin1"), /^HTTP\/1\.1 403 /);
  const foreign = await raw("POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n" +
    "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
  assert.match(foreign.toString("latin1"), /^HTTP\/1\.1 403 /);
  const health = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(health.status, 200, "it lives on");
}

try {
  await steps();
} finally {
  server?.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
console.log("charge-point: all as expected");
process.exit();
