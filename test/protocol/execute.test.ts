import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { find, Kernel, typesOf } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
});
afterAll(() => kernel.stop());

describe("a cell", () => {
  test("is answered with busy, its input, its result and idle, in this order", async () => {
    const { reply, published } = await kernel.execute("6 * 7");
    expect(typesOf(published)).toEqual(["status", "execute_input", "execute_result", "status"]);
    expect(published[1].content).toMatchObject({
      code: "6 * 7",
      execution_count: reply.content.execution_count,
    });
    expect(published[2].content.data).toEqual({ "text/plain": "42" });
    expect(reply.content).toMatchObject({ status: "ok", payload: [], user_expressions: {} });
  });

  test("may await at its top level", async () => {
    expect(
      await kernel.evaluate("await new Promise<number>((resolve) => setTimeout(() => resolve(5), 10))"),
    ).toBe("5");
  });

  test("streams stdout and stderr in the order in which they were written", async () => {
    const { published } = await kernel.execute('console.log("a"); console.error("b"); console.log("c"); "d"');
    const outputs = published.slice(2, -1).map(({ content }) => content.text ?? content.data["text/plain"]);
    expect(outputs).toEqual(["a\n", "b\n", "c\n", "'d'"]);
  });

  test("whose last value is undefined has no result", async () => {
    const { published } = await kernel.execute("undefined");
    expect(find(published, "execute_result")).toBeUndefined();
  });

  test("that is silent publishes nothing but its status and is not counted", async () => {
    const before = Number((await kernel.execute("1")).reply.content.execution_count);
    const { reply, published } = await kernel.execute('console.log("x"); 1', { silent: true });
    expect(typesOf(published)).toEqual(["status", "status"]);
    expect(reply.content.execution_count).toBe(before);
  });

  test("without store_history is not counted but shows its result", async () => {
    const before = Number((await kernel.execute("1")).reply.content.execution_count);
    const { reply, published } = await kernel.execute("2", { store_history: false });
    expect(find(published, "execute_result")?.content.data["text/plain"]).toBe("2");
    expect(reply.content.execution_count).toBe(before);
  });

  test("has its user_expressions evaluated, each with its own error", async () => {
    await kernel.execute("const answer = 42;");
    const { reply } = await kernel.execute("", { user_expressions: { good: "answer + 1", bad: "nowhere" } });
    expect(reply.content.user_expressions.good).toMatchObject({ status: "ok", data: { "text/plain": "43" } });
    expect(reply.content.user_expressions.bad).toMatchObject({ status: "error", ename: "TypeScriptError" });
  });

  test("may declare a name of an earlier cell anew, with another type", async () => {
    await kernel.execute("const value = 1;");
    await kernel.execute('const value = "text";');
    expect(await kernel.evaluate("value.toUpperCase()")).toBe("'TEXT'");
  });

  test("names of earlier cells stand in the short form of a property, too", async () => {
    await kernel.execute("let wide = 32, count = 1; const scale = 2;");
    expect(await kernel.evaluate("JSON.stringify({ wide, scale, more: [{ wide }] })")).toBe(
      `'{"wide":32,"scale":2,"more":[{"wide":32}]}'`,
    );
    await kernel.execute("({ wide, count = wide + 1 } = { wide: 7 } as { wide: number; count?: number });");
    expect(await kernel.evaluate('[wide, count].join(" ")')).toBe("'7 8'");
    expect(await kernel.evaluate("((wide: number) => ({ wide }))(5).wide")).toBe("5");
  });

  test("keeps the outputs of what it started as its own, however late they come", async () => {
    const first = await kernel.startCell('setTimeout(() => console.log("late"), 200);');
    await first.done();
    await kernel.execute("await new Promise((resolve) => setTimeout(resolve, 300))");
    await first.printed("late");
  });
});

