// A person's walk through the dashboard of a real central, with a station of another make:
//   node walk.mjs <pilotwire-central> <chromium> <folder for screenshots>
// Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";
import { knock, PlayedStation } from "./station.mjs";

const [program, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: walk.mjs PILOTWIRE-CENTRAL CHROMIUM FOLDER");

const LIMIT_MS = 150_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const ID = "YARD-01";
const CHARGE_AGE_MS = 25 * 60_000;

const began = Date.now();

function step(name) {
  console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
}

async function login(browser, page, password) {
  step("login: a wrong password is refused in words, the right one lets in, by keyboard alone");
  await browser.expecting(/401/, async () => {
    await page.goto(`${browser.url}/`);
    await page.waitForSelector("input[name=password]:focus");
    await browser.shot(page, "login");
    await page.keyboard.type("not the password");
    await page.keyboard.press("Enter");
    await page.waitForSelector("form [role=alert]");
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".kpis");
  });
  assert.equal(await page.locator(".link.live").count(), 1, "the page is not live after the login");
}

// The way a first station comes in: nothing there, it knocks, the doctor shows it, it gets a key.
async function addStation(browser, page) {
  step("an empty central says what to do next; the connection doctor adds who was refused");
  await page.getByText("No station yet").waitFor();
  await browser.shot(page, "overview-empty");
  await knock(browser.url, ID);
  await page.click("nav >> text=Doctor");
  await page.locator(".refusals li", { hasText: ID }).waitFor();
  await browser.shot(page, "doctor");
  await page.click("text=Add station");
  await page.waitForSelector("dialog input:focus");
  await page.keyboard.press("Enter");
  await page.getByText(`Enter this in ${ID}`).waitFor();
  const key = await page.locator(".secrets code").nth(1).textContent();
  await browser.shot(page, "doctor-key");
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  return key;
}

async function addCard(browser, page, station) {
  step("an unknown card that was presented becomes a card with one click");
  assert.equal(await station.authorize("04A2B19C"), "Invalid");
  await page.click("nav >> text=Cards");
  await page.getByText("Presented, but not known").waitFor();
  await page.locator(".unknown button").click();
  await page.fill("input[name=name]", "Delivery scooter 3");
  await browser.shot(page, "cards-add");
  await page.click("dialog .primary");
  await page.locator("table >> text=Delivery scooter 3").waitFor();
  await page.locator(".unknown").waitFor({ state: "detached" });
  assert.equal(await station.authorize("04A2B19C"), "Accepted");
  await browser.shot(page, "cards");
}

async function overview(browser, page) {
  step("overview: the running charge, live");
  await page.click("nav >> text=Stations");
  const line = page.locator(".line").first();
  await line.locator("text=Charging").waitFor();
  await line.locator("text=NX-100 Classic").waitFor();
  const soc = () => line.locator(".soc b").textContent();
  assert.match(await soc(), /^\d+ %$/);
  const energy = page.locator(".kpi", { hasText: "Energy today" }).locator(".num");
  const before = await energy.textContent();
  await page.waitForFunction(
    (old) => [...document.querySelectorAll(".kpi")].find((k) => k.textContent.includes("Energy today"))?.querySelector(".num")?.textContent !== old,
    before,
  );
  await browser.shot(page, "overview");
}

const job = (page, action) => page.locator(`.jobs li[data-action=${action}]`).first();

async function finished(page, action, phase) {
  await page.waitForSelector(`.jobs li[data-action=${action}][data-phase=${phase}]`);
  return job(page, action).textContent();
}

async function stationPage(browser, page) {
  step("station: figures and a plot that is not empty");
  await page.locator(".line").first().click();
  await page.locator(".connector.live .ring").waitFor();
  await page.locator(".canvas canvas").nth(1).waitFor();
  await page.waitForTimeout(1500);
  const inked = await page.locator(".canvas canvas").first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0 ? 1 : 0;
    return count / (data.length / 4);
  });
  assert.ok(inked > 0.2, `the filled curve of power covers ${(inked * 100).toFixed(1)} % of the plot`);
  await browser.shot(page, "station");
}

