// A person's walk past an AC outlet: the overview, its page, orders over the station link, its log.
//   node walk_outlet.mjs <pilotwire-central> <chromium> <folder for screenshots>
// Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";
import { PlayedOutlet } from "../peers/central/outlet.mjs";

const [program, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: walk_outlet.mjs PILOTWIRE-CENTRAL CHROMIUM FOLDER");

const LIMIT_MS = 100_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const ID = "HOUSE-01";
const began = Date.now();

function step(name) {
  console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
}

async function addStation(browser, page, central) {
  step("add station: what to write into its files is ready to copy, with the central's pin");
  await browser.expecting(/401/, async () => {
    await page.goto(`${browser.url}/`);
    await page.fill("input[name=password]", central.password);
    await page.keyboard.press("Enter");
    await page.locator(".title").getByText("Add a station").click();
  });
  await page.locator("dialog input").fill(ID);
  await page.keyboard.press("Enter");
  await page.locator("pre.snippet", { hasText: "uplink:" }).waitFor();
  const lines = await page.locator("pre.snippet").first().textContent();
  assert.ok(lines.includes(`pin: "${central.link.pin}"`), lines);
  assert.ok(lines.includes(`url: "tls://127.0.0.1:${central.link.port}"`), lines);
  const key = await page.locator(".secrets code").nth(1).textContent();
  await browser.shot(page, "outlet-add");
  await page.keyboard.press("Escape");
  return key;
}

const finished = async (page, action, phase) => {
  const row = page.locator(`.jobs li[data-action=${action}][data-phase=${phase}]`).first();
  await row.waitFor();
  return row.textContent();
};

async function wordless(browser, page, outlet) {
  step("by its link alone: shown, and it is said that OCPP is missing");
  await page.getByRole("link", { name: ID }).click();
  await page.getByText("here by its link only").waitFor();
  await outlet.ocpp();
  await page.getByText("here by its link only").waitFor({ state: "detached" });
  await page.locator(".connector.idle").waitFor();
  await browser.shot(page, "outlet-idle");
  await page.getByRole("button", { name: "Switch on" }).click();
  assert.match(await finished(page, "LinkEnergize", "refused"), /the station refused: no vehicle \(A1\)/);
}

async function charge(browser, page, outlet) {
  step("the pilot's letter changes the moment the car does; three phases against the limit");
  outlet.plug();
  await page.locator(".pilot", { hasText: "B2" }).waitFor({ timeout: 1000 });
  await page.getByRole("button", { name: "Switch on" }).click();
  assert.match(await finished(page, "LinkEnergize", "done"), /the contactor is closed/);
  await page.locator(".pilot.go", { hasText: "C2" }).waitFor();
  await page.locator(".phases", { hasText: "15.9" }).waitFor();
  assert.equal(await page.locator(".phases tbody tr").count(), 3);
}

async function limit(browser, page, outlet) {
  step("a limit: values out of range are told in the dialog, the answer and its effect are shown");
  await page.getByRole("button", { name: "Set limit" }).click();
  const amps = page.getByLabel("Current per phase, A");
  await amps.fill("5.9");
  await page.click("dialog .primary");
  assert.equal(await amps.evaluate((input) => input.validationMessage), "0, or 6 to 80 A");
  await amps.fill("10");
  await browser.shot(page, "outlet-limit");
  await page.click("dialog .primary");
  assert.match(await finished(page, "LinkLimit", "done"), /limited to 10 A by load/);
  assert.deepEqual(outlet.asked.at(-1), ["limit", 10_000, 300, 6000]);
  await page.locator(".limit", { hasText: "by load sharing: set by the central" }).waitFor();
  await page.getByRole("button", { name: "Snapshot" }).click();
  await finished(page, "LinkSnapshot", "done");
  await page.locator(".canvas canvas").nth(1).waitFor({ timeout: 20_000 });
  await browser.shot(page, "outlet");
}

async function log(browser, page, outlet) {
  step("its log: searched at the central, followed, lost lines said, exported");
  outlet.log("warn", "uplink", "reconnected tries=3", 12);
  outlet.log("error", "evse", "contactor did not follow ms=120");
  outlet.log("debug", "meter", "l1_mv=231200");
  await page.click(".tabs >> text=Station log");
  const rows = page.locator(".logline");
  await rows.filter({ hasText: "did not follow" }).waitFor();
  await page.getByText("12 lines were lost here").waitFor();
  assert.equal(await rows.filter({ hasText: "l1_mv" }).count(), 0, "debug lines are shown unasked");
  outlet.log("info", "evse", "followed live");
  await rows.filter({ hasText: "followed live" }).waitFor({ timeout: 2000 });
  await browser.shot(page, "outlet-log");
  await page.fill("input[type=search]", "FOLLOW MS=");
  await rows.filter({ hasText: "followed live" }).waitFor({ state: "detached" });
  assert.equal(await rows.count(), 1);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export")]);
  assert.match(readFileSync(await download.path(), "utf8"), /^\S+ error evse contactor did not follow ms=120\n$/);
  await page.fill("input[type=search]", "");
  await page.selectOption("select", "debug");
  await rows.filter({ hasText: "l1_mv" }).waitFor();
  assert.deepEqual(outlet.kept, [], "events without an acknowledgement");
}

async function look(browser, size, storage) {
  step(`the same pages, ${size}`);
  const page = await browser.page(size, storage);
  const places = { overview: "", outlet: `stations/${ID}`, lines: `stations/${ID}/lines` };
  for (const [name, hash] of Object.entries(places)) {
    await page.goto(`${browser.url}/#/${hash}`);
    await page.waitForSelector("main h1");
    await page.waitForTimeout(700);
    await browser.shot(page, `outlet-${name}-${size}`);
  }
  await page.context().close();
}

async function down(browser, page, outlet) {
  step("the link breaks: said at once, orders say why they cannot be given");
  await page.click(".tabs >> text=Charging");
  await outlet.end();
  await page.getByText("The station is offline").first().waitFor();
  const button = page.getByRole("button", { name: "Set limit" });
  assert.equal(await button.getAttribute("title"), "the station link is down");
  await browser.shot(page, "outlet-down");
}

async function walk(browser, central) {
  const page = await browser.page("wide");
  const outlet = new PlayedOutlet(central.url, central.link, ID, await addStation(browser, page, central));
  try {
    await outlet.connect();
    await wordless(browser, page, outlet);
    await charge(browser, page, outlet);
    await limit(browser, page, outlet);
    await log(browser, page, outlet);
    const storage = await page.context().storageState();
    for (const size of ["wide", "dark", "phone", "phone-dark"]) await look(browser, size, storage);
    await down(browser, page, outlet);
  } finally {
    await outlet.end();
  }
}

mkdirSync(folder, { recursive: true });
const data = mkdtempSync(join(tmpdir(), "pilotwire-browser-"));
const central = await startCentral(program, data);
const browser = await Browser.open(chromium, central.url, folder);
try {
  await walk(browser, central);
  assert.deepEqual(browser.findings, []);
  console.log(`passed; screenshots in ${folder}`);
} catch (error) {
  for (const page of browser.browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: `${folder}/outlet-failed.png` }).catch(() => {});
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
