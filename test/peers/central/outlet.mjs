// An AC station of somebody else's make: its station link as doc/link.md describes it, on nothing
// but node, and OCPP beside it. One outlet, one car.
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:tls";
import { RPCClient } from "ocpp-rpc";

const TYPE = { hello: 0x01, welcome: 0x02, ping: 0x03, pong: 0x04, ok: 0x05, error: 0x06, event: 0x10, eventAck: 0x11, getAll: 0x20, snapshot: 0x21, subscribe: 0x22, setLimit: 0x24, energize: 0x25, logBatch: 0x30, logAck: 0x31 };
const KIND = { start: 1, pilot: 2, cable: 3, contactor: 4, plug: 5, fault: 6, status: 7, meter: 10, offer: 11, limit: 12, state: 13 };
const REFUSED = 4;
const LEVEL = { error: 0, warn: 1, info: 2, debug: 3 };
const HEAD = 8;

function number(size, value) {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigInt64BE(BigInt(Math.round(value)));
  else if (size === 4) bytes.writeUInt32BE(Math.round(value) >>> 0);
  else bytes.writeUInt8(value);
  return bytes;
}

const u8 = (value) => number(1, value);
const u32 = (value) => number(4, value);
const u64 = (value) => number(8, value);
const text = (value) => Buffer.from(value, "utf8");
const tri = (values) => Buffer.concat(values.map((value) => u32(value)));

// tag(1) length(2) value, for each of them.
function body(...fields) {
  return Buffer.concat(
    fields.flatMap(([tag, value]) => {
      const head = Buffer.alloc(3);
      head.writeUInt8(tag);
      head.writeUInt16BE(value.length, 1);
      return [head, value];
    }),
  );
}

function frame(type, reply, content) {
  const head = Buffer.alloc(HEAD);
  head.write("PW", "latin1");
  head.writeUInt8(type, 2);
  head.writeUInt16BE(reply, 4);
  head.writeUInt16BE(content.length, 6);
  return Buffer.concat([head, content]);
}

