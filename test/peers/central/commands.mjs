// Every command of OCPP 1.6 and its security extensions, given on the command line, to ocpp-rpc as
// a strict charge point: each request and each answer is held against the official schemas, and
// the effect is seen.
//   node commands.mjs <pilotwire-central> <pilotwire>
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RPCClient } from "ocpp-rpc";

const [program, tool] = process.argv.slice(2);
const data = mkdtempSync(join(tmpdir(), "pilotwire-commands-"));
const run = (...words) => execFileSync(program, ["--data", data, ...words], { encoding: "utf8" }).trim();

setTimeout(() => {
  console.error("not done within 90 s");
  process.exit(1);
}, 90000).unref();

const key = run("station", "add", "CP-1");
run("card", "add", "CARD-1");
const server = spawn(program, ["--data", data, "--listen", "127.0.0.1:0", "--link-listen", "off"]);
server.stderr.pipe(process.stderr);
let port;
let password;
for await (const line of createInterface({ input: server.stdout })) {
  password = /with the password (\S+)/.exec(line)?.[1] ?? password;
  port = /^Stations:\s+ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
  if (port) break;
}

// What the command line says and its exit status; this process goes on being the station.
const cli = (...words) => new Promise((done) => execFile(tool,
  ["--central", `http://127.0.0.1:${port}`, ...words], { env: { ...process.env, PILOTWIRE_PASSWORD: password } },
  (error, stdout, stderr) => done({ status: error?.code ?? 0, stdout, stderr })));

const station = new RPCClient({ endpoint: `ws://127.0.0.1:${port}/ocpp`, identity: "CP-1", password: key,
  protocols: ["ocpp1.6"], strictMode: true, reconnect: false });
station.on("strictValidationFailure", (failure) => {
  console.error("not as the schema has it:", failure.error?.message);
  process.exitCode = 1;
});

const now = () => new Date().toISOString();
const schedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.5, numberPhases: 3 }] };
const profile = { chargingProfileId: 5, stackLevel: 0, chargingProfilePurpose: "TxDefaultProfile",
  chargingProfileKind: "Absolute", chargingSchedule: { ...schedule, startSchedule: now() } };
const hash = { hashAlgorithm: "SHA256", issuerNameHash: "aa", issuerKeyHash: "bb", serialNumber: "07" };
const ok = { status: "Accepted" };
let transaction;

