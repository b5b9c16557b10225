"use strict";

const { loadBinary } = require("./binary.js");
const { addPieces } = require("./pieces.js");

module.exports = loadBinary("lutnn_native.node", "lutnn-native: the lookup backend is");
addPieces(module.exports);