function fields(content) {
  const found = new Map();
  for (let at = 0; at + 3 <= content.length; ) {
    const length = content.readUInt16BE(at + 1);
    found.set(content.readUInt8(at), content.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return found;
}

export class PlayedOutlet {
  constructor(url, link, identity, key) {
    Object.assign(this, { url, link, identity, key });
    this.boot = randomBytes(6).readUIntBE(0, 6) + 1;
    this.event = 1;
    this.cursor = 0;
    this.rest = Buffer.alloc(0);
    this.started = Date.now();
    this.kept = []; // events without an acknowledgement
    this.asked = [];
    this.state = { pilot: "A1", status: "Available", energised: false, ma: [0, 0, 0], limitMa: 16000, who: "settings", why: "ac_current_max_ma", limitAt: Date.now(), wh: 41_200_000, machine: "idle", machineWhy: "no vehicle", sessionMwh: 0 };
  }

  async connect() {
    const { host, port, pin } = this.link;
    this.socket = connect({ host, port, rejectUnauthorized: false });
    await new Promise((resolve, reject) => {
      this.socket.once("secureConnect", resolve);
      this.socket.once("error", reject);
    });
    const seen = createHash("sha256").update(this.socket.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" })).digest("hex");
    if (seen !== pin) throw new Error(`the central shows the key ${seen}, its pin is ${pin}`);
    this.socket.on("data", (bytes) => this.take(bytes));
    this.socket.on("error", () => {});
    this.socket.write(
      frame(TYPE.hello, 0, body([1, u8(1)], [2, text(this.identity)], [3, text(this.key)], [4, u64(this.boot)], [5, u64(1)], [6, u64(this.event)], [7, text("2.0.0")], [8, text("Other make")], [9, text("Outlet 22")], [10, u8(1)])),
    );
    await this.until(() => this.welcomed);
  }

  async ocpp() {
    this.client = new RPCClient({ endpoint: `${this.url.replace(/^http/, "ws")}/ocpp`, identity: this.identity, password: this.key, protocols: ["ocpp1.6"], strictMode: true });
    await this.client.connect();
    await this.client.call("BootNotification", { chargePointVendor: "Other make", chargePointModel: "Outlet 22" });
    await this.client.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: this.state.status });
  }

  async until(holds, ms = 5000) {
    const end = Date.now() + ms;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`the outlet waited ${ms} ms in vain`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= HEAD && this.rest.length >= HEAD + this.rest.readUInt16BE(6)) {
      const end = HEAD + this.rest.readUInt16BE(6);
      const [type, reply] = [this.rest.readUInt8(2), this.rest.readUInt16BE(4)];
      const content = fields(this.rest.subarray(HEAD, end));
      this.rest = this.rest.subarray(end);
      this.serve(type, reply, content);
    }
  }

  serve(type, reply, content) {
    if (type === TYPE.welcome) this.welcomed = true;
    if (type === TYPE.ping) this.socket.write(frame(TYPE.pong, reply, Buffer.alloc(0)));
    if (type === TYPE.eventAck) {
      const upTo = Number(content.get(1).readBigInt64BE());
      this.kept = this.kept.filter((event) => event > upTo);
    }
    if (type === TYPE.logAck) this.linesKept = Number(content.get(1).readBigInt64BE());
    if (type === TYPE.getAll) this.socket.write(frame(TYPE.snapshot, reply, this.snapshot()));
    if (type === TYPE.subscribe) {
      clearInterval(this.timer);
      this.timer = setInterval(() => this.report(), content.get(1).readUInt32BE());
      this.answer(reply, null, "");
    }
    if (type === TYPE.setLimit) this.limit(reply, content);
    if (type === TYPE.energize) this.energize(reply, content.get(2).readUInt8() === 1);
  }

  answer(reply, why, said) {
    this.socket.write(why === null ? frame(TYPE.ok, reply, body([1, text(said)])) : frame(TYPE.error, reply, body([1, u8(REFUSED)], [2, text(why)])));
  }

  limit(reply, content) {
    const ma = content.get(2).readInt32BE();
    this.asked.push(["limit", ma, content.get(3).readUInt32BE(), content.get(4).readInt32BE()]);
    Object.assign(this.state, { limitMa: Math.min(16000, ma), who: "load", why: "set by the central", limitAt: Date.now() });
    this.answer(reply, null, `limited to ${ma / 1000} A`);
    this.tell("limit", this.state.limitMa, "load: set by the central");
    this.flow();
  }

  energize(reply, on) {
    this.asked.push(["energize", on]);
    if (on && this.state.pilot.startsWith("A")) return this.answer(reply, "no vehicle (A1)", "");
    this.answer(reply, null, "");
    this.close(on);
  }

  close(on) {
    Object.assign(this.state, { energised: on, pilot: on ? "C2" : "B1", status: on ? "Charging" : "SuspendedEVSE", machine: on ? "charging" : "paused", machineWhy: on ? "the vehicle takes current" : "switched off" });
    this.flow();
    this.tell("pilot", 0, this.state.pilot);
    this.tell("contactor", on ? 1 : 0, "");
    this.tell("status", 0, this.state.status);
    this.log("info", "evse", on ? "contactor closed offered_ma=16000" : "contactor opened why=\"switched off\"");
    this.report();
  }

  plug() {
    Object.assign(this.state, { pilot: "B2", status: "Preparing", machine: "offered", machineWhy: "the vehicle is not ready" });
    this.tell("plug", 1, "");
    this.tell("cable", 20000, "");
    this.tell("pilot", 0, "B2");
    this.tell("status", 0, "Preparing");
  }

  flow() {
    const ma = this.state.energised ? this.state.limitMa : 0;
    this.state.ma = [ma - 120, ma - 60, ma - 210].map((x) => Math.max(0, x));
  }

  report() {
    if (!this.socket.destroyed) this.socket.write(frame(TYPE.snapshot, 0, this.snapshot()));
  }

  snapshot() {
    const s = this.state;
    const mv = [231_200, 229_800, 230_500];
    const mw = s.ma.map((ma, i) => (ma * mv[i]) / 1000);
    const sum = mw.reduce((a, b) => a + b, 0);
    s.wh += (sum / 3600) * 2;
    const connector = body(
      [1, u8(1)], [2, text("pilot")], [3, text(s.status)], [4, text("NoError")], [9, text(s.machine)], [10, text(s.machineWhy)], [11, text(s.pilot)],
      [12, u8(s.pilot.startsWith("A") ? 0 : 1)], [13, u8(s.energised ? 1 : 0)], [14, u8(3)], [15, text("RST")], [16, tri(mv)], [17, tri(s.ma)], [18, tri(mw)],
      [19, u64(sum)], [20, u32(s.pilot.endsWith("2") ? s.limitMa : 0)], [21, u32(s.limitMa)], [22, text(s.who)], [23, text(s.why)], [24, u64(Date.now() - s.limitAt)],
      [25, u32(s.pilot.startsWith("A") ? 0 : 20000)], [26, u64(s.wh)], [30, u32(314)], [31, u32(0)], [32, u32(120)],
    );
    return body([1, u8(1)], [2, u64(Date.now())], [3, u64(Date.now() - this.started)], [4, u64(this.boot)], [5, text("2.0.0")], [6, u64(this.event - 1)], [16, connector]);
  }

  tell(kind, value, words) {
    this.socket.write(frame(TYPE.event, 0, body([1, u64(this.event)], [2, u8(KIND[kind])], [3, u8(1)], [4, u64(Date.now())], [6, u64(value)], [7, text(words)])));
    this.kept.push(this.event);
    this.event += 1;
  }

  log(level, room, words, dropped = 0) {
    this.cursor += dropped;
    const line = body([1, u64(this.cursor)], [2, u8(LEVEL[level])], [3, u64(Date.now())], [5, text(room)], [6, text(words)]);
    this.socket.write(frame(TYPE.logBatch, 0, body([1, u64(this.cursor)], [2, u64(dropped)], [3, u64(this.cursor + 1)], [16, line])));
    this.cursor += 1;
  }

  async end() {
    clearInterval(this.timer);
    this.socket?.destroy();
    await this.client?.close({ force: true });
  }
}