describe("an error", () => {
  test("of the compiler names line, column and source", async () => {
    const { reply, published } = await kernel.execute('const good = 1;\nconst wrong: number = "text";');
    const error = find(published, "error")?.content;
    expect(error).toMatchObject({ ename: "TypeScriptError" });
    expect(error?.evalue).toMatch(
      /^cell \d+:2:7 - Type 'string' is not assignable to type 'number'\. \(TS2322\)$/,
    );
    expect(error?.traceback.join("\n")).toContain('2 | const wrong: number = "text";');
    expect(reply.content).toMatchObject({ status: "error", ename: error?.ename, evalue: error?.evalue });
  });

  test("at run time names the user's lines of all cells and none of the kernel's", async () => {
    const definition = await kernel.execute(
      "interface Shape { size: number }\n// a comment\nfunction area(shape: Shape | any): number {\n  return shape.size.value.x;\n}",
    );
    const { published } = await kernel.execute("const nothing = 1;\n\narea({ size: {} })");
    const { ename, traceback } = find(published, "error")!.content;
    const text = traceback.join("\n");
    expect(ename).toBe("TypeError");
    expect(text).toContain(`at area (cell ${definition.reply.content.execution_count}:4:27)`);
    expect(text).toContain("4 |   return shape.size.value.x;");
    expect(text).not.toMatch(/node:|tslab|jupyter/);
    expect(text.match(/ at /g)).toHaveLength(2);
  });

  test("after an await names the user's line", async () => {
    const { published } = await kernel.execute(
      'const three = await Promise.resolve(3);\n\nthrow new RangeError("no " + three);',
    );
    const { ename, evalue, traceback } = find(published, "error")!.content;
    expect([ename, evalue]).toEqual(["RangeError", "no 3"]);
    expect(traceback.join("\n")).toMatch(/at cell \d+:3:7/);
  });

  test("may be anything that is thrown", async () => {
    const { published } = await kernel.execute('throw "just text"');
    expect(find(published, "error")?.content).toMatchObject({ ename: "Thrown", evalue: "'just text'" });
  });

  test("aborts the cells that were sent before it was known, and no later one", async () => {
    const failing = await kernel.startCell(
      `import { existsSync } from "fs";
       while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
       throw new Error("stop")`,
    );
    const queued = await kernel.startCell("1");
    // The answer says that the kernel has what was sent before.
    await kernel.request("shell", "kernel_info_request");
    writeFileSync(join(kernel.folder, "go"), "");
    expect((await failing.done()).reply.content.status).toBe("error");
    const { reply, published } = await queued.done();
    expect(reply.content).toEqual({ status: "aborted" });
    expect(typesOf(published)).toEqual(["status", "status"]);
    expect(await kernel.evaluate('"still " + "here"')).toBe("'still here'");
  });

  test("answers the cells that arrive just as another one fails", async () => {
    for (let round = 0; round < 100; round++) {
      const failing = await kernel.startCell('await null; throw new Error("stop")');
      const others = [];
      for (let other = 0; other < 4; other++) {
        await new Promise((resolve) => setTimeout(resolve, (round % 10) / 4));
        others.push(await kernel.startCell("1"));
      }
      expect((await failing.reply).content.status).toBe("error");
      for (const { reply } of others) expect((await reply).content.status).toMatch(/^(ok|aborted)$/);
    }
  });

  test("leaves the names that the cell got to, with their types, and not the others", async () => {
    await kernel.execute(
      'const reached = [1, 2]; const both = 1; const lost = (() => { throw new Error("x"); })(); class Late {}',
    );
    expect(await kernel.evaluate("reached.length + both")).toBe("3");
    expect((await kernel.execute("lost")).reply.content.evalue).toContain("Cannot find name 'lost'");
    expect((await kernel.execute("new Late()")).reply.content.evalue).toContain("Cannot find name 'Late'");
  });

  test("with stop_on_error false aborts nothing", async () => {
    const failing = await kernel.startCell('await null; throw new Error("go on")', { stop_on_error: false });
    const queued = await kernel.startCell("1");
    expect((await failing.done()).reply.content.status).toBe("error");
    expect((await queued.done()).reply.content.status).toBe("ok");
  });

  test("in a timer is printed where the timer was started and leaves the kernel alive", async () => {
    const cell = await kernel.startCell('setTimeout(() => { throw new Error("in a timer") }, 5);');
    await cell.done();
    await kernel.until(() => kernel.of(cell.id).some(({ content }) => content.text?.includes("in a timer")));
    expect(await kernel.evaluate("1 + 1")).toBe("2");
  });
});
