// Kinds of loops that `npm run bench:kernel` times at the top level of a cell and in a block: the declarations before
// the loop stand in the block, too. Each takes some tens of milliseconds.

/** @type {readonly { name: string, declarations: string, loop: string }[]} */
export const loops = [
  { name: "a counter", declarations: "let n = 0;", loop: "for (let i = 0; i < 4e7; i++) n++;" },
  {
    name: "a loop over its own counter",
    declarations: "let k = 0, odd = 0;",
    loop: "while (k < 2e7) { k++; if (k % 2) odd++; }",
  },
  {
    name: "calls of a function",
    declarations: "let sum = 0; function square(x: number) { return x * x + 1; }",
    loop: "for (let i = 0; i < 2e7; i++) sum += square(i);",
  },
  {
    name: "calls of a function that reads a variable",
    declarations: "let total = 0; let rate = 2; function scaled(x: number) { return x * rate; }",
    loop: "for (let i = 0; i < 2e7; i++) total += scaled(i);",
  },
  {
    name: "calls of a function that writes a variable",
    declarations: "let count = 0; function add(x: number) { count += x; }",
    loop: "for (let i = 0; i < 4e6; i++) add(i);",
  },
  {
    name: "Math's functions",
    declarations: "let area = 0;",
    loop: "for (let i = 0; i < 8e6; i++) area += Math.sqrt(i) + Math.abs(i - 5);",
  },
  {
    name: "a method",
    declarations: "let balance = 0; const account = { rate: 2, grow(x: number) { return x + this.rate; } };",
    loop: "for (let i = 0; i < 2e7; i++) balance = account.grow(balance);",
  },
  {
    name: "a closure",
    declarations:
      "let calls = 0; const adderOf = (by: number) => (x: number) => x + by; const adder = adderOf(3);",
    loop: "for (let i = 0; i < 2e7; i++) calls = adder(calls);",
  },
  {
    name: "a callback for each element",
    declarations: "let all = 0; const list = Array.from({ length: 1000 }, (_, i) => i);",
    loop: "for (let r = 0; r < 5000; r++) all += list.reduce((a, x) => a + x, 0);",
  },
  {
    name: "a callback that writes a variable",
    declarations: "let each = 0; const steps = Array.from({ length: 1000 }, (_, i) => i);",
    loop: "for (let r = 0; r < 5000; r++) steps.forEach((x) => { each += x; });",
  },
  {
    name: "nested loops",
    declarations: "let cells = 0; const size = 5000;",
    loop: "for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) cells += x ^ y;",
  },
  {
    name: "nested loops with calls",
    declarations: "let mixed = 0; const side = 5000; const mix = (x: number, y: number) => (x ^ y) & 7;",
    loop: "for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) mixed += mix(x, y);",
  },
  {
    name: "building a text",
    declarations: 'let text = "";',
    loop: "for (let i = 0; i < 1e6; i++) text += String.fromCharCode(65 + (i % 26));",
  },
  {
    name: "pushing to an array",
    declarations: "let items: number[] = [];",
    loop: "for (let r = 0; r < 15; r++) { items = []; for (let i = 0; i < 1e5; i++) items.push(i); }",
  },
  {
    name: "instances of a class",
    declarations:
      "let length = 0; class Point { constructor(readonly x: number, readonly y: number) {} norm() { return this.x * this.x + this.y * this.y; } }",
    loop: "for (let i = 0; i < 2e7; i++) length += new Point(i, 1).norm();",
  },
  {
    name: "a Map",
    declarations: "const seen = new Map<number, number>(); let hits = 0;",
    loop: "for (let i = 0; i < 1e6; i++) { seen.set(i & 255, (seen.get(i & 255) ?? 0) + 1); hits++; }",
  },
  {
    name: "for … of with calls",
    declarations:
      "let doubled = 0; const values = Array.from({ length: 1e5 }, (_, i) => i); const twice = (x: number) => 2 * x;",
    loop: "for (let r = 0; r < 30; r++) for (const value of values) doubled += twice(value);",
  },
  {
    name: "an exchange by a pattern",
    declarations: "let a = 0, b = 1;",
    loop: "for (let i = 0; i < 2e7; i++) [a, b] = [b, (a + b) & 0xffff];",
  },
  {
    name: "properties of an object",
    declarations: "const state = { x: 0, v: 1 };",
    loop: "for (let i = 0; i < 2e7; i++) { state.x += state.v; state.v = 1 - state.v; }",
  },
  {
    name: "a typed array",
    declarations: "const pixels = new Float64Array(1e6); let bright = 0;",
    loop: "for (let r = 0; r < 10; r++) for (let i = 0; i < pixels.length; i++) { pixels[i] += i; bright += pixels[i]; }",
  },
  {
    name: "await",
    declarations: "let awaited = 0;",
    loop: "for (let i = 0; i < 3e5; i++) { await null; awaited += i; }",
  },
  {
    name: "work between awaits",
    declarations: "let worked = 0; const work = (x: number) => Math.sqrt(x);",
    loop: "for (let i = 0; i < 40; i++) { await null; for (let j = 0; j < 1e5; j++) worked += work(j); }",
  },
  {
    name: "a generator",
    declarations: "let given = 0; function* upTo(n: number) { for (let i = 0; i < n; i++) yield i; }",
    loop: "for (const value of upTo(2e6)) given += value;",
  },
  {
    name: "try and catch",
    declarations:
      'let caught = 0; const check = (x: number) => { if (x < 0) throw new Error("no"); return x; };',
    loop: "for (let i = 0; i < 2e7; i++) { try { caught += check(i); } catch { caught = 0; } }",
  },
];

/** Two cells, whose results are milliseconds: of the loop at the top level, and of the same in a block. */
export function cellsOf({ declarations, loop }) {
  const timed = `${declarations} const begin = performance.now(); ${loop} const took = performance.now() - begin;`;
  return { top: `${timed}\ntook`, block: `let inBlock = 0; { ${timed} inBlock = took; }\ninBlock` };
}
