import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// Two pages: the dashboard of the central (index.html) and the page of a station (station/index.html).
// `npm run dev` shows the pages with hot reload on data of a real central (or, with `npm run dev station`,
// of a real station): PILOTWIRE_AT says where it listens.
const at = process.env["PILOTWIRE_AT"] ?? "http://127.0.0.1:8180";

export default defineConfig({
  base: "/",
  publicDir: fileURLToPath(new URL("public", import.meta.url)),
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2021",
    assetsDir: "assets",
    assetsInlineLimit: 0, // a data: address would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: at, changeOrigin: true, headers: { origin: at } } } },
});
