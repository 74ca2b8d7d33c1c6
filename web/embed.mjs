// Built pages as a C table of struct pw_http_asset (core/http): `node embed.mjs <dist> <out.c> <name>`.
// Same input, same output: no times, names in order, gzip without a host's fingerprint.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

// Bytes, compressed: what the first page needs, and all that can be opened from it.
const MOST_FIRST = 80 * 1024;
const MOST = 112 * 1024;

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

function filesUnder(folder, prefix = "") {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${prefix}/${entry.name}`;
      return entry.isDirectory() ? filesUnder(join(folder, entry.name), path) : [path];
    })
    .sort();
}

function compressed(bytes) {
  const gzip = gzipSync(bytes, { level: 9 });
  gzip[9] = 255; // RFC 1952: operating system unknown
  return gzip;
}

function rows(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 24) lines.push("    " + [...bytes.subarray(at, at + 24)].join(",") + ",");
  return lines.join("\n");
}

const [dist, out, name] = process.argv.slice(2);
const assets = filesUnder(dist).map((path, index) => {
  const type = TYPES[extname(path)];
  if (!type) throw new Error(`${path}: no content type is known for ${extname(path)}; add it to embed.mjs`);
  const content = readFileSync(join(dist, path));
  return { path, type, name: `asset_${index}`, gzip: compressed(content), etag: createHash("sha256").update(content).digest("hex").slice(0, 16) };
});

const total = assets.reduce((sum, asset) => sum + asset.gzip.length, 0);
const page = readFileSync(join(dist, "index.html"), "utf8");
const first = assets.reduce((sum, asset) => sum + (asset.path === "/index.html" || page.includes(asset.path) ? asset.gzip.length : 0), 0);
if (first > MOST_FIRST) throw new Error(`the first page is ${first} bytes compressed; at most ${MOST_FIRST} are allowed`);
if (total > MOST) throw new Error(`the pages are ${total} bytes compressed; at most ${MOST} are allowed`);

const arrays = assets.map((a) => `// ${a.path}\nstatic const uint8_t ${a.name}[] = {\n${rows(a.gzip)}\n};\n`);
const table = assets.map((a) => `    { "${a.path}", "${a.type}", ${a.name}, sizeof ${a.name}, "\\"${a.etag}\\"" },`);
writeFileSync(
  out,
  `// Made by web/embed.mjs.\n#include "http/http.h"\n\n${arrays.join("\n")}\n` +
    `extern const struct pw_http_asset ${name}[];\nextern const size_t ${name}_count;\n` +
    `const struct pw_http_asset ${name}[] = {\n${table.join("\n")}\n};\n` +
    `const size_t ${name}_count = sizeof ${name} / sizeof ${name}[0];\n`,
);
console.log(`${name}: ${assets.length} files, ${(total / 1024).toFixed(1)} kB compressed, ${(first / 1024).toFixed(1)} kB of them at first`);
