// Security profiles 1, 2 and 3 over real sockets: ocpp-rpc is the charge point, openssl makes its
// key and request, pilotwire-central is server and authority. Loopback, free ports, certificates
// made here.
//   node security.mjs <pilotwire-central>
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RPCClient } from "ocpp-rpc";

const program = process.argv[2];
const data = mkdtempSync(join(tmpdir(), "pilotwire-security-"));
const file = (name) => join(data, name);
const run = (...words) => execFileSync(program, ["--data", data, ...words], { encoding: "utf8" }).trim();
const openssl = (...words) => execFileSync("openssl", words, { encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });

setTimeout(() => {
  console.error("not done within 60 s");
  process.exit(1);
}, 60000).unref();

const root = run("ca", "init", "Example Operator");
run("ca", "server", "localhost", "127.0.0.1");
let key = run("station", "add", "CP-1");
run("station", "add", "CP-2");

let server;
let port;
let tlsPort;
let password;

async function start() {
  server = spawn(program, ["--data", data, "--listen", "127.0.0.1:0", "--link-listen", "off",
    "--tls-listen", "127.0.0.1:0"]);
  let errors = "";
  server.stderr.on("data", (chunk) => { errors += chunk; });
  for await (const line of createInterface({ input: server.stdout })) {
    password = /with the password (\S+)/.exec(line)?.[1] ?? password;
    port = /^Stations:\s+ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1] ?? port;
    const tls = /^With TLS:\s+wss:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
    if (tls) {
      tlsPort = tls[1];
      return;
    }
  }
  throw new Error(`the central ended at its start: ${errors}`);
}

let cookie;
let csrf;
async function rest(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method, headers: { cookie, "x-csrf": csrf }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? null : JSON.parse(text), answer };
}

async function until(what, test) {
  for (let i = 0; i < 200; i++) {
    const found = await test();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`waited 5 s for ${what}`);
}

function station(identity, { tls = true, secret, cert, certKey } = {}) {
  const made = new RPCClient({
    endpoint: tls ? `wss://localhost:${tlsPort}/ocpp` : `ws://127.0.0.1:${port}/ocpp`,
    identity, password: secret, protocols: ["ocpp1.6"], strictMode: true, reconnect: false,
    wsOpts: tls ? { ca: root, cert, key: certKey, family: 4 } : {} });
  made.on("strictValidationFailure", (failure) => {
    console.error("not as the schema has it:", failure.error?.message);
    process.exitCode = 1;
  });
  return made;
}

// 401 for a handshake that got as far as HTTP; "tls" for one that TLS ended.
async function refused(what, made) {
  const why = await made.connect().then(() => "let in", (error) => error);
  assert.notEqual(why, "let in", what);
  return /401/.test(String(why.message ?? why)) || why.code === 401 ? 401 : "tls";
}

