import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, inference, LutnnError } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import {
  AttributeType,
  LUTNN_DOMAIN,
  node,
  type TensorArray,
  tensor,
} from "../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type ModelProto,
  ModelProtoSchema,
} from "../../../kernel/lib/onnx/onnx_pb";
import { residentGrowth } from "../residentGrowth";
import {
  addLookup,
  type Draw,
  drawConv,
  drawFrom,
  drawMatMul,
  inIntegers,
  type LookupSpec,
  lookupFile,
  outputShape,
  plainValue,
} from "./lookupFile";

/** Of GELU natively and in ONNX Runtime together, of |x|: each is within 2⁻²² of x · Φ(x). */
const geluError = 2 ** -21;

const sizeOf = (dims: readonly number[]) => dims.reduce((product, length) => product * length, 1);
const whole = (draw: Draw, dims: number[]) => ({
  data: Float32Array.from({ length: sizeOf(dims) }, () => draw(-4, 4)),
  dims,
});

async function runIn(file: Uint8Array, feeds: Parameters<InferenceSession["run"]>[0], options: object) {
  const session = await InferenceSession.create(file, options);
  try {
    return (await session.run(feeds)).y;
  } finally {
    await session.release();
  }
}

const differing = (a: Float32Array, b: Float32Array) =>
  a.filter((value, i) => !Object.is(value, b[i])).length;

/** Expects the native results, by every instruction set and number of threads, to be the functions' to the last bit. */
async function expectSame(file: Uint8Array, feeds: Parameters<InferenceSession["run"]>[0], what: string) {
  const wanted = await runIn(file, feeds, { backend: "onnxruntime" });
  for (const isa of native.availableIsas())
    for (const threads of [1, 2]) {
      const got = await runIn(file, feeds, { backend: "native", isa, threads });
      expect(got.dims, `${what}, ${isa}, ${threads} threads`).toEqual(wanted.dims);
      expect(differing(got.data, wanted.data), `${what}, ${isa}, ${threads} threads`).toBe(0);
    }
  return wanted;
}

