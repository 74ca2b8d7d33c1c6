import { defineConfig } from "vite";

// `npm run dev` shows the pages with hot reload on data of a real central: PILOTWIRE_CENTRAL says where it listens.
const central = process.env["PILOTWIRE_CENTRAL"] ?? "http://127.0.0.1:8180";

export default defineConfig({
  base: "/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2021",
    assetsDir: "assets",
    assetsInlineLimit: 0, // a data: address would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: central, changeOrigin: true, headers: { origin: central } } } },
});
