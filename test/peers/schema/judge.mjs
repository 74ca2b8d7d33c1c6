// Every message of a run against the official OCPP 1.6 schemas, which the npm package ocpp-rpc
// carries.
//     node judge.mjs <file of lines {"from","kind","action","payload"}>
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const schemas = require("ocpp-rpc/lib/schemas/ocpp1_6.json");

const ajv = new Ajv({ strict: false, multipleOfPrecision: 3 });
addFormats(ajv);
const judges = new Map(schemas.map((schema) => [schema.$id, ajv.compile(schema)]));

const counts = new Map();
const faults = [];
let lines = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  const { from, kind, action, payload } = JSON.parse(line);
  lines++;
  if (kind === 4) continue; // an error's details are free
  const id = `urn:${action}.${kind === 2 ? "req" : "conf"}`;
  const judge = judges.get(id);
  counts.set(id, (counts.get(id) ?? 0) + 1);
  if (!judge) faults.push(`${from}: no schema ${id}`);
  else if (!judge(payload)) faults.push(`${from}: ${id}: ${ajv.errorsText(judge.errors)}: ${JSON.stringify(payload)}`);
}
for (const fault of faults.slice(0, 20)) console.error(fault);
if (lines === 0) console.error("nothing to judge");
console.log(`${lines} messages of ${counts.size} kinds, ${faults.length} faults`);
process.exit(faults.length > 0 || lines === 0 ? 1 : 0);
