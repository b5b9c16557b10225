// All cells share one scope: a name is the same variable for every function that reads it, whichever cell made it.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { find, Kernel } from "./kernelClient";

const folder = mkdtempSync(join(tmpdir(), "lutnn-scope-"));
let kernel: Kernel;
beforeAll(async () => {
  writeFileSync(
    join(folder, "counter.ts"),
    "export let count = 0;\nexport function increase() {\n  count++;\n}\n",
  );
  kernel = await Kernel.start({ folder });
});
afterAll(() => kernel.stop());

const run = (...cells: string[]) => kernel.evaluateAll(...cells);

async function errorOf(cell: string): Promise<string> {
  const { reply } = await kernel.execute(cell);
  return `${reply.content.ename}: ${reply.content.evalue}`;
}

describe("a function of an earlier cell reads what a later cell", () => {
  test.each([
    ["assigns", "rate = 0.5;", "0.5"],
    ["adds", "rate += 1;", "1.25"],
    ["counts up", "rate++;", "1.25"],
    ["counts down before use", "--rate;", "-0.75"],
    ["assigns by an array's pattern", "[rate] = [2];", "2"],
    ["assigns by an object's pattern", "({ rate } = { rate: 3 });", "3"],
    ["assigns by a pattern with another name", "({ x: rate } = { x: 4 });", "4"],
    ["assigns by a default", "({ x: rate = 5 } = {} as { x?: number });", "5"],
    [
      "assigns by the rest of a pattern",
      "let others: number[]; [, ...others] = [1, 6]; [rate] = others;",
      "6",
    ],
    ["gives to a loop over values", "for (rate of [7, 8]);", "8"],
    ["gives to a loop over a pattern", "for ([rate] of [[9]]);", "9"],
    ["gives to a loop over an asynchronous iterator", "for await (rate of [10]);", "10"],
    ["assigns where it is nothing yet", "rate &&= 11;", "11"],
    ["assigns in a function", "(() => { rate = 12; })();", "12"],
    ["assigns after an await", "await null; rate = 13;", "13"],
    ["declares anew", "let rate = 14;", "14"],
    ["declares anew as a constant", "const rate = 15;", "15"],
    ["declares anew by a pattern", "const { y: { rate = 16 } } = { y: {} as { rate?: number } };", "16"],
    ["declares anew by var", "var rate = 17;", "17"],
  ])("%s", async (_, later, expected) => {
    const read = "let rate = 0.25; function step() { return rate; }";
    expect(await run(read, later, "step()")).toBe(expected);
  });
});

test("arrow functions, methods, accessors, generators and timers read it, too", async () => {
  await run(
    `let depth = 1;
     const arrow = () => depth;
     const object = { method() { return depth; }, get accessor() { return depth; } };
     class Reader { field = () => depth; static read() { return depth; } }
     function* generator() { for (;;) yield depth; }
     const generated = generator();
     let seen = 0;
     const timer = setInterval(() => { seen = depth; }, 1);`,
    "depth = 2;",
    "await new Promise((resolve) => setTimeout(resolve, 50)); clearInterval(timer);",
  );
  expect(
    await run(
      "[arrow(), object.method(), object.accessor, new Reader().field(), Reader.read(), generated.next().value, seen].join()",
    ),
  ).toBe("'2,2,2,2,2,2,2'");
});

test("a function writes what later cells read", async () => {
  expect(
    await run(
      "let written = 0; const write = (value: number) => { written = value; };",
      "write(5);",
      "written",
    ),
  ).toBe("5");
});

test("a function, class or enum declared anew replaces the old one for earlier callers", async () => {
  await run(
    `function name() { return "old"; }
     class Thing { name = "old"; }
     enum Level { Low = "old" }
     const names = () => [name(), new Thing().name, Level.Low].join();`,
  );
  expect(await run("names()")).toBe("'old,old,old'");
  await run(
    'function name() { return "new"; }',
    'class Thing { name = "new"; }',
    'enum Level { Low = "new", High = "high" }',
  );
  expect(await run("names()")).toBe("'new,new,new'");
});

test("an enum declared anew has none of its old members", async () => {
  expect(await run("enum Kind { A, B }", "enum Kind { C }", "JSON.stringify(Kind)")).toBe(
    `'{"0":"C","C":0}'`,
  );
});

test("a class goes on to be its own inside, whatever its name becomes outside", async () => {
  await run(
    "class Self { static made = new Self(); again() { return new Self(); } }",
    "const first = new Self();",
  );
  await run("class Self { other = true; }");
  expect(await run('"other" in first.again()')).toBe("false");
});