async function stopAndStart(browser, page) {
  step("stop and start: asked, answered, seen");
  await page.click("text=Stop charging");
  assert.match(await finished(page, "RemoteStopTransaction", "done"), /the charge has ended/);
  await page.locator(".connector.idle").nth(1).waitFor();
  await browser.shot(page, "station-stopped");
  await page.locator(".connector").first().getByText("Start charging").click();
  await page.locator("dialog option", { hasText: "Delivery scooter 3" }).waitFor({ state: "attached" });
  await browser.shot(page, "station-start");
  await page.click("dialog .primary");
  assert.match(await finished(page, "RemoteStartTransaction", "done"), /charge \d+ began on connector 1/);
  await page.locator(".connector.live").waitFor();
}

async function otherActions(browser, page) {
  step("other requests: dangerous ones ask first, errors and refusals are shown, disabled ones say why");
  const second = page.locator(".connector").nth(1);
  await second.getByText("Unlock").click();
  await page.click("dialog >> text=Cancel");
  assert.equal(await job(page, "UnlockConnector").count(), 0, "asked although cancelled");
  await second.getByText("Unlock").click();
  await page.click("dialog .danger");
  assert.match(await finished(page, "UnlockConnector", "failed"), /NotSupported/);
  await second.getByRole("button", { name: "Out of service", exact: true }).click();
  await page.click("dialog .danger");
  assert.match(await finished(page, "ChangeAvailability", "done"), /out of service/);
  await second.getByText("Put in service").waitFor();
  await second.getByText("the connector is out of service").first().waitFor();
  await browser.shot(page, "station-requests");
  await second.getByText("Put in service").click();
  await second.getByRole("button", { name: "Out of service", exact: true }).waitFor();
  const first = page.locator(".connector").first();
  assert.equal(await first.getByRole("button", { name: "Unlock" }).getAttribute("title"), "stop the charge first");
  await page.click("text=Soft restart");
  await page.click("dialog .danger");
  assert.match(await finished(page, "Reset", "done"), /restarted/);
}

async function log(browser, page) {
  step("log: paired, filtered, live, paused, exported");
  await page.click(".tabs >> text=OCPP log");
  const rows = page.locator(".exchange");
  await rows.first().waitFor();
  assert.equal(await rows.filter({ hasText: "MeterValues" }).count(), 0, "chatter is not hidden");
  const failed = page.locator(".exchange.failed", { hasText: "UnlockConnector" });
  await failed.getByRole("button").first().click();
  await failed.getByText("this connector has no lock").waitFor();
  await browser.shot(page, "log");
  await page.uncheck("text=Hide routine messages");
  await rows.filter({ hasText: "MeterValues" }).first().waitFor();
  await page.click("text=Pause");
  const newest = await rows.first().textContent();
  await page.getByText(/Go on \(\d+ new\)/).waitFor();
  assert.equal(await rows.first().textContent(), newest, "the list moved while paused");
  await page.click("text=Go on");
  await page.selectOption("select", "RemoteStartTransaction");
  assert.equal(await rows.count(), 1);
  assert.match(await rows.first().textContent(), /Accepted.*ms/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export")]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((l) => [l.kind, l.direction]), [["call", "out"], ["result", "in"]]);
}

async function configuration(browser, page) {
  step("configuration: read from the station, changed, read back");
  await page.click(".tabs >> text=Configuration");
  const value = page.getByLabel("Value of HeartbeatInterval");
  await value.waitFor();
  await value.fill("120");
  await page.click("text=Save");
  await finished(page, "ChangeConfiguration", "done");
  await page.waitForFunction(() => document.querySelector("[aria-label='Value of HeartbeatInterval']")?.value === "120");

  step("configuration: what counts only after a start says so until then");
  await page.getByLabel("Value of ConnectionTimeOut").fill("90");
  await page.click("text=Save");
  await page.locator("tr", { hasText: "ConnectionTimeOut" }).getByText("Reboot required").waitFor();
  await browser.shot(page, "configuration");
  await page.getByRole("button", { name: "Soft restart" }).click();
  await page.click("dialog .danger");
  await page.locator("tr", { hasText: "ConnectionTimeOut" }).getByText("Reboot required").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelector("[aria-label='Value of ConnectionTimeOut']")?.value === "90");
}

