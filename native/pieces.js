"use strict";

const { setImmediate: nextTurn } = require("node:timers/promises");

/**
 * Calls run({ ...options, from, to }) for pieces of 0 … count - 1 that grow until one takes about `milliseconds`, with a
 * turn of the event loop after each. Every piece is checked as the whole is.
 */
async function runInPieces(run, count, { signal, milliseconds = 20, ...options } = {}) {
  if (!(milliseconds > 0))
    throw new RangeError(`runInPieces: milliseconds must be a number above 0 (got ${milliseconds})`);
  let piece = 1;
  let from = 0;
  do {
    signal?.throwIfAborted();
    const to = Math.min(count, from + piece);
    const start = performance.now();
    run({ ...options, from, to });
    const taken = performance.now() - start;
    piece = Math.max(1, Math.min(piece * 4, Math.floor((piece * milliseconds) / Math.max(taken, 1e-3))));
    from = to;
    if (from < count) await nextTurn();
  } while (from < count);
}

/** Adds the method to the classes of the addon. */
function addPieces({ LutMatMul, LutConv }) {
  LutMatMul.prototype.runInPieces = function (x, rows, y, options) {
    return runInPieces((piece) => this.run(x, rows, y, piece), rows, options);
  };
  LutConv.prototype.runInPieces = function (x, batch, height, width, y, options) {
    return runInPieces((piece) => this.run(x, batch, height, width, y, piece), batch, options);
  };
}

module.exports = { addPieces };