describe("a native session gives the codes and sums of the functions, bit for bit", () => {
  it.each([1, 2, 3, 4, 5, 6])("on random layers (%i)", async (seed) => {
    const draw = drawFrom(seed * 7919);
    for (let i = 0; i < 8; i++) {
      const drawn = draw(0, 2) === 0 ? drawMatMul(draw) : drawConv(draw);
      const layer = i < 5 ? drawn : inIntegers(drawn);
      const x = whole(draw, [draw(1, 3), ...layer.shape]);
      await expectSame(lookupFile(layer, draw), { x }, `sums of ${JSON.stringify(layer)}`);
      for (const suffix of ["Relu", "Add", "AddRelu"]) {
        const variant = { ...layer, spec: { ...layer.spec, operator: `${layer.spec.operator}${suffix}` } };
        const residual = whole(draw, [x.dims[0], ...outputShape(layer.spec, layer.shape)]);
        const feeds = { x, ...(suffix.includes("Add") ? { residual } : {}) };
        await expectSame(lookupFile(variant, draw), feeds, `${suffix} of ${JSON.stringify(layer)}`);
      }
      const codes = { ...layer, spec: { ...layer.spec, outputs: layer.spec.codebooks } };
      await expectSame(
        lookupFile(codes, draw, { codesOnly: true }),
        { x },
        `codes of ${JSON.stringify(layer)}`,
      );
    }
  });

  it("but for GELU, which is within its bound, and the same on every instruction set", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const draw = drawFrom(seed * 31);
      const drawn = seed % 2 ? drawMatMul(draw) : drawConv(draw);
      const layer = seed < 3 ? drawn : inIntegers(drawn);
      const file = (suffix: string) =>
        lookupFile(
          { ...layer, spec: { ...layer.spec, operator: `${layer.spec.operator}${suffix}` } },
          drawFrom(seed),
        );
      const feeds = { x: whole(draw, [2, ...layer.shape]) };
      const x = (await runIn(file(""), feeds, { backend: "onnxruntime" })).data;
      const wanted = (await runIn(file("Gelu"), feeds, { backend: "onnxruntime" })).data;
      let first: Float32Array | undefined;
      for (const isa of native.availableIsas()) {
        const got = (await runIn(file("Gelu"), feeds, { backend: "native", isa })).data;
        first ??= got;
        expect(differing(got, first), isa).toBe(0);
        got.forEach((value, i) => {
          expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(geluError * Math.abs(x[i]));
        });
      }
    }
  });

  it.each([1, 2, 3])("on networks of several, with batches of other sizes (%i)", async (seed) => {
    const draw = drawFrom(seed * 104729);
    const graph = new GraphBuilder();
    for (const name of ["x", "y"]) graph.name(name);
    const first = drawConv(draw, undefined, 13);
    let shape = first.shape;
    let value = "x";
    let spec = first.spec;
    for (let i = 0; i < 3; i++) {
      spec = { ...spec, outputs: Math.min(spec.outputs, 8) };
      value = addLookup(graph, spec, value, `conv${i}`, draw);
      shape = outputShape(spec, shape);
      const next = drawConv(draw, shape[0]).spec;
      spec = { ...next, attributes: { ...next.attributes, dilations: [1, 1], pads: [2, 2, 2, 2] } };
    }
    const features = sizeOf(shape);
    value = graph.add("Reshape", [value, graph.integers([0, features])], "flat");
    const last: LookupSpec = {
      operator: "LutMatMul",
      codebooks: features,
      centroids: 16,
      length: 1,
      outputs: 5,
      attributes: {},
    };
    value = addLookup(graph, last, value, "matMul", draw);
    graph.rename(new Map([[value, "y"]]));
    const file = modelBytes(graph, {
      name: "network",
      inputs: [plainValue("x", first.shape)],
      outputs: [plainValue("y", [5])],
      metadata: {},
    });
    for (const batch of [1, 3])
      await expectSame(file, { x: whole(draw, [batch, ...first.shape]) }, `network ${seed}`);
  });

  it("where a residual's memory becomes the result's, or it is read elsewhere too", async () => {
    const draw = drawFrom(77);
    const shape = [4, 9, 7];
    const spec: LookupSpec = {
      operator: "LutConvAddRelu",
      codebooks: 4,
      centroids: 16,
      length: 9,
      outputs: 4,
      attributes: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 4 },
    };
    for (const [residual, elsewhere] of [
      ["a", false],
      ["a", true],
      ["b", false],
    ] as const) {
      const graph = new GraphBuilder();
      for (const name of ["x", "y", "a", "b"]) graph.name(name);
      graph.rename(new Map());
      const a = addLookup(graph, { ...spec, operator: "LutConv" }, "x", "a0", draw);
      const b = addLookup(graph, { ...spec, operator: "LutConvRelu" }, a, "b0", draw);
      // Its own input as residual, or one that nobody reads after it.
      const sum = addLookup(graph, spec, b, "sum", draw, { residual: residual === "a" ? a : b });
      const y = elsewhere ? graph.add("Sub", [sum, a], "difference") : graph.add("Neg", [sum], "negative");
      graph.rename(new Map([[y, "y"]]));
      const file = modelBytes(graph, {
        name: "residual",
        inputs: [plainValue("x", shape)],
        outputs: [plainValue("y", shape)],
        metadata: {},
      });
      await expectSame(file, { x: whole(draw, [2, ...shape]) }, `${residual} ${elsewhere}`);
    }
  });

  it("where a convolution's taps and padding lie far from the image and from each other", async () => {
    const far = 50_021;
    const windows = [
      { kernel_shape: [3, 3], strides: [1, 2], dilations: [1, far], pads: [1, far, 1, far + 1] }, // one column sees it
      { kernel_shape: [3, 1], strides: [1, 1], dilations: [far, 1], pads: [far, 0, far, 0] },
      { kernel_shape: [1, 2], strides: [1, 3], dilations: [1, 1009], pads: [0, 1000, 0, 40] }, // its beginning, its end
      { kernel_shape: [2, 2], strides: [2 ** 24, 7], dilations: [1, 1], pads: [0, 900, 2 ** 24, 0] },
    ];
    for (const attributes of windows) {
      const draw = drawFrom(attributes.pads[1] + 1);
      const [fh, fw] = attributes.kernel_shape;
      const spec = { operator: "LutConv", codebooks: 2, centroids: 16, length: 2 * fh * fw, outputs: 5 };
      const layer = { spec: { ...spec, attributes: { ...attributes, group: 2 } }, shape: [4, 6, 9] };
      for (const one of [layer, inIntegers(layer)]) {
        const [file, feeds] = [lookupFile(one, draw), { x: whole(draw, [2, ...one.shape]) }];
        const wanted = await expectSame(file, feeds, JSON.stringify(one));
        const reference = await runIn(file, feeds, { backend: "reference" });
        expect(differing(reference.data, wanted.data), `reference, ${JSON.stringify(one)}`).toBe(0);
      }
    }
  });

  it("on no example at all", async () => {
    const draw = drawFrom(5);
    const layer = drawConv(draw);
    const y = await runIn(
      lookupFile(layer, draw),
      { x: whole(draw, [0, ...layer.shape]) },
      { backend: "native" },
    );
    expect(y.dims).toEqual([0, ...outputShape(layer.spec, layer.shape)]);
  });
});

