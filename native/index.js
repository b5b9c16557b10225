"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { addPieces } = require("./pieces.js");

const binary = join(__dirname, "build", "lutnn_native.node");
if (!existsSync(binary))
  throw new Error(
    `lutnn-native: the lookup backend is not built (${binary} is missing); run \`npm run setup\``,
  );

module.exports = require(binary);
addPieces(module.exports);