async function sessions(browser, page) {
  step("sessions: list, CSV, detail with curve and reason");
  await page.click("nav >> text=Sessions");
  const rows = page.locator("tbody tr");
  await rows.nth(1).waitFor();
  await browser.shot(page, "sessions");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export CSV")]);
  const csv = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  assert.equal(csv.length, 3);
  assert.match(csv[2], /04A2B19C,.*Remote/);
  await rows.nth(1).locator("a").click();
  await page.getByText("It was stopped from here.").waitFor();
  await page.locator(".canvas canvas").nth(1).waitFor();
  await browser.shot(page, "session");
}

async function look(browser, size, storage) {
  step(`the same pages, ${size}`);
  const page = await browser.page(size, storage);
  const places = { overview: "", station: `stations/${ID}`, log: `stations/${ID}/log`, configuration: `stations/${ID}/configuration`, sessions: "sessions", session: "sessions/1", cards: "cards", doctor: "refused" };
  for (const [name, hash] of Object.entries(places)) {
    await page.goto(`${browser.url}/#/${hash}`);
    await page.waitForSelector("main h1");
    await page.waitForTimeout(name === "configuration" || name === "station" ? 900 : 400);
    await browser.shot(page, `${name}-${size}`);
  }
  await page.context().close();
}

async function lost(browser, page, central, data) {
  const { password } = central;
  step("the network goes away and comes back: the page says so and catches up by itself");
  await page.goto(`${browser.url}/#/stations/${ID}`);
  await page.locator(".connector.live").waitFor();
  await browser.expecting(/ERR_|Failed to load/, async () => {
    await page.context().setOffline(true);
    await page.getByText("Connection to the central lost.").waitFor();
    await browser.shot(page, "lost");
    await page.context().setOffline(false);
    await page.locator(".link.live").waitFor();
    await page.getByText("Connection to the central lost.").waitFor({ state: "detached" });

    step("the central restarts: logins do not outlive it, the page asks for a new one and is back where it was");
    await central.stop();
    central = await startCentral(program, data, central.port);
    await page.getByText("log in again").waitFor({ timeout: 20_000 });
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.locator(".connector.live").waitFor({ timeout: 20_000 });
  });
  return central;
}

async function walk(browser, central, data) {
  const page = await browser.page("wide");
  await login(browser, page, central.password);
  const station = new PlayedStation(browser.url, ID, await addStation(browser, page));
  try {
    await station.connect();
    await addCard(browser, page, station);
    await station.start("04A2B19C", new Date(Date.now() - CHARGE_AGE_MS));
    await overview(browser, page);
    await stationPage(browser, page);
    const storage = await page.context().storageState();
    for (const size of ["dark", "phone", "phone-dark"]) await look(browser, size, storage);
    await stopAndStart(browser, page);
    await otherActions(browser, page);
    await log(browser, page);
    await configuration(browser, page);
    await sessions(browser, page);
    return await lost(browser, page, central, data);
  } finally {
    await station.end();
  }
}

mkdirSync(folder, { recursive: true });
const data = mkdtempSync(join(tmpdir(), "pilotwire-browser-"));
let central = await startCentral(program, data);
const browser = await Browser.open(chromium, central.url, folder);
try {
  central = await walk(browser, central, data);
  assert.deepEqual(browser.findings, []);
  console.log(`passed; screenshots in ${folder}`);
} catch (error) {
  for (const page of browser.browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: `${folder}/failed.png` }).catch(() => {});
  }
  console.error(error.stack);
  console.error(browser.findings.join("\n"));
  console.error(central.log().split("\n").slice(-25).join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
  await central.stop();
  rmSync(data, { recursive: true, force: true });
}