function request(name, subject, ...kind) {
  const kinds = kind.length > 0 ? kind : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  openssl("req", "-new", "-nodes", ...kinds, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`),
    "-subj", subject);
  return readFileSync(file(`${name}.csr`), "utf8");
}

const doctor = async () => (await rest("GET", "/refused")).body.refused[0].reason;
const link = async (id) => (await rest("GET", `/stations/${id}/security`)).body;

async function profiles_1_and_2_are_told_apart() {
  const plain = station("CP-1", { tls: false, secret: key });
  await plain.connect();
  assert.deepEqual(await link("CP-1"), { least_profile: null, profile: 1 });
  await plain.close();
  const made = station("CP-1", { secret: key });
  await made.connect();
  await made.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
  assert.equal((await link("CP-1")).profile, 2);
  await made.close();
  assert.equal(await refused("wrong key over TLS", station("CP-1", { secret: "x".repeat(20) })), 401);
}

// A02/A03: the whole way of a certificate; what must not be signed is not.
async function certificate_is_signed_on_request() {
  const made = station("CP-1", { secret: key });
  let chain;
  made.handle("CertificateSigned", ({ params }) => {
    chain = params.certificateChain;
    return { status: "Accepted" };
  });
  await made.connect();
  const ask = (csr) => made.call("SignCertificate", { csr });
  assert.deepEqual(await ask(request("other", "/O=Example Operator/CN=CP-2")), { status: "Rejected" });
  assert.deepEqual(await ask(request("stranger", "/O=Another/CN=CP-1")), { status: "Rejected" });
  assert.deepEqual(await ask(request("weak", "/CN=CP-1", "-newkey", "rsa:1024")), { status: "Rejected" });
  assert.deepEqual(await ask("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"),
    { status: "Rejected" });
  const good = request("good", "/O=Example Operator/CN=CP-1");
  const bent = good.split("\n");
  bent[3] = bent[3].replace(/[A-Y]/, (c) => String.fromCharCode(c.charCodeAt(0) + 1));
  assert.deepEqual(await ask(bent.join("\n")), { status: "Rejected" });
  assert.equal(chain, undefined);
  assert.deepEqual(await ask(good), { status: "Accepted" });
  await until("CertificateSigned", () => chain);
  writeFileSync(file("good.crt"), chain);
  assert.match(openssl("verify", "-purpose", "sslclient", "-CAfile", file("ca.crt"), file("good.crt")), /OK/);
  assert.match(openssl("x509", "-noout", "-subject", "-in", file("good.crt")), /O = Example Operator, CN = CP-1/);
  const issued = await until("the record", async () => {
    const { body } = await rest("GET", "/stations/CP-1/certificates");
    return body.issued[0]?.state === "taken" && body.issued;
  });
  assert.equal(issued.length, 1);
  const refusals = (await rest("GET", "/stations/CP-1/security-events")).body.events;
  assert.ok(refusals.some((event) => event.tech_info.includes("commonName")));
  assert.ok(refusals.some((event) => event.tech_info.includes("2048 bits")));
  await made.close();
  return issued[0].serial;
}

async function profile_3_needs_the_right_certificate(serial) {
  const cert = readFileSync(file("good.crt"));
  const certKey = readFileSync(file("good.key"));
  const made = station("CP-1", { cert, certKey });
  await made.connect();
  assert.equal((await link("CP-1")).profile, 3);
  assert.ok((await made.call("Heartbeat", {})).currentTime);
  await made.close();
  assert.equal(await refused("another's name", station("CP-2", { cert, certKey })), 401);
  assert.match(await doctor(), /commonName/);
  openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2",
    "-keyout", file("self.key"), "-out", file("self.crt"), "-subj", "/CN=CP-1");
  assert.equal(await refused("self-signed", station("CP-1",
    { cert: readFileSync(file("self.crt")), certKey: readFileSync(file("self.key")) })), "tls");
  // What only profile 3 may do, only profile 3 does.
  assert.equal((await rest("PUT", "/stations/CP-1/security", { least_profile: 3 })).status, 200);
  assert.equal(await refused("key over TLS", station("CP-1", { secret: key })), 401);
  assert.equal(await refused("key without TLS", station("CP-1", { tls: false, secret: key })), 401);
  assert.match(await doctor(), /security profile/);
  const again = station("CP-1", { cert, certKey });
  await again.connect();
  const gone = new Promise((done) => again.once("disconnect", done));
  assert.equal((await rest("POST", "/stations/CP-1/certificates/revoke", { serial })).status, 204);
  await gone; // a link by a certificate that was taken back ends
  assert.equal(await refused("revoked", station("CP-1", { cert, certKey })), 401);
  assert.match(await doctor(), /revoked/);
  await rest("PUT", "/stations/CP-1/security", { least_profile: null });
}

// A05.FR.09, with the value the station was told.
async function told_profile_is_not_left_again() {
  const first = station("CP-1", { tls: false, secret: key });
  first.handle("ChangeConfiguration", () => ({ status: "Accepted" }));
  await first.connect();
  const { body } = await rest("PUT", "/stations/CP-1/configuration", { key: "SecurityProfile", value: "2" });
  await until("the answer", async () => (await rest("GET", `/commands/${body.command_id}`)).body.state === "answered");
  await first.close();
  // It could not: its fall-back must still be let in.
  const fallBack = station("CP-1", { tls: false, secret: key });
  await fallBack.connect();
  await fallBack.close();
  const second = station("CP-1", { secret: key });
  await second.connect();
  assert.deepEqual(await link("CP-1"), { least_profile: 2, profile: 2 });
  const { body: command } = await rest("GET", `/commands/${body.command_id}`);
  assert.equal(command.effect_state, "seen");
  await second.close();
  assert.equal(await refused("a step back", station("CP-1", { tls: false, secret: key })), 401);
}

// A01: the new key is sent, counts beside the old one until the answer, and alone after it.
async function key_is_changed() {
  const made = station("CP-1", { secret: key });
  let next;
  made.handle("ChangeConfiguration", ({ params }) => {
    assert.equal(params.key, "AuthorizationKey");
    next = params.value;
    return { status: "Accepted" };
  });
  await made.connect();
  const { status, body } = await rest("POST", "/stations/CP-1/key");
  assert.equal(status, 202);
  await until("the answer", async () => (await rest("GET", `/commands/${body.command_id}`)).body.state === "answered");
  assert.match(next, /^[0-9a-f]{40}$/);
  await made.close();
  assert.equal(await refused("the old key", station("CP-1", { secret: key })), 401);
  const bytes = station("CP-1", { secret: Buffer.from(next, "hex") });
  await bytes.connect(); // the twenty bytes themselves
  await bytes.close();
  const digits = station("CP-1", { secret: next });
  await digits.connect();
  await digits.close();
  const log = JSON.stringify((await rest("GET", "/stations/CP-1/log?limit=500")).body);
  const commands = JSON.stringify((await rest("GET", "/stations/CP-1/commands")).body);
  assert.ok(!log.includes(next) && !commands.includes(next), "the key is nowhere to be read");
  key = next;
}

async function pages_are_served_over_tls_as_well() {
  const status = await new Promise((done, fail) => https.get(
    { host: "localhost", family: 4, port: tlsPort, path: "/healthz", ca: root }, (answer) => done(answer.statusCode))
    .on("error", fail));
  assert.equal(status, 200);
}

try {
  await start();
  const login = await fetch(`http://127.0.0.1:${port}/api/v1/login`,
    { method: "POST", body: JSON.stringify({ user: "admin", password }) });
  cookie = login.headers.get("set-cookie").split(";")[0];
  csrf = (await login.json()).csrf;
  await profiles_1_and_2_are_told_apart();
  const serial = await certificate_is_signed_on_request();
  await profile_3_needs_the_right_certificate(serial);
  await told_profile_is_not_left_again();
  await key_is_changed();
  await pages_are_served_over_tls_as_well();
  const ended = new Promise((done) => server.once("exit", (code) => done(code)));
  server.kill("SIGTERM");
  assert.equal(await ended, 0);
} finally {
  server?.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
console.log("security: all as expected");
process.exit();
