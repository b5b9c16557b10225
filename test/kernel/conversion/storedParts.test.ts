import { profiles } from "lutnn";
import { describe, expect, it } from "vitest";
import { decodeArray, encodeArray, encodedLength } from "../../../kernel/lib/conversion/arrayFile";
import { compareStates } from "../../../kernel/lib/conversion/compare";
import { History } from "../../../kernel/lib/conversion/history";
import {
  type Manifest,
  readManifest,
  storeState,
  unstoreState,
} from "../../../kernel/lib/conversion/manifest";
import { recordOf } from "../../../kernel/lib/conversion/record";
import { type ConversionState, initialState } from "../../../kernel/lib/conversion/state";
import { StoredArray } from "../../../kernel/lib/conversion/storedArray";

const floats = (...values: number[]) => new StoredArray([values.length], Float32Array.from(values));

describe("an array's file", () => {
  it.each([
    new StoredArray([2, 3], Float32Array.of(1, -2, 3.5, 4, 5, 6)),
    new StoredArray([2], Float64Array.of(Math.PI, -1e300)),
    new StoredArray([3, 1], Int32Array.of(-7, 0, 2 ** 31 - 1)),
    new StoredArray([4], Uint8Array.of(10, 0, 255, 10)), // 10 is the end of a head
    new StoredArray([0, 5], new Float32Array(0)),
    new StoredArray([], Float32Array.of(7)),
  ])("holds type, shape and every element", (array) => {
    const bytes = encodeArray(array);
    expect(bytes.length).toBe(encodedLength(array));
    const read = decodeArray(Buffer.from(bytes), "a");
    expect(read.shape).toEqual(array.shape);
    expect(read.values).toEqual(array.values);
    expect(read.digest).toBe(array.digest);
  });

  it.each<[Uint8Array, RegExp]>([
    [Buffer.from('{"type":"Float32Array","shape":[2]}\n1234'), /4 bytes for 2 elements/],
    [Buffer.from('{"type":"Float32Array","shape":[2]}\n123456789'), /9 bytes for 2 elements/],
    [Buffer.from('{"type":"Float32Array","shape":[-2]}\n'), /its shape is not one/],
    [Buffer.from('{"type":"Float32Array","shape":[0.5]}\n'), /its shape is not one/],
    [Buffer.from('{"type":"Float32Array","shape":7}\n'), /its shape is not one/],
    [Buffer.from('{"type":"Array","shape":[]}\n1234'), /its type is "Array"/],
    [Buffer.from('{"type":"toString","shape":[]}\n1234'), /its type is "toString"/],
    [Buffer.from("null\n1234"), /its type is/],
    [Buffer.from("{\n1234"), /its head is not JSON/],
    [Buffer.from("1234"), /it has no head/],
    [Buffer.from(`${" ".repeat(4097)}\n`), /it has no head/],
    [Buffer.from(`${" ".repeat(4096)}\n`), /its head is not JSON/],
  ])("is refused where it is another (%#)", (bytes, message) => {
    expect(() => decodeArray(Buffer.from(bytes), "a")).toThrow(message);
  });
});

const origin = { data: "digits", examples: 12, seed: 3 };
/** Two layers, one of them replaced and trained, with its batch norm. */
const state: ConversionState = {
  layers: {
    a: {
      replacedBy: "kmeans",
      calibrations: {
        kmeans: {
          arrays: { centroids: floats(1, 2), bias: floats(3) },
          origin,
          norms: { n: { mean: floats(4), variance: floats(5) } },
          trained: { arrays: { centroids: floats(1, 2.5) }, norms: { n: [floats(6), floats(7)] } },
        },
        leastSquares: { arrays: { table: floats(8) }, norms: {} },
      },
    },
    b: { replacedBy: null, calibrations: {} },
  },
  weights: { c: [floats(9), floats(10, 11)] },
  lastMethod: "leastSquares",
  tuned: true,
  training: { ...origin, seed: 4 },
};

