import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import {
  availableIsas,
  encode,
  isa,
  LutConv,
  LutMatMul,
  lookupAdd,
  quantizeTable,
  scatterAdd,
  type Window,
} from "lutnn-native";
import { describe, expect, it } from "vitest";
// @ts-expect-error: what runs beside TypeScript is plain JavaScript
import { windowOf } from "./addon/layer.mjs";
import {
  makeLookup,
  referenceCodes,
  referenceOutputs,
  referenceSums,
  referenceWindows,
  wholeNumbers,
} from "./reference.js";

const index = require.resolve("lutnn-native");
const window3x3: Window = windowOf(4);

/** Runs a line of JavaScript with the addon as `native` in a process of its own; returns what it prints. */
function inProcess(line: string, env: Record<string, string>): string {
  const script = `const native = require(${JSON.stringify(index)}); ${line}`;
  return execFileSync(process.execPath, ["-e", script], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: "pipe",
  }).trim();
}

describe("instruction sets", () => {
  it("the one that runs is the first available unless one is forced, and scalar is always among them", () => {
    expect(availableIsas()).toContain("scalar");
    expect(isa).toBe(process.env.LUTNN_FORCE_ISA || availableIsas()[0]);
  });

  it("LUTNN_FORCE_ISA makes any available one run, with equal results", () => {
    const line = `
      const lookup = { numCodebooks: 3, numCentroids: 16, subvectorLength: 5, outputs: 7,
        centroids: Float32Array.from({ length: 240 }, (_, i) => Math.sin(i)),
        lookupTable: Int8Array.from({ length: 336 }, (_, i) => i * 37),
        tableScale: new Float32Array(7).fill(0.1), bias: new Float32Array(7).fill(0.3) };
      const y = new Float32Array(9 * 7);
      new native.LutMatMul(lookup).run(Float32Array.from({ length: 135 }, (_, i) => Math.cos(i * i)), 9, y);
      console.log(native.isa, Buffer.from(y.buffer).toString("hex"));`;
    const results = availableIsas().map((forced) => {
      const [ran, y] = inProcess(line, { LUTNN_FORCE_ISA: forced }).split(" ");
      expect(ran).toBe(forced);
      return y;
    });
    expect(new Set(results).size).toBe(1);
  });

  it("an unavailable one is refused when loading, with a list of those available", () => {
    expect(() => inProcess("", { LUTNN_FORCE_ISA: "sse9" })).toThrow(/got "sse9".*available are: .*scalar/);
  });

  it("a build of one's own comes before a prebuilt binary; without either the error says what to run", () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-"));
    try {
      for (const file of ["index.js", "binary.js", "pieces.js"])
        copyFileSync(join(dirname(index), file), join(folder, file));
      const load = () => inProcess(`console.log(require(${JSON.stringify(folder)}).isa)`, {});
      expect(load).toThrow(/build\S+ is missing; \S+prebuilds\S+ is missing.*npm run setup/);

      const prebuilt = join(folder, "prebuilds", `${process.platform}-${process.arch}`);
      mkdirSync(prebuilt, { recursive: true });
      copyFileSync(join(dirname(index), "build/lutnn_native.node"), join(prebuilt, "lutnn_native.node"));
      expect(load()).toBe(isa);

      mkdirSync(join(folder, "build"));
      writeFileSync(join(folder, "build/lutnn_native.node"), "no binary");
      expect(load()).toBe(isa);
      writeFileSync(join(prebuilt, "lutnn_native.node"), "none either");
      expect(load).toThrow(/build\S+ does not load: .*prebuilds\S+ does not load: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("LutMatMul", () => {
  for (const [K, V, rows] of [
    [16, 9, 33],
    [5, 4, 1],
    [64, 8, 7],
  ] as const)
    it(`gives the reference's codes, sums and outputs for ${K} centroids of length ${V} and ${rows} rows`, () => {
      const lookup = makeLookup(3, K, V, 70);
      const op = new LutMatMul(lookup);
      const x = wholeNumbers(rows * 3 * V, 9);
      const codes = new Uint8Array(rows * 3);
      const sums = new Int32Array(rows * 70);
      const y = new Float32Array(rows * 70);
      op.encode(Float32Array.from(x), rows, codes);
      op.lookup(codes, rows, sums);
      op.run(Float32Array.from(x), rows, y);
      expect(codes).toEqual(referenceCodes(lookup, x));
      expect(sums).toEqual(referenceSums(lookup, codes));
      expect(y).toEqual(referenceOutputs(lookup, sums));
    });

  it("copies its arrays when it is made", () => {
    const lookup = makeLookup(2, 16, 4, 3);
    const op = new LutMatMul(lookup);
    const x = Float32Array.from(wholeNumbers(8, 5));
    const before = new Float32Array(3);
    const after = new Float32Array(3);
    op.run(x, 1, before);
    for (const array of [lookup.centroids, lookup.lookupTable, lookup.tableScale, lookup.bias]) array.fill(1);
    op.run(x, 1, after);
    expect(after).toEqual(before);
  });

  it("no rows are no work", () => {
    const none = new Float32Array(0); // lies nowhere
    const op = new LutMatMul(makeLookup(2, 16, 4, 3));
    expect(() => op.run(none, 0, new Float32Array(0))).not.toThrow();
    expect(() => op.encode(none, 0, new Uint8Array(0))).not.toThrow();
    expect(op.mismatch(none, 0)).toBe(0);
  });
});

describe("LutConv", () => {
  for (const [K, change] of [
    [16, {}],
    [16, { strideHeight: 2, strideWidth: 2 }],
    [12, { dilationHeight: 2, dilationWidth: 3, padLeft: 3, padRight: 2 }],
    [40, { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }],
  ] as const)
    it(`gives the reference's codes, sums and outputs for ${K} centroids and ${JSON.stringify(change)}`, () => {
      const w = { ...window3x3, ...change };
      const lookup = makeLookup(2, K, 18, 5);
      const op = new LutConv(lookup, w);
      const [batch, height, width] = [2, 9, 11];
      const [outputHeight, outputWidth] = op.outputSize(height, width);
      const positions = batch * outputHeight * outputWidth;
      const x = wholeNumbers(batch * 4 * height * width, 7);
      const codes = new Uint8Array(positions * 2);
      const sums = new Int32Array(positions * 5);
      const y = new Float32Array(positions * 5);
      op.encode(Float32Array.from(x), batch, height, width, codes);
      op.lookup(codes, positions, sums);
      op.run(Float32Array.from(x), batch, height, width, y);
      const rows = referenceWindows(w, x, [batch, height, width], [outputHeight, outputWidth]);
      expect(codes).toEqual(referenceCodes(lookup, rows));
      expect(sums).toEqual(referenceSums(lookup, codes));
      const wanted = referenceOutputs(lookup, sums); // (positions, M), to be (batch, M, positions)
      const plane = outputHeight * outputWidth;
      expect(y).toEqual(
        y.map(
          (_, i) =>
            wanted[(Math.floor(i / plane / 5) * plane + (i % plane)) * 5 + (Math.floor(i / plane) % 5)]!,
        ),
      );
    });

  it("knows its output's size, and refuses an input that the filter does not fit", () => {
    const op = new LutConv(makeLookup(4, 16, 9, 2), { ...window3x3, padTop: 0, strideWidth: 2 });
    expect(op.outputSize(8, 9)).toEqual([7, 5]);
    expect(() => op.outputSize(1, 9)).toThrow(RangeError);
    expect(() => op.outputSize(1, 9)).toThrow(/height spans 3 .* is 2/);
  });
});

describe("run's options", () => {
  const lookup = makeLookup(4, 16, 9, 70);
  const conv = new LutConv(lookup, window3x3);
  const matMul = new LutMatMul(lookup);
  const x = Float32Array.from(wholeNumbers(4 * 100, 3));
  const rows = Float32Array.from(wholeNumbers(33 * 36, 4));

  it("add a residual and cut off negative values, also in place", () => {
    const plain = new Float32Array(70 * 100);
    const residual = Float32Array.from(wholeNumbers(plain.length, 5, -900, 900));
    const y = new Float32Array(plain.length);
    conv.run(x, 1, 10, 10, plain);
    conv.run(x, 1, 10, 10, y, { residual });
    expect(y).toEqual(plain.map((value, i) => value + residual[i]!));
    conv.run(x, 1, 10, 10, y, { relu: true });
    expect(y).toEqual(plain.map((value) => Math.max(0, value)));
    const inPlace = residual.slice();
    conv.run(x, 1, 10, 10, inPlace, { residual: inPlace, relu: true });
    expect(inPlace).toEqual(plain.map((value, i) => Math.max(0, value + residual[i]!)));
  });

  it("share the work of both operators among threads, with equal results", () => {
    const one = [new Float32Array(70 * 100), new Float32Array(33 * 70)] as const;
    conv.run(x, 1, 10, 10, one[0]);
    matMul.run(rows, 33, one[1]);
    for (const threads of [1, 2, 3, 4, 9]) {
      const more = [new Float32Array(70 * 100), new Float32Array(33 * 70)] as const;
      conv.run(x, 1, 10, 10, more[0], { threads });
      matMul.run(rows, 33, more[1], { threads });
      expect(more).toEqual(one);
    }
  });

  it("of the wrong kind are refused", () => {
    const y = new Float32Array(70 * 100);
    const run = (options: unknown) => () => Reflect.apply(conv.run, conv, [x, 1, 10, 10, y, options]);
    expect(run(5)).toThrow("LutConv.run: options must be an object (got a number)");
    expect(run({ threads: 0 })).toThrow("LutConv.run: threads must be an integer from 1 to 256 (got 0)");
    expect(run({ relu: 1 })).toThrow("LutConv.run: relu must be a boolean (got a number)");
    expect(run({ residual: [] })).toThrow("LutConv.run: residual must be a Float32Array (got an object)");
    expect(run({ residual: y.subarray(1) })).toThrow(/residual must have the length of y = 7000 elements/);
    const memory = new Float32Array(7001);
    const overlapping = [x, 1, 10, 10, memory.subarray(1), { residual: memory.subarray(0, 7000) }];
    expect(() => Reflect.apply(conv.run, conv, overlapping)).toThrow(/y must not overlap residual/);
  });
});

describe("trees", () => {
  const lookup = makeLookup(4, 16, 9, 5);
  const tree = {
    dimensions: Int32Array.from({ length: 16 }, (_, i) => (i * 5) % 9),
    thresholds: Float32Array.from(wholeNumbers(60, 3)),
  };
  const leaf = (c: number, sub: ArrayLike<number>) => {
    let node = 0;
    for (let level = 0; level < 4; level++) {
      const threshold = tree.thresholds[c * 15 + 2 ** level - 1 + node]!;
      node = 2 * node + (sub[tree.dimensions[c * 4 + level]!]! > threshold ? 1 : 0);
    }
    return node;
  };

  it("give codes by comparisons, and the same lookup, for rows and for windows", () => {
    const op = new LutMatMul(lookup, { encoding: "tree", tree });
    const x = wholeNumbers(33 * 36, 5);
    const codes = new Uint8Array(33 * 4);
    const y = new Float32Array(33 * 5);
    op.encode(Float32Array.from(x), 33, codes);
    op.run(Float32Array.from(x), 33, y);
    expect(codes).toEqual(codes.map((_, i) => leaf(i % 4, x.slice(i * 9, i * 9 + 9))));
    expect(y).toEqual(referenceOutputs(lookup, referenceSums(lookup, codes)));
    expect(op.mismatch(Float32Array.from(x), 33)).toBeGreaterThan(0.3);

    const conv = new LutConv(lookup, window3x3, { encoding: "tree", tree });
    const image = wholeNumbers(4 * 99, 6);
    const windows = referenceWindows(window3x3, image, [1, 9, 11], [9, 11]);
    const positions = new Uint8Array(99 * 4);
    conv.encode(Float32Array.from(image), 1, 9, 11, positions);
    expect(positions).toEqual(positions.map((_, i) => leaf(i % 4, windows.slice(i * 9, i * 9 + 9))));
  });

  it("are checked", () => {
    const make = (change: object, K = 16) =>
      new LutMatMul(makeLookup(4, K, 9, 5), { encoding: "tree", tree: { ...tree, ...change } });
    expect(() => make({ dimensions: new Int32Array(16).fill(9) })).toThrow(
      /below subvectorLength \(got 9 and 9\)/,
    );
    expect(() => make({ dimensions: new Int32Array(16).fill(-1) })).toThrow(RangeError);
    expect(() => make({ dimensions: new Float32Array(16) })).toThrow(/dimensions must be an Int32Array/);
    expect(() => make({ thresholds: new Float32Array(59) })).toThrow(/numCodebooks · 15 = 4 · 15 = 60/);
    expect(() => make({}, 15)).toThrow(/numCentroids of 16/);
    expect(() => new LutMatMul(lookup, { encoding: "tree" })).toThrow(
      "tree must be an object (got undefined)",
    );
  });
});

describe("a long run", () => {
  const lookup = makeLookup(4, 16, 9, 70);
  const matMul = new LutMatMul(lookup);
  const conv = new LutConv(lookup, window3x3);
  const x = Float32Array.from(wholeNumbers(300 * 36, 4));
  const residual = Float32Array.from(wholeNumbers(300 * 70, 5));
  const whole = new Float32Array(300 * 70);
  matMul.run(x, 300, whole, { residual, relu: true });

  it("may be cut into parts of rows or images, each of which leaves the rest of y alone", () => {
    const y = new Float32Array(300 * 70).fill(7);
    matMul.run(x, 300, y, { residual, relu: true, from: 100, to: 233 });
    const inside = (i: number) => i >= 100 * 70 && i < 233 * 70;
    expect(y).toEqual(whole.map((value, i) => (inside(i) ? value : 7)));
    const images = x.subarray(0, 3 * 4 * 100);
    const all = new Float32Array(3 * 70 * 100);
    const some = new Float32Array(all.length).fill(7);
    conv.run(images, 3, 10, 10, all);
    conv.run(images, 3, 10, 10, some, { from: 1, to: 2 });
    expect(some).toEqual(all.map((value, i) => (i >= 7000 && i < 14000 ? value : 7)));
    expect(() => matMul.run(x, 300, y, { to: 301 })).toThrow(
      /to must be an integer from 0 to 300 \(got 301\)/,
    );
    expect(() => matMul.run(x, 300, y, { from: 3, to: 2 })).toThrow(/from must be an integer from 0 to 2/);
  });

  it("in pieces gives the same, and lets other events through", async () => {
    const y = new Float32Array(300 * 70);
    // So little time for a piece that each is a row, with a turn of the event loop after it.
    let done = false;
    const run = matMul.runInPieces(x, 300, y, { residual, relu: true, milliseconds: 1e-9 }).then(() => {
      done = true;
    });
    let turns = 0;
    for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve));
    await run;
    expect(turns).toBeGreaterThan(100);
    expect(y).toEqual(whole);
    const images = x.subarray(0, 8 * 400);
    const [all, pieces] = [new Float32Array(8 * 7000), new Float32Array(8 * 7000)];
    conv.run(images, 8, 10, 10, all);
    await conv.runInPieces(images, 8, 10, 10, pieces, { milliseconds: 1e-9, threads: 2 });
    expect(pieces).toEqual(all);
  });

  it("in pieces stops where its signal says so, and checks its arguments", async () => {
    const y = new Float32Array(300 * 70).fill(7);
    const controller = new AbortController();
    const run = matMul.runInPieces(x, 300, y, { signal: controller.signal, milliseconds: 1e-9 });
    controller.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
    expect(y[69]).not.toBe(7);
    expect(y.subarray(70)).toEqual(new Float32Array(299 * 70).fill(7));
    await expect(matMul.runInPieces(x, 299, y)).rejects.toThrow(/x must have rows/);
    await expect(matMul.runInPieces(x, 300, y, { milliseconds: 0 })).rejects.toThrow(/milliseconds/);
  });
});

describe("a bound run", () => {
  const matMul = new LutMatMul(makeLookup(4, 16, 9, 70));
  const conv = new LutConv(makeLookup(4, 16, 9, 70), window3x3);

  it("computes anew from its arrays, with its options, each time it is called", () => {
    const x = Float32Array.from(wholeNumbers(33 * 36, 4));
    const residual = Float32Array.from(wholeNumbers(33 * 70, 5));
    const y = new Float32Array(33 * 70);
    const times = new Float64Array(2);
    const run = matMul.bind(x, 33, y, { residual, relu: true, threads: 2, times });
    for (let round = 0; round < 3; round++) {
      x.set(wholeNumbers(33 * 36, round));
      run();
      const expected = new Float32Array(y.length);
      matMul.run(x, 33, expected, { residual, relu: true });
      expect(y).toEqual(expected);
    }
    expect(times[0]).toBeGreaterThan(0);
  });

  it("of a convolution keeps its image size when the layer has run on another one since", () => {
    const x = Float32Array.from(wholeNumbers(2 * 400, 6));
    const y = new Float32Array(2 * 7000);
    const run = conv.bind(x, 2, 10, 10, y);
    conv.run(x.subarray(0, 4 * 25), 1, 5, 5, new Float32Array(70 * 25));
    run();
    const expected = new Float32Array(y.length);
    conv.run(x, 2, 10, 10, expected);
    expect(y).toEqual(expected);
  });

  it("checks its arguments when it is bound, and that its arrays are where they were when it runs", () => {
    const [x, y] = [new Float32Array(33 * 36), new Float32Array(33 * 70)];
    expect(() => matMul.bind(x, 32, y)).toThrow(/LutMatMul.bind: x must have rows/);
    expect(() => conv.bind(x, 1, 10, 10, x as never)).toThrow(RangeError);
    const run = matMul.bind(x, 33, y);
    structuredClone(y, { transfer: [y.buffer] });
    expect(run).toThrow(
      new TypeError("bound run: y must keep its memory (it was transferred or resized); bind it again"),
    );
  });

  it("refuses arrays whose resizable memory has become too small, and runs again once it is back", () => {
    const resizable = (length: number) =>
      Reflect.construct(ArrayBuffer, [length * 4, { maxByteLength: length * 8 }]) as ArrayBuffer & {
        resize(bytes: number): void;
      };
    for (const fixed of [true, false]) {
      const memory = { x: resizable(33 * 36), y: resizable(33 * 70), residual: resizable(33 * 70) };
      const array = (name: keyof typeof memory, length: number) =>
        fixed ? new Float32Array(memory[name], 0, length) : new Float32Array(memory[name]);
      const [x, y] = [array("x", 33 * 36), array("y", 33 * 70)];
      const run = matMul.bind(x, 33, y, { residual: array("residual", 33 * 70) });
      expect(run).not.toThrow();
      for (const name of ["x", "y", "residual"] as const) {
        const bytes = memory[name].byteLength;
        memory[name].resize(bytes - 4);
        expect(run).toThrow(`bound run: ${name} must keep its memory`);
        expect(() => matMul.run(x, 33, y, { residual: array("residual", 0) })).toThrow(RangeError);
        memory[name].resize(bytes);
        expect(run).not.toThrow();
      }
    }
  });

  it("keeps its layer and its arrays, and lets go of them with itself", () => {
    const line = `
      require("node:v8").setFlagsFromString("--expose-gc");
      const gc = require("node:vm").runInNewContext("gc");
      const make = () => {
        const lookup = { numCodebooks: 4, numCentroids: 16, subvectorLength: 9, outputs: 70,
          centroids: new Float32Array(576), lookupTable: new Int8Array(4480).fill(1),
          tableScale: new Float32Array(70).fill(1), bias: new Float32Array(70) };
        const y = new Float32Array(100000 * 70);
        return { run: new native.LutMatMul(lookup).bind(new Float32Array(100000 * 36), 100000, y), y: new WeakRef(y) };
      };
      const made = Array.from({ length: 8 }, make);
      setImmediate(() => {
        gc();
        for (const { run } of made) run();
        const kept = made.every(({ y }) => y.deref()?.[6999999] === 4);
        const views = made.map(({ y }) => y);
        made.length = 0;
        setTimeout(() => { gc(); setTimeout(() => { gc(); console.log(kept, views.some((y) => y.deref())); }, 10); }, 10);
      });`;
    expect(inProcess(line, {})).toBe("true false");
  });
});

describe("encoding bf16", () => {
  it("is refused with what to use instead: it was nowhere faster than float32", () => {
    const make = (Class: typeof LutMatMul | typeof LutConv) => () =>
      Reflect.construct(Class, [
        makeLookup(4, 16, 9, 5),
        ...(Class === LutConv ? [window3x3] : []),
        { encoding: "bf16" },
      ]);
    for (const Class of [LutMatMul, LutConv]) {
      expect(make(Class)).toThrow(TypeError);
      expect(make(Class)).toThrow(
        `${Class.name}: encoding must be "float32", "int8", "tree" or "integer" (got "bf16"); bfloat16 was nowhere faster than "float32", use that`,
      );
    }
  });
});

describe("encode", () => {
  it("gives the codes of rows for centroids that change with every call", () => {
    for (const [C, K, V, seed] of [
      [3, 16, 4, 1],
      [2, 100, 3, 5],
      [1, 2, 7, 8],
    ] as const) {
      const lookup = makeLookup(C, K, V, 1, seed);
      const x = wholeNumbers(20 * C * V, seed);
      const codes = new Uint8Array(20 * C);
      encode(Float32Array.from(x), 20, lookup.centroids, C, K, V, codes);
      expect(codes).toEqual(referenceCodes(lookup, x));
    }
  });
});

describe("quantizeTable", () => {
  const table = Float32Array.of(1, 10, -2, -20, 0.5, 4);
  const run = (...change: [number, unknown][]) => {
    const call: unknown[] = [table, 3, 2, true, 127, new Int8Array(6), new Float32Array(2)];
    for (const [i, value] of change) call[i] = value;
    return { finite: Reflect.apply(quantizeTable, null, call), values: call[5], scale: call[6] };
  };

  it("has a scale for each output, or one", () => {
    const scale = Float32Array.of(2 / 127, 20 / 127);
    expect(run()).toEqual({ finite: true, values: Int8Array.of(64, 64, -127, -127, 32, 25), scale });
    expect(run([3, false], [4, 7])).toEqual({
      finite: true,
      values: Int8Array.of(0, 4, -1, -7, 0, 1),
      scale: Float32Array.of(20 / 7, 20 / 7),
    });
  });

  it("says of an entry that is not finite that it is there, and writes nothing", () => {
    expect(run([0, table.with(4, Number.NaN)])).toEqual({
      finite: false,
      values: new Int8Array(6),
      scale: new Float32Array(2),
    });
  });

  it("refuses what does not fit", () => {
    expect(() => run([1, 2])).toThrow(/^quantizeTable: table must have rows · outputs = 2 · 2 = 4 elements/);
    expect(() => run([4, 128])).toThrow(/limit must be an integer from 1 to 127 \(got 128\)/);
    expect(() => run([3, 1])).toThrow(/perOutput must be a boolean/);
    expect(() => run([5, new Uint8Array(6)])).toThrow(TypeError);
    expect(() => run([6, new Float32Array(3)])).toThrow(/scale must have outputs = 2 elements/);
    expect(() => run([5, new Int8Array(table.buffer, 4, 6)])).toThrow(/values must not overlap table/);
  });
});

describe("sums over float tables", () => {
  const [rows, C, K, M] = [300, 9, 16, 37];
  const codes = Uint8Array.from({ length: rows * C }, (_, i) => (i * i + (i >> 3)) % K);
  const table = Float32Array.from({ length: C * K * M }, (_, i) => Math.sin(i));
  const values = Float32Array.from({ length: rows * M }, (_, i) => Math.cos(i));

  it("are those of plain loops to the last bit, for any number of threads", () => {
    const [sums, entries] = [values.slice(), table.slice()];
    for (let i = 0; i < codes.length; i++)
      for (let m = 0; m < M; m++) {
        const entry = ((i % C) * K + codes[i]!) * M + m;
        sums[Math.floor(i / C) * M + m]! += table[entry]!;
        entries[entry]! += values[Math.floor(i / C) * M + m]!;
      }
    for (const threads of [undefined, 1, 2, 3, 8]) {
      const [gotSums, gotEntries] = [values.slice(), table.slice()];
      lookupAdd(codes, rows, table, C, K, M, gotSums, threads ? { threads } : undefined);
      scatterAdd(codes, rows, values, C, K, M, gotEntries, { threads });
      expect(gotSums).toEqual(sums);
      expect(gotEntries).toEqual(entries);
    }
  });

  it("refuse what does not fit, before anything is written", () => {
    const sums = values.slice();
    const run = (...change: [number, unknown][]) => {
      const call: unknown[] = [codes, rows, table, C, K, M, sums, { threads: 2 }];
      for (const [i, value] of change) call[i] = value;
      return () => Reflect.apply(lookupAdd, null, call);
    };
    expect(run([0, codes.with(5, K)])).toThrow(
      "lookupAdd: codes must be below numCentroids (got 16 and 16); use what encode gives for these centroids",
    );
    expect(run([0, codes.subarray(1)])).toThrow(/codes must have rows · numCodebooks = 300 · 9 = 2700/);
    expect(run([2, table.subarray(1)])).toThrow(/table must have .* = 9 · 16 · 37 = 5328 elements/);
    expect(run([6, sums.subarray(1)])).toThrow(/sums must have rows · outputs = 300 · 37 = 11100/);
    expect(run([6, new Float64Array(sums.length)])).toThrow(TypeError);
    expect(run([4, 257])).toThrow(RangeError);
    expect(run([7, { threads: 257 }])).toThrow(/threads must be an integer from 1 to 256 \(got 257\)/);
    expect(run([7, 2])).toThrow(/options must be an object/);
    const memory = new Float32Array(table.length + 8);
    memory.set(table);
    expect(
      run(
        [2, memory.subarray(0, table.length)],
        [6, memory.subarray(8)],
        [1, 144],
        [0, codes.subarray(0, 144 * 9)],
      ),
    ).toThrow(/sums must not overlap table/);
    const bytes = new Uint8Array(sums.buffer, 0, codes.length);
    expect(run([0, bytes])).toThrow(/sums must not overlap codes/);
    expect(run([6, new Float32Array(new SharedArrayBuffer(sums.byteLength))])).toThrow(/SharedArrayBuffer/);
    const entries = new Float32Array(table.length);
    structuredClone(entries.buffer, { transfer: [entries.buffer] });
    expect(() => scatterAdd(codes, rows, values, C, K, M, entries)).toThrow(/table must not be detached/);
    expect(() => scatterAdd(codes, rows, values.subarray(1), C, K, M, table)).toThrow(
      /^scatterAdd: values must have rows · outputs/,
    );
    expect(sums).toEqual(values);
  });
});

describe("bad arguments", () => {
  const op = new LutMatMul(makeLookup(2, 10, 4, 3));
  const conv = new LutConv(makeLookup(4, 16, 9, 2), window3x3);
  const x = new Float32Array(16);
  const y = new Float32Array(6).fill(7);

  it("of the wrong type are refused with a TypeError that says what came", () => {
    const call =
      (...args: unknown[]) =>
      () =>
        Reflect.apply(op.run, op, args);
    expect(call(new Float64Array(16), 2, y)).toThrow(TypeError);
    expect(call(new Float64Array(16), 2, y)).toThrow(
      "LutMatMul.run: x must be a Float32Array (got a Float64Array)",
    );
    expect(call([1, 2], 2, y)).toThrow(/got an object/);
    expect(call(x, "2", y)).toThrow("LutMatMul.run: rows must be a number (got a string)");
    expect(call(x, 2)).toThrow("LutMatMul.run: y must be a Float32Array (got undefined)");
    expect(() => Reflect.construct(LutMatMul, [null])).toThrow("lookup must be an object (got null)");
    expect(() => Reflect.construct(LutConv, [makeLookup(4, 16, 9, 2)])).toThrow("window must be an object");
  });

  it("of the wrong length are refused with a RangeError that names the rule and the numbers", () => {
    expect(() => op.run(x, 3, y)).toThrow(RangeError);
    expect(() => op.run(x, 3, y)).toThrow(
      "LutMatMul.run: x must have rows · numCodebooks · subvectorLength = 3 · 8 = 24 elements (got 16)",
    );
    expect(() => op.run(x, 2, new Float32Array(7))).toThrow(
      /y must have rows · outputs = 2 · 3 = 6 elements \(got 7\)/,
    );
    expect(() => conv.run(new Float32Array(4), 1, 1, 1, new Float32Array(3))).toThrow(
      /1 · 2 · 1 · 1 = 2 elements/,
    );
    expect(() => op.lookup(new Uint8Array(4), 2, new Int32Array(5))).toThrow(/sums must have/);
    expect(() => op.encode(x, 2, new Uint8Array(5))).toThrow(/codes must have/);
  });

  it("that are no count are refused with a RangeError", () => {
    for (const rows of [-1, 2 ** 40])
      expect(() => op.run(x, rows, y)).toThrow(
        new RangeError(`LutMatMul.run: rows must be an integer from 0 to 2147483647 (got ${rows})`),
      );
    for (const rows of [1.5, Number.NaN, Number.NEGATIVE_INFINITY, 1e300])
      expect(() => op.run(x, rows, y)).toThrow(
        new RangeError(`LutMatMul.run: rows must be an integer (got ${String(rows)})`),
      );
    expect(() => conv.outputSize(0, 4)).toThrow(/height must be an integer from 1/);
  });

  it("that contradict one another are refused when the operator is made", () => {
    expect(() => new LutMatMul({ ...makeLookup(2, 16, 4, 3), numCentroids: 1 })).toThrow(
      /numCentroids must be 2 … 256/,
    );
    expect(() => new LutMatMul({ ...makeLookup(2, 16, 4, 3), numCentroids: 257 })).toThrow(RangeError);
    expect(() => new LutMatMul({ ...makeLookup(2, 16, 4, 3), outputs: 4 })).toThrow(/lookupTable must have/);
    expect(() => new LutConv(makeLookup(4, 16, 8, 2), window3x3)).toThrow(
      /multiple of filterHeight · filterWidth \(got 8 and 9\)/,
    );
    expect(() => new LutConv(makeLookup(3, 16, 9, 2), window3x3)).toThrow(/\(got 3 · 9 and 4 · 3 · 3\)/);
    expect(() => new LutConv(makeLookup(4, 16, 9, 2), { ...window3x3, strideWidth: 0 })).toThrow(
      /strideWidth/,
    );
    expect(() => new LutConv(makeLookup(4, 16, 9, 2), { ...window3x3, padLeft: -1 })).toThrow(/padLeft/);
  });

  it("of any kind in any place end in a TypeError, a RangeError or a result", () => {
    const detached = new Float32Array(16);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const odd = [
      undefined,
      null,
      true,
      "",
      "16",
      0,
      -0,
      2,
      -1,
      0.5,
      1e300,
      Number.NaN,
      5n,
      Symbol("s"),
      () => 1,
      [],
      {},
      new Proxy({}, {}),
      new ArrayBuffer(64),
      new DataView(new ArrayBuffer(64)),
      x,
      y,
      detached,
      new Float32Array(0),
      new Float64Array(16),
      new Uint8Array(4),
      new Int32Array(6),
      new Int8Array(3),
      Buffer.alloc(64),
      new Float32Array(new SharedArrayBuffer(64)),
      new Float32Array(new ArrayBuffer(256), 4, 16),
    ]; // prettier-ignore
    const callees: [(...args: never[]) => unknown, unknown][] = [
      [op.run, op],
      [op.encode, op],
      [op.lookup, op],
      [op.mismatch, op],
      [conv.run, conv],
      [conv.encode, conv],
      [conv.lookup, conv],
      [conv.mismatch, conv],
      [conv.outputSize, conv],
      [encode, undefined],
      [lookupAdd, undefined],
      [scatterAdd, undefined],
      [quantizeTable, undefined],
    ];
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return odd[(state >>> 16) % odd.length];
    };
    let refused = 0;
    for (const [callee, self] of callees)
      for (let i = 0; i < 400; i++)
        try {
          Reflect.apply(callee, self, Array.from({ length: i % 9 }, next));
        } catch (error) {
          if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
          refused++;
        }
    for (const Class of [LutMatMul, LutConv])
      for (let i = 0; i < 400; i++) {
        const lookup = { ...makeLookup(4, 16, 9, 2), [Object.keys(makeLookup(1, 2, 1, 1))[i % 8]!]: next() };
        const window = { ...window3x3, [Object.keys(window3x3)[i % 11]!]: next() };
        try {
          Reflect.construct(Class, Class === LutConv ? [lookup, window, next()] : [lookup, next()]);
        } catch (error) {
          if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(3000);
  });

  it("leave the output as it was", () => {
    expect(() => op.run(x, 3, y)).toThrow();
    expect(y).toEqual(new Float32Array(6).fill(7));
  });

  it("with codes beyond the centroids are refused", () => {
    expect(() => op.lookup(Uint8Array.of(1, 9, 10, 0), 2, new Int32Array(6))).toThrow(
      /codes must be below numCentroids \(got 10 and 10\)/,
    );
  });

  it("whose output overlaps the input are refused", () => {
    const memory = new Float32Array(40);
    expect(() => op.run(memory.subarray(0, 16), 2, memory.subarray(15, 21))).toThrow(/y must not overlap x/);
    expect(() => op.run(memory.subarray(0, 16), 2, memory.subarray(16, 22))).not.toThrow();
  });

  it("in shared or detached memory are refused", () => {
    const shared = new Float32Array(new SharedArrayBuffer(64));
    expect(() => op.run(shared, 2, y)).toThrow(/must not lie in a SharedArrayBuffer/);
    const detached = new Float32Array(16);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => op.run(detached, 2, y)).toThrow(/must not be detached/);
  });

  it("that a getter detaches meanwhile are noticed", () => {
    const lookup = makeLookup(2, 16, 4, 3);
    const sly = {
      ...lookup,
      get bias() {
        structuredClone(lookup.centroids.buffer, { transfer: [lookup.centroids.buffer as ArrayBuffer] });
        return lookup.bias;
      },
    };
    expect(() => new LutMatMul(sly)).toThrow(/centroids must not be detached/);
  });

  it("and receivers of another class are refused", () => {
    expect(() => Reflect.apply(op.run, conv, [x, 2, y])).toThrow(TypeError);
    expect(() => Reflect.apply(op.run, {}, [x, 2, y])).toThrow(TypeError);
    expect(() => Reflect.apply(op.run, undefined, [x, 2, y])).toThrow(TypeError);
    expect(() =>
      Reflect.apply(LutMatMul as unknown as () => void, undefined, [makeLookup(2, 16, 4, 3)]),
    ).toThrow(/new/);
  });

  it("and errors thrown by a getter pass through", () => {
    const lookup = {
      ...makeLookup(2, 16, 4, 3),
      get outputs(): number {
        throw new Error("from the getter");
      },
    };
    expect(() => new LutMatMul(lookup)).toThrow("from the getter");
  });
});

describe("workers", () => {
  it("load the addon, run it and end, several at once", async () => {
    const script = `
      const { parentPort } = require("node:worker_threads");
      const { LutMatMul } = require(${JSON.stringify(index)});
      const op = new LutMatMul({ numCodebooks: 1, numCentroids: 2, subvectorLength: 1, outputs: 1,
        centroids: Float32Array.of(0, 10), lookupTable: Int8Array.of(3, -5),
        tableScale: Float32Array.of(2), bias: Float32Array.of(1) });
      const y = new Float32Array(2);
      op.run(Float32Array.of(1, 9), 2, y);
      parentPort.postMessage([...y]);`;
    const results = await Promise.all(
      Array.from({ length: 4 }, () => {
        const worker = new Worker(script, { eval: true });
        return new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
      }),
    );
    expect(results).toEqual(Array(4).fill([7, -9]));
  });
});

describe("an addon that only workers had loaded", () => {
  const worker = `
    const { LutMatMul } = require(${JSON.stringify(index)});
    const lookup = { numCodebooks: 4, numCentroids: 16, subvectorLength: 4, outputs: 64,
      centroids: new Float32Array(256), lookupTable: new Int8Array(4096),
      tableScale: new Float32Array(64), bias: new Float32Array(64) };
    const op = new LutMatMul(lookup);
    const [x, y] = [new Float32Array(512 * 16), new Float32Array(512 * 64)];
    for (let i = 0; i < 200; i++) op.run(x, 512, y, { threads: 6 });
    process.exit(0);`;

  it("stays while the threads of its pool sleep in it, and later workers find them again", () => {
    const script = `
      const { Worker } = require("node:worker_threads");
      const { readdirSync, existsSync } = require("node:fs");
      const threads = () => (existsSync("/proc/self/task") ? readdirSync("/proc/self/task").length : 0);
      (async () => {
        const counts = [];
        for (let i = 0; i < 8; i++) {
          await new Promise((ended) => new Worker(${JSON.stringify(worker)}, { eval: true }).once("exit", ended));
          counts.push(threads());
        }
        console.log(JSON.stringify(counts));
      })();`;
    const counts = JSON.parse(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }));
    expect(counts).toHaveLength(8); // the process is alive: no thread ran into unloaded code
    expect(counts[7] - counts[0]).toBeLessThan(5); // another pool would have five threads more
  });
});

describe("memory", () => {
  it("of operators counts as pressure on the garbage collector, which gives it back", () => {
    const line = `
      const lookup = { numCodebooks: 64, numCentroids: 16, subvectorLength: 1, outputs: 1024,
        centroids: new Float32Array(1024), lookupTable: new Int8Array(1024 * 1024),
        tableScale: new Float32Array(1024), bias: new Float32Array(1024) };
      let made = 0;
      (function make() {
        new native.LutMatMul(lookup);
        if (++made < 600) setImmediate(make);
        else console.log(Math.round(process.resourceUsage().maxRSS / 1024));
      })();`;
    expect(Number(inProcess(line, {}))).toBeLessThan(300); // MB at most, of 600 MB made
  });
});
