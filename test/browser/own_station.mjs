// Starts pilotwire-station with simulated hardware, and ends all: connector 1 is dc on a CAN bus of its
// own, connector 2 ac behind the front-end line; the house has a Modbus meter.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

const START_MS = 15_000;

export async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// An address of this machine that is not loopback: who calls there counts as another machine. Undefined without one.
export function elsewhere() {
  return Object.values(networkInterfaces())
    .flat()
    .find((one) => one.family === "IPv4" && !one.internal)?.address;
}

// Whatever ends the walk ends its programs.
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export class Child {
  constructor(program, args) {
    this.process = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.log = "";
    this.process.stdout.on("data", (text) => (this.log += text));
    this.process.stderr.on("data", (text) => (this.log += text));
    running.add(this.process);
    this.process.once("exit", () => running.delete(this.process));
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    this.process.kill("SIGTERM");
    const force = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await once(this.process, "exit");
    clearTimeout(force);
  }
}

export async function serves(station, url) {
  const until = Date.now() + START_MS;
  for (;;) {
    if (station.process.exitCode !== null) throw new Error(`pilotwire-station ended:\n${station.log}`);
    if (Date.now() > until) throw new Error(`pilotwire-station does not serve:\n${station.log}`);
    const up = await fetch(`${url}/healthz`).catch(() => null);
    if (up?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function tell(sim, socket, command) {
  const child = new Child(sim, ["tell", socket, ...command]);
  const [code] = await once(child.process, "exit");
  if (code !== 0) throw new Error(`pilotwire-sim tell ${command.join(" ")}: ${child.log}`);
}

export class OwnStation {
  // `ocpp`: {url, key} of a central system; without it the station has none. `host`: where the page is without TLS.
  constructor(programs, folder, password, { ocpp = null, host = "127.0.0.1" } = {}) {
    Object.assign(this, { programs, folder, password, ocpp, host });
  }

  async start() {
    this.port ??= await freePort();
    this.tlsPort ??= await freePort();
    this.meterPort ??= await freePort();
    this.bus ??= `mcast:239.74.163.${2 + (process.pid % 250)}:${await freePort()}`;
    this.url = `http://127.0.0.1:${this.port}`;
    this.tlsUrl = `https://127.0.0.1:${this.tlsPort}`;
    const config = join(this.folder, "station.yaml");
    writeFileSync(
      config,
      `station:
  id: YARD-07
can:
  bus0: "${this.bus}"
console:
  device: "off"
metering:
  house_meter: modbus:tcp:127.0.0.1:${this.meterPort}/1/sdm630
house:
  breaker_ma: 25000
page:
  listen: ${this.host}:${this.port}
  tls_listen: 127.0.0.1:${this.tlsPort}
  url: http://wallbox.lan:${this.port}/
${this.ocpp ? `ocpp:\n  url: ${this.ocpp.url}\n  cpo_name: Example Operator\n` : ""}lcd:
  device: png:${join(this.folder, "lcd.png")}
connectors:
  - kind: dc
  - kind: pilot
    board: ${join(this.folder, "board.yaml")}
`,
    );
    this.control = join(this.folder, "station.sock");
    const args = ["--config", config, "--data", join(this.folder, "data"), "--control", this.control];
    if (this.password || this.ocpp) {
      const secrets = join(this.folder, "secrets.yaml");
      const page = this.password ? `page:\n  password: ${this.password}\n` : "";
      const key = this.ocpp ? `ocpp:\n  authorization_key: ${this.ocpp.key}\n` : "";
      writeFileSync(secrets, page + key, { mode: 0o600 });
      args.push("--secrets", secrets);
    }
    this.simControl = join(this.folder, "sim.sock");
    this.sim ??= new Child(this.programs.sim, ["dc", "--can", this.bus, "--soc", "40", "--status", "0", "--control", this.simControl]);
    this.startAc();
    this.houseControl = join(this.folder, "house.sock");
    this.simHouse ??= new Child(this.programs.sim, ["meter", "--meter", `modbus:tcp:127.0.0.1:${this.meterPort}/1/sdm630`, "--status", "0", "--control", this.houseControl]);
    this.station = new Child(this.programs.station, args);
    await serves(this.station, this.url);
    return this;
  }

  startAc() {
    if (this.simAc) return;
    const line = join(this.folder, "board0");
    writeFileSync(join(this.folder, "board.yaml"), `board:\n  kind: frontend\nfrontend:\n  device: ${line}\n`);
    this.acControl = join(this.folder, "ac.sock");
    this.simAc = new Child(this.programs.sim, ["ac", "--link", line, "--status", "0", "--control", this.acControl]);
  }

  // A scenario command to the simulated hardware: "plug", "estop press" ...
  tell(...command) {
    return this.command(this.simControl, command);
  }

  tellAc(...command) {
    return this.command(this.acControl, command);
  }

  tellHouse(...command) {
    return this.command(this.houseControl, command);
  }

  command(socket, command) {
    return tell(this.programs.sim, socket, command);
  }

  // What the command line says of it.
  async says(...words) {
    const child = new Child(this.programs.command, ["--station", this.control, ...words]);
    await once(child.process, "close");
    return child.log;
  }

  stopStation() {
    return this.station.stop();
  }

  async stop() {
    await this.station.stop();
    await this.sim.stop();
    await this.simAc.stop();
    await this.simHouse.stop();
  }
}
