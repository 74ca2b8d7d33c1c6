// A person's walk through the page of a station with an OpenEVSE board in a house with a meter:
//   node house_walk.mjs <pilotwire-station> <pilotwire-sim> <chromium> <folder for screenshots>
// Board, car and house are simulated in one world. Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { Child, freePort, serves, tell } from "./own_station.mjs";

const [program, sim, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: house_walk.mjs PILOTWIRE-STATION PILOTWIRE-SIM CHROMIUM FOLDER");

const LIMIT_MS = 90_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const PASSWORD = "correct horse";
const began = Date.now();
const step = (name) => console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);

const data = mkdtempSync(join(tmpdir(), "pilotwire-house-"));
const control = join(data, "sim.sock");
const world = (...command) => tell(sim, control, command);

async function start() {
  const [page, board, meter] = [await freePort(), await freePort(), await freePort()];
  const world = ["openevse", "--listen", `127.0.0.1:${board}`, "--meter", `modbus:tcp:127.0.0.1:${meter}/1/sdm630`];
  const house = new Child(sim, [...world, "--house-scale", "0", "--status", "0", "--control", control]);
  const config = join(data, "station.yaml");
  writeFileSync(
    config,
    `station: {id: GARAGE}
console: {device: "off"}
page: {listen: "127.0.0.1:${page}"}
metering: {house_meter: "modbus:tcp:127.0.0.1:${meter}/1/sdm630"}
house: {load_management: true, breaker_ma: 25000}
connectors:
  - kind: openevse
    phases: 3
    ac_rated_ma: 32000
    rapi_cable: "tcp:127.0.0.1:${board}"
`,
  );
  const secrets = join(data, "secrets.yaml");
  writeFileSync(secrets, `page: {password: ${PASSWORD}}\n`, { mode: 0o600 });
  const station = new Child(program, ["--config", config, "--data", join(data, "data"), "--secrets", secrets, "--control", join(data, "station.sock")]);
  const url = `http://127.0.0.1:${page}`;
  await serves(station, url);
  return { station, house, url };
}

async function enter(browser, page) {
  step("login");
  await page.goto(`${browser.url}/`);
  await page.locator(".link.live").waitFor();
  await page.locator(".notice").getByRole("button", { name: "Log in" }).click();
  await page.fill("input[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
}

async function board(browser, page) {
  step("board: what it is, its display, and a command by hand that it answers; a dangerous one is refused in words");
  await page.click("nav >> text=Board");
  await page.locator(".chip.go", { hasText: "answers" }).waitFor({ timeout: 20_000 });
  await page.locator(".fact", { hasText: "8.2.3" }).waitFor();
  await page.getByLabel("RAPI command").fill("GV");
  await page.keyboard.press("Enter");
  await page.locator(".talk li", { hasText: "$OK 8.2.3" }).waitFor();
  await browser.expecting(/4(09|22)/, async () => {
    await page.getByLabel("RAPI command").fill("FF G 0");
    await page.keyboard.press("Enter");
    await page.locator(".talk .wrong").waitFor();
  });
  await page.getByLabel("Line 1 of the display").fill("Hello");
  await page.getByLabel("Line 2 of the display").fill("garage");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("The board shows this text.").waitFor();
  await browser.shot(page, "house-board");
}

async function charge(browser, page) {
  step("a car charges; the house takes more, and the offer falls with the house named as the reason");
  await page.click("nav >> text=Charge");
  await world("plug");
  await page.locator(".chip", { hasText: "Preparing" }).waitFor();
  await page.getByRole("button", { name: "Start charging" }).click();
  await page.locator(".pilot b", { hasText: "C2" }).waitFor({ timeout: 20_000 });
  await world("house", "l2", "14");
  await page.locator("tr.counts", { hasText: "house" }).waitFor({ timeout: 20_000 });
  await page.locator(".whysentence", { hasText: "The house needs the rest" }).waitFor();
  await browser.shot(page, "house-charge");
}

// A delay timer that begins in two hours, whatever the time is.
async function chargeNow(browser, page) {
  step("a delay timer holds the charge; the page says until when, and a press charges all the same");
  await page.click("nav >> text=Limits");
  const now = Date.now();
  const [from, to] = [2, 3].map((hours) => new Date(now + hours * 3_600_000).toISOString().slice(11, 16));
  await page.getByRole("button", { name: "Set times" }).click();
  await page.getByLabel("Delay timer: from").fill(from);
  await page.getByLabel("Delay timer: to").fill(to);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.click("nav >> text=Charge");
  await page.locator(".held", { hasText: `Waits for ${from}` }).waitFor();
  // While the car still draws what it no longer may, the house's part can be nothing as well.
  await page.locator("tr.counts", { hasText: /schedule|house/ }).waitFor();
  await browser.shot(page, "house-held");
  await page.getByRole("button", { name: "Charge now" }).click();
  await page.locator(".held", { hasText: "Charging now" }).waitFor();
  await page.locator("tr.counts", { hasText: "house" }).waitFor();
}

async function house(browser, page) {
  step("house: the vehicle's part of each phase, the target, the state and its reason, and the curves");
  await page.click("nav >> text=House");
  await page.locator(".bar", { hasText: /L2.*vehicles/ }).waitFor();
  await page.locator(".housecurve canvas").nth(1).waitFor({ timeout: 20_000 });
  assert.equal(await page.locator(".bar .mark").count(), 3);
  await browser.shot(page, "house-house");
}

async function look(browser, size, storage) {
  step(`the same on a ${size} screen`);
  const page = await browser.page(size, storage);
  const views = { house: ".housecurve canvas", board: ".fact" };
  for (const [name, there] of Object.entries(views)) {
    await page.goto(`${browser.url}/#/${name}`);
    await page.locator(".link.live").waitFor();
    await page.locator(there).first().waitFor();
    await browser.shot(page, `house-${name}-${size}`);
  }
  await page.context().close();
}

async function meterLost(browser, page) {
  step("the meter goes silent: the page says so, and what is offered instead");
  await page.click("nav >> text=House");
  await world("meter", "silent");
  await page.locator(".chip.bad").waitFor({ timeout: 25_000 });
  await page.locator(".fact", { hasText: "silent" }).waitFor();
  await browser.shot(page, "house-silent");
}

mkdirSync(folder, { recursive: true });
const { station, house: simulated, url } = await start();
const browser = await Browser.open(chromium, url, folder);
try {
  const page = await browser.page("wide");
  await enter(browser, page);
  await board(browser, page);
  await charge(browser, page);
  await house(browser, page);
  const storage = await page.context().storageState();
  for (const size of ["phone", "phone-dark"]) await look(browser, size, storage);
  await chargeNow(browser, page);
  await meterLost(browser, page);
  assert.deepEqual(browser.findings, []);
  console.log(`passed; screenshots in ${folder}`);
} catch (error) {
  for (const page of browser.browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: `${folder}/house-failed.png` }).catch(() => {});
  }
  console.error(error.stack);
  console.error(browser.findings.join("\n"));
  console.error(station.log.split("\n").slice(-25).join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
  await station.stop();
  await simulated.stop();
  rmSync(data, { recursive: true, force: true });
}
