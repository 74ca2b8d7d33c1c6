// Every message of a run against the official OCPP 1.6 schemas, which the npm package ocpp-rpc
// carries.
//     node judge.mjs <folder or file of lines>
// A line is a whole frame, {"by","link","frame"} (test/said), or a payload whose action is known,
// {"by","kind","action","payload"}. What a test says to our programs is not judged: it may be bad on
// purpose. It tells which call an answer of ours belongs to.
import { createReadStream, readdirSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const schemas = require("ocpp-rpc/lib/schemas/ocpp1_6.json");

const [CALL, RESULT, ERROR] = [2, 3, 4];
const ajv = new Ajv({ strict: false, multipleOfPrecision: 3 });
addFormats(ajv);
const judges = new Map(schemas.map((schema) => [schema.$id, ajv.compile(schema)]));
const codes = new Set(["NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError",
  "FormationViolation", "PropertyConstraintViolation", "OccurenceConstraintViolation",
  "TypeConstraintViolation", "GenericError"]);

const kinds = new Map();
const judged = new Map(); // by -> messages
let faults = 0;
const fault = (where, text) => {
  if (faults++ < 20) console.error(`${where}: ${text}`);
};

function judge(where, kind, action, payload) {
  const id = `urn:${action}.${kind === CALL ? "req" : "conf"}`;
  const schema = judges.get(id);
  kinds.set(id, (kinds.get(id) ?? 0) + 1);
  if (!schema) fault(where, `no schema ${id}`);
  else if (!schema(payload)) fault(where, `${id}: ${ajv.errorsText(schema.errors)}: ${JSON.stringify(payload)}`);
}

// Our frame: its shape as OCPP-J §4.2 has it, its payload by the schema of its action.
function judgeFrame(where, frame, asked) {
  if (!Array.isArray(frame)) return fault(where, `no frame: ${JSON.stringify(frame)}`);
  const [kind, id] = frame;
  const lengths = { [CALL]: 4, [RESULT]: 3, [ERROR]: 5 };
  if (frame.length !== lengths[kind]) return fault(where, `${frame.length} elements: ${JSON.stringify(frame)}`);
  if (typeof id !== "string" || (kind === CALL && id.length > 36)) fault(where, `message id ${JSON.stringify(id)}`);
  if (kind === CALL) return judge(where, CALL, frame[2], frame[3]);
  if (kind === RESULT) {
    const action = asked.get(id);
    return action ? judge(where, RESULT, action, frame[2]) : fault(where, `nobody asked ${JSON.stringify(id)}`);
  }
  if (!codes.has(frame[2])) fault(where, `error code ${JSON.stringify(frame[2])}`);
  if (typeof frame[3] !== "string" || [...frame[3]].length > 255) fault(where, "an error's description");
  if (frame[4] === null || typeof frame[4] !== "object") fault(where, "an error's details");
  return undefined;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function judgeFile(path) {
  const asked = new Map(); // "link>side" -> id -> action
  const callsTo = (link, side) => {
    const key = `${link}>${side}`;
    if (!asked.has(key)) asked.set(key, new Map());
    return asked.get(key);
  };
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const said = JSON.parse(line);
    const where = `${path}: ${said.by}`;
    const ours = !said.by.startsWith("to ");
    if (ours) judged.set(said.by, (judged.get(said.by) ?? 0) + 1);
    if (said.frame === undefined) {
      if (said.kind !== ERROR) judge(where, said.kind, said.action, said.payload);
      continue;
    }
    const frame = parse(said.frame);
    const side = said.by.replace("to ", "");
    if (ours) {
      judgeFrame(where, frame, callsTo(said.link, side));
    } else if (Array.isArray(frame) && frame[0] === CALL) {
      callsTo(said.link, side).set(frame[1], frame[2]);
    }
  }
}

const target = process.argv[2];
const files = statSync(target).isDirectory() ? readdirSync(target).map((name) => join(target, name)) : [target];
for (const file of files.sort()) await judgeFile(file);
const count = [...judged].map(([by, number]) => `${number} by ${by}`).join(", ");
console.log(`${files.length} files, ${kinds.size} kinds of messages, ${count || "none"}: ${faults} faults`);
process.exit(faults > 0 || judged.size === 0 ? 1 : 0);
