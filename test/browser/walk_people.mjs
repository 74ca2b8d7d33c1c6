// Who may do what, as people see it: an admin adds a viewer, the viewer sees no button that changes something,
// changes the own password, is made an operator. Then everything a station, a card or a stranger can put into the
// dashboard is code (T40 of facts/reliability.md): it is shown as text, on every page, and nothing of it runs.
//   node walk_people.mjs <pilotwire-central> <chromium> <folder for screenshots>
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";

const [program, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: walk_people.mjs PILOTWIRE-CENTRAL CHROMIUM FOLDER");

const LIMIT_MS = 100_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const began = Date.now();
const step = (name) => console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

const PLACES = ["#/", "#/sessions", "#/sessions/1", "#/cards", "#/groups", "#/refused", "#/firmware",
  ...["", "/commands", "/profiles", "/reservations", "/list", "/configuration", "/files", "/security", "/log", "/lines"].map((tab) => `#/stations/EVIL${tab}`)];
const SEES = /^(Export|Copy|Download|Show more|Both ways|From station|To station|Pause|[0-9]+ (min|h)$|[0-9]{2}:[0-9]{2}:[0-9]{2})/;

async function login(browser, page, user, password) {
  await browser.expecting(/401/, async () => {
    await page.goto(`${browser.url}/`);
    await page.fill("input[name=user]", user);
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Stations" }).first().waitFor();
  });
}

// What a station says over OCPP, each text masked as RFC 6455 wants it.
async function station(central, id, key, calls) {
  const socket = net.connect(central.port, "127.0.0.1");
  const basic = Buffer.from(`${id}:${key}`).toString("base64");
  socket.write(`GET /ocpp/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n`
    + `Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic ${basic}\r\n\r\n`);
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
  const until = async (text) => {
    for (let i = 0; i < 250 && !heard.includes(text); i++) await new Promise((done) => setTimeout(done, 20));
    assert.ok(heard.includes(text), `${text} in ${heard}`);
  };
  await until("101");
  for (const [n, [action, payload]] of calls.entries()) {
    const text = Buffer.from(JSON.stringify([2, `m${n}`, action, payload]));
    const mask = randomBytes(4);
    const head = Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255]);
    socket.write(Buffer.concat([head, mask, text.map((byte, i) => byte ^ mask[i % 4])]));
    await until(`[3,"m${n}"`);
  }
  return socket;
}

async function people(browser, page) {
  step("the admin adds a viewer, whose password is shown once");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("button", { name: "Add a person" }).click();
  await page.fill("dialog input[name=name]", "vera");
  await page.locator("dialog button.primary").click();
  const password = await page.locator("dialog .copytext code").textContent();
  assert.match(password, /^[a-z0-9]{20}$/);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("cell", { name: "vera" }).waitFor();
  await browser.expecting(/409/, async () => {
    await page.getByLabel("Role of admin").selectOption("viewer");
    await page.getByText("is the last admin").waitFor();
  });
  step("a new password is asked about first; refused, the old one goes on to work");
  await page.getByRole("row", { name: "vera" }).getByRole("button", { name: "New password" }).click();
  await page.getByText("A new password for vera?").waitFor();
  await page.locator("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.screenshot({ path: join(browser.folder, "people.png") });
  return password;
}

async function viewer(browser, page, password) {
  step("the viewer sees everything and no button that changes something");
  await login(browser, page, "vera", password);
  for (const [place, button] of [["Stations", "Add a station"], ["Cards", "Add a card"], ["Load", "New load group"]]) {
    await page.getByRole("link", { name: place, exact: true }).first().click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.getByRole("button", { name: button }).count(), 0, button);
    assert.equal(await page.getByRole("link", { name: button }).count(), 0, button);
  }
  assert.equal(await page.getByRole("link", { name: "People" }).count(), 0);
  await page.goto(`${browser.url}/#/new-rollout/1`);
  await page.getByText("Only an admin may begin a roll-out.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Begin" }).count(), 0);
  const refused = await browser.expecting(/403/, () => page.evaluate(async () => {
    const { csrf } = await (await fetch("/api/v1/me")).json();
    return (await fetch("/api/v1/cards/X", { method: "PUT", headers: { "X-CSRF": csrf }, body: "{}" })).status;
  }));
  assert.equal(refused, 403);
  step("and changes the own password");
  await page.getByRole("link", { name: "Your account" }).click();
  await browser.expecting(/403/, async () => {
    await page.fill("input[name=old]", "not the old one");
    await page.fill("input[name=new]", "a longer one than that");
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByText("the old password is wrong").waitFor();
  });
  await page.fill("input[name=old]", password);
  await page.fill("input[name=new]", "a longer one than that");
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByText("Your password is changed.").waitFor();
}

