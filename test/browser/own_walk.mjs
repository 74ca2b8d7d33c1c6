// A person's walk through the page of a real station, with simulated hardware of a dc and an ac connector:
//   node own_walk.mjs <pilotwire-station> <pilotwire-sim> <pilotwire> <chromium> <folder for screenshots>
// All but one step, which plays another machine where this one has an address for that, on loopback; ends by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Browser } from "./browser.mjs";
import { OwnStation, elsewhere } from "./own_station.mjs";

const [station, sim, command, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: own_walk.mjs PILOTWIRE-STATION PILOTWIRE-SIM PILOTWIRE CHROMIUM FOLDER");

const LIMIT_MS = 100_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const PASSWORD = "correct horse";
const began = Date.now();

function step(name) {
  console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
}

// Connector 1 is dc, 2 is ac; both cards stand on one page.
const dc = (page) => page.getByRole("region", { name: "Connector 1" });
const ac = (page) => page.getByRole("region", { name: "Connector 2" });

async function viewOnly(own, browser, page) {
  step("without a password the page shows, says how to change that, and lets nobody do anything");
  await page.goto(`${browser.url}/`);
  await page.locator(".link.live").waitFor();
  await page.getByText("This page only shows.").click();
  await page.getByText("secrets file").first().waitFor();
  assert.equal(await dc(page).getByRole("button", { name: "Start charging" }).getAttribute("aria-disabled"), "true");
  assert.equal(await page.getByRole("button", { name: "Log in" }).count(), 0);
  await browser.shot(page, "own-viewonly");
  await own.stopStation();
  own.password = PASSWORD;
  await browser.expecting(/ERR_|Failed to load/, async () => {
    await page.locator(".link.lost").waitFor();
    await own.start();
    await page.locator(".link.live").waitFor({ timeout: 20_000 });
  });
}

async function login(browser, page) {
  step("who is not inside asks for nothing that is not shown to him");
  await page.click("nav >> text=About");
  await page.getByText("are for those who have logged in").waitFor();
  await page.click("nav >> text=Charge");
  step("login: a wrong password is refused in words, the right one opens settings, log and actions");
  await page.locator(".notice").getByRole("button", { name: "Log in" }).click();
  await page.waitForSelector("input[name=password]:focus");
  await browser.expecting(/401/, async () => {
    await page.keyboard.type("not the password");
    await page.keyboard.press("Enter");
    await page.locator("form [role=alert]", { hasText: "password is wrong" }).waitFor();
  });
  await page.fill("input[name=password]", PASSWORD);
  await browser.shot(page, "own-login");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
}

// What whoever connects is shown, without a browser between.
async function shownFingerprint(own) {
  const socket = connect({ host: "127.0.0.1", port: own.tlsPort, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function overTls(own, browser) {
  step("over TLS, its own certificate once accepted: nothing is said of listeners, and About shows what to compare");
  const accepted = { ignoreHTTPSErrors: true };
  const fingerprint = await shownFingerprint(own);
  assert.match(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.ok((await own.says("certificate")).includes(fingerprint), "the command line shows another fingerprint");
  browser.ours.push(own.tlsUrl);
  let storage;
  for (const size of ["wide", "phone-dark"]) {
    const page = await browser.page(size, storage, accepted);
    await page.goto(`${own.tlsUrl}/#/about`);
    await page.locator(".link.live").waitFor();
    if (!storage) {
      await page.getByRole("button", { name: "Log in" }).first().click();
      await page.fill("input[name=password]", PASSWORD);
      assert.equal(await page.getByText("This connection is not encrypted").count(), 0);
      await page.keyboard.press("Enter");
      await page.locator("dialog").waitFor({ state: "detached" });
      storage = await page.context().storageState();
      assert.deepEqual(storage.cookies.map(({ name, secure, httpOnly }) => [name, secure, httpOnly]), [["__Host-pw_station", true, true]]);
    }
    const card = page.getByRole("region", { name: "Certificate" });
    await card.getByText("this station", { exact: true }).waitFor();
    assert.equal(await card.locator(".fingerprint").textContent(), fingerprint);
    await card.scrollIntoViewIfNeeded();
    await browser.shot(page, `own-certificate-${size}`);
    await page.context().close();
  }
}

async function overheard(own, browser) {
  const address = elsewhere();
  step(address ? "from another machine without TLS the login says who can read the password, and where nobody can" : "this machine has one address only: nobody calls from another");
  if (!address) return;
  const url = `http://${address}:${own.port}`;
  browser.ours.push(url);
  for (const size of ["wide", "phone-dark"]) {
    const page = await browser.page(size);
    await page.goto(`${url}/`);
    await page.locator(".link.live").waitFor();
    await page.getByRole("button", { name: "Log in" }).first().click();
    const warning = page.locator("dialog .notice.warn", { hasText: "This connection is not encrypted" });
    assert.equal(await warning.getByRole("link", { name: "Encrypted page" }).getAttribute("href"), `https://${address}:${own.tlsPort}/`);
    await browser.shot(page, `own-overheard-${size}`);
    await page.context().close();
  }
}

async function charge(own, browser, page) {
  step("a vehicle is plugged in and charged: figures move, and the page says why it is not more");
  await own.tell("plug");
  await dc(page).locator(".chip", { hasText: "Preparing" }).waitFor();
  await dc(page).getByRole("button", { name: "Start charging" }).click();
  await page.locator(".connector.live").waitFor({ timeout: 20_000 });
  await dc(page).getByText("what the vehicle asks for").first().waitFor();
  const power = dc(page).locator(".reading.lead .num");
  await page.waitForFunction(() => /[1-9]/.test(document.querySelector(".reading.lead .num")?.textContent ?? ""));
  assert.match(await power.textContent(), /kW|W/);
  await dc(page).locator(".hour canvas").nth(1).waitFor({ timeout: 15_000 });
  await browser.shot(page, "own-charging");
}

async function limit(browser, page) {
  step("a limit by hand counts at once, is named as such, and goes again; a wrong one is refused in words");
  await dc(page).getByPlaceholder("Limit, A").fill("8.5");
  await page.keyboard.press("Enter");
  const counts = dc(page).locator("tr.counts");
  await counts.getByText("set by hand").first().waitFor();
  assert.match(await counts.textContent(), /8\.5/);
  await browser.shot(page, "own-limited");
  await browser.expecting(/422/, async () => {
    await dc(page).getByPlaceholder("Limit, A").fill("1000000");
    await page.keyboard.press("Enter");
    await dc(page).locator(".answer.bad", { hasText: "a limit is 0..1000 ampere, or off" }).waitFor();
  });
  await dc(page).getByRole("button", { name: "Limit off" }).click();
  await counts.getByText("what the vehicle asks for").waitFor();
}

async function threePhases(own, browser, page) {
  step("an AC car on three phases: pilot, each phase against the limit, and the limit followed");
  await own.tellAc("plug");
  await ac(page).locator(".pilot b", { hasText: "B1" }).waitFor();
  await ac(page).getByRole("button", { name: "Start charging" }).click();
  await ac(page).locator(".pilot b", { hasText: "C2" }).waitFor({ timeout: 20_000 });
  await page.waitForFunction(
    () => [...document.querySelectorAll(".phases tbody tr")].length === 3 && [...document.querySelectorAll(".phases .meter")].every((m) => Number.parseFloat(m.textContent) > 14),
  );
  await ac(page).locator("tr.counts", { hasText: "what its owner allows" }).waitFor();
  await ac(page).scrollIntoViewIfNeeded();
  await browser.shot(page, "own-phases");
  await ac(page).getByPlaceholder("Limit, A").fill("10");
  await page.keyboard.press("Enter");
  await ac(page).locator("tr.counts", { hasText: "set by hand" }).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".phases .meter")].every((m) => Number.parseFloat(m.textContent) < 10.1));
}

async function settings(browser, page) {
  step("settings: help from the table, a change takes effect, a refusal is the table's own sentence");
  await page.click("nav >> text=Settings");
  await page.locator(".groupnav").getByRole("button", { name: /^Connector 1/ }).click();
  assert.equal(await page.locator('[id="set-connectors[0].ac_current_max_ma"]').count(), 0, "a dc connector shows no row of an AC one");
  const row = page.locator('.setting:has([id="set-connectors[0].current_max_ma"])');
  await row.locator("input").fill("25000");
  await row.getByRole("button", { name: "Save" }).click();
  await row.locator(".answer.go", { hasText: "set" }).waitFor();
  await browser.expecting(/422/, async () => {
    await row.locator("input").fill("999");
    await page.keyboard.press("Enter");
    await row.locator(".answer.bad", { hasText: 'connectors[0].current_max_ma: "999" is not allowed; it must be 1000..300000' }).waitFor();
  });
  assert.equal(await row.locator("input").getAttribute("aria-invalid"), "true");
  await browser.shot(page, "own-settings");
  await page.locator(".groupnav").getByRole("button", { name: /^Page/ }).click();
  assert.equal(await page.locator('[id="set-page.password"]').inputValue(), "");
  await page.getByPlaceholder("Find a setting").fill("heartbeat_interval");
  assert.equal(await page.locator(".setting").count(), 1);
  await page.click("nav >> text=Charge");
  await dc(page).locator("tr.counts", { hasText: "what its owner allows" }).waitFor();
  await dc(page).locator(".whysentence", { hasText: "What its owner allows" }).waitFor();
}

async function timers(browser, page) {
  step("limits and timers: a delay timer and a weekly plan are built with fields and kept as settings");
  await page.click("nav >> text=Limits");
  await page.getByRole("button", { name: "Set times" }).click();
  await page.getByLabel("Delay timer: from").fill("23:30");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Every day, charging only from 23:30 to 06:00 the next day.").waitFor();
  await page.getByRole("button", { name: "Off", exact: true }).last().click();
  await page.getByText("Off: charging at any time of the day.").waitFor();
  await page.getByRole("button", { name: "Add a window" }).click();
  await page.getByRole("button", { name: "Friday" }).click();
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.locator("section", { hasText: "Weekly plan" }).getByRole("status").filter({ hasText: /^set$/ }).waitFor();
  await page.getByLabel("Amount in kWh").fill("5");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.locator(".answer.go", { hasText: "for the running or the next charge" }).waitFor();
  await browser.shot(page, "own-timers");
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Save the plan" }).click();
  await page.getByText("Empty: charging on any day").waitFor();
}

async function about(browser, page) {
  step("about: version, licence and libraries; history waits for a charge");
  await page.click("nav >> text=About");
  await page.locator("td", { hasText: "libwebsockets" }).waitFor();
  await browser.shot(page, "own-about");
  await page.click("nav >> text=History");
  await page.getByText("No charge has ended yet").waitFor();
  await page.click("nav >> text=Charge");
}

async function house(own, browser, page) {
  step("house: each phase under its breaker as it moves, what is given back, and the last hour as curves");
  await page.click("nav >> text=House");
  for (const [phase, amperes] of [["l1", "18.4"], ["l2", "-3.2"], ["l3", "26.5"]]) await own.tellHouse("current", phase, amperes);
  const bar = (name) => page.locator(".bar").filter({ hasText: new RegExp(`^${name}`) });
  await bar("L1").filter({ hasText: /18\.4.A of 25\.0.A/ }).waitFor();
  await bar("L2").filter({ hasText: /-3\.2.A.*gives back/ }).waitFor();
  await page.locator(".bar.over").filter({ hasText: /^L3/ }).waitFor();
  await page.locator(".housecurve canvas").first().waitFor();
  await browser.shot(page, "own-house");
}

async function history(own, browser, page) {
  step("a charge that ended stands in the history at once, with its energy and why it ended");
  await page.click("nav >> text=Charge");
  await ac(page).getByRole("button", { name: "Stop charging" }).click();
  await page.click("nav >> text=History");
  const row = page.locator("tbody tr").first();
  await row.locator('[data-label="Ended by"]', { hasText: "Local" }).waitFor();
  assert.match(await row.textContent(), /LOCAL/);
  await browser.shot(page, "own-history");
}

async function log(browser, page) {
  step("log: what happened is there, and what happens now arrives");
  await page.click("nav >> text=Log");
  await page.locator(".logline", { hasText: "to=charging" }).first().waitFor();
  await page.getByText("Debug switches").click();
  await page.getByLabel("board: MQTT").check();
  await page.waitForFunction(() => document.querySelector('[aria-label="board: MQTT"]').checked);
  await browser.shot(page, "own-log");
}

// Every view on a telephone; in the dark those that have colours of their own.
const LOOKS = {
  dark: ["charge", "house", "timers", "settings"],
  phone: ["charge", "house", "timers", "history", "settings", "network", "log", "about"],
  "phone-dark": ["charge", "timers"],
};

async function look(browser, size, storage) {
  step(`the same on a ${size} screen`);
  const page = await browser.page(size, storage);
  const views = { charge: ".connector.live", house: ".housecurve canvas", timers: ".days, .times, .segments", history: "tbody tr", settings: ".setting", network: ".facts", log: ".logline", about: "tbody tr" };
  for (const name of LOOKS[size]) {
    await page.goto(`${browser.url}/#/${name}`);
    await page.locator(".link.live").waitFor();
    await page.locator(views[name]).first().waitFor();
    if (name === "charge") await page.locator(".hour canvas").nth(3).waitFor();
    if (name === "log") await page.getByText("Debug switches").click();
    await browser.shot(page, `own-${name}-${size}`);
  }
  if (size === "phone") {
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("link", { name: "History" }).waitFor();
    await browser.shot(page, `own-more-${size}`);
    await page.getByRole("link", { name: "History" }).click();
    await page.locator("tbody tr").first().waitFor();
  }
  await page.context().close();
}

async function fault(own, browser, page) {
  step("an emergency stop is said in plain words, and cleared here when its cause has gone");
  await page.click("nav >> text=Charge");
  await own.tell("estop", "press");
  await page.locator("[role=alert]", { hasText: "Emergency stop" }).waitFor();
  await dc(page).locator(".chip", { hasText: "Faulted" }).waitFor();
  await browser.shot(page, "own-fault");
  await browser.expecting(/409/, async () => {
    await dc(page).getByRole("button", { name: "Clear faults" }).click();
    await dc(page).locator(".answer.bad", { hasText: "its cause is still there" }).waitFor();
  });
  await own.tell("estop", "release");
  await page.waitForTimeout(500);
  await dc(page).getByRole("button", { name: "Clear faults" }).click();
  await page.locator("[role=alert]", { hasText: "Emergency stop" }).waitFor({ state: "detached" });
}

async function leave(browser, page) {
  step("after logging out only looking is left");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.locator(".notice", { hasText: "You are looking on" }).waitFor();
  await page.click("nav >> text=Log");
  await page.getByText("can be read after a login").waitFor();
}

async function walk(own, browser) {
  const page = await browser.page("wide");
  await viewOnly(own, browser, page);
  await login(browser, page);
  await timers(browser, page);
  await about(browser, page);
  await overTls(own, browser);
  await overheard(own, browser);
  await charge(own, browser, page);
  await limit(browser, page);
  await threePhases(own, browser, page);
  await settings(browser, page);
  await house(own, browser, page);
  await log(browser, page);
  await history(own, browser, page);
  const storage = await page.context().storageState();
  for (const size of Object.keys(LOOKS)) await look(browser, size, storage);
  await fault(own, browser, page);
  await leave(browser, page);
}

mkdirSync(folder, { recursive: true });
const data = mkdtempSync(join(tmpdir(), "pilotwire-own-"));
const own = await new OwnStation({ station, sim, command }, data, "", { host: elsewhere() ? "0.0.0.0" : "127.0.0.1" }).start();
const browser = await Browser.open(chromium, own.url, folder);
try {
  await walk(own, browser);
  assert.deepEqual(browser.findings, []);
  console.log(`passed; screenshots in ${folder}`);
} catch (error) {
  for (const page of browser.browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: `${folder}/own-failed.png` }).catch(() => {});
  }
  console.error(error.stack);
  console.error(browser.findings.join("\n"));
  console.error(own.station.log.split("\n").slice(-25).join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
  await own.stop();
  rmSync(data, { recursive: true, force: true });
}