test("functions are hoisted, and call each other across cells", async () => {
  expect(
    await run(
      "const early = isEven(10); function isEven(n: number): boolean { return n === 0 || isOdd(n - 1); } function isOdd(n: number): boolean { return n !== 0 && isEven(n - 1); } early",
    ),
  ).toBe("true");
  expect(await run("function isOdd(n: number): boolean { return false; }", "isEven(4)")).toBe("false");
});

test("a called function has no receiver", async () => {
  expect(await run("function receiver(this: unknown) { return this; }", "String(receiver())")).toBe(
    "'undefined'",
  );
  expect(
    await run(
      "function tag(this: unknown, ..._: unknown[]) { return this; }",
      "String(tag`x`) + String(tag?.())",
    ),
  ).toBe("'undefinedundefined'");
});

test("functions have the names of their variables", async () => {
  await run(
    `const arrow2 = () => 1; let anonymous = function () {}; const Klass = class {};
     const { inner = () => 2 } = {} as { inner?: () => number };`,
  );
  await run("anonymous = function () {};");
  expect(await run("[arrow2, anonymous, Klass, inner].map(({ name }) => name).join()")).toBe(
    "'arrow2,anonymous,Klass,inner'",
  );
});

describe("a name inside is left alone", () => {
  beforeAll(async () => {
    await run("let shadow = 'outside'; const size = 3;");
  });
  test.each([
    ["a parameter", "((shadow: string) => shadow)('inside')"],
    ["a parameter's pattern", "(({ shadow }: { shadow: string }) => shadow)({ shadow: 'inside' })"],
    ["a parameter for another's default", "((shadow: string, again = shadow) => again)('inside')"],
    ["a caught error", "(() => { try { throw 'inside'; } catch (shadow) { return shadow; } })()"],
    ["a loop's variable", "(() => { for (const shadow of ['inside']) return shadow; })()"],
    ["a block's variable", "(() => { { let shadow = 'inside'; return shadow; } })()"],
    ["a function's var", "(() => { { var shadow = 'inside'; } return shadow; })()"],
    ["a property", "({ shadow: 'inside' }).shadow"],
    ["a method", "({ shadow() { return 'inside'; } }).shadow()"],
    ["a member of a class", "new (class { shadow = 'inside'; })().shadow"],
    ["a private member", "new (class { #shadow = 'inside'; get() { return this.#shadow; } })().get()"],
    [
      "a function expression's name",
      "(function shadow(): string { return shadow.length === 0 ? 'inside' : ''; })()",
    ],
    [
      "a class expression's name",
      "new (class shadow { get() { return shadow.name === 'shadow' ? 'inside' : ''; } })().get()",
    ],
    ["a label", "(() => { shadow: for (;;) break shadow; return 'inside'; })()"],
    [
      "a switch's variable",
      "(() => { switch (size) { default: const shadow = 'inside'; return shadow; } })()",
    ],
    ["a pattern's property name", "(({ shadow: other }: { shadow: string }) => other)({ shadow: 'inside' })"],
  ])("%s", async (_, cell) => {
    expect(await run(cell)).toBe("'inside'");
    expect(await run("shadow")).toBe("'outside'");
  });

  test("a parameter's default does not see the body's variables", async () => {
    expect(
      await run("(function (value = shadow) { var shadow = 'inside'; return [value, shadow].join(); })()"),
    ).toBe("'outside,inside'");
  });

  test("a loop at top level has its own variable, and one of var the notebook's", async () => {
    await run("let i = 'mine'; for (let i = 0; i < 3; i++);");
    expect(await run("i")).toBe("'mine'");
    expect(await run("for (var j = 0; j < 3; j++);", "j")).toBe("3");
    expect(
      await run(
        "const later: (() => number)[] = []; for (let k = 0; k < 3; k++) later.push(() => k); later.map((f) => f()).join()",
      ),
    ).toBe("'0,1,2'");
  });

  test("a type with the name of a value", async () => {
    await run("interface shadow { length: number } const typed: shadow = 'abc';");
    expect(await run("shadow + typed.length")).toBe("'outside3'");
  });
});

test("a name stands in short properties, typeof and exports", async () => {
  await run("let rate2 = 1; export const shown = 2; export function exported() { return shown; }");
  expect(await run("JSON.stringify({ rate2, shown })")).toBe(`'{"rate2":1,"shown":2}'`);
  expect(await run("const copy: typeof rate2 = 3; typeof rate2 + copy + exported()")).toBe("'number32'");
  expect(await run("export { rate2 as renamed } from './none'; 1").catch(() => "wrong")).toBe("wrong");
  expect(await run("const own = 1; export { own }; export default own + 1;")).toBe("2");
});

