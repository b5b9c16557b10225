"use strict";

const { loadBinary } = require("./binary.js");

module.exports = loadBinary("lutnn_session.node", "lutnn-native/session: native sessions are");
