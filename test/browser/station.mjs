// A charge point of somebody else's make (npm ocpp-rpc, strict schemas): one scooter at connector 1.
import { createRPCError, RPCClient } from "ocpp-rpc";

const VOLTS_EMPTY = 70;
const ENERGY_START_WH = 41_200;

// A plausible charge of a 30 Ah pack, t seconds after its start: ramp, constant current, taper.
function charge(t) {
  const soc = Math.min(100, 22 + t / 45);
  const taper = soc > 80 ? (100 - soc) / 20 : 1;
  const amps = 27.5 * Math.min(1, t / 60) * taper;
  const volts = VOLTS_EMPTY + soc * 0.12 + amps * 0.05;
  return { soc, amps, volts, watts: amps * volts, wh: ENERGY_START_WH + t * 0.52, celsius: 24 + t / 300 };
}

const sampled = (value, measurand, unit) => ({ value: value.toFixed(unit === "Wh" ? 0 : 2), measurand, unit });

export class PlayedStation {
  constructor(url, identity, password) {
    this.identity = identity;
    this.client = new RPCClient({
      endpoint: `${url.replace(/^http/, "ws")}/ocpp`,
      identity,
      password,
      protocols: ["ocpp1.6"],
      strictMode: true,
      reconnect: true,
      backoff: { initialDelay: 200, maxDelay: 500 },
    });
    this.transaction = null;
    this.configuration = new Map([
      ["HeartbeatInterval", "300"],
      ["MeterValueSampleInterval", "1"],
      ["MeterValuesSampledData", "Power.Active.Import,Voltage,Current.Import,SoC,Energy.Active.Import.Register"],
      ["ConnectionTimeOut", "60"],
    ]);
    this.answer();
  }

  answer() {
    const client = this.client;
    client.handle("RemoteStartTransaction", ({ params }) => {
      this.later(300, () => this.start(params.idTag, new Date()));
      return { status: "Accepted" };
    });
    client.handle("RemoteStopTransaction", ({ params }) => {
      if (params.transactionId !== this.transaction?.id) return { status: "Rejected" };
      this.later(300, () => this.stop("Remote"));
      return { status: "Accepted" };
    });
    client.handle("GetConfiguration", () => ({
      configurationKey: [
        ...[...this.configuration].map(([key, value]) => ({ key, readonly: false, value })),
        { key: "NumberOfConnectors", readonly: true, value: "2" },
        { key: "SupportedFeatureProfiles", readonly: true, value: "Core" },
      ],
      unknownKey: [],
    }));
    client.handle("ChangeConfiguration", ({ params }) => {
      if (!this.configuration.has(params.key)) return { status: "NotSupported" };
      if (params.key === "ConnectionTimeOut") {
        this.afterBoot = [params.key, params.value];
        return { status: "RebootRequired" };
      }
      this.configuration.set(params.key, params.value);
      return { status: "Accepted" };
    });
    client.handle("ChangeAvailability", ({ params }) => {
      const status = params.type === "Operative" ? "Available" : "Unavailable";
      this.later(200, () => this.status(params.connectorId, status));
      return { status: "Accepted" };
    });
    client.handle("UnlockConnector", () => {
      throw createRPCError("NotSupported", "this connector has no lock");
    });
    client.handle("Reset", () => {
      this.later(300, () => this.boot());
      return { status: "Accepted" };
    });
    client.handle("ClearCache", () => ({ status: "Accepted" }));
  }

  // What a station does after it has answered. When the walk is over, nobody waits for it.
  later(ms, act) {
    setTimeout(() => {
      act().catch((error) => {
        if (!this.ended) throw error;
      });
    }, ms);
  }

  async connect() {
    await this.client.connect();
    await this.boot();
  }

  async boot() {
    if (this.afterBoot) this.configuration.set(...this.afterBoot);
    await this.client.call("BootNotification", {
      chargePointVendor: "Played",
      chargePointModel: "Scooter DC 2",
      chargePointSerialNumber: "PL-0042",
      firmwareVersion: "2.1",
    });
    await this.status(0, "Available");
    await this.status(1, this.transaction ? "Charging" : "Available");
    await this.status(2, "Available");
  }

  status(connectorId, status, more = {}) {
    return this.client.call("StatusNotification", {
      connectorId,
      status,
      errorCode: "NoError",
      timestamp: new Date().toISOString(),
      ...more,
    });
  }

  async authorize(idTag) {
    return (await this.client.call("Authorize", { idTag })).idTagInfo.status;
  }

  // A start in the past is one that was made while the station was offline.
  async start(idTag, at) {
    await this.status(1, "Preparing");
    const soc = charge(0).soc;
    await this.client.call("DataTransfer", {
      vendorId: "org.pilotwire",
      messageId: "VehicleInfo",
      data: JSON.stringify({ connectorId: 1, ah: soc * 0.3, imaxA: 30, packV: 72.6, socPercent: soc }),
    });
    const answer = await this.client.call("StartTransaction", {
      connectorId: 1,
      idTag,
      meterStart: ENERGY_START_WH,
      timestamp: at.toISOString(),
    });
    this.transaction = { id: answer.transactionId, at: at.getTime(), idTag };
    await this.status(1, "Charging");
    for (let t = at.getTime(); t < Date.now() - 20_000; t += 20_000) await this.measure(t);
    await this.measure(Date.now());
    this.timer = setInterval(() => void this.measure(Date.now()).catch(() => {}), 1000);
  }

  async measure(ms) {
    const now = charge((ms - this.transaction.at) / 1000);
    await this.client.call("MeterValues", {
      connectorId: 1,
      transactionId: this.transaction.id,
      meterValue: [
        {
          timestamp: new Date(ms).toISOString(),
          sampledValue: [
            sampled(now.watts, "Power.Active.Import", "W"),
            sampled(now.volts, "Voltage", "V"),
            sampled(now.amps, "Current.Import", "A"),
            sampled(30, "Current.Offered", "A"),
            sampled(now.soc, "SoC", "Percent"),
            sampled(now.celsius, "Temperature", "Celsius"),
            sampled(now.wh, "Energy.Active.Import.Register", "Wh"),
          ],
        },
      ],
    });
  }

  async stop(reason) {
    clearInterval(this.timer);
    const { id, at, idTag } = this.transaction;
    await this.measure(Date.now());
    this.transaction = null;
    await this.client.call("StopTransaction", {
      transactionId: id,
      idTag,
      meterStop: Math.round(charge((Date.now() - at) / 1000).wh),
      timestamp: new Date().toISOString(),
      reason,
    });
    await this.status(1, "Finishing");
    await this.status(1, "Available");
  }

  async end() {
    this.ended = true;
    clearInterval(this.timer);
    await this.client.close({ force: true }).catch(() => {});
  }
}

// What a station without a key meets.
export async function knock(url, identity) {
  const client = new RPCClient({
    endpoint: `${url.replace(/^http/, "ws")}/ocpp`,
    identity,
    protocols: ["ocpp1.6"],
    reconnect: false,
  });
  try {
    await client.connect();
    throw new Error(`${identity} was let in without a key`);
  } catch (error) {
    if (error.code !== 401) throw error;
  } finally {
    await client.close({ force: true }).catch(() => {});
  }
}
