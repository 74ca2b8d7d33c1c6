// A person sets up a station's network over its access point, with NetworkManager played on a D-Bus of its own:
//   node network_walk.mjs <pilotwire-station> <network_manager.py> <chromium> <folder for screenshots>
// The clock runs ten times as fast. Everything on loopback; ends by itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Browser } from "./browser.mjs";
import { Child, freePort, serves } from "./own_station.mjs";

const [program, mock, chromium, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: network_walk.mjs PILOTWIRE-STATION NETWORK_MANAGER.PY CHROMIUM FOLDER");

const LIMIT_MS = 80_000;
setTimeout(() => {
  console.error(`the walk took longer than ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

const SPEED = 10;
const IN_REACH = {
  "Hof & Garten": { signal: 78, password: "garden-secret" },
  "Gäste": { signal: 52 },
  "A neighbour with a longer name": { signal: 31, password: "none-of-ours" },
};
const began = Date.now();
const step = (name) => console.log(`- ${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);

const data = mkdtempSync(join(tmpdir(), "pilotwire-network-"));

async function startManager() {
  const process = spawn("/usr/bin/python3", [mock], { stdio: ["pipe", "pipe", "inherit"] });
  const [address] = await once(createInterface({ input: process.stdout }), "line");
  process.stdin.write(`${JSON.stringify(IN_REACH)}\n`);
  return { process, address };
}

async function startStation(address) {
  const port = await freePort();
  const config = join(data, "station.yaml");
  writeFileSync(
    config,
    `station: {id: GARAGE}
console: {device: "off"}
can: {bus0: "mcast:239.74.163.12:${await freePort()}"}
page: {listen: "127.0.0.1:${port}"}
network: {managed: true}
lcd: {device: "png:${join(folder, "network-display.png")}"}
connectors: [{kind: dc}]
`,
  );
  const now = Date.now();
  const station = new Child("/usr/bin/env", [
    `DBUS_SYSTEM_BUS_ADDRESS=${address}`,
    `PILOTWIRE_CLOCK=${now}:${now}:${SPEED}`,
    program,
    ...["--config", config, "--data", join(data, "data"), "--control", join(data, "station.sock")],
  ]);
  const url = `http://127.0.0.1:${port}`;
  await serves(station, url);
  return { station, url };
}

// The console's answer.
async function command(line) {
  const socket = createConnection(join(data, "station.sock"));
  socket.write(`${line}\n`);
  const [chunk] = await once(socket, "data");
  socket.destroy();
  return String(chunk);
}

async function passwordOfAccessPoint() {
  for (;;) {
    const found = /password (\w{12})/.exec(await command("network"));
    if (found) return found[1];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function enter(browser, page) {
  step("the access point's password, as display and console tell it, opens the set-up");
  const password = await passwordOfAccessPoint();
  await page.goto(`${browser.url}/#/network`);
  await page.locator(".link.live").waitFor();
  await page.getByRole("button", { name: "Log in", exact: true }).first().click();
  await page.getByText("password of the station's access point").last().waitFor();
  await page.fill("input[name=password]", password);
  await page.keyboard.press("Enter");
  await page.getByText("No known network could be joined").waitFor();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  assert.ok(!(await page.content()).includes(password), "the page must not know the password");
  await browser.shot(page, "network-access-point");
}

async function choose(browser, page) {
  step("a wrong password leads back to the access point, and is said");
  const found = page.getByRole("region", { name: "Networks in reach" }).locator("li");
  assert.equal(await found.count(), 3);
  await found.filter({ hasText: "Hof & Garten" }).getByRole("button").click();
  assert.equal(await page.inputValue("input[name=ssid]"), "Hof & Garten");
  await page.fill("#wifi-password", "garden");
  assert.equal(await page.getByRole("button", { name: "Save and join" }).getAttribute("aria-disabled"), "true");
  await page.fill("#wifi-password", "garden-wrong");
  await page.getByRole("button", { name: "Save and join" }).click();
  await page.getByText("the access point closes now").waitFor();
  await browser.expecting(/40[13]/, async () => {
    await page.getByText("could not be joined: the password is refused").waitFor({ timeout: 30_000 });
    await page.getByText("No known network could be joined").waitFor({ timeout: 30_000 });
  });
  await browser.shot(page, "network-refused");
}

async function join_(browser, page) {
  step("the right one is joined, and the set-up's login ends with the access point");
  await page.fill("#wifi-password", "garden-secret");
  await browser.expecting(/40[13]/, async () => {
    await page.getByRole("button", { name: "Save and join" }).click();
    await page.getByText("Joined to Hof & Garten.").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Log out" }).waitFor({ state: "detached" });
  });
  await browser.shot(page, "network-joined");
  assert.match(await command("network"), /joined "Hof & Garten"/);
}

async function small(browser) {
  step("on a telephone");
  const page = await browser.page("phone");
  await page.goto(`${browser.url}/#/network`);
  await page.getByText("Joined to Hof & Garten.").waitFor();
  await browser.shot(page, "network-phone");
}

mkdirSync(folder, { recursive: true });
const manager = await startManager();
const { station, url } = await startStation(manager.address);
const browser = await Browser.open(chromium, url, folder);
try {
  const page = await browser.page("wide");
  await enter(browser, page);
  await choose(browser, page);
  await join_(browser, page);
  await small(browser);
  assert.deepEqual(browser.findings, []);
  step("done");
} catch (error) {
  console.error(station.log.split("\n").slice(-30).join("\n"));
  throw error;
} finally {
  await browser.close();
  await station.stop();
  manager.process.stdin.end();
  await once(manager.process, "exit");
  rmSync(data, { recursive: true, force: true });
}
