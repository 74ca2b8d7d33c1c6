// Peers that are silent, slow or many, on real sockets against pilotwire-central, twenty times
// faster than life (facts/reliability.md T36, T42, B8).
//   node bad-peers.mjs <pilotwire-central>
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RPCClient } from "ocpp-rpc";

const SPEED = 20;
const data = mkdtempSync(join(tmpdir(), "pilotwire-central-"));
const now = Date.now();
const server = spawn(process.argv[2],
  ["--data", data, "--listen", "127.0.0.1:0", "--accept-unknown-stations", "--log-level", "error"],
  { env: { ...process.env, PILOTWIRE_CLOCK: `${now}:${now}:${SPEED}` }, stdio: ["ignore", "pipe", "inherit"] });
let port;
setTimeout(() => {
  console.error("not done within 60 s");
  server.kill("SIGKILL");
  process.exit(1);
}, 60000).unref();

// A WebSocket of bytes: upgraded, then as rude as the test wants.
function rude(id) {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`GET /ocpp/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n" +
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n");
  return new Promise((done) => socket.once("data", (head) => {
    assert.match(head.toString("latin1"), /^HTTP\/1\.1 101 /);
    done(socket);
  }));
}

const frame = (text) =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
const closed = (socket) => new Promise((done) => socket.once("close", done));
const seconds = (since) => ((Date.now() - since) / 1000) * SPEED;

async function client(id) {
  const station = new RPCClient({ endpoint: `ws://127.0.0.1:${port}/ocpp`, identity: id,
    protocols: ["ocpp1.6"], strictMode: true, reconnect: false });
  await station.connect();
  return station;
}

// The first socket answers no ping: its station has lost power and comes back on a second one. What
// it says there is answered once the first is given up, ten seconds later.
async function silent_first_socket_is_replaced() {
  const dead = await rude("A");
  const began = Date.now();
  const station = await client("A");
  const boot = await station.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
  const took = seconds(began);
  assert.equal(boot.status, "Accepted");
  assert.ok(took >= 9.9 && took < 16, `after ${took} s`);
  assert.ok((await station.call("Heartbeat", {})).currentTime);
  dead.destroy();
  await station.close();
}

async function silent_socket_is_given_up_within_a_minute() {
  const began = Date.now();
  const dead = await rude("B");
  await closed(dead.resume());
  const took = seconds(began);
  assert.ok(took >= 59 && took < 90, `after ${took} s`); // the peer's answer to the close is waited for
}

// It asks and asks and never reads an answer. It is cut off; another station does not notice.
async function socket_that_never_reads_is_cut_off() {
  const other = await client("D");
  const slow = await rude("C");
  slow.pause();
  let gone = false;
  slow.once("close", () => { gone = true; });
  const ask = frame('[2,"1","Heartbeat",{}]');
  const many = Buffer.concat(Array.from({ length: 1000 }, () => ask));
  let worst = 0;
  for (let i = 0; i < 400 && !gone && slow.writable; i++) {
    if (!slow.write(many)) {
      await Promise.race([new Promise((done) => slow.once("drain", done)), closed(slow),
        new Promise((done) => setTimeout(done, 2000))]);
    }
    const began = Date.now();
    await other.call("Heartbeat", {});
    worst = Math.max(worst, Date.now() - began);
  }
  slow.destroy();
  assert.ok(worst < 2000, `another station waited ${worst} ms`);
  const metrics = await slowLinks();
  assert.ok(metrics >= 1, "the slow link was counted");
  await other.close();
}

let cookie;
async function slowLinks() {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { cookie } });
  return Number(/pilotwire_links_slow_total (\d+)/.exec(await answer.text())[1]);
}

try {
  for await (const line of createInterface({ input: server.stdout })) {
    const password = /with the password (\S+)/.exec(line);
    if (password) cookie = password[1];
    const found = /^Stations:\s+ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
    if (found) {
      port = Number(found[1]);
      break;
    }
  }
  const login = await fetch(`http://127.0.0.1:${port}/api/v1/login`,
    { method: "POST", body: JSON.stringify({ user: "admin", password: cookie }) });
  cookie = login.headers.get("set-cookie").split(";")[0];
  await silent_first_socket_is_replaced();
  await silent_socket_is_given_up_within_a_minute();
  await socket_that_never_reads_is_cut_off();
  const ended = new Promise((done) => server.once("exit", (code) => done(code)));
  server.kill("SIGTERM");
  assert.equal(await ended, 0);
} finally {
  server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
console.log("bad-peers: all as expected");
process.exit();
