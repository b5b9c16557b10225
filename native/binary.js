"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

/** For example linux-x64. */
const target = `${process.platform}-${process.arch}`;

/**
 * The binary of that name: the one built from source here, else the one that came prebuilt for this platform. One that
 * the system refuses to load is passed over. Throws where none is left, with what was tried and what to run.
 */
function loadBinary(name, subject) {
  const tried = [];
  for (const path of [join(__dirname, "build", name), join(__dirname, "prebuilds", target, name)]) {
    if (!existsSync(path)) {
      tried.push(`${path} is missing`);
      continue;
    }
    try {
      return require(path);
    } catch (error) {
      if (error.code !== "ERR_DLOPEN_FAILED") throw error;
      tried.push(`${path} does not load: ${error.message}`);
    }
  }
  throw new Error(`${subject} not built for ${target} (${tried.join("; ")}); run \`npm run setup\``);
}

module.exports = { loadBinary, target };