// Action, payload, the station's answer, what it then does.
const rows = [
  ["CancelReservation", { reservationId: 3 }, { status: "Rejected" }, null, 3],
  ["CertificateSigned", { certificateChain: "-----BEGIN CERTIFICATE-----\n" }, ok],
  ["ChangeAvailability", { connectorId: 1, type: "Inoperative" }, ok,
    () => station.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Unavailable" })],
  ["ChangeConfiguration", { key: "HeartbeatInterval", value: "60" }, ok],
  ["ClearCache", {}, ok],
  ["SetChargingProfile", { connectorId: 1, csChargingProfiles: profile }, ok],
  ["GetCompositeSchedule", { connectorId: 1, duration: 600, chargingRateUnit: "A" },
    { ...ok, connectorId: 1, scheduleStart: now(), chargingSchedule: schedule }],
  ["ClearChargingProfile", { id: 5 }, ok],
  ["DataTransfer", { vendorId: "V", messageId: "M", data: "é" }, ok],
  ["DeleteCertificate", { certificateHashData: hash }, ok],
  ["ExtendedTriggerMessage", { requestedMessage: "Heartbeat" }, ok, () => station.call("Heartbeat", {})],
  ["GetConfiguration", { key: ["HeartbeatInterval"] },
    { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "60" }] }],
  ["GetDiagnostics", { location: "ftp://example.com/x" }, { fileName: "d.txt" },
    async () => {
      await station.call("DiagnosticsStatusNotification", { status: "Uploading" });
      await station.call("DiagnosticsStatusNotification", { status: "Uploaded" });
    }],
  ["GetInstalledCertificateIds", { certificateType: "CentralSystemRootCertificate" },
    { ...ok, certificateHashData: [hash] }],
  ["GetLocalListVersion", {}, { listVersion: 0 }],
  ["GetLog", { log: { remoteLocation: "https://example.com/x" }, logType: "SecurityLog", requestId: 40 },
    { ...ok, filename: "s.log" }, () => station.call("LogStatusNotification", { status: "Uploaded", requestId: 40 })],
  ["InstallCertificate", { certificateType: "CentralSystemRootCertificate", certificate: "PEM" }, ok],
  ["RemoteStartTransaction", { connectorId: 1, idTag: "CARD-1",
    chargingProfile: { ...profile, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" } }, ok,
    async () => {
      const started = await station.call("StartTransaction", { connectorId: 1, idTag: "CARD-1", meterStart: 0, timestamp: now() });
      transaction = started.transactionId;
    }],
  ["RemoteStopTransaction", () => ({ transactionId: transaction }), ok,
    () => station.call("StopTransaction", { transactionId: transaction, meterStop: 9, timestamp: now(), reason: "Remote" })],
  ["ReserveNow", { connectorId: 0, expiryDate: "2037-01-01T00:00:00Z", idTag: "CARD-1", reservationId: 8 }, ok,
    () => station.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Reserved" })],
  ["Reset", { type: "Soft" }, ok,
    () => station.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" })],
  ["SendLocalList", { listVersion: 1, updateType: "Full",
    localAuthorizationList: [{ idTag: "CARD-1", idTagInfo: { status: "Accepted" } }] }, ok],
  ["SignedUpdateFirmware", { requestId: 41, firmware: { location: "https://example.com/f", retrieveDateTime: now(),
    signingCertificate: "C", signature: "S" } }, ok,
    () => station.call("SignedFirmwareStatusNotification", { status: "InvalidSignature", requestId: 41 })],
  ["TriggerMessage", { requestedMessage: "StatusNotification", connectorId: 1 }, ok,
    () => station.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" })],
  ["UnlockConnector", { connectorId: 1 }, { status: "Unlocked" }],
  ["UpdateFirmware", { location: "https://example.com/f", retrieveDate: now() }, {},
    async () => {
      for (const status of ["Downloading", "Downloaded", "Installing", "Installed"]) {
        await station.call("FirmwareStatusNotification", { status });
      }
    }],
];

let row;
const asked = [];
for (const [action, , answer] of rows) {
  station.handle(action, ({ params }) => {
    asked.push([action, params]);
    // What the central asks by itself, to read something back, is answered as well.
    return row?.[0] === action ? row[2] : answer;
  });
}

try {
  await station.connect();
  await station.call("SecurityEventNotification", { type: "StartupOfTheDevice", timestamp: now() });
  const offered = (await cli("--tsv", "actions")).stdout.trim().split("\n").slice(1).map((line) => line.split("\t")[0]);
  assert.deepEqual([...offered].sort(), rows.map(([action]) => action).sort(), "all commands, and no other");
  for (row of rows) {
    const [action, payload, , then, status = 0] = row;
    const params = typeof payload === "function" ? payload() : payload;
    const got = await cli("send", "CP-1", action, JSON.stringify(params));
    assert.equal(got.status, status, `${action}: ${got.stderr}`);
    assert.deepEqual(asked.findLast(([name]) => name === action)[1], params);
    await then?.();
  }
  const commands = JSON.parse((await cli("--json", "commands", "CP-1", "--limit", "100")).stdout).commands;
  const effect = (action) => commands.find((command) => command.action === action && command.origin === "people");
  for (const [action, , , then] of rows) {
    // A signature that is none was seen as well, and is a failure.
    const state = action === "SignedUpdateFirmware" ? "failed" : "seen";
    if (then) assert.equal(effect(action).effect_state, state, `${action}: ${JSON.stringify(effect(action))}`);
  }
  assert.equal(effect("UpdateFirmware").effect, "Downloading, Downloaded, Installing, Installed");
  assert.equal(effect("RemoteStopTransaction").effect, `transaction ${transaction} stopped: Remote`);
  assert.equal(effect("ChangeConfiguration").effect, "read back: 60");
  const refused = await cli("send", "CP-1", "UnlockConnector", '{"connectorId":0}');
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /connectorId/);

  // The words that go beside the raw ones.
  const says = async (pattern, ...words) => {
    const got = await cli(...words);
    assert.equal(got.status, 0, `${words.join(" ")}: ${got.stderr}`);
    assert.match(got.stdout, pattern, words.join(" "));
  };
  await says(/HeartbeatInterval\t60\tfalse/, "--tsv", "configuration", "CP-1");
  await says(/Accepted/, "local-list", "CP-1", "full");
  await says(/nothing to send/, "local-list", "CP-1", "sync");
  await says(/CARD-1\tAccepted/, "--tsv", "local-list", "CP-1");
  await says(/Accepted/, "reserve", "CP-1", "1", "2037-01-01T00:00:00Z", "--card", "CARD-1");
  await says(/9\t1\tCARD-1\t\t2037[^\t]*\treserved/, "--tsv", "reservations", "CP-1");
  row = ["CancelReservation", {}, ok];
  await says(/Accepted/, "unreserve", "CP-1", "9");
  await says(/TxDefaultProfile|profile/, "profiles", "CP-1");
  await says(/Accepted/, "clear-profiles", "CP-1");
  await says(/answered/, "firmware", "CP-1", "https://example.com/g");
  await says(/Accepted|answered/, "diagnostics", "CP-1", "https://example.com/u", "DiagnosticsLog");
  await says(/Installed/, "files", "CP-1");
  await says(/StartupOfTheDevice/, "security-events");
  await says(/serial/, "certificates", "CP-1");
  await says(/Accepted/, "renew", "CP-1");

  // Cards: what is not said anew stays. Roots and signed programs come from files.
  await says(/^$/, "accept", "CARD-2", "Two words");
  await says(/^$/, "block", "CARD-2");
  await says(/CARD-2\tBlocked\t\t\tTwo words/, "--tsv", "cards");
  await says(/^$/, "forget", "CARD-2");
  assert.equal((await cli("forget", "CARD-2")).status, 3);
  writeFileSync(join(data, "root.pem"), "-----BEGIN CERTIFICATE-----\n");
  writeFileSync(join(data, "signature"), Buffer.from([0x30, 0xff]));
  await says(/Accepted/, "trust", "CP-1", "maker", join(data, "root.pem"));
  assert.equal((await cli("trust", "CP-1", "maker")).status, 2);
  await says(/Accepted/, "firmware", "CP-1", "https://example.com/h", "--certificate", join(data, "root.pem"),
    "--signature", join(data, "signature"));
  const [, { firmware }] = asked.findLast(([name]) => name === "SignedUpdateFirmware");
  assert.deepEqual([firmware.signingCertificate, firmware.signature], ["-----BEGIN CERTIFICATE-----\n", "MP8="]);
  assert.equal((await cli("firmware", "CP-1", "https://example.com/h", "--signature", "x")).status, 2);

  // Answers beside the status, and a key that nobody knows.
  await says(/^listVersion\t\d+$/m, "--tsv", "send", "CP-1", "GetLocalListVersion");
  row = ["GetConfiguration", {}, { unknownKey: ["Nope"] }];
  const nope = await cli("get", "CP-1", "Nope");
  assert.deepEqual([nope.status, nope.stdout], [3, ""]);
  assert.equal((await cli("send", "CP-1", "Reset", "{type")).status, 2);
  const warm = await cli("send", "CP-1", "Reset", '{"type":"Warm"}');
  assert.match(warm.stderr, /"Warm" is none of Hard, Soft/);
  await station.close();
  const ended = new Promise((done) => server.once("exit", (code) => done(code)));
  server.kill("SIGTERM");
  assert.equal(await ended, 0);
} finally {
  server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
console.log("commands: all as expected");
process.exit();
