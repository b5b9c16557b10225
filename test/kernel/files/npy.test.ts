import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type NpyArray, readNpy, writeNpy } from "../../../kernel/lib/files/npy";

const python = resolve(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-npy-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (script: string) => execFileSync(python, ["-c", script, folder], { encoding: "utf8" });
const types = ["f4", "f8", "f2", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "b1"];

run(`
import sys, numpy as np
folder = sys.argv[1]
for name in ${JSON.stringify(types)}:
    array = (np.arange(24).reshape(2, 3, 4) % 2 if name == "b1" else np.arange(24).reshape(2, 3, 4) * 3).astype(name)
    np.save(f"{folder}/{name}.npy", array)
    np.save(f"{folder}/{name}-columns.npy", np.asfortranarray(array))
np.save(f"{folder}/one.npy", np.float32(1.5))
np.save(f"{folder}/row.npy", np.arange(5, dtype="f4"))
np.save(f"{folder}/none.npy", np.zeros((2, 0, 3), "f4"))
np.save(f"{folder}/big.npy", np.arange(3, dtype=">f4"))
np.save(f"{folder}/words.npy", np.array(["a", "b"]))
with open(f"{folder}/second.npy", "wb") as file:
    np.lib.format.write_array(file, np.arange(6, dtype="i4").reshape(2, 3), version=(2, 0))
`);
const read = (name: string) => readNpy(readFileSync(join(folder, `${name}.npy`)), name);

/** The bits of a whole number below 2,048 in float16: exponent and fraction. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
}

describe("arrays of NumPy's", () => {
  it.each(types)("are read row-major whatever their order: %s", (type) => {
    const wanted = Array.from({ length: 24 }, (_, i) =>
      type === "b1" ? i % 2 : type === "f2" ? half(3 * i) : 3 * i,
    );
    for (const name of [type, `${type}-columns`]) {
      const array = read(name);
      expect([array.type, array.shape]).toEqual([type, [2, 3, 4]]);
      expect(Array.from(array.values as Float32Array, Number)).toEqual(wanted);
    }
  });

  it("may be one number, a row, empty, or of version 2", () => {
    expect(read("one")).toEqual({ type: "f4", shape: [], values: Float32Array.of(1.5) });
    expect(read("row").shape).toEqual([5]);
    expect(read("none")).toEqual({ type: "f4", shape: [2, 0, 3], values: new Float32Array() });
    expect(read("second")).toEqual({ type: "i4", shape: [2, 3], values: Int32Array.of(0, 1, 2, 3, 4, 5) });
  });

  it("are written as NumPy reads them, and come back", () => {
    const written: NpyArray[] = [
      { type: "f4", shape: [2, 2], values: Float32Array.of(1, -2.5, 3, Number.NaN) },
      { type: "i8", shape: [1], values: BigInt64Array.of(-(2n ** 62n)) },
      { type: "b1", shape: [2], values: Uint8Array.of(1, 0) },
      { type: "f8", shape: [], values: Float64Array.of(0.1) },
    ];
    for (const [i, array] of written.entries()) writeFileSync(join(folder, `w${i}.npy`), writeNpy(array));
    const said = run(`
import sys, numpy as np
for i in range(4):
    array = np.load(f"{sys.argv[1]}/w{i}.npy")
    print(array.dtype, array.shape, array.tolist())
`);
    expect(said.trim().split("\n")).toEqual([
      "float32 (2, 2) [[1.0, -2.5], [3.0, nan]]",
      "int64 (1,) [-4611686018427387904]",
      "bool (2,) [True, False]",
      "float64 () 0.1",
    ]);
    for (const [i, array] of written.entries()) expect(read(`w${i}`)).toEqual(array);
    expect(() => writeNpy({ type: "f4", shape: [3], values: new Float32Array(2) })).toThrow(
      /must have 3 elements \(got 2\)/,
    );
  });

  it("of other kinds are refused", () => {
    expect(() => read("big")).toThrow(
      /^big: the elements must be of one of f4, .*, little-endian \(got ">f4"\); convert/,
    );
    expect(() => read("words")).toThrow(/the elements must be of one of .* \(got "<U1"\)/);
    const whole = readFileSync(join(folder, "f4.npy"));
    const odd = Buffer.from(whole);
    odd.write("<\n4", odd.indexOf("<f4"), "latin1"); // found among mutated files
    expect(() => readNpy(odd, "f")).toThrow(
      /^f: the elements .*, little-endian \(got "<\\n4"\); convert them,/,
    );
    expect(() => readNpy(whole.subarray(0, -1), "f")).toThrow(
      /of shape 2×3×4 must have 24 elements \(got 95 bytes of f4\)/,
    );
    expect(() => readNpy(Buffer.concat([whole, Buffer.alloc(4)]), "f")).toThrow(/\(got 100 bytes of f4\)/);
    expect(() => readNpy(whole.subarray(0, 60), "f")).toThrow(
      /the header must be whole \(got 60 bytes in all\)/,
    );
    expect(() => readNpy(Buffer.from("no array at all"), "f")).toThrow(/must be an array of NumPy's/);
  });
});
