// pilotwire-central as a person meets it: help, tasks, mistakes and their exit statuses.
//   node command-line.mjs <pilotwire-central>
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = process.argv[2];
const data = mkdtempSync(join(tmpdir(), "pilotwire-central-"));

function run(words, input) {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", input, timeout: 10000 });
  return { status, stdout, stderr };
}
const task = (...words) => run(["--data", join(data, "a"), ...words]);

// [words, exit status, what standard error says]
const mistakes = [
  [["--nonsense"], 2, /unknown or incomplete option; see --help/],
  [["--listen"], 2, /unknown or incomplete option/],
  [["--listen", "here"], 2, /--listen: "here" is not ADDRESS:PORT with a port from 0 to 65535/],
  [["--listen", "127.0.0.1:65536"], 2, /port from 0 to 65535/],
  [["--heartbeat", "5"], 2, /--heartbeat: "5" is not a whole number from 10 to 86400/],
  [["--log-level", "loud"], 2, /"loud" is none of error, warn, info, debug/],
  [["dance"], 2, /"dance" is none of station add/],
  [["station", "paint", "X"], 2, /"station paint" is none of/],
  [["station", "add"], 2, /station add: wrong number of words/],
  [["station", "add", "A", "B"], 2, /wrong number of words/],
  [["--data", join(data, "no", "such"), "station", "list"], 1, /cannot make the folder .*No such file/],
  [["--data", join(data, "a"), "station", "add", "a b"], 1, /an id has 1 to 48 letters/],
  [["--data", join(data, "a"), "station", "remove", "Z"], 1, /there is no station with a key/],
  [["--data", join(data, "a"), "card", "add", "123456789012345678901"], 1, /a tag has 1 to 20 characters/],
];

function tasks() {
  assert.match(run(["--help"]).stdout, /^pilotwire-central: OCPP 1\.6J central system/);
  assert.match(run(["--version"]).stdout, /^pilotwire-central \d+\.\d+\.\d+\n$/);
  for (const [words, status, says] of mistakes) {
    const got = run(words);
    assert.equal(got.status, status, words.join(" "));
    assert.match(got.stderr, says);
    assert.equal(got.stderr.trim().split("\n").length, 1, "one line says it");
  }
  const first = task("station", "add", "CP-1");
  assert.match(first.stdout, /^[a-z2-9]{24}\n$/);
  assert.equal(task("station", "add", "CP-1").status, 1);
  const second = task("--replace", "station", "add", "CP-1");
  assert.notEqual(second.stdout, first.stdout);
  const given = run(["--data", join(data, "a"), "--stdin", "station", "add", "CP-2"], "sixteen-or-more-1\n");
  assert.deepEqual([given.status, given.stdout], [0, ""]);
  assert.equal(run(["--data", join(data, "a"), "--stdin", "user", "password", "admin"], "short\n").status, 1);
  assert.match(task("user", "password", "admin").stdout, /^[a-z2-9]{20}\n$/);
  assert.match(task("station", "list").stdout, /^CP-1 +key +last seen never\nCP-2 +key +last seen never\n$/);
  assert.equal(task("station", "remove", "CP-2").status, 0);
  assert.match(task("station", "list").stdout, /CP-2 +no key/);
  // A central that runs goes on without an authority that was made beside it: whoever makes one is told.
  const made = task("ca", "init", "Operator");
  assert.match(made.stdout, /^-----BEGIN CERTIFICATE-----\n/);
  assert.match(made.stderr, /no authority before it is started again/);
  assert.equal(task("ca", "init", "Operator").status, 1);
  // Nobody else may read what is kept.
  assert.equal(statSync(join(data, "a")).mode & 0o777, 0o700);
  for (const file of readdirSync(join(data, "a"))) {
    assert.equal(statSync(join(data, "a", file)).mode & 0o077, 0, file);
  }
}

function databases() {
  mkdirSync(join(data, "bad"));
  writeFileSync(join(data, "bad", "central.db"), "this is no database, however long it may be".repeat(50));
  const bad = run(["--data", join(data, "bad"), "station", "list"]);
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /cannot open .*central\.db: file is not a database/);
}

async function ports() {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => taken.once("listening", done));
  const { port } = taken.address();
  // Not spawnSync: this very process holds the port.
  const child = spawn(program, ["--data", join(data, "a"), "--listen", `127.0.0.1:${port}`]);
  let said = "";
  child.stderr.on("data", (chunk) => { said += chunk; });
  const status = await new Promise((done) => child.once("exit", done));
  taken.close();
  assert.equal(status, 1);
  assert.match(said, /cannot listen on 127\.0\.0\.1:\d+: the port is in use/);
}

try {
  tasks();
  databases();
  await ports();
} finally {
  rmSync(data, { recursive: true, force: true });
}
console.log("command-line: all as expected");