test("a constant of an earlier cell cannot be assigned to, but declared anew", async () => {
  await run("const fixed = 1;");
  expect(await errorOf("fixed = 2;")).toContain(
    "Cannot assign to 'fixed' because it is a constant. (TS2588)",
  );
  expect(await run("const fixed = 'two';", "fixed")).toBe("'two'");
});

test("a variable that has no value yet cannot be read", async () => {
  const cell = "const reader = () => unset; reader(); let unset = 1;";
  expect(await errorOf(cell)).toBe("ReferenceError: Cannot access 'unset' before initialization");
});

test("a failed cell leaves the variables of earlier cells with their types", async () => {
  await run("let kept: number = 4;");
  expect(await errorOf('throw new Error("first"); let kept = "text";')).toContain("first");
  expect(await run("kept.toFixed(1)")).toBe("'4.0'");
});

test("var keeps what was there, let begins anew", async () => {
  expect(await run("var count = 5;", "var count: number;", "count")).toBe("5");
  expect(await run("let fresh = 5;", "let fresh: number | undefined;", "String(fresh)")).toBe("'undefined'");
});

test("what a file of the notebook exports is read as it is now", async () => {
  expect(await run('import { count as live, increase } from "./counter"; increase(); increase(); live')).toBe(
    "2",
  );
  expect(await run("increase();", "live")).toBe("3");
  expect(await errorOf("live = 1;")).toContain("because it is an import");
  expect(await run("const readLive = () => live;", "let live = 9;", "increase(); live++; readLive()")).toBe(
    "10",
  );
});

test("an import stays for later cells, replaces a variable, and is replaced by one", async () => {
  await run("let sep = 'mine'; const readSep = () => sep;", 'import { sep } from "path";');
  expect(await run("readSep()")).toBe("'/'");
  expect(await run("let sep = 'mine again';", "readSep()")).toBe("'mine again'");
});

test("a thousand names are as good as one", async () => {
  const declare = Array.from({ length: 1000 }, (_, index) => `let many${index} = ${index};`).join("\n");
  await run(`${declare}\nfunction sum() { return many0 + many999; }`);
  await run(Array.from({ length: 1000 }, (_, index) => `many${index} += 1;`).join("\n"));
  expect(await run("sum()")).toBe("1001");
});

test("names that objects have from birth are names like others", async () => {
  await run("let constructor2 = 1, toString = 2, hasOwnProperty = 3, valueOf = 4, __proto__ = 5, __own = 6;");
  await run("toString++; __proto__++; __own++;");
  expect(await run("[toString, hasOwnProperty, valueOf, __proto__, __own].join()")).toBe("'3,3,4,6,7'");
});

test("dollars in names change nothing", async () => {
  expect(
    await run(
      "let $ = 1, $$ = 2, $rate = 3, rate3 = 4; const read3 = () => $ + $$ + $rate + rate3;",
      "$ = 10; rate3 = 40;",
      "read3()",
    ),
  ).toBe("55");
});

test("a property of the global object is not a variable, nor the other way round", async () => {
  await run("let local = 1; Reflect.set(globalThis, 'worldwide', 2); declare const worldwide: number;");
  expect(await run("worldwide + Number('local' in globalThis)")).toBe("2");
  expect(await run("delete (globalThis as { worldwide?: number }).worldwide; typeof worldwide")).toBe(
    "'undefined'",
  );
});