/** A 3×3 convolution large enough to take some tens of ms. */
const large = {
  spec: {
    operator: "LutConv",
    codebooks: 64,
    centroids: 16,
    length: 9,
    outputs: 64,
    attributes: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 64 },
  } satisfies LookupSpec,
  shape: [64, 56, 56],
};

describe("a session's life", () => {
  const draw = drawFrom(3);
  const file = lookupFile(large, draw);
  const x = whole(draw, [4, ...large.shape]);

  it("leaves the event loop free, lets runs overlap, and ends them before it is released", async () => {
    const session = await InferenceSession.create(file, { backend: "native", threads: 2 });
    expect([session.backend, session.isa]).toEqual(["native", native.isa]);
    const one = await session.run({ x });
    const runs = Array.from({ length: 6 }, () => session.run({ x }));
    let ended = 0;
    for (const run of runs) void run.then(() => ended++);
    await nextTurn();
    expect(ended).toBeLessThan(6);
    const released = session.release();
    await expect(session.run({ x })).rejects.toThrow("is released");
    const results = await Promise.all(runs);
    await released;
    for (const { y } of results) expect(differing(y.data, one.y.data)).toBe(0);
  });

  it("lives as long as one of its runs where the addon is told to release it at once", async () => {
    const { create: make } = addon();
    const session = await make(libraryPath(), file, { threads: 2 });
    const runs = [session.run([x.data], [x.dims]), session.run([x.data], [x.dims])];
    session.release();
    const [[first], [second]] = await Promise.all(runs);
    expect(differing(first.data as Float32Array, second.data as Float32Array)).toBe(0);
    expect(() => session.run([x.data], [x.dims])).toThrow("Session.run: the session is released");
    expect(() => session.run.call({} as typeof session, [], [])).toThrow("it must be called on a session");
    session.release();
  });

  it("refuses arrays that do not fit before anything runs", async () => {
    const session = await addon().create(libraryPath(), file, {});
    expect(() => session.run([], [])).toThrow("must be there for each of 1 inputs (got 0 and 0)");
    expect(() => session.run([new Float32Array(3)], [[1, 2]])).toThrow(
      /as many numbers as its dims say \(got 3\)/,
    );
    expect(() => session.run([new Float32Array(3)], [[-1, -3]])).toThrow(
      /dims must be lengths from 0 \(got -1\)/,
    );
    expect(() => session.run([new Int32Array(2)], [[1, 2]])).toThrow(/must be an array for float32/);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    expect(() => session.run([shared], [[1, 2]])).toThrow(/SharedArrayBuffer/);
    session.release();
    await expect(addon().create("/no/such/library", file, {})).rejects.toThrow(/one ONNX Runtime/);
  });

  it("takes what JavaScript gave as it was at the call", async () => {
    const session = await InferenceSession.create(file, { backend: "native" });
    const wanted = await session.run({ x });
    const own = { data: x.data.slice(), dims: x.dims };
    const run = session.run({ x: own });
    own.data.fill(3);
    structuredClone(own.data, { transfer: [own.data.buffer] });
    expect(differing((await run).y.data, wanted.y.data)).toBe(0);
    await session.release();
  });

  it.runIf(existsSync("/proc/self/task"))("costs no memory and no threads once it is over", async () => {
    const little = lookupFile(drawConv(drawFrom(11)), drawFrom(12));
    const threads = () => readdirSync("/proc/self/task").length;
    const cycle = async () => {
      const session = await InferenceSession.create(little, { backend: "native", threads: 3 });
      const [{ dims }] = session.inputs;
      await session.run({ x: whole(draw, [1, ...(dims.slice(1) as number[])]) });
      await session.release();
    };
    for (let i = 0; i < 20; i++) await cycle();
    const before = threads();
    const growth = await residentGrowth(20e6, async () => {
      for (let i = 0; i < 100; i++) await cycle();
    });
    expect(threads()).toBeLessThanOrEqual(before);
    expect(growth).toBeLessThan(20e6);
  });

  it("works in a worker that ends while a run is on its way", async () => {
    const script = `
      const { parentPort, workerData } = require("node:worker_threads");
      const { InferenceSession } = require(workerData.lutnn);
      InferenceSession.create(workerData.file, { backend: "native" }).then(async (session) => {
        const { y } = await session.run({ x: workerData.x });
        session.run({ x: workerData.x });
        parentPort.postMessage(y.data);
        setImmediate(() => process.exit());
      });`;
    const lutnn = createRequire(import.meta.url).resolve("lutnn");
    const worker = new Worker(script, { eval: true, workerData: { lutnn, file, x } });
    const data = await new Promise<Float32Array>((resolve, reject) =>
      worker.once("message", resolve).once("error", reject),
    );
    expect(differing(data, (await runIn(file, { x }, { backend: "native" })).data)).toBe(0);
    await worker.terminate();
  });
});

