// Every function of every addon with arguments that it takes, made anew for each call: what badCalls.mjs spoils.
import { paths, require } from "./addons.mjs";
import { floats, lookupOf, windowOf } from "./layer.mjs";
import { inputLength } from "./model.mjs";

const [C, K, V, M, rows] = [4, 16, 9, 5, 3];
const [height, width] = [4, 5];

const bytes = (length) => Uint8Array.from({ length }, (_, i) => (i * 7) % K);

const lookup = () => lookupOf(C, K, V, M);
const window = () => windowOf(C);
const integers = () => ({
  inputScale: 0.5,
  inputZeroPoint: 128,
  centroids: Int8Array.from({ length: C * K * V }, (_, i) => i % 127),
  halfNorms: Int32Array.from({ length: C * K }, (_, i) => i * 3),
});
const tree = () => ({
  dimensions: Int32Array.from({ length: C * 4 }, (_, i) => i % V),
  thresholds: floats(C * 15),
});
const runOptions = (length) => ({
  residual: floats(length),
  relu: true,
  threads: 2,
  from: 0,
  to: 1,
  times: new Float64Array(2),
});

/**
 * @typedef {object} Callable
 * @property {string} name
 * @property {() => unknown[]} valid arguments that are taken
 * @property {(args: unknown[], self?: unknown) => unknown} call `self` in place of what the function belongs to
 * @property {number[]} [written] arguments, by place, that a call that succeeds writes to
 * @property {boolean} [asks] what its host says of its contents is an Error of another kind
 */

/** @returns {Callable[]} */
function lookupCalls() {
  const native = require(paths.lookup);
  const matMul = new native.LutMatMul(lookup());
  const conv = new native.LutConv(lookup(), window());
  const image = () => floats(2 * 4 * height * width);
  const plane = height * width;
  const method = (object, name, valid, written) => ({
    name: `${object.constructor.name}.${name}`,
    valid,
    written,
    call: (args, self = object) => Reflect.apply(object[name], self, args),
  });
  const own = (name, valid, written) => ({
    name,
    valid,
    written,
    call: (args, self = native) => Reflect.apply(native[name], self, args),
  });
  const made = (Class, valid) => ({
    name: `new ${Class.name}`,
    valid,
    call: (args, self) =>
      self === undefined ? Reflect.construct(Class, args) : Reflect.apply(Class, self, args),
  });
  const table = () => floats(C * K * M);
  const runRows = () => [floats(rows * C * V), rows, new Float32Array(rows * M), runOptions(rows * M)];
  const runImages = () => [
    image(),
    2,
    height,
    width,
    new Float32Array(2 * M * plane),
    runOptions(2 * M * plane),
  ];
  const bound = (object, valid, written) => ({
    name: `${object.constructor.name}.bind()`,
    valid,
    written,
    call: (args, self = object) => Reflect.apply(object.bind, self, args)(),
  });
  return [
    made(native.LutMatMul, () => [lookup(), { encoding: "float32" }]),
    made(native.LutMatMul, () => [lookup(), { encoding: "tree", tree: tree() }]),
    made(native.LutConv, () => [lookup(), window(), { encoding: "integer", integers: integers() }]),
    made(native.LutConv, () => [lookup(), window(), { encoding: "int8" }]),
    method(matMul, "run", runRows, [2]),
    bound(matMul, runRows, [2]),
    method(matMul, "encode", () => [floats(rows * C * V), rows, new Uint8Array(rows * C)], [2]),
    method(matMul, "lookup", () => [bytes(rows * C), rows, new Int32Array(rows * M)], [2]),
    method(matMul, "mismatch", () => [floats(rows * C * V), rows]),
    method(conv, "outputSize", () => [height, width]),
    method(conv, "run", runImages, [4]),
    bound(conv, runImages, [4]),
    method(conv, "encode", () => [image(), 2, height, width, new Uint8Array(2 * plane * C)], [4]),
    method(conv, "lookup", () => [bytes(plane * C), plane, new Int32Array(plane * M)], [2]),
    method(conv, "mismatch", () => [image(), 2, height, width]),
    own(
      "encode",
      () => [floats(rows * C * V), rows, floats(C * K * V), C, K, V, new Uint8Array(rows * C)],
      [6],
    ),
    own(
      "encodeIntegers",
      () => [floats(rows * C * V), rows, integers(), C, K, V, new Uint8Array(rows * C)],
      [6],
    ),
    own("lookupAdd", () => [bytes(rows * C), rows, table(), C, K, M, floats(rows * M), { threads: 2 }], [6]),
    own("scatterAdd", () => [bytes(rows * C), rows, floats(rows * M), C, K, M, table(), { threads: 2 }], [6]),
    own(
      "quantizeTable",
      () => [table(), C * K, M, true, 127, new Int8Array(C * K * M), new Float32Array(M)],
      [5, 6],
    ),
    own("availableIsas", () => []),
    own("peakRates", () => []),
  ];
}

/** @returns {Callable[]} */
function trainingCalls() {
  const training = require(paths.training);
  const draws = () => Float64Array.from({ length: 2 * 4 }, (_, i) => i / 8);
  const own = (name, valid, written) => ({
    name: `training.${name}`,
    valid,
    written,
    call: (args, self = training) => Reflect.apply(training[name], self, args),
  });
  return [
    own("register", () => []),
    own("setThreads", () => [2]),
    own("kMeans", () => [floats(30 * 6), 30, 2, 4, 3, 5, draws(), 0, new Float32Array(2 * 4 * 3)], [8]),
  ];
}

/**
 * @param {string} library of ONNX Runtime
 * @param {Uint8Array} model
 * @returns {Promise<Callable[]>}
 */
async function sessionCalls(library, model) {
  const native = require(paths.session);
  const session = await native.create(library, model, {});
  const asked = (name, valid, asks = true) => ({
    name: `session.${name}`,
    valid,
    asks,
    call: (args, self = native) => Reflect.apply(native[name], self, args),
  });
  const method = (name, valid) => ({
    name: `Session.${name}`,
    valid,
    asks: true,
    call: (args, self = session) => Reflect.apply(session[name], self, args),
  });
  return [
    asked("create", () => [library, model.slice(), { threads: 2, optimize: true }]),
    asked("operators", () => []),
    asked("functions", () => [library]),
    asked("version", () => [library]),
    method("run", () => [[floats(2 * inputLength)], [[2, inputLength]]]),
    method("endProfiling", () => []),
  ];
}

/** Names of what the addons give that no list above calls: isa is a text, and release ends what the others need. */
const notCalled = ["isa"];

/** @returns {Promise<Callable[]>} throws where an addon has a function that is not among them */
export async function allCalls(library, model) {
  const calls = [...lookupCalls(), ...trainingCalls(), ...(await sessionCalls(library, model))];
  const names = new Set(calls.map(({ name }) => name.replace(/^(new|training\.|session\.) ?/, "")));
  for (const [addon, path] of Object.entries(paths))
    for (const name of Object.keys(require(path)))
      if (!names.has(name) && !notCalled.includes(name)) throw new Error(`nobody calls ${name} of ${addon}`);
  return calls;
}