async function evil(browser, page, central) {
  step("a station, cards and strangers whose every text is code");
  const key = await page.evaluate(async (text) => {
    const { csrf } = await (await fetch("/api/v1/me")).json();
    const send = (method, path, body) =>
      fetch(`/api/v1${path}`, { method, headers: { "X-CSRF": csrf }, body: JSON.stringify(body) });
    await send("PUT", "/cards/EVIL", { name: text.slice(0, 64), parent: "<b>p</b>" });
    await send("PUT", `/cards/${encodeURIComponent("'--<script>")}`, { name: "</td><script>" });
    return (await (await send("POST", "/stations", { id: "EVIL" })).json()).key;
  }, EVIL);
  const cut = (length) => EVIL.slice(0, length);
  const socket = await station(central, "EVIL", key, [
    ["BootNotification", { chargePointVendor: cut(20), chargePointModel: "<script>hacked=1//", chargePointSerialNumber: cut(25),
      firmwareVersion: cut(50), iccid: "'--", meterType: "<svg onload=a>" }],
    ["StatusNotification", { connectorId: 1, errorCode: "OtherError", status: "Faulted", info: cut(50), vendorErrorCode: cut(50) }],
    ["Authorize", { idTag: "<script>alert(1)//" }],
    ["StartTransaction", { connectorId: 1, idTag: "<img src=x onerror>", meterStart: 1, timestamp: new Date().toISOString() }],
    ["DataTransfer", { vendorId: cut(80), messageId: cut(50), data: EVIL }],
    ["StopTransaction", { transactionId: 1, meterStop: 2, timestamp: new Date().toISOString(), reason: "Other" }],
    ["DataTransfer", { vendorId: "x", messageId: "UpdateFailed", data: JSON.stringify({ why: EVIL }) }],
    ["FirmwareStatusNotification", { status: "InstallationFailed" }],
    ["SecurityEventNotification", { type: cut(50), timestamp: new Date().toISOString(), techInfo: EVIL }],
  ]);
  for (const id of ["%3Cscript%3Ehacked%3D1%3C%2Fscript%3E", "..%2F..%2Fx", "%1b%5B31m"]) {
    await new Promise((done) => {
      const knock = net.connect(central.port, "127.0.0.1");
      knock.write(`GET /ocpp/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n");
      knock.on("data", () => {}).on("close", done);
    });
  }
  for (const place of [...PLACES, "#/people"]) {
    await page.goto(`${browser.url}/${place}`);
    await page.getByRole("heading").first().waitFor();
    await page.waitForTimeout(150);
    assert.equal(await page.evaluate(() => window.hacked), undefined, place);
    assert.equal(await page.locator("main img, main script, main svg[onload]").count(), 0, place);
  }
  await page.goto(`${browser.url}/#/cards`);
  await page.getByText("<img src=x").first().waitFor(); // as text
  await page.goto(`${browser.url}/#/stations/EVIL/files`);
  await page.getByText(`InstallationFailed: ${EVIL}`).waitFor();
  await page.screenshot({ path: join(browser.folder, "update-failed-why.png") });
  console.log(`${PLACES.length + 1} pages`);
  return socket;
}

// What a viewer finds on the pages: nothing that only answers 403.
async function looks(browser, page) {
  step("the viewer finds no form, nothing that changes something, and asks for nothing but to see");
  const asked = [];
  const others = [];
  page.on("request", (request) => request.method() !== "GET" && asked.push(`${request.method()} ${request.url()}`));
  for (const place of [...PLACES, "#/new-group", "#/people"]) {
    await page.goto(`${browser.url}/${place}`);
    await page.getByRole("heading").first().waitFor();
    await page.waitForTimeout(150);
    assert.equal(await page.locator("main form").count(), 0, place);
    for (const name of await page.locator("main").getByRole("button").allInnerTexts()) if (!SEES.test(name.trim())) others.push(`${place}: ${name}`);
    if (place.endsWith("/commands") || place.endsWith("/security")) await browser.shot(page, `viewer-${place.split("/").pop()}`);
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${browser.url}/#/stations/EVIL/configuration`);
  await page.waitForTimeout(150);
  await browser.shot(page, "viewer-configuration-dark");
  assert.deepEqual(asked, []);
  assert.deepEqual(others, []);
}

const data = mkdtempSync(join(tmpdir(), "pilotwire-people-"));
mkdirSync(folder, { recursive: true });
const central = await startCentral(program, data);
const browser = await Browser.open(chromium, central.url, folder);
try {
  const page = await browser.page("wide");
  await login(browser, page, "admin", central.password);
  const password = await people(browser, page);
  const second = await browser.page("wide");
  await viewer(browser, second, password);
  const socket = await evil(browser, page, central);
  await looks(browser, second);
  socket.destroy();
  assert.deepEqual(browser.findings, []);
} catch (error) {
  console.error(central.log().split("\n").slice(-20).join("\n"));
  throw error;
} finally {
  await browser.browser.close();
  await central.stop();
  rmSync(data, { recursive: true, force: true });
}
console.log("passed");
