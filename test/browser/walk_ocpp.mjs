// A person leads a real station through everything OCPP lets a central do, on the pages of a real central:
//   node walk_ocpp.mjs <pilotwire-central> <pilotwire-station> <pilotwire-sim> <chromium> <folder for screenshots>
// Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";
import { OwnStation } from "./own_station.mjs";

const [program, station, sim, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: walk_ocpp.mjs PILOTWIRE-CENTRAL PILOTWIRE-STATION PILOTWIRE-SIM CHROMIUM FOLDER");

const LIMIT_MS = 170_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const ID = "YARD-07";
const PASSWORD = "correct horse";
const CARD = "04A2B19C";
const HOSTILE = "<img src=x onerror=1"; // 20 characters: as long as a card may be
const began = Date.now();

function step(name) {
  console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
}

const tab = (page, name) => page.locator(".tabs").getByRole("link", { name, exact: true }).click();
const job = (page, action, phase) => page.locator(`.jobs li[data-action=${action}][data-phase=${phase}]`).first();

async function login(browser, page, password) {
  await browser.expecting(/401/, async () => {
    await page.goto(`${browser.url}/#/stations/${ID}`);
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.locator(".title .chip", { hasText: "Online" }).waitFor();
  });
}

async function commands(browser, page) {
  step("commands: empty at first; what is wrong stands at its field, before and after the central was asked");
  await tab(page, "Commands");
  const all = page.locator(".sender select").first();
  await page.getByText("No command yet").waitFor();
  await all.locator("optgroup option").first().waitFor({ state: "attached" });
  assert.equal(await all.locator("optgroup option").count(), 26);
  await all.selectOption("ChangeAvailability");
  await page.getByLabel("connectorId").fill("-1");
  await page.getByRole("button", { name: "Send ChangeAvailability" }).click();
  await page.locator("label.wrong", { hasText: "connectorId" }).getByText("must be a whole number from 0").waitFor();
  await page.locator("label.wrong", { hasText: "type" }).getByText("is required").waitFor();
  await browser.shot(page, "commands-wrong");
  await all.selectOption("ChangeConfiguration");
  await page.getByLabel("key", { exact: true }).fill("AuthorizationKey");
  await page.getByLabel("value", { exact: true }).fill("0123456789abcdef");
  await browser.expecting(/400/, async () => {
    await page.getByRole("button", { name: "Send ChangeConfiguration" }).click();
    await page.locator("label.wrong", { hasText: "key" }).getByText("cannot be changed this way").waitFor();
  });
  assert.equal(await page.locator(".sent").count(), 0, "a refused command was sent");

  step("commands: pending, answer and effect, live; an object and a list within a command");
  await all.selectOption("TriggerMessage");
  await page.getByLabel("requestedMessage").selectOption("Heartbeat");
  await page.getByRole("button", { name: "Send TriggerMessage" }).click();
  const sent = page.locator(".sent[data-action=TriggerMessage]");
  await sent.locator(".chip", { hasText: "Accepted" }).waitFor();
  await page.locator(".sent[data-action=TriggerMessage][data-effect=seen]").waitFor();
  await all.selectOption("GetConfiguration");
  await page.getByRole("button", { name: "Add to key" }).click();
  await page.getByLabel("Value").fill(HOSTILE);
  await page.getByRole("button", { name: "Send GetConfiguration" }).click();
  const read = page.locator(".sent[data-action=GetConfiguration]").first();
  await read.locator(".chip", { hasText: "Answered" }).waitFor();
  await read.locator("summary").click();
  await read.getByText(`"${HOSTILE}"`).first().waitFor();
  await all.selectOption("UnlockConnector");
  await page.getByLabel("connectorId").fill("9");
  await page.getByRole("button", { name: "Send UnlockConnector" }).click();
  await page.locator(".sent[data-action=UnlockConnector] .chip").waitFor();
  await all.selectOption("RemoteStartTransaction");
  await page.getByLabel("chargingProfile", { exact: true }).check();
  await page.getByLabel("startPeriod").waitFor();
  await browser.shot(page, "commands");
}

async function profiles(browser, page) {
  step("profiles: periods are checked, a profile counts at the station, the composite schedule is drawn, and it is cleared");
  await tab(page, "Profiles");
  await page.getByText("The station has taken no profile from here").waitFor();
  await page.getByLabel("Where").selectOption("2");
  await page.getByRole("button", { name: "Period", exact: true }).click();
  const second = page.locator(".periodform").nth(1);
  await second.getByLabel("From, h").fill("0:00");
  await second.getByLabel("At most, A").fill("much");
  await page.getByRole("button", { name: "Set the profile" }).click();
  await second.getByText("must be later than the one before").waitFor();
  await second.getByText("0 or more, at most one decimal").waitFor();
  await second.getByLabel("From, h").fill("2:30");
  await second.getByLabel("At most, A").fill("8.5");
  await page.locator(".periodform").first().getByLabel("At most, A").fill("13");
  await page.getByRole("button", { name: "Set the profile" }).click();
  await page.locator(".takenprofile", { hasText: "13 A from 0:00, 8.5 A from 2:30" }).waitFor();
  await page.locator(".composing select").first().selectOption("2");
  await page.getByRole("button", { name: "Ask the station" }).click();
  await page.locator(".composite canvas").first().waitFor();
  await page.locator(".composite", { hasText: "13 A from 0:00, 8.5 A from 2:" }).waitFor();
  await page.waitForTimeout(300);
  const inked = await page.locator(".composite canvas").first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0 ? 1 : 0;
    return count / (data.length / 4);
  });
  assert.ok(inked > 0.2, `the schedule covers ${(inked * 100).toFixed(1)} % of the plot`);
  await browser.shot(page, "profiles");
}

