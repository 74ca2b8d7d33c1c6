// The running station in security profiles 0, 1, 2 and 3 over real sockets: ocpp-rpc, in strict mode,
// is the central system, and the openssl command is everybody who signs. Keys are rotated, profiles
// raised, refused and fallen back from, certificates signed, renewed, refused and replaced; servers
// with wrong certificates, old TLS and other cipher suites are turned away, each with its event.
//   node profiles.mjs <folder of the programs>
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { constants } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RPCServer, createRPCError } from "ocpp-rpc";

const programs = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "pilotwire-security-"));
const ID = "SECURE-1";
const SERIAL = "SN-0042";
const OPERATOR = "Test Operator";
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let station = null;

process.on("uncaughtException", (error) => fail(error.stack));
const watchdog = setTimeout(() => fail("not done within 150 s"), 150000);

function fail(reason) {
  console.error(reason);
  console.error(station?.output.split("\n").slice(-40).join("\n"));
  station?.kill("SIGKILL");
  process.exit(1);
}

async function until(what, condition, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
    const found = condition();
    if (found) return found;
  }
  return fail(`${what}: not within ${seconds} s\n${JSON.stringify(heard.slice(-8), null, 1)}`);
}

// --- Everybody who signs.

const openssl = (...words) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
const file = (name) => readFileSync(join(folder, name), "utf8");
const CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";

function makeKey(name, rsa) {
  openssl("genpkey", "-out", `${name}.key`, "-algorithm", rsa ? "RSA" : "EC", "-pkeyopt",
    rsa ? "rsa_keygen_bits:2048" : "ec_paramgen_curve:P-256");
}

function sign(name, csr, issuer, extensions, days = 365, dates = []) {
  writeFileSync(join(folder, `${name}.ext`), extensions);
  openssl("x509", "-req", "-in", csr, "-out", `${name}.pem`, "-CA", `${issuer}.pem`, "-CAkey",
    `${issuer}.key`, "-set_serial", `0x${Math.floor(Math.random() * 2 ** 47).toString(16)}1`,
    "-days", String(days), "-extfile", `${name}.ext`, ...dates);
}

function makeRoot(name) {
  makeKey(name);
  openssl("req", "-x509", "-new", "-key", `${name}.key`, "-out", `${name}.pem`, "-days", "3650",
    "-subj", `/O=${OPERATOR}/CN=${name}`);
}

function makeServer(name, host, issuer, { rsa = false, days = 30, extensions = "" } = {}) {
  makeKey(name, rsa);
  openssl("req", "-new", "-key", `${name}.key`, "-out", `${name}.csr`, "-subj",
    `/O=${OPERATOR}/CN=${host}`);
  sign(name, `${name}.csr`, issuer, `basicConstraints=CA:FALSE\n${extensions}`, days);
}

makeRoot("root");
makeRoot("stranger");
makeRoot("maker");
makeServer("server", "localhost", "root");
makeServer("server-rsa", "localhost", "root", { rsa: true });
makeServer("other-host", "central.example", "root");
makeServer("wildcard", "x", "root", { extensions: "subjectAltName=DNS:*.example,DNS:localhost\n" });
makeServer("expired", "localhost", "root", { days: -1 });
makeServer("strange", "localhost", "stranger");
makeKey("alone");
openssl("req", "-x509", "-new", "-key", "alone.key", "-out", "alone.pem", "-days", "30", "-subj",
  `/O=${OPERATOR}/CN=localhost`);

// --- The central system: one port, and behind it whatever it is at the moment.

const heard = [];
const offences = [];
const connections = [];
let client = null;
let refuseSerial = null;
let expected = null; // the password, as bytes; null: none may come

const rpc = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true });
rpc.auth((accept, reject, handshake) => {
  const { socket } = handshake.request;
  const peer = socket.getPeerCertificate?.();
  if (handshake.identity !== ID) offences.push(`identity ${handshake.identity}`);
  const same = expected === null ? !handshake.password : handshake.password?.equals(expected);
  if (!same || (refuseSerial !== null && peer?.serialNumber === refuseSerial)) return reject(401);
  connections.push({
    tls: socket.getProtocol?.() ?? null, suite: socket.getCipher?.().standardName ?? null,
    peer: peer?.subject ?? null, serial: peer?.serialNumber ?? null,
  });
  accept();
});
const answers = {
  BootNotification: () => ({ status: "Accepted", interval: 300, currentTime: new Date().toISOString() }),
  Heartbeat: () => ({ currentTime: new Date().toISOString() }),
  StatusNotification: () => ({}),
  SecurityEventNotification: () => ({}),
  SignCertificate: () => ({ status: "Accepted" }),
};
rpc.on("client", (connected) => {
  client = connected;
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
    offences.push(`schema: ${event.method} ${event.error?.message}`));
  connected.on("badMessage", (event) => offences.push(`bad message: ${event.error?.message}`));
});

