// The rows of proto/ocpp/v16 against the official OCPP 1.6 schemas, which the npm package ocpp-rpc
// carries: same messages, keys, types, required fields, lengths and words. Each difference must be
// one of those explained below, and each explanation must still be needed. The golden messages are
// judged by the same schemas.
//     node compare.mjs <program that prints the rows> <folder of golden messages>
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const schemas = require("ocpp-rpc/lib/schemas/ocpp1_6.json");

// Stricter than the schemas, because the text is: the field's last names, and what differs.
const explained = [
  ["connectorId", "minimum", "the text says connectorId >= 0 or > 0 (1.6 chapter 6)"],
  ["stackLevel", "minimum", "the text says stackLevel >= 0 (1.6 §7.8)"],
  ["meterValue", "minItems", "cardinality 1..* (1.6 §6.31)"],
  ["sampledValue", "minItems", "cardinality 1..* (1.6 §7.33)"],
  ["chargingSchedulePeriod", "minItems", "cardinality 1..* (1.6 §7.13)"],
].map(([key, what, why]) => ({ key, what, why, used: 0 }));

const differences = [];

function report(path, what, ours, theirs) {
  const known = explained.find((e) => path.endsWith(e.key) && e.what === what);
  if (known && theirs === undefined) {
    known.used++;
    return;
  }
  differences.push(`${path}: ${what}: ours ${JSON.stringify(ours)}, schema ${JSON.stringify(theirs)}`);
}

function resolve(node, root) {
  return node.$ref ? root.definitions[node.$ref.replace("#/definitions/", "")] : node;
}

// What a schema node says in our terms.
function typeOf(node) {
  if (node.enum) return "enum";
  if (node.format === "date-time") return "time";
  if (node.type === "number" && node.multipleOf === 0.1) return "tenths";
  return node.type;
}

function same(path, what, ours, theirs) {
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) report(path, what, ours, theirs);
}

function compareField(path, field, node, root, queue) {
  same(path, "type", field.type, typeOf(node));
  same(path, "maxLength", field.maxLength, node.maxLength);
  same(path, "minItems", field.minItems, node.minItems);
  same(path, "minimum", field.minimum, node.minimum);
  same(path, "enum", field.enum && [...field.enum].sort(), node.enum && [...node.enum].sort());
  for (const other of ["pattern", "minLength", "maxItems", "maximum", "const"]) {
    same(path, other, undefined, node[other]);
  }
  if (node.type === "object") queue.push({ path, fields: field.fields, node, root });
  if (node.type === "array") {
    const element = resolve(node.items, root);
    if (element.type === "object") {
      queue.push({ path: `${path}[]`, fields: field.fields, node: element, root });
    } else {
      compareField(`${path}[]`, field.fields[0], element, root, queue);
    }
  }
}

function compareObject({ path, fields, node, root }, queue) {
  const theirs = node.properties ?? {};
  const ours = new Map(fields.map((field) => [field.key, field]));
  for (const key of new Set([...ours.keys(), ...Object.keys(theirs)])) {
    const at = `${path}.${key}`;
    if (!ours.has(key) || !(key in theirs)) {
      report(at, "presence", ours.has(key), key in theirs);
      continue;
    }
    same(at, "required", ours.get(key).required, (node.required ?? []).includes(key));
    compareField(at, ours.get(key), resolve(theirs[key], root), root, queue);
  }
  same(path, "additionalProperties", false, node.additionalProperties);
}

function compareAll(rows) {
  const byName = new Map(schemas.map((schema) => [schema.$id.replace("urn:", ""), schema]));
  for (const name of new Set([...Object.keys(rows), ...byName.keys()])) {
    if (!(name in rows) || !byName.has(name)) {
      report(name, "message", name in rows, byName.has(name));
      continue;
    }
    const root = byName.get(name);
    const queue = [{ path: name, fields: rows[name], node: root, root }];
    while (queue.length > 0) compareObject(queue.shift(), queue);
  }
  return byName;
}

function judgeGoldens(folder, byName) {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  for (const file of files) {
    const name = file.replace(/\.json$/, "");
    if (!byName.has(name)) {
      differences.push(`${file}: names no message`);
      continue;
    }
    const message = JSON.parse(readFileSync(join(folder, file), "utf8"));
    if (!ajv.validate(byName.get(name), message)) {
      differences.push(`${file}: ${ajv.errorsText()}`);
    }
  }
  for (const name of byName.keys()) {
    if (!files.includes(`${name}.json`)) differences.push(`${name}: no golden message`);
  }
  return files.length;
}

const [program, goldens] = process.argv.slice(2);
const rows = JSON.parse(execFileSync(program, { encoding: "utf8" }));
const byName = compareAll(rows);
const judged = judgeGoldens(goldens, byName);
for (const { key, what, why, used } of explained) {
  if (used === 0) differences.push(`explained but not there: ${key} ${what}`);
  else console.log(`explained, ${used} times: ${key} ${what}: ${why}`);
}
for (const difference of differences) console.log(difference);
console.log(`${byName.size} schemas, ${judged} golden messages, ${differences.length} differences`);
process.exit(differences.length === 0 ? 0 : 1);
