// Starts pilotwire-central on a free port with an empty database, and ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";

const START_MS = 15_000;

// Where stations link to, as the central says it.
function linkOf(out) {
  const found = /Station links: tls:\/\/([^:]+):(\d+) with pin ([0-9a-f]{64})/.exec(out);
  if (!found) throw new Error(`pilotwire-central does not say where it takes station links:\n${out}`);
  return { host: found[1], port: Number(found[2]), pin: found[3] };
}

export async function startCentral(program, data, port = 0) {
  const child = spawn(program, ["--listen", `127.0.0.1:${port}`, "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL")); // whatever ends the walk ends the central
  let out = "";
  let log = "";
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (log += text));
  const until = Date.now() + START_MS;
  while (!/Dashboard: /.test(out)) {
    if (child.exitCode !== null) throw new Error(`pilotwire-central ended with ${child.exitCode}:\n${log}`);
    if (Date.now() > until) throw new Error(`pilotwire-central does not say where it serves:\n${out}${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const url = /Dashboard: (\S+)/.exec(out)[1].replace(/\/$/, "");
  return {
    url,
    port: Number(new URL(url).port),
    link: linkOf(out),
    password: /password (\S+)/.exec(out)?.[1], // only at the first start
    log: () => log,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 5000);
      await once(child, "exit");
      clearTimeout(force);
    },
  };
}