describe("which backend runs", () => {
  const draw = drawFrom(21);
  const layer = drawConv(draw);
  const file = lookupFile(layer, draw);

  it("takes a file by its path too", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "lutnn-native-é ")), "x.onnx");
    writeFileSync(path, file);
    const session = await InferenceSession.create(path, { backend: "native" });
    expect([session.name, session.inputNames]).toEqual([path, ["x"]]);
    await session.release();
    await expect(InferenceSession.create(`${path}x`, { backend: "native" })).rejects.toThrow(/must exist/);
  });

  it("is the native one where nothing is said, and else what is said", async () => {
    const backends = [];
    for (const options of [{}, { backend: "native" }, { backend: "onnxruntime" }] as const) {
      const session = await InferenceSession.create(file, options);
      backends.push([session.backend, session.isa]);
      await session.release();
    }
    expect(backends).toEqual([
      ["native", native.isa],
      ["native", native.isa],
      ["onnxruntime", undefined],
    ]);
  });

  it("is refused in a sentence where there is none of that name", async () => {
    const says = async (options: object) =>
      InferenceSession.create(file, options).then(String, (error: LutnnError) => error.message);
    expect(await says({ backend: "wasm" })).toMatch(
      /backend must be native, onnxruntime or reference \(got "wasm"\)/,
    );
    expect(await says({ isa: "sse2" })).toMatch(/isa must name .* \(got "sse2"\); available are: .*scalar/);
    expect(await says({ backend: "onnxruntime", isa: "scalar" })).toMatch(/isa must be left out unless/);
    expect(await says({ threads: 257 })).toMatch(/from 1 to 256 \(got 257\)/);
  });

  it("is never silently another: a lookup without an operator of ours is refused", async () => {
    const foreign = edited(file, (model) => {
      model.functions[0].name = "LutConvSwish";
      model.graph!.node[0].opType = "LutConvSwish";
    });
    const x = whole(draw, [1, ...layer.shape]);
    await expect(InferenceSession.create(foreign, { backend: "native" })).rejects.toThrow(
      /every operator of ours in model must run natively \(ai\.lutnn\.LutConvSwish "lookup" would run as its function/,
    );
    expect(await runIn(foreign, { x }, { backend: "onnxruntime" })).toEqual(
      await runIn(file, { x }, { backend: "onnxruntime" }),
    );
    const around = edited(file, (model) => {
      const [call] = model.graph!.node;
      model.functions.push(
        create(FunctionProtoSchema, {
          name: "LutConvSwish",
          domain: "ai.lutnn",
          input: ["x", "centroids", "table", "scale", "bias"],
          output: ["y"],
          opsetImport: [...model.opsetImport],
          node: [{ ...call, input: ["x", "centroids", "table", "scale", "bias"], output: ["y"] }],
        }),
      );
      model.graph!.node[0] = { ...call, opType: "LutConvSwish", attribute: [] };
    });
    expect(await runIn(around, { x }, { backend: "native" })).toEqual(
      await runIn(file, { x }, { backend: "native" }),
    );
  });
});