describe("a stored state", () => {
  const every = (one: ConversionState): StoredArray[] => {
    const found: StoredArray[] = [];
    JSON.stringify(one, (_, value) => {
      if (value instanceof StoredArray) found.push(value);
      return value;
    });
    return found;
  };

  it("comes back with all that it holds, equal arrays as one", async () => {
    const stored = storeState(state);
    const kept = new Map(every(state).map((array) => [array.digest, array]));
    const loaded: string[] = [];
    const again = await unstoreState(JSON.parse(JSON.stringify(stored)), async (digest) => {
      loaded.push(digest);
      return kept.get(digest)!;
    });
    expect(again).toEqual(state);
    expect(loaded.length).toBe(new Set(loaded).size);
    const { training: _, ...untrained } = state;
    expect(storeState(untrained)).not.toHaveProperty("training");
  });

  /** A manifest, with one of its values changed. */
  const manifest = (path = "current", value: unknown = 2): string => {
    const digest = "0".repeat(64);
    const made: Manifest = {
      format: "lutnn-conversion",
      version: 1,
      topology: "{}",
      dense: { a: [digest] },
      profile: structuredClone(profiles.plus) as Manifest["profile"],
      task: null,
      targets: ["a", "b"].map((name) => ({ name, numCentroids: 16, subvectorLength: 9 })),
      states: [
        { id: 0, label: "convert", parent: null, state: storeState(initialState(["a", "b"])) },
        { id: 1, label: "calibrate", parent: 0, state: storeState(state) },
        { id: 2, label: "again", parent: 0, state: storeState(state) },
      ],
      current: 2,
    };
    const steps = path.split(".");
    const last = steps.pop()!;
    const holder = steps.reduce<unknown>((inside, step) => (inside as Record<string, unknown>)[step], made);
    (holder as Record<string, unknown>)[last] = value;
    return JSON.stringify(made);
  };

  it("is one of several that follow one another", () => {
    expect(readManifest(manifest(), "m").states.map(({ parent }) => parent)).toEqual([null, 0, 0]);
    for (const [path, value] of [
      ["states.2.parent", 2],
      ["states.2.parent", -1],
      ["states.2.parent", null],
      ["states.1.id", 2],
      ["states.0.parent", 0],
      ["current", 3],
      ["targets.length", 1],
      ["targets.1.name", "c"],
      ["states.1.state.layers.a.replacedBy", "maddness"],
    ] as const)
      expect(() => readManifest(manifest(path, value), "m")).toThrow(
        /^m: the states must follow one another/,
      );
  });

  it("is refused with the place that is wrong", () => {
    for (const [path, value, message] of [
      ["dense.a", ["x"], /dense\.a\.0/],
      ["version", 4, /version: /],
      ["profile.codes", "int4", /profile\.codes/],
      ["profile.tableBits", 5, /profile\.tableBits/],
      ["profile.calibrate.refineSteps", -1, /profile\.calibrate\.refineSteps/],
      ["states", [], /states: /],
    ] as const)
      expect(() => readManifest(manifest(path, value), "m")).toThrow(message);
    expect(() => readManifest("7", "m")).toThrow(/its content: /);
  });
});