async function reservations(browser, page) {
  step("reservations: made for a card with a hostile name, the connector shows it, cancelled");
  await tab(page, "Reservations");
  await page.getByText("Nothing was ever reserved here").waitFor();
  await page.getByLabel("Until").fill("2020-01-01T00:00");
  await page.getByRole("button", { name: "Reserve", exact: true }).click();
  await page.getByText("must be in the future").waitFor();
  const soon = new Date(Date.now() + 3 * 3_600_000);
  const two = (n) => String(n).padStart(2, "0");
  await page.getByLabel("Until").fill(`${soon.getFullYear()}-${two(soon.getMonth() + 1)}-${two(soon.getDate())}T${two(soon.getHours())}:${two(soon.getMinutes())}`);
  await page.locator("aside form select").first().selectOption("2");
  await page.getByLabel("Card").fill(HOSTILE);
  await page.getByRole("button", { name: "Reserve", exact: true }).click();
  const row = page.locator("tr[data-reservation]").first();
  await row.locator(".chip", { hasText: "reserved" }).waitFor();
  assert.equal(await row.locator("code").textContent(), HOSTILE);
  assert.equal(await page.locator("img").count(), 0, "a card's name became an element");
  await browser.shot(page, "reservations");
  await tab(page, "Charging");
  await page.getByRole("region", { name: "Connector 2" }).locator(".chip", { hasText: "Reserved" }).waitFor();
}

async function cancel(page) {
  await tab(page, "Reservations");
  await page.locator("tr[data-reservation] button").click();
  await page.click("dialog .danger");
  await page.locator("tr[data-reservation] .chip", { hasText: "cancelled" }).waitFor();
}

async function list(browser, page) {
  step("local list: sent, its version told by the station itself, and following the cards");
  await tab(page, "Local list");
  await page.getByText("The station holds no entries").waitFor();
  await page.getByRole("button", { name: "Send what differs" }).click();
  await page.locator("tbody tr", { hasText: CARD }).waitFor();
  await page.locator("tbody tr", { hasText: HOSTILE }).waitFor();
  await page.getByRole("button", { name: "Ask the station" }).click();
  const version = (label) => page.locator(".fact").filter({ has: page.locator("dt", { hasText: new RegExp(`^${label}$`) }) }).locator("dd");
  await version("At the station").getByText(/told/).waitFor();
  const held = (await version("At the central").textContent()).trim();
  assert.match(await version("At the station").textContent(), new RegExp(`^${held} `));
  await page.getByLabel("Follows the cards by itself").check();
  await page.waitForFunction(() => document.querySelector(".follows input").checked);
  await browser.shot(page, "local-list");
}