/** The bytes of a file after a change. */
function edited(file: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, file);
  change(model);
  return toBinary(ModelProtoSchema, model);
}

describe("a session that records", () => {
  it.each(["native", "onnxruntime"] as const)(
    "tells each node's time, replaced layers apart: %s",
    async (backend) => {
      const draw = drawFrom(31);
      const graph = new GraphBuilder();
      for (const name of ["x", "y"]) graph.name(name);
      const conv = addLookup(graph, large.spec, "x", "conv", draw);
      graph.rename(new Map([[graph.add("Softmax", [conv], "shares", { axis: 1 }), "y"]]));
      const shape = [64, 56, 56];
      const file = modelBytes(graph, {
        name: "n",
        inputs: [plainValue("x", shape)],
        outputs: [plainValue("y", shape)],
        metadata: {},
      });
      const session = await InferenceSession.create(file, { backend, profile: true });
      const x = whole(draw, [1, ...shape]);
      for (let i = 0; i < 3; i++) await session.run({ x });
      const profile = await session.profile();
      expect([profile.backend, profile.runs]).toEqual([backend, 3]);
      expect(profile.nodes.some(({ operator, replaced }) => operator === "Softmax" && !replaced)).toBe(true);
      if (backend === "native")
        expect(profile.nodes.filter(({ replaced }) => replaced).map(({ operator }) => operator)).toEqual([
          "LutConv",
        ]);
      else
        expect(profile.nodes.some(({ operator, replaced }) => operator === "MatMulInteger" && replaced)).toBe(
          true,
        );
      expect(profile.replacedMilliseconds).toBeGreaterThan(0);
      expect(profile.replacedMilliseconds + profile.otherMilliseconds).toBeCloseTo(profile.milliseconds);
      expect(profile.toTable().toString()).toMatch(/mean of 3 runs[\s\S]*replaced layers[\s\S]*all nodes/);
      expect(await session.profile()).toBe(profile);
      await session.release();
    },
  );

  it("has to be made so, and is asked before it is released", async () => {
    const file = lookupFile(drawConv(drawFrom(41)), drawFrom(42));
    const plain = await InferenceSession.create(file);
    await expect(plain.profile()).rejects.toThrow(/create it with \{ profile: true \}/);
    await plain.release();
    const recording = await InferenceSession.create(file, { profile: true });
    await recording.release();
    await expect(recording.profile()).rejects.toThrow(/is released/);
  });
});

