// A person's walk past load sharing: a group is written, its mistakes are told where they are, four
// outlets share two fuses, one of them is lost.
//   node walk_load.mjs <pilotwire-central> <chromium> <folder for screenshots>
// Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";
import { PlayedOutlet } from "../peers/central/outlet.mjs";

const [program, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: walk_load.mjs PILOTWIRE-CENTRAL CHROMIUM FOLDER");

const LIMIT_MS = 110_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const IDS = ["GARAGE-1", "GARAGE-2", "YARD-1", "YARD-2"];
const began = Date.now();

function step(name) {
  console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
}

async function stations(browser, page, central) {
  step("four outlets at their links");
  await browser.expecting(/401/, async () => {
    await page.goto(`${browser.url}/`);
    await page.fill("input[name=password]", central.password);
    await page.keyboard.press("Enter");
    await page.locator(".title").getByText("Add a station").waitFor();
  });
  const keys = await page.evaluate(async (ids) => {
    const { csrf } = await (await fetch("/api/v1/me")).json();
    const made = [];
    for (const id of ids) {
      const answer = await fetch("/api/v1/stations", { method: "POST", headers: { "X-CSRF": csrf, "Content-Type": "application/json" }, body: JSON.stringify({ id }) });
      made.push((await answer.json()).key);
    }
    return made;
  }, IDS);
  const outlets = IDS.map((id, i) => new PlayedOutlet(central.url, central.link, id, keys[i]));
  for (const outlet of outlets) {
    await outlet.connect();
    outlet.plug();
    outlet.report();
  }
  return outlets;
}

const start = (outlet) => outlet.close(true);

async function write(browser, page) {
  step("the editor: what is wrong stands beside its field, the central's refusal too");
  await page.getByRole("link", { name: "Load" }).click();
  await page.getByText("No load group yet").waitFor();
  await browser.shot(page, "load-none");
  await page.locator(".title").getByText("Add a group").click();
  await page.getByLabel("Name").first().fill("Car park");
  await page.getByRole("button", { name: "Circuit" }).click();
  const garage = page.locator(".circuitform").nth(1);
  await garage.getByLabel("Name").fill("Garage");
  await garage.getByLabel("Id", { exact: true }).fill("garage");
  for (const phase of ["L1", "L2", "L3"]) await garage.getByLabel(`Fuse on ${phase}`).fill("5,5");
  for (let i = 0; i < IDS.length; i += 1) await page.getByRole("button", { name: "Connector" }).last().click();
  const members = page.locator(".memberform");
  for (let i = 0; i < IDS.length; i += 1) {
    await members.nth(i).getByLabel("Station").selectOption(IDS[i]);
    await members.nth(i).getByLabel("Circuit").selectOption(i < 2 ? "garage" : "main");
    await members.nth(i).getByLabel("Fail-safe, A").fill("10");
  }
  await members.nth(3).getByLabel("Priority").fill("5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("1 to 48 letters").waitFor();
  await page.getByText("0 to 1000, at most one decimal").waitFor();
  await browser.shot(page, "load-editor-wrong");
  await page.locator(".groupform > section").first().locator("input").nth(1).fill("park");
  for (const phase of ["L1", "L2", "L3"]) await page.locator(".circuitform").first().getByLabel(`Fuse on ${phase}`).fill("40");
  for (const phase of ["L1", "L2", "L3"]) await garage.getByLabel(`Fuse on ${phase}`).fill("16");
  await browser.expecting(/400/, async () => {
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".circuitform .three.wrong", { hasText: "fail-safe limits of its members add up to" }).waitFor();
  });
  for (let i = 0; i < IDS.length; i += 1) await members.nth(i).getByLabel("Fail-safe, A").fill("6");
  await browser.shot(page, "load-editor");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("h1", { hasText: "Car park" }).waitFor();
}

const row = (page, id) => page.locator(".loadmembers tr", { hasText: id });

async function share(browser, page, outlets) {
  step("two in the garage halve its fuse; the reason is told");
  start(outlets[0]);
  await row(page, IDS[0]).getByText("as much as the connector may give").waitFor({ timeout: 15_000 });
  start(outlets[1]);
  await row(page, IDS[1]).getByText("fair share (Garage)").waitFor({ timeout: 20_000 });
  assert.equal(outlets[0].state.limitMa, 8000);
  start(outlets[2]);
  start(outlets[3]);
  step("four on the main fuse: the one with priority gets more");
  await page.waitForFunction(() => [...document.querySelectorAll(".loadmembers tbody tr")].every((tr) => tr.textContent.includes("Offered")), null, { timeout: 30_000 });
  await row(page, IDS[2]).getByText("fair share (Main fuse)").waitFor({ timeout: 20_000 });
  await page.waitForFunction((id) => [...document.querySelectorAll(".loadmembers tr")].some((tr) => tr.textContent.includes(id) && tr.textContent.includes("as much as the connector may give")), IDS[3], { timeout: 20_000 });
  const sum = outlets.reduce((total, outlet) => total + outlet.state.limitMa, 0);
  assert.ok(sum <= 40_000, `${sum} mA of 40 A`);
  await page.locator(".loadcurve canvas").waitFor({ timeout: 20_000 });
}

async function lost(browser, page, outlets) {
  step("one is lost: what it holds stays reserved, and that is said");
  await outlets[2].end();
  await row(page, IDS[2]).getByText("offline: last limit reserved").waitFor({ timeout: 10_000 });
}

async function look(browser, size, storage) {
  step(`the same pages, ${size}`);
  const page = await browser.page(size, storage);
  for (const [name, hash] of Object.entries({ list: "groups", group: "groups/park", edit: "groups/park/edit" })) {
    await page.goto(`${browser.url}/#/${hash}`);
    await page.waitForSelector("main h1");
    await page.waitForTimeout(900);
    await browser.shot(page, `load-${name}-${size}`);
    await page.screenshot({ path: `${browser.folder}/load-${name}-${size}-whole.png`, fullPage: true });
  }
  await page.context().close();
}

// A page that asks for the group just as it goes finds it gone.
async function remove(browser, page, outlets) {
  step("removed: nothing is limited any more");
  await browser.expecting(/404.*groups\/park/, async () => {
    await page.getByRole("button", { name: "Remove" }).click();
    await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No load group yet").waitFor();
    await outlets[0].until(() => outlets[0].asked.at(-1)[1] === 80_000);
  });
}

async function walk(browser, central) {
  const page = await browser.page("wide");
  const outlets = await stations(browser, page, central);
  try {
    await write(browser, page);
    await share(browser, page, outlets);
    await lost(browser, page, outlets);
    const storage = await page.context().storageState();
    for (const size of ["wide", "dark", "phone", "phone-dark"]) await look(browser, size, storage);
    await remove(browser, page, outlets);
  } finally {
    for (const outlet of outlets) await outlet.end();
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
    await page.screenshot({ path: `${folder}/load-failed.png`, fullPage: true }).catch(() => {});
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