let web = null;
let port = 0;
const sockets = new Set();
let attempts = 0;

// Becomes another server at the same address; whoever is connected is cut off.
async function become(name, options = {}) {
  sockets.forEach((socket) => socket.destroy());
  if (web) await new Promise((done) => web.close(done));
  web = name === null
    ? http.createServer()
    : https.createServer({ key: file(`${name}.key`), cert: file(`${name}.pem`), ...options });
  web.on("upgrade", rpc.handleUpgrade);
  web.on("connection", (socket) => {
    attempts++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  web.on("tlsClientError", () => {});
  await new Promise((done) => web.listen(port, done));
  port = web.address().port;
}

const mutual = () => ({ requestCert: true, rejectUnauthorized: true, ca: [file("root.pem")] });
const call = async (action, params) => client.call(action, params);
const change = async (key, value) => (await call("ChangeConfiguration", { key, value: String(value) })).status;
const valueOf = async (key) =>
  (await call("GetConfiguration", { key: [key] })).configurationKey[0].value;
const events = (type) => heard.filter((m) => m.action === "SecurityEventNotification" &&
  m.params.type === type).map((m) => m.params);
const connected = (count, what, seconds) => until(what, () => connections.length >= count &&
  client?.state === 1, seconds);
const hex = (bytes) => Buffer.from(bytes, "hex");

// --- The station.

await become(null);
writeFileSync(join(folder, "station.yaml"), `
station:
  id: ${ID}
  serial: ${SERIAL}
can:
  bus0: "mcast:239.74.163.2:${20000 + (process.pid % 20000)}"
console:
  device: "off"
page:
  listen: ""
ocpp:
  url: ws://localhost:${port}/ocpp
connectors:
  - kind: dc
`);
function startStation() {
  const child = spawn(join(programs, "pilotwire-station"), ["--config", join(folder, "station.yaml"),
    "--data", join(folder, "data"), "--control", join(folder, "control")]);
  child.output = station?.output ?? "";
  child.stdout.on("data", (text) => (child.output += text));
  child.stderr.on("data", (text) => (child.output += text));
  child.ended = new Promise((done) => child.once("exit", done));
  station = child;
}
const ask = (...words) => execFileSync(join(programs, "pilotwire"), words, {
  env: { ...process.env, PILOTWIRE_CONTROL: join(folder, "control") }, encoding: "utf8" });
startStation();

// --- Profile 0.

await connected(1, "profile 0");
await until("the boot", () => heard.find((m) => m.action === "BootNotification"));
assert.equal(await valueOf("SecurityProfile"), "0");
assert.equal(await change("SecurityProfile", 1), "Rejected", "there is no key yet");
assert.equal(await change("SecurityProfile", 4), "Rejected");
for (const bad of ["", "short", "0123456789abcde", "x".repeat(41), "with\ncontrol characters"]) {
  assert.equal(await change("AuthorizationKey", bad), "Rejected", `key ${bad}`);
}
const first = "00010203040506070809FFFEFDFCFBFAF9F8F7F6";
assert.equal(await change("AuthorizationKey", first), "Accepted");
expected = hex(first);
await connected(2, "the connection with the first key");

// --- Profile 1: raised, and the key rotated. The answer leaves before the connection ends.

assert.equal(await change("SecurityProfile", 1), "Accepted");
await connected(3, "profile 1");
assert.equal(await valueOf("SecurityProfile"), "1");
const second = "A1A2A3A4A5A6A7A8A9B0B1B2B3B4B5B6";
assert.equal(await change("AuthorizationKey", second), "Accepted");
expected = hex(second);
await connected(4, "the connection with the second key");
assert.equal(connections.at(-1).tls, null);
const readable = (await call("GetConfiguration", {})).configurationKey;
assert.equal(readable.find((entry) => entry.key === "AuthorizationKey")?.value, undefined);

// --- Roots. A root is wanted before profile 2; a server that does not speak TLS: back to profile 1.

assert.equal(await change("SecurityProfile", 2), "Rejected", "there is no root yet");
const install = async (certificateType, name) =>
  (await call("InstallCertificate", { certificateType, certificate: file(name) })).status;
assert.equal(await install("CentralSystemRootCertificate", "server.pem"), "Rejected", "no CA");
assert.equal(await install("CentralSystemRootCertificate", "root.key"), "Rejected", "a key");
assert.equal(await install("CentralSystemRootCertificate", "root.pem"), "Accepted");
assert.equal(await install("ManufacturerRootCertificate", "maker.pem"), "Accepted");
const ids = async (certificateType) => call("GetInstalledCertificateIds", { certificateType });
const root = (await ids("CentralSystemRootCertificate")).certificateHashData;
assert.equal(root.length, 1);
const facts = openssl("x509", "-in", "root.pem", "-noout", "-serial", "-ocspid").toString();
assert.equal(root[0].serialNumber, facts.match(/serial=0*([0-9A-F]+)/)[1]);

assert.equal(await change("SecurityProfile", 2), "Accepted");
await connected(5, "the way back to profile 1", 40);
assert.equal(connections.at(-1).tls, null);
assert.equal(await valueOf("SecurityProfile"), "1", "fallen back");
await until("word of the way back", () =>
  events("ReconfigurationOfSecurityParameters").some((e) => e.techInfo?.includes("back from 2 to 1")));

// --- Profile 2.

assert.equal(await change("SecurityProfile", 2), "Accepted");
await become("server");
await connected(6, "profile 2", 40);
assert.match(connections.at(-1).tls, /^TLSv1\.[23]$/);
assert.equal(await valueOf("SecurityProfile"), "2");
for (const lower of [0, 1, 2]) {
  assert.equal(await change("SecurityProfile", lower), "Rejected", `profile ${lower}`);
}
assert.equal((await call("DeleteCertificate", { certificateHashData: root[0] })).status, "Failed",
  "it vouches for this connection");
assert.equal((await call("DeleteCertificate", {
  certificateHashData: { ...root[0], serialNumber: "ABCDEF" } })).status, "NotFound");
const maker = (await ids("ManufacturerRootCertificate")).certificateHashData;
assert.equal((await call("DeleteCertificate", { certificateHashData: maker[0] })).status, "Accepted");
assert.equal((await ids("ManufacturerRootCertificate")).status, "NotFound");

// The suites of TLS 1.2 that the whitepaper names, and a name among others in the certificate.
for (const [name, suite] of [["server", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ["server", "ECDHE-ECDSA-AES256-GCM-SHA384"], ["server-rsa", "AES128-GCM-SHA256"],
  ["wildcard", "ECDHE-ECDSA-AES256-GCM-SHA384"]]) {
  const before = connections.length;
  await become(name, { maxVersion: "TLSv1.2", ciphers: suite });
  await connected(before + 1, `${suite} with ${name}`);
}

// --- Whom the station turns away: nothing is said to them, and each is recorded once.

const records = () => JSON.parse(ask("--json", "seclog", "90")).records;
let good = () => ({});
async function turnedAway(what, event, detail, name, options, times = 1) {
  const before = connections.length;
  const known = records().filter((r) => r.event === event && detail.test(r.detail)).length;
  await become(name, options);
  attempts = 0;
  await until(`${what}: tried`, () => attempts >= times);
  const found = () => records().filter((r) => r.event === event && detail.test(r.detail)).length;
  await until(`${what}: recorded`, () => found() > known);
  assert.equal(found(), known + 1, `${what}: recorded once`);
  assert.equal(connections.length, before, `${what}: no connection`);
  await become("server", good());
  await connected(before + 1, `after ${what}`, 40);
  await until(`${what}: told`, () => events(event).some((e) => detail.test(e.techInfo)));
}
const CERTIFICATE = "InvalidCentralSystemCertificate";
await turnedAway("a stranger's certificate", CERTIFICATE, /unable to get/, "strange", {}, 3);
await turnedAway("TLS 1.1", "InvalidTLSVersion", /./, "server",
  { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" });
await turnedAway("another suite", "InvalidTLSCipherSuite", /./, "server-rsa",
  { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305" });
await turnedAway("an expired certificate", CERTIFICATE, /expired/, "expired");
await turnedAway("another host's", CERTIFICATE, /ostname mismatch/, "other-host");
await turnedAway("one that signed itself", CERTIFICATE, /self-signed/, "alone");
assert.equal(await valueOf("SecurityProfile"), "2", "never lower");

// --- Profile 3: a certificate of the station's own.

const trigger = async () =>
  (await call("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" })).status;
assert.equal(await change("SecurityProfile", 3), "Rejected", "there is no certificate yet");
assert.equal(await trigger(), "Rejected", "CpoName is not set");
assert.equal(await change("CpoName", OPERATOR), "Accepted");
let asked = 0;
async function request() {
  await until("a request to sign", () =>
    heard.filter((m) => m.action === "SignCertificate").length > asked);
  asked++;
  writeFileSync(join(folder, "station.csr"),
    heard.filter((m) => m.action === "SignCertificate")[asked - 1].params.csr);
  const text = openssl("req", "-in", "station.csr", "-noout", "-verify", "-subject").toString();
  assert.match(text, new RegExp(`O = ${OPERATOR}, CN = ${SERIAL}`));
}
const CLIENT = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n";
const signed = async (name) =>
  (await call("CertificateSigned", { certificateChain: file(`${name}.pem`) })).status;
assert.equal(await trigger(), "Accepted");
await request();
sign("wrong", "station.csr", "stranger", CLIENT);
assert.equal(await signed("wrong"), "Rejected", "a stranger signed it");
await until("word of it", () => events("InvalidChargePointCertificate").length === 1);
assert.equal(await signed("server"), "Rejected", "somebody else's");
sign("own1", "station.csr", "root", CLIENT, 20);
assert.equal(await signed("own1"), "Accepted");
assert.equal(await change("SecurityProfile", 3), "Accepted");
expected = null;
const third = connections.length;
await become("server", mutual());
await connected(third + 1, "profile 3", 40);
assert.equal(connections.at(-1).peer.CN, SERIAL);
assert.equal(connections.at(-1).peer.O, OPERATOR);
const serialOf = (name) =>
  openssl("x509", "-in", `${name}.pem`, "-noout", "-serial").toString().match(/=0*(\w+)/)[1];
const shown = () => connections.at(-1).serial.replace(/^0+/, "");
assert.equal(shown(), serialOf("own1"));

// Its certificate ends in 20 days: the station asks for a new one by itself, shows it at once, and
// keeps the old one: a new one that does not connect is given up.
await request();
await sleep(1100); // certificates count seconds
sign("own2", "station.csr", "root", CLIENT, 300);
assert.equal(await signed("own2"), "Accepted");
await until("the renewed certificate", () => shown() === serialOf("own2"), 40);
assert.equal(await trigger(), "Accepted");
await request();
await sleep(1100);
sign("own3", "station.csr", "root", CLIENT, 300);
refuseSerial = openssl("x509", "-in", "own3.pem", "-noout", "-serial").toString().match(/=(\w+)/)[1];
const until3 = connections.length;
assert.equal(await signed("own3"), "Accepted");
await connected(until3 + 1, "the certificate before", 60);
assert.equal(shown(), serialOf("own2"));

// A server that does not ask for the certificate is in another profile (A00.FR.003).
good = mutual;
refuseSerial = null;
await turnedAway("no question for a certificate", "CentralSystemFailedToAuthentication",
  /does not ask/, "server");

// --- After a start everything is as it was; nobody else can read what is secret, and the log is whole.

station.kill("SIGTERM");
assert.equal(await station.ended, 0);
const restarted = connections.length;
startStation();
await connected(restarted + 1, "profile 3 after a start", 40);
assert.equal(shown(), serialOf("own2"));
const trust = join(folder, "data", "trust");
for (const name of readdirSync(trust)) {
  assert.equal(statSync(join(trust, name)).mode & 0o777, 0o600, name);
}
assert.equal(statSync(trust).mode & 0o777, 0o700);
await until("the log's check", () => JSON.parse(ask("--json", "seclog")).chain !== "being checked");
const log = JSON.parse(ask("--json", "seclog", "90"));
assert.equal(log.chain, "whole");
assert.equal(log.lost, 0);
assert.match(ask("seclog"), /chain whole/);
for (const secret of [first, second, hex(first).toString("latin1"), "PRIVATE KEY"]) {
  assert.ok(!station.output.includes(secret), "no key in the log");
  assert.ok(!JSON.stringify(log).includes(secret), "no key in the security log");
  assert.ok(!JSON.stringify(heard).includes(secret), "no key in messages");
}
assert.deepEqual(offences, []);
station.kill("SIGTERM");
assert.equal(await station.ended, 0);
clearTimeout(watchdog);
rmSync(folder, { recursive: true });
console.log(`profiles 0, 1, 2, 3: ${connections.length} connections, ${log.records.length} records`);
process.exit(0);
