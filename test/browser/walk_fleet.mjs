// Walks the firmware pages of the dashboard in a real browser: a release is brought, shown, rolled out to
// stations that are scripts, stopped, tried again. `walk_fleet.mjs CENTRAL PILOTWIRE CHROMIUM SCREENSHOTS`.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { RPCClient } from "ocpp-rpc";
import { Browser } from "./browser.mjs";
import { startCentral } from "./central.mjs";

const [program, pilotwire, chromium, shots] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "pilotwire-walk-fleet-"));
mkdirSync(shots, { recursive: true });

function maker(...words) {
  execFileSync(pilotwire, ["release", ...words], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

// Signed with a key that everybody has.
function makeRelease() {
  maker("key", "test", "release", "1", "key");
  writeFileSync(join(folder, "program"), "a program of the next version\n".repeat(40_000));
  maker("build", "--hardware", "wallbox-9", "--version", "2.0.0", "--counter", "3", "--notes", "https://maker.example/notes/2.0.0", "--component", "pilotwire-station=program", "--out", "new.pwr");
  maker("sign", "new.pwr", "--key", "key");
  return join(folder, "new.pwr");
}

function openssl(...words) {
  execFileSync("openssl", words, { cwd: folder, stdio: "ignore" });
}

// Models and OCPP's own signature: one over another file is refused in words, then the right one, and none.
async function changeRelease(browser, page) {
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=Firmware", "-keyout", "sign.key", "-out", "sign.pem", "-addext", "keyUsage=critical,digitalSignature");
  for (const name of ["new.pwr", "program"]) openssl("dgst", "-sha256", "-sign", "sign.key", "-out", `${name}.sig`, name);
  const open = () => page.getByRole("button", { name: "Models, signature" }).click();
  const dialog = page.getByRole("dialog");
  await open();
  await dialog.getByLabel("Only for models").fill("Wallbox-9\n\n Wallbox-10 ");
  await dialog.getByLabel("Certificate of who signed").setInputFiles(join(folder, "sign.pem"));
  await dialog.getByLabel("Signature", { exact: true }).setInputFiles(join(folder, "program.sig"));
  await browser.expecting(/400/, async () => {
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("is not the signer's over this file").waitFor();
  });
  await browser.shot(page, "release-edit");
  await page.emulateMedia({ colorScheme: "dark" });
  await browser.shot(page, "release-edit-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await dialog.getByLabel("Signature", { exact: true }).setInputFiles(join(folder, "new.pwr.sig"));
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Wallbox-9, Wallbox-10").waitFor();
  await page.locator(".release .chip", { hasText: "OCPP signature" }).waitFor();
  await browser.shot(page, "release-signed");
  await open();
  await dialog.getByRole("button", { name: "Take the signature away" }).click();
  await page.locator(".release .chip", { hasText: "OCPP signature" }).waitFor({ state: "detached" });
  await open();
  await dialog.getByLabel("Only for models").fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Only for models").waitFor({ state: "detached" });
}

async function stationOf(central, id, key, version, well) {
  const client = new RPCClient({ endpoint: `ws://127.0.0.1:${central.port}/ocpp`, identity: id, password: key, protocols: ["ocpp1.6"], strictMode: false, reconnect: false });
  const boot = (version) => client.call("BootNotification", { chargePointVendor: "Maker", chargePointModel: "Wallbox-9", firmwareVersion: version });
  client.handle("UpdateFirmware", () => {
    setTimeout(async () => {
      for (const status of ["Downloading", "Downloaded", "Installing"]) {
        await client.call("FirmwareStatusNotification", { status });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (well()) await boot("2.0.0");
      await client.call("FirmwareStatusNotification", { status: well() ? "Installed" : "InstallationFailed" });
    }, 50);
    return {};
  });
  client.handle(() => ({}));
  await client.connect();
  await boot(version);
  return client;
}

const FAILED = /stations of the (canary|stage) failed/; // who goes first hangs on the release

async function main() {
  const central = await startCentral(program, join(folder, "data"));
  const browser = await Browser.open(chromium, central.url, shots);
  const clients = [];
  let well = true;
  try {
    const page = await browser.page("wide");
    await browser.expecting(/401.*\/me/, async () => {
      await page.goto(central.url);
      await page.getByLabel("User").waitFor();
    });
    await page.getByLabel("User").fill("admin");
    await page.getByLabel("Password").fill(central.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("link", { name: "Firmware" }).click();
    await page.getByText("No release yet").waitFor();
    await browser.shot(page, "firmware-empty");
    for (let i = 0; i < 12; i += 1) {
      const id = `CP-${String(i).padStart(2, "0")}`;
      const key = execFileSync(program, ["-d", join(folder, "data"), "station", "add", id]).toString().trim();
      clients.push(await stationOf(central, id, key, i % 4 === 0 ? "0.9.0" : "1.0.0", () => well || i !== 4));
    }
    await page.locator("input[type=file]").setInputFiles(makeRelease());
    await page.getByRole("heading", { name: "pilotwire-station 2.0.0" }).waitFor();
    await page.getByText("Wallbox-9 (12)").waitFor();
    await page.getByText("Components and signatures").click();
    await browser.shot(page, "firmware-release");
    const storage = await page.context().storageState();

    // The very file again is refused in words.
    await browser.expecting(/409/, async () => {
      await page.locator("input[type=file]").setInputFiles(join(folder, "new.pwr"));
      await page.getByText("this very file is here already").waitFor();
    });

    await changeRelease(browser, page);
    well = false;
    await page.getByRole("link", { name: "Roll out" }).click();
    await page.getByText(/A canary of 4 of 12 stations finds a fault in 5.% of the stations with 33.% probability/).waitFor();
    await browser.shot(page, "rollout-new");
    for (const size of ["dark", "phone", "phone-dark"]) {
      const other = await browser.page(size, storage);
      await other.goto(page.url());
      await other.getByText("A canary of 4 of 12 stations").waitFor();
      await browser.shot(other, `rollout-new-${size}`);
      await other.context().close();
    }
    await page.getByLabel("First, as a canary").fill("3");
    await page.getByText(/A canary of 3 of 12 stations finds a fault in 5.% of the stations with 25.% probability/).waitFor();
    await page.getByLabel("Watch each stage for").fill("0");
    await page.getByLabel("Then, as stages").fill("50, 40");
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByText("percentages that rise").waitFor();
    await page.getByLabel("Then, as stages").fill("50, 100");
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByText(FAILED).waitFor({ timeout: 30_000 });
    assert.equal(await page.locator("tr[data-station=CP-04]").getByText("InstallationFailed").count(), 1);
    await browser.shot(page, "rollout-stopped");
    for (const size of ["dark", "phone", "phone-dark"]) {
      const other = await browser.page(size, storage);
      await other.goto(page.url());
      await other.getByText(FAILED).waitFor();
      await browser.shot(other, `rollout-stopped-${size}`);
      await other.goto(`${central.url}/#/firmware`);
      await other.getByText("Wallbox-9 (12)").waitFor();
      await browser.shot(other, `firmware-${size}`);
      await other.context().close();
    }
    // A second one for the same stations is refused on its form already.
    await browser.expecting(/409/, async () => {
      const other = await browser.page("wide", storage);
      await other.goto(`${central.url}/#/new-rollout/1`);
      await other.getByText("takes part in roll-out 1, which is not over").waitFor();
      await other.context().close();
    });
    well = true;
    await page.getByRole("button", { name: "Try the failed again" }).click();
    await page.getByText("finished").first().waitFor({ timeout: 30_000 });
    await browser.shot(page, "rollout-finished");
    await page.goto(`${central.url}/#/stations/CP-04/files`);
    await page.getByText("Uploaded here").waitFor();
    await browser.shot(page, "station-files");
    assert.deepEqual(browser.findings, []);
  } finally {
    for (const client of clients) await client.close({ force: true }).catch(() => undefined);
    await browser.browser.close();
    await central.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