async function configuration(browser, page) {
  step("configuration: read at once, changed and read back, refused in the station's word");
  await tab(page, "Configuration");
  const value = page.getByLabel("Value of HeartbeatInterval");
  await value.waitFor();
  await value.fill("120");
  await page.click("text=Save");
  await page.locator(".changes li", { hasText: "HeartbeatInterval" }).first().waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-label='Value of HeartbeatInterval']")?.value === "120");
  await page.locator("tr", { hasText: "NumberOfConnectors" }).getByText("read only").waitFor();
  await page.getByLabel("Key", { exact: true }).fill(HOSTILE);
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await job(page, "ChangeConfiguration", "refused").getByText("does not support").waitFor();
  await browser.shot(page, "ocpp-configuration");
}

async function files(browser, page, place) {
  step("files: a wrong address stands at its field; diagnostics are uploaded, with every status");
  await tab(page, "Files");
  await page.getByText("No file was moved yet").waitFor();
  await page.getByLabel("Upload to").fill("somewhere");
  await page.getByRole("button", { name: "Ask for it" }).click();
  await page.locator("label.wrong", { hasText: "Upload to" }).waitFor();
  await page.getByLabel("Upload to").fill(`${place.url}/<b>logs`);
  await page.getByRole("button", { name: "Ask for it" }).click();
  await page.locator(".filejob[data-kind=diagnostics] .chip", { hasText: /^Uploaded$/ }).waitFor({ timeout: 20_000 });
  await page.locator(".statuses li", { hasText: "Uploading" }).waitFor();
  assert.ok(place.bytes() > 0, "nothing arrived");
  await page.getByLabel("Program").fill(`${place.url}/missing.bin`);
  await page.getByRole("button", { name: "Update", exact: true }).click();
  await page.locator("label.wrong", { hasText: "Signature" }).waitFor();
  await page.getByLabel("Signed").uncheck();
  await page.getByRole("button", { name: "Update", exact: true }).click();
  await page.click("dialog .danger");
  await page.locator(".filejob[data-kind=firmware]").waitFor();
  await browser.shot(page, "files");
}

async function security(browser, page) {
  step("security: events the station told, our root installed and read back, its own certificate signed, a new key");
  await tab(page, "Security");
  await page.locator(".securityevents li", { hasText: "Startup of the device" }).first().waitFor();
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.locator(".certificates li", { hasText: "Root of the central system" }).waitFor();
  await page.getByRole("button", { name: "Renew its own" }).click();
  await page.locator(".certificates li .chip", { hasText: "taken" }).waitFor({ timeout: 20_000 });
  await page.getByRole("button", { name: "New key" }).click();
  await page.click("dialog .danger");
  await job(page, "ChangeConfiguration", "done").waitFor({ timeout: 20_000 });
  await page.getByLabel("It may not connect with less than").selectOption("1");
  await page.locator(".title .chip", { hasText: "Online" }).waitFor({ timeout: 20_000 });
  await browser.shot(page, "security");
}

