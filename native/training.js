"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const binary = join(__dirname, "build", "lutnn_training.node");
if (!existsSync(binary))
  throw new Error(
    `lutnn-native/training: the training operators are not built (${binary} is missing); run \`npm run setup\``,
  );

module.exports = require(binary);
