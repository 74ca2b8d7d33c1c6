import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strict],
    rules: {
      eqeqeq: ["error", "always"],
      "max-depth": ["error", 4],
      "max-params": ["error", 5],
      "max-lines": ["error", 400],
    },
  },
  { files: ["public/*.js"], languageOptions: { globals: { document: "readonly", localStorage: "readonly" } } },
  { files: ["*.mjs", "*.js"], languageOptions: { globals: { process: "readonly", console: "readonly", Buffer: "readonly" } } },
);