async function own(browser, page, yard) {
  step("at the station's own page: until when it is reserved, the connection, the profile that counts, what is moved, and what is shown after a login only");
  await page.goto(`${yard.url}/#/`);
  await page.getByRole("region", { name: "Connector 2" }).getByText(/until \d{4}/).waitFor();
  await page.goto(`${yard.url}/#/central`);
  const part = (name) => page.getByRole("region", { name, exact: true });
  await part("Connection").getByText("Central system online").waitFor();
  await part("Connection").locator(".fact", { hasText: "Security profile" }).waitFor();
  await part("Reservations").getByText("Connector 2").waitFor();
  assert.match(await part("Reservations").textContent(), /card \*{16}or=1/, "a card is shown whole to everybody");
  await part("Known cards").getByText("Shown after a login").waitFor();
  await part("Security log").getByText("Shown after a login").waitFor();
  await part("Charging profiles").getByText("counts now").waitFor();
  await part("Charging profiles").getByText("13 A from 0:00, 8.5 A from 2:30").waitFor();
  await part("Update and diagnostics").getByText("Uploaded").waitFor();
  await page.getByRole("button", { name: "Log in" }).click();
  await page.fill("input[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await part("Reservations").getByText(HOSTILE).waitFor();
  assert.equal(await page.locator("img").count(), 0, "a card's name became an element");
  await part("Known cards").getByText("Local list: 2 cards, version 1").waitFor();
  await part("Security log").locator("li", { hasText: "Startup of the device" }).first().waitFor();
  await part("Security log").getByRole("button", { name: "Check the chain" }).click();
  await part("Security log").locator(".chip", { hasText: "Chain whole" }).waitFor();
  await part("Security log").getByText(/^4 of 4 records checked/).waitFor();
  await browser.shot(page, "own-central");
  await page.context().close();
}

async function ownLooks(browser, yard) {
  step("the station's own page, dark and on a telephone");
  for (const size of ["dark", "phone", "phone-dark"]) {
    const page = await browser.page(size);
    await page.goto(`${yard.url}/#/central`);
    await page.getByText("counts now").waitFor();
    await browser.shot(page, `own-central-${size}`);
    await page.context().close();
  }
}

async function look(browser, size, storage) {
  step(`the same pages, ${size}`);
  const page = await browser.page(size, storage);
  const ready = { commands: ".sent", profiles: ".composite canvas", reservations: "tr[data-reservation]", list: "tbody tr", configuration: "tbody tr", files: ".filejob", security: ".certificates li" };
  for (const [name, what] of Object.entries(ready)) {
    await page.goto(`${browser.url}/#/stations/${ID}/${name}`);
    await page.locator(what).first().waitFor();
    await page.waitForTimeout(300);
    await browser.shot(page, `ocpp-${name}-${size}`);
  }
  await page.context().close();
}

async function away(browser, page, yard) {
  step("the station goes: its pages keep what is known, and say why nothing can be sent");
  await page.goto(`${browser.url}/#/stations/${ID}/profiles`);
  await yard.stopStation();
  await page.locator(".title .chip", { hasText: "Offline" }).waitFor({ timeout: 20_000 });
  await page.locator(".takenprofile").waitFor();
  assert.equal(await page.getByRole("button", { name: "Set the profile" }).getAttribute("title"), "the station is offline");
  await browser.shot(page, "ocpp-offline");
}

async function clear(page) {
  await page.goto(page.url());
  await tab(page, "Profiles");
  await page.locator(".takenprofile button").first().click();
  await page.getByText("The station has taken no profile from here").waitFor();
}

// Where the station uploads to.
async function startPlace() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk) => (bytes += chunk.length));
    request.on("end", () => {
      response.statusCode = request.method === "GET" ? 404 : 201;
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, bytes: () => bytes, stop: () => server.close() };
}

async function walk(browser, central, yard, place) {
  const page = await browser.page("wide");
  await login(browser, page, central.password);
  await commands(browser, page);
  await profiles(browser, page);
  await reservations(browser, page);
  await list(browser, page);
  await configuration(browser, page);
  await files(browser, page, place);
  await security(browser, page);
  await own(browser, await browser.page("wide"), yard);
  await ownLooks(browser, yard);
  const storage = await page.context().storageState();
  for (const size of ["dark", "phone", "phone-dark"]) await look(browser, size, storage);
  await cancel(page);
  await away(browser, page, yard);
  await yard.start();
  await page.locator(".title .chip", { hasText: "Online" }).waitFor({ timeout: 20_000 });
  await clear(page);
}

mkdirSync(folder, { recursive: true });
const data = mkdtempSync(join(tmpdir(), "pilotwire-ocpp-"));
const centralData = join(data, "central");
const run = (...words) => execFileSync(program, ["--data", centralData, ...words], { encoding: "utf8" }).trim();
run("ca", "init", "Example Operator");
const key = run("station", "add", ID);
run("card", "add", CARD, "Delivery scooter 3");
run("card", "add", HOSTILE);
const central = await startCentral(program, centralData);
const place = await startPlace();
const yard = await new OwnStation({ station, sim }, data, PASSWORD, { ocpp: { url: `${central.url.replace(/^http/, "ws")}/ocpp`, key } }).start();
const browser = await Browser.open(chromium, central.url, folder);
browser.ours.push(yard.url);
try {
  await walk(browser, central, yard, place);
  assert.deepEqual(browser.findings, []);
  console.log(`passed; screenshots in ${folder}`);
} catch (error) {
  for (const page of browser.browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: `${folder}/ocpp-failed.png`, fullPage: true }).catch(() => {});
  }
  console.error(error.stack);
  console.error(browser.findings.join("\n"));
  console.error(yard.station.log.split("\n").slice(-15).join("\n"));
  console.error(central.log().split("\n").slice(-15).join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
  await yard.stop();
  await central.stop();
  place.stop();
  rmSync(data, { recursive: true, force: true });
}
