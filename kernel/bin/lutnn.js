#!/usr/bin/env node
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const cli = join(__dirname, "../lib/cli.js");
if (!existsSync(cli)) {
  console.error("lutnn is not built yet. In the checkout, run: npm run setup");
  process.exit(1);
}
// TensorFlow's start-up remarks about this processor help nobody here; its warnings stay.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
// The notebook kernel has an entry of its own: it must be ready before the command line's modules would be loaded.
require(process.argv[2] === "kernel" ? "../lib/jupyter/main.js" : cli);
