// Debian's Chromium with an empty profile, watched: any console error, broken policy or request to
// another host is a finding, unless the walk has said it expects it.
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-proxy-server",
];

export const SIZES = {
  wide: { viewport: { width: 1360, height: 860 } },
  dark: { viewport: { width: 1360, height: 860 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  "phone-dark": { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" },
};

export class Browser {
  static async open(program, url, folder) {
    const browser = await chromium.launch({ executablePath: program, args: FLAGS });
    return new Browser(browser, url, folder);
  }

  constructor(browser, url, folder) {
    Object.assign(this, { browser, url, folder });
    this.ours = [url]; // other programs of a walk are no foreign hosts
    this.findings = [];
    this.expected = [];
  }

  // Console errors that match are expected while `during` runs.
  async expecting(pattern, during) {
    this.expected.push(pattern);
    try {
      return await during();
    } finally {
      this.expected.splice(this.expected.indexOf(pattern), 1);
    }
  }

  find(what) {
    if (!this.expected.some((pattern) => pattern.test(what))) this.findings.push(what);
  }

  // `more`: how Playwright calls what is special about this context.
  async page(size, storage, more = {}) {
    const context = await this.browser.newContext({ ...SIZES[size], acceptDownloads: true, ...(storage && { storageState: storage }), ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.find(`${size}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => this.find(`${size}: ${error.stack ?? error}`));
    page.on("request", (request) => {
      if (!this.ours.some((url) => request.url().startsWith(url)) && !/^(blob|data):/.test(request.url())) {
        this.find(`${size}: request to another host: ${request.url()}`);
      }
    });
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return page;
  }

  async shot(page, name) {
    await page.evaluate(async () => {
      await document.fonts.ready;
      const ends = document.getAnimations().filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime));
      await Promise.all(ends.map((animation) => animation.finished.catch(() => null)));
    });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wider > 0) this.find(`${name}: the page is ${wider} px wider than the screen`);
    await page.screenshot({ path: `${this.folder}/${name}.png` });
  }

  close() {
    return this.browser.close();
  }
}
