import * as tf from "@tensorflow/tfjs-node";
import { describe, expect, it } from "vitest";
import { displaySymbol, type MimeBundle } from "../../../kernel/lib/host/host";
import { mimeBundle } from "../../../kernel/lib/host/mimeBundle";

const bundle = (value: unknown) => mimeBundle(value) as MimeBundle;
const text = (value: unknown) => bundle(value)["text/plain"];
const types = (value: unknown) => Object.keys(bundle(value)).sort();

describe("a value shows itself", () => {
  it("by its own method, which may be asynchronous", async () => {
    expect(bundle({ [displaySymbol]: () => ({ "text/html": "<b>x</b>" }) })).toEqual({
      "text/html": "<b>x</b>",
    });
    expect(await mimeBundle({ [displaySymbol]: async () => ({ "text/plain": "later" }) })).toEqual({
      "text/plain": "later",
    });
    expect(text({ [displaySymbol]: () => "text" })).toContain(
      "the method must return an object of MIME types (got 'text')",
    );
  });

  it("as text, if nothing better is known", () => {
    expect(bundle(42)).toEqual({ "text/plain": "42" });
    expect(bundle({ a: [1, "x"] })).toEqual({ "text/plain": "{ a: [ 1, 'x' ] }" });
    expect(text(new Error("no"))).toContain("Error: no");
  });

  it("as a tensor with type, shape and spread, and as a table where it is a small matrix", () => {
    const matrix = tf.tensor2d([1, 2.5, -3, 4, 5, 6], [3, 2]);
    expect(text(matrix)).toMatch(/^Tensor float32 \[3, 2\], -3 … 6, mean 2\.5833\n/);
    expect(bundle(matrix)["text/html"]).toContain('<td style="text-align:right;white-space:nowrap">-3</td>');
    expect(types(tf.zeros([3, 100]))).toEqual(["text/plain"]);
    expect(text(tf.tensor1d([Number.NaN, 1]))).toContain("1 … 1, mean 1, 1 not finite");
    expect(text(tf.tensor(["a", "b"]))).toMatch(/^Tensor string \[2\]\n/);
    matrix.dispose();
    expect(text(matrix)).toBe("Tensor float32 [3, 2], disposed");
  });

  it("as a typed array with its spread, and not with all of its values", () => {
    expect(text(new Float32Array([1, 2, 3]))).toBe("Float32Array(3), 1 … 3, mean 2\n[1, 2, 3]");
    expect(text(new BigInt64Array([5n]))).toBe("BigInt64Array(1), 5 … 5, mean 5\n[5n]");
    expect(text(new Int8Array(0))).toBe("Int8Array(0)\n[]");
    expect(text(new Uint16Array(1000))).toMatch(/… 980 more\]$/);
  });

  it("as a table, if it is an array of records", () => {
    const records = [
      { name: "conv1", size: 5 },
      { name: "<b>", size: 17, note: "new" },
    ];
    expect(text(records)).toBe(
      ["row  name   size  note", "───  ─────  ────  ────", "  0  conv1     5", "  1  <b>      17  new"].join(
        "\n",
      ),
    );
    expect(bundle(records)["text/html"]).toContain("&lt;b&gt;");
    expect(types([1, 2])).toEqual(["text/plain"]);
    expect(types([new Date(0)])).toEqual(["text/plain"]);
  });

  it("as a table whose numbers have the same decimals, without losing small ones", () => {
    const records = [0.5, 12, 3.25, undefined].map((x, index) => ({ x, y: index === 0 ? 1e-9 : 0.5 }));
    expect(String(text(records)).split("\n")).toEqual([
      "row      x     y",
      "───  ─────  ────",
      "  0   0.50  1e-9",
      "  1  12.00   0.5",
      "  2   3.25   0.5",
      "  3          0.5",
    ]);
  });

  it("as a table of its first and last rows, if it has very many", () => {
    const rows = Array.from({ length: 1000 }, (_, row) => ({ row, square: row ** 2 }));
    const lines = String(text(rows)).split("\n");
    expect(lines).toHaveLength(2 + 41 + 1);
    expect(lines.slice(21, 24).map((line) => line.trim().split(/ +/)[0])).toEqual(["19", "…", "980"]);
    expect(lines.at(-1)).toBe("1000 rows × 2 columns");
  });

  it("as a table with every row up to 40 and every column up to 30, and says what is left out", () => {
    const table = (rows: number, columns: number) => {
      const row = Object.fromEntries(Array.from({ length: columns }, (_, at) => [`c${at}`, at]));
      return String(text(Array.from({ length: rows }, () => row))).split("\n");
    };
    expect([table(40, 30).length, table(40, 30).at(-1)?.trim().split(/ +/).length]).toEqual([2 + 40, 1 + 30]);
    expect(table(41, 1).at(-1)).toBe("41 rows × 1 columns");
    expect(
      table(41, 1)
        .slice(21, 24)
        .map((line) => line.trim().split(/ +/)[0]),
    ).toEqual(["19", "…", "21"]);
    expect([table(1, 31).at(-1), table(1, 31)[2].trim().split(/ +/).length]).toEqual([
      "1 rows × 31 columns",
      1 + 30,
    ]);
  });

  it("as a table of a long map's first and last entries, in their order", () => {
    const map = new Map(Array.from({ length: 57 }, (_, at) => [`key${at}`, at]));
    const rows = String(bundle(map)["text/html"]).match(/key\d+/g);
    const numbers = [...Array(20).keys(), ...Array.from({ length: 20 }, (_, at) => 37 + at)];
    expect(rows).toEqual(numbers.map((at) => `key${at}`));
  });

  it("as a table whose long entries are cut, and whose white space is one blank", () => {
    const line = (entry: string) =>
      String(text([{ a: entry }]))
        .split("\n")[2]
        .slice(5);
    expect(line("x".repeat(80))).toBe("x".repeat(80));
    expect(line("x".repeat(81))).toBe(`${"x".repeat(79)}…`);
    expect(line("a \n\t b")).toBe("a b");
  });

  it("as a table that writes numbers of very different sizes with an exponent", () => {
    const column = (...values: number[]) =>
      String(text(values.map((a) => ({ a }))))
        .split("\n")
        .slice(2)
        .map((row) => row.slice(3).trim());
    expect(column(1e-4, 0.5)).toEqual(["0.0001", "0.5000"]);
    expect(column(9e-5, 0.5)).toEqual(["0.00009", "0.5"]);
    expect(column(9e14, 0.5)).toEqual(["900000000000000.0", "0.5"]);
    expect(column(1e15, 0.25)).toEqual(["1000000000000000", "0.25"]);
    expect(column(0.12345678, 1)).toEqual(["0.123457", "1.000000"]);
  });

  it("as a table of keys and values, if it is a map", () => {
    const map = new Map<unknown, unknown>([["a", 1]]);
    expect(types(map)).toEqual(["text/html", "text/plain"]);
    expect(text(map)).toBe("Map(1) { 'a' => 1 }");
  });

  it("as a promise that says to await it", () => {
    expect(text(new Promise(() => {}))).toBe("Promise { <pending> } – await it to see its value");
    expect(text(Promise.resolve(1))).toBe("Promise { 1 }");
  });

  it("as a picture, if it is the bytes of one", () => {
    const png = Buffer.from("89504e470d0a1a0a0000", "hex");
    expect(bundle(png)).toEqual({ "image/png": png.toString("base64"), "text/plain": "image/png, 10 bytes" });
    expect(types(Buffer.from("ffd8ffe0", "hex"))).toEqual(["image/jpeg", "text/plain"]);
    expect(types(Buffer.from("GIF89a"))).toEqual(["image/gif", "text/plain"]);
    expect(types(Buffer.from("RIFF\0\0\0\0WEBPVP8 "))).toEqual(["image/webp", "text/plain"]);
    const svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>';
    expect(bundle(Buffer.from(svg))["image/svg+xml"]).toBe(svg);
    expect(types(Buffer.from("plain bytes"))).toEqual(["text/plain"]);
  });

  it("as a figure, if plotly could draw it", () => {
    const figure = { data: [{ type: "bar", x: ["a"], y: new Float32Array([1, 2]) }], layout: { title: "t" } };
    expect(bundle(figure)["application/vnd.plotly.v1+json"]).toEqual({
      data: [{ type: "bar", x: ["a"], y: [1, 2] }],
      layout: { title: "t" },
      config: {},
    });
    expect(types({ data: [], layout: {} })).toEqual(["text/plain"]);
    expect(types({ data: [1], layout: {} })).toEqual(["text/plain"]);
  });

  it("without running its getters", () => {
    const getter = {
      get data(): never {
        throw new Error("ran");
      },
    };
    expect(String(text(getter))).toContain("[Getter]");
  });
});