describe("a hostile file is refused in words, never read past its end", () => {
  const draw = drawFrom(51);
  const conv = {
    spec: {
      ...large.spec,
      codebooks: 3,
      length: 9,
      outputs: 7,
      attributes: { ...large.spec.attributes, group: 3 },
    },
    shape: [3, 6, 5],
  };
  const matMul = {
    spec: { operator: "LutMatMul", codebooks: 3, centroids: 16, length: 4, outputs: 7, attributes: {} },
    shape: [12],
  };
  const files = {
    conv: lookupFile(conv, draw),
    matMul: lookupFile(matMul, draw),
    integer: lookupFile(inIntegers(matMul), draw),
  };
  const inputs = {
    conv: whole(draw, [2, ...conv.shape]),
    matMul: whole(draw, [2, ...matMul.shape]),
    integer: whole(draw, [2, ...matMul.shape]),
  };
  const attributes = (values: Record<string, number | number[]>) => (model: ModelProto) => {
    const [first] = model.graph!.node;
    const changed = node("LutConv", [], ["y"], values).attribute;
    first.attribute = [...first.attribute.filter(({ name }) => !(name in values)), ...changed];
  };
  const without = (name: string) => (model: ModelProto) => {
    const [first] = model.graph!.node;
    first.attribute = first.attribute.filter((one) => one.name !== name);
  };
  const constant = (name: string, dims: number[], type: "f" | "i" = "f") => {
    const size = sizeOf(dims);
    return values(name, type === "i" ? new Int8Array(size) : new Float32Array(size), dims);
  };
  const values = (name: string, array: TensorArray, dims: number[]) => {
    const made = tensor(`lookup/${name}`, array, dims);
    return (model: ModelProto) => {
      const all = model.graph!.initializer;
      all[all.findIndex((one) => one.name === made.name)] = made;
    };
  };
  const computed = (name: string) => (model: ModelProto) => {
    const graph = model.graph!;
    // A random value is no constant, and no optimiser makes one of it.
    const [old] = graph.initializer.filter((one) => one.name === `lookup/${name}`);
    graph.initializer = graph.initializer.filter((one) => one !== old);
    graph.node.unshift(node("RandomNormal", [], [old.name], { shape: old.dims.map(Number) }));
  };

  it.each<[keyof typeof files, string, (model: ModelProto) => void, RegExp]>([
    ["conv", "no kernel_shape", without("kernel_shape"), /kernel_shape must be there, 2 integers/],
    ["conv", "no group", without("group"), /group must be there/],
    ["conv", "no pads", without("pads"), /pads must be there/],
    [
      "conv",
      "one filter length",
      attributes({ kernel_shape: [3] }),
      /kernel_shape must have 2 integers \(got 1\)/,
    ],
    ["conv", "six pads", attributes({ pads: [0, 0, 0, 0, 0, 0] }), /pads must have 4 integers \(got 6\)/],
    ["conv", "a negative pad", attributes({ pads: [0, -1, 0, 0] }), /padLeft must be an integer from 0/],
    [
      "conv",
      "a huge pad",
      attributes({ pads: [0, 2 ** 40, 0, 0] }),
      /padLeft must be an integer from 0 to \d+ \(got/,
    ],
    ["conv", "a stride of 0", attributes({ strides: [0, 1] }), /strideHeight must be an integer from 1/],
    [
      "conv",
      "a huge filter",
      attributes({ kernel_shape: [2 ** 40, 2 ** 40] }),
      /filterHeight must be an integer/,
    ],
    [
      "conv",
      "another filter",
      attributes({ kernel_shape: [2, 2] }),
      /multiple of filterHeight · filterWidth/,
    ],
    ["conv", "a huge group", attributes({ group: 2 ** 40 }), /group must be the number of codebooks/],
    ["conv", "K of 1", twoOf("conv", [3, 1, 9], [3, 1, 7]), /numCentroids must be 2 … 256/],
    ["conv", "K of 257", twoOf("conv", [3, 257, 9], [3, 257, 7]), /numCentroids must be 2 … 256/],
    ["conv", "no codebook", twoOf("conv", [0, 16, 9], [0, 16, 7]), /group must be the number of codebooks/],
    [
      "matMul",
      "no codebook",
      twoOf("matMul", [0, 16, 4], [0, 16, 7]),
      /numCodebooks must be an integer from 1/,
    ],
    [
      "matMul",
      "no output",
      twoOf("matMul", [3, 16, 4], [3, 16, 0]),
      /outputs must be an integer from 1|scale/,
    ],
    [
      "matMul",
      "another table",
      constant("table", [3, 15, 7], "i"),
      /table must have the codebooks and centroids/,
    ],
    ["matMul", "a flat table", constant("table", [48, 7], "i"), /table must have 3 axes \(got 48×7\)/],
    [
      "matMul",
      "a short scale",
      constant("scale", [6]),
      /tableScale must have outputs = 7 elements \(got 6\)/,
    ],
    ["matMul", "a long bias", constant("bias", [8]), /bias must have outputs = 7 elements \(got 8\)/],
    ["matMul", "centroids in float", constant("table", [3, 16, 7]), /Type|type/],
    ["matMul", "computed centroids", computed("centroids"), /centroids must be a constant of the file/],
    ["matMul", "a computed bias", computed("bias"), /bias must be a constant of the file/],
    [
      "integer",
      "other half norms",
      values("halfNorms", new Int32Array(45), [3, 15]),
      /halfNorms must have the codebooks and centroids of centroids \(got 3×15 beside 3×16×4\)/,
    ],
    [
      "integer",
      "negative half norms",
      values("halfNorms", new Int32Array(48).fill(-1), [3, 16]),
      /halfNorms/,
    ],
    ["integer", "a scale of 0", values("inputScale", Float32Array.of(0), []), /inputScale/],
    ["integer", "a scale that is none", values("inputScale", Float32Array.of(Number.NaN), []), /inputScale/],
    [
      "integer",
      "two scales",
      values("inputScale", Float32Array.of(1, 1), [2]),
      /inputScale must have 0 axes/,
    ],
    ["integer", "a centroid of −128", values("centroids", new Int8Array(192).fill(-128), [3, 16, 4]), /127/],
    ["integer", "a computed scale", computed("inputScale"), /inputScale must be a constant of the file/],
    ["matMul", "too few inputs", (model) => void model.graph!.node[0].input.pop(), /[iI]nput/],
  ])("%s: %s", async (kind, _, change, sentence) => {
    const file = edited(files[kind], change);
    const made = InferenceSession.create(file, { backend: "native" });
    await expect(made).rejects.toThrow(sentence);
    await expect(made).rejects.toBeInstanceOf(LutnnError);
  });

  function twoOf(kind: keyof typeof files, centroids: number[], table: number[]) {
    return (model: ModelProto) => {
      constant("centroids", centroids)(model);
      constant("table", table, "i")(model);
      expect(model.functions.length, kind).toBe(1);
    };
  }

  it.each<[keyof typeof files, number[], RegExp]>([
    ["conv", [2, 2, 6, 5], /images of 3 channels/],
    ["conv", [2, 3, 0, 5], /height must be an integer from 1/],
    ["conv", [2, 3, 30], /images of 3 channels/],
    ["matMul", [2, 13], /must end in an axis of 12/],
    ["matMul", [12, 2], /must end in an axis of 12/],
    ["matMul", [], /must end in an axis of 12/],
  ])("%s: inputs of another shape at run time (%j)", async (kind, dims, sentence) => {
    // The file says nothing of its input's shape, so that nobody but the operator can refuse it.
    const file = edited(files[kind], ({ graph }) => {
      for (const value of [...graph!.input, ...graph!.output])
        if (value.type?.value.case === "tensorType") value.type.value.value.shape = undefined;
    });
    const session = await addon().create(libraryPath(), file, {});
    await expect(session.run([whole(draw, dims).data], [dims])).rejects.toThrow(sentence);
    session.release();
    expect(inputs[kind].dims[0]).toBe(2);
  });

  it("a residual of another shape at run time", async () => {
    const adding = { ...matMul, spec: { ...matMul.spec, operator: "LutMatMulAddRelu" } };
    const file = edited(lookupFile(adding, draw), ({ graph }) => {
      for (const value of [...graph!.input, ...graph!.output])
        if (value.type?.value.case === "tensorType") value.type.value.value.shape = undefined;
    });
    const session = await addon().create(libraryPath(), file, {});
    const run = (dims: number[]) =>
      session.run([whole(draw, [2, 12]).data, whole(draw, dims).data], [[2, 12], dims]);
    await expect(run([2, 6])).rejects.toThrow(/residual must have the shape of the result, 2×7 \(got 2×6\)/);
    await expect(run([1, 7])).rejects.toThrow(/residual must have the shape of the result/);
    await expect(run([2, 7])).resolves.toHaveLength(1);
    session.release();
  });
});

const addon = () =>
  createRequire(import.meta.url)("lutnn-native/session") as typeof import("lutnn-native/session");

/** The library of the npm package. */
function libraryPath(): string {
  const bin = createRequire(import.meta.url)
    .resolve("onnxruntime-node")
    .replace(/dist.*$/, "bin");
  const folder = `${bin}/napi-v6/${process.platform}/${process.arch}`;
  return `${folder}/${readdirSync(folder).find((name) => /^(libonnxruntime\.|onnxruntime\.dll)/.test(name))}`;
}

describe("a layer norm that gives bytes", () => {
  function normFile(epsilon: number | null, outputScale: number, length = 6): Uint8Array {
    const graph = new GraphBuilder();
    graph.name("x");
    const vector = (name: string) => graph.constant(name, new Float32Array(length).fill(1), [length]);
    const inputs = [
      "x",
      vector("scale"),
      vector("shift"),
      graph.constant("outputScale", Float32Array.of(outputScale), []),
      graph.constant("outputZeroPoint", Uint8Array.of(128), []),
    ];
    const bytes = graph.add("LayerNormToBytes", inputs, "norm", {}, LUTNN_DOMAIN);
    if (epsilon !== null) {
      const attribute = { name: "epsilon", type: AttributeType.FLOAT, f: epsilon };
      graph.nodes[0].attribute.push(create(AttributeProtoSchema, attribute));
    }
    graph.rename(new Map([[graph.add("Cast", [bytes], "cast", { to: 1 }), "y"]]));
    const [input, output] = ["x", "y"].map((name) => plainValue(name, [6]));
    return modelBytes(graph, { name: "norm", inputs: [input], outputs: [output], metadata: {} });
  }
  const x = { data: Float32Array.of(1, 2, 3, 4, 5, 6), dims: [1, 6] };

  it("is computed, or refused in a sentence", async () => {
    const y = await runIn(normFile(0, 0.5), { x }, { backend: "native" });
    // (x − 3.5) / √(35 / 12) + 1 in halves above 128
    expect([...(y.data as Float32Array)]).toEqual([127, 128, 129, 131, 132, 133]);
    for (const [file, sentence] of [
      [normFile(null, 0.5), /the attribute epsilon must be there, a number/],
      [normFile(-1, 0.5), /epsilon must be a float32 from 0/],
      [normFile(0, 0), /outputScale must be a float32 above 0/],
      [normFile(0, 0.5, 5), /must have a number for each of a row of x|LayerNormalization|broadcast|shape/i],
    ] as const)
      await expect(runIn(file, { x }, { backend: "native" })).rejects.toThrow(sentence);
  });
});

it("every function of ONNX Runtime that is declared has been called", () => {
  const { functions, version } = addon();
  const declared = functions(libraryPath());
  expect(declared.length).toBeGreaterThan(50);
  expect(declared.filter(({ called }) => !called).map(({ name }) => name)).toEqual([]);
  expect(version(libraryPath())).toBe("1.30.0");
  expect(inference.nativeSessionStatus()).toEqual({ available: true, version: "1.30.0" });
});