describe("a loop over the notebook's variables", () => {
  /** Milliseconds of processor time, of the best of some runs: others may use the machine. */
  const best = (text: string) => `Math.min(...(${text}))`;
  const cell = (loop: string) => `
    let clock = 0; const times: number[] = [];
    for (let round = 0; round < 7; round++) {
      clock = process.cpuUsage().user;
      ${loop}
      times.push((process.cpuUsage().user - clock) / 1000);
    }
    ${best("times")}`;

  test.each([
    [
      "of arithmetic",
      "total = 0; for (let i = 0; i < xs.length; i++) total += xs[i] * i;",
      "{ let sum = 0; const ys = xs; for (let i = 0; i < ys.length; i++) sum += ys[i] * i; }",
      "24999997500000",
    ],
    [
      "that calls functions",
      "total = 0; for (let i = 0; i < 1e7; i++) total += shareOf(i, 3);",
      "{ let sum = 0; const share = (x: number, y: number) => x / (x + y); for (let i = 0; i < 1e7; i++) sum += share(i, 3); }",
      String(Array.from({ length: 1e7 }).reduce((sum: number, _, i) => sum + i / (i + 3), 0)),
    ],
  ])("takes at most one and a half times as long as in a block, %s", async (_, top, inBlock, expected) => {
    await run(
      "let total = 0; const xs = new Float64Array(1e7).fill(0.5); const shareOf = (x: number, y: number) => x / (x + y);",
    );
    let [shared, block] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let attempt = 0; attempt < 8 && !(shared / block < 1.5); attempt++) {
      shared = Math.min(shared, Number(await run(cell(top))));
      block = Math.min(block, Number(await run(cell(inBlock))));
    }
    expect(block).toBeGreaterThan(1);
    expect(shared / block).toBeLessThan(1.5);
    expect(await run("total")).toBe(expected);
  });

  test("counts in whole numbers, whatever other new variables hold", async () => {
    // A remainder of fractions takes ten times as long.
    await run("let fraction = 0.5;");
    await run("let whole1 = 0, odd1 = 0;");
    const atTop = cell("whole1 = 0; while (whole1 < 2e7) { whole1++; if (whole1 % 2) odd1++; }");
    const inBlock = cell("{ let k = 0, odd = 0; while (k < 2e7) { k++; if (k % 2) odd++; } }");
    let [shared, block] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    // The time counted is that of all threads, the compiler's among them: one attempt may meet it at work.
    for (let attempt = 0; attempt < 15 && !(shared / block < 3); attempt++) {
      shared = Math.min(shared, Number(await run(atTop)));
      block = Math.min(block, Number(await run(inBlock)));
    }
    expect(shared / block).toBeLessThan(3);
  });

  test("gives the variables their values when it is left in any way", async () => {
    expect(await run("let n = 0; for (;;) { n++; if (n > 5000) break; }", "n")).toBe("5001");
    expect(await run("let m = 0; const big = 1n; while (true) { m += 2; if (m === 3000) break; } m")).toBe(
      "3000",
    );
    const failing =
      "let k2 = 0; const mixed = [1, 2] as const; for (let i = 0; i < 10; i++) { k2 = i; if (i === 4) (null as unknown as number[])[0] = 1; }";
    expect(await errorOf(failing)).toContain("TypeError");
    expect(await run("k2")).toBe("4");
  });

  test("shows where it is when it is stopped", async () => {
    await run("let turns = 0;");
    const running = await kernel.startCell('console.log("on"); for (;;) turns++;');
    await running.printed("on");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await kernel.request("control", "interrupt_request");
    expect((await running.done()).reply.content.ename).toBe("AbortError");
    expect(Number(await run("turns"))).toBeGreaterThan(1000);
    // A text is kept in a local only, and told from time to time.
    await run('let last = "", at = 0, was = 0;');
    const texts = await kernel.startCell(
      'console.log("on"); for (;;) { was = at++; at = 5; last = "turn " + was; }',
    );
    await texts.printed("on");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await kernel.request("control", "interrupt_request");
    await texts.done();
    expect(await run("last")).toBe("'turn 5'");
  });

  test.each([
    [
      "a function that is called reads",
      "let seenBy = 0; const look = () => seenBy;",
      "seenBy += look() + 1;",
      "seenBy",
      "31",
    ],
    [
      "an assignment gives",
      "let l1 = 0, l2 = 0; const one1 = () => 1;",
      "l2 = l1 = l2 + one1();",
      "[l1, l2].join()",
      "'5,5'",
    ],
    [
      "a step gives before it",
      "let s1 = 0; const got: number[] = []; const give = (x: number) => got.push(x);",
      "give(s1++); give(--s1); give(++s1);",
      "got.slice(-3).join()",
      "'4,4,5'",
    ],
    [
      "a pattern assigns",
      "let p1 = 1, p2 = 2; const pair = (): [number, number] => [p2, p1];",
      "[p1, p2] = pair();",
      "[p1, p2].join()",
      "'2,1'",
    ],
    [
      "a pattern's default assigns",
      "let q1 = 0; const empty = (): { q?: number } => ({});",
      "({ q: q1 = q1 + 1 } = empty());",
      "q1",
      "5",
    ],
    [
      "a loop's head assigns",
      "let h1 = 0; const upTo3 = () => [1, 2, 3];",
      "for (h1 of upTo3()); h1 *= 2;",
      "h1",
      "6",
    ],
    [
      "an assignment that may not be made",
      "let m1: number | null = null; const nine = () => 9;",
      "m1 ??= nine(); m1 &&= m1 + 1;",
      "m1",
      "14",
    ],
    [
      "a function of the loop's own reads",
      "let o1 = 0; const late: (() => number)[] = [];",
      "o1++; late.push(() => o1);",
      "o1 = 7; late.map((f) => f()).join()",
      "'7,7,7,7,7'",
    ],
    [
      "a function of the loop's own assigns",
      "let w1 = 0;",
      "[1, 2].forEach((x) => { w1 += x; }); w1 *= 2;",
      "w1",
      "186",
    ],
    [
      "var declares",
      "const id = (x: number) => x;",
      "var v1 = id(i) * 2; var v2: number;",
      "v1 + String(v2)",
      "'8undefined'",
    ],
    [
      "an await comes between",
      "let a1 = 0; setTimeout(() => { a2 = 100; }, 0); let a2 = 0;",
      "a1++; await new Promise((resolve) => setTimeout(resolve, 2)); a2++;",
      "[a1, a2 > 100].join()",
      "'5,true'",
    ],
    [
      "an exception leaves",
      "let e1 = 0; const fail = (x: number) => { if (x > 3) throw new Error(String(e1)); };",
      "try { e1 += 10; fail(i); } catch (error) { e1 = -Number((error as Error).message); }",
      "e1",
      "-50",
    ],
    [
      "a name is a function's",
      "let fn1 = () => 1; const call = (f: () => number) => f();",
      "call(fn1); fn1 = () => i;",
      "fn1.name + fn1()",
      "'fn14'",
    ],
    [
      "a later cell's function assigns",
      "let z1 = 0; let hook = () => {};",
      "z1++; hook();",
      "hook = () => { z1 += 100; }; for (let i = 0; i < 2; i++) { z1++; hook(); } z1",
      "207",
    ],
  ])("that calls a function: %s", async (_, declarations, body, after, expected) => {
    const loop = `for (let i = 0; i < 5; i++) { ${body} }`;
    expect(await run(declarations, loop, after)).toBe(expected);
    expect(await run(`${declarations} ${loop}`, after)).toBe(expected);
  });

  test("labels, breaks and loops in loops keep their values", async () => {
    await run("let turns1 = 0, inner1 = 0; const even = (x: number) => x % 2 === 0;");
    await run(
      "outer: for (let i = 0; ; i++) { turns1++; for (let j = 0; j < 10; j++) { inner1 += j; if (j > i) continue outer; if (i === 5 && even(j)) break outer; } }",
    );
    expect(await run("[turns1, inner1].join()")).toBe("'6,35'");
  });

  test("says what is no function by its name", async () => {
    await run("const nothing: any = 5; let tries = 0;");
    expect(await errorOf("for (let i = 0; i < 3; i++) { tries++; nothing(i); }")).toBe(
      "TypeError: nothing is not a function",
    );
    expect(await run("tries")).toBe("1");
  });

  test("has the newest values when it is stopped inside a function", async () => {
    await run("let begun = 0; const stuck = (x: number) => { if (x === 3) for (;;); };");
    const running = await kernel.startCell(
      'console.log("on"); for (let i = 0; ; i++) { begun++; stuck(i); }',
    );
    await running.printed("on");
    await kernel.request("control", "interrupt_request");
    expect((await running.done()).reply.content.ename).toBe("AbortError");
    expect(await run("begun")).toBe("4");
  });

  test("that calls a function lets it see and change them", async () => {
    await run(
      "let level = 0; const watched: number[] = []; const watch = () => { watched.push(level); level += 10; };",
    );
    await run("for (let i = 0; i < 3; i++) { level++; watch(); }");
    expect(await run("watched.join()")).toBe("'1,12,23'");
    await run(
      "const spy = { valueOf() { return level++; } }; for (let i = 0; i < 2; i++) level += Number(spy) * 0;",
    );
    expect(await run("level")).toBe("33");
    await run(
      "level = 0; const sneaky = { get size() { return ++level; } }; for (let i = 0; i < 3; i++) level += sneaky.size;",
    );
    expect(await run("level")).toBe("7");
  });
});

test("errors call the variables by their names", async () => {
  await run("const number: any = 5; const list: any = null;");
  expect(await errorOf("number()")).toBe("TypeError: number is not a function");
  expect(await errorOf("new number()")).toBe("TypeError: number is not a constructor");
  expect(await errorOf("[...number]")).toContain("number is not iterable");
  expect(await errorOf("list.first")).toBe("TypeError: Cannot read properties of null (reading 'first')");
});

test("errors name the right places of rewritten lines", async () => {
  await run("let base: any = { value: null };");
  const { published, reply } = await kernel.execute(
    "let q = 1; base = { value: null }; q += 1; base.value.deep; q = 2;",
  );
  const text = find(published, "error")!.content.traceback.join("\n");
  expect(text).toContain(`cell ${reply.content.execution_count}:1:55`);
});