describe("two states compared", () => {
  const dense = { a: [floats(3, 4)], b: [floats(1)], c: [floats(9), floats(10, 11)] };
  const compared = (a: ConversionState, b: ConversionState, labels = ["one", "two"]) =>
    compareStates(
      { label: labels[0], state: a },
      { label: labels[1], state: b },
      (name) => dense[name as keyof typeof dense],
    );

  it("differ by ‖a − b‖ / ‖a‖ where they are of one kind", () => {
    const other: ConversionState = { ...state, weights: { a: [], c: [floats(9), floats(13, 7)] } };
    const untrained = structuredCopy(other);
    const rows = compared(state, untrained).rows;
    expect(rows.map(({ layer }) => layer)).toEqual(["a", "b", "c"]);
    expect(rows[0]).toMatchObject({ before: "k-means, trained", after: "k-means" });
    expect(rows[0].change).toBeNull(); // a bias is there in one of them alone
    expect(rows[1]).toEqual({ layer: "b", before: "dense", after: "dense", change: 0 });
    expect(rows[2]).toMatchObject({ before: "dense, changed", after: "dense, changed" });
    expect(rows[2].change).toBeCloseTo(5 / Math.sqrt(81 + 100 + 121), 12);
  });

  /** The same, with layer a as it was before its training. */
  function structuredCopy(of: ConversionState): ConversionState {
    const { trained: _, ...kmeans } = of.layers.a.calibrations.kmeans!;
    return { ...of, layers: { ...of.layers, a: { ...of.layers.a, calibrations: { kmeans } } } };
  }

  it("are equal, changed by nothing, or beyond comparison", () => {
    expect(compared(state, state).equal).toBe(true);
    const start = initialState(["a", "b"]);
    expect(compared(start, start).rows.map(({ change }) => change)).toEqual([0, 0]);
    expect(compared(start, state).equal).toBe(false);
    const with_ = (values: StoredArray[]) => ({ ...start, weights: { b: values } });
    const change = (a: StoredArray[], b: StoredArray[]) => compared(with_(a), with_(b)).rows[1].change;
    expect(change([floats(1, 2)], [floats(1)])).toBeNull();
    expect(change([floats(0, 0)], [floats(0, 1)])).toBeNull();
    expect(change([floats(0, 0)], [floats(0, 0)])).toBe(0);
    expect(change([floats(2, 0)], [floats(0, 0)])).toBe(1);
    expect(compared(with_([floats(2)]), start).equal).toBe(false);
  });

  it("are shown in per cent, under names that differ", () => {
    const one = { ...initialState(["a", "b"]), weights: { b: [floats(4)] } };
    const two = { ...initialState(["a", "b"]), weights: { b: [floats(5)] } };
    const table = compared(one, two, ["same", "same"]).toTable();
    expect(table.columns.map(({ title }) => title)).toEqual([
      "layer",
      "same (first)",
      "same (second)",
      "change (%)",
    ]);
    expect(table.rows).toEqual([
      ["a", "dense", "dense", "0.00"],
      ["b", "dense, changed", "dense, changed", "25.00"],
    ]);
    expect(compared(one, two).toTable().columns[1].title).toBe("one");
  });
});

describe("a history", () => {
  const made = () => {
    const history = new History([{ id: 0, label: "convert", parent: null, state: initialState([]) }]);
    for (const label of ["one", "two"]) history.add(label, initialState([]), recordOf(label, []));
    return history;
  };

  it("goes back to what a state was made from, and on to what was left last", () => {
    const history = made();
    expect([history.current.id, history.before, history.after]).toEqual([2, 1, null]);
    history.goTo("undo", 1);
    expect([history.current.label, history.before, history.after]).toEqual(["one", 0, 2]);
    history.add("other", initialState([]), recordOf("other", []));
    expect(history.current).toMatchObject({ id: 3, label: "other", parent: 1 });
    history.goTo("undo", 1);
    expect(history.after).toBe(3);
    history.goTo("goTo", 2);
    history.goTo("undo", 1);
    expect(history.after).toBe(2);
    history.goTo("undo", 0);
    expect([history.before, history.after]).toEqual([null, 1]);
  });

  it("that is opened stands where it stood, and knows the way on", () => {
    const { entries } = made();
    const opened = new History([...entries], 1);
    expect([opened.current.id, opened.after]).toEqual([1, 2]);
    expect(new History([...entries]).current.id).toBe(2);
    opened.rename("nameState", 1, "mine");
    expect(opened.entries.map(({ label }) => label)).toEqual(["convert", "mine", "two"]);
    expect(() => opened.goTo("goTo", 3)).toThrow("goTo: the state must be a number from 0 to 2 (got 3)");
    expect(() => opened.goTo("goTo", -1)).toThrow("got -1");
  });
});
