// process.stdin and readline ask through the notebook's input.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute(
    'import * as readline from "readline"; import * as promises from "readline/promises";',
  );
  await kernel.execute(
    `const eachLine = async () => {
       for await (const line of readline.createInterface({ input: process.stdin })) {
         console.log("got " + line);
         if (line === "end") break;
       }
     };
     const eachPiece = async () => { for await (const _ of process.stdin); };`,
  );
});
afterAll(() => kernel.stop());

/** Runs a cell whose questions are answered one after the other. */
async function answer(code: string, answers: string[]) {
  const before = kernel.inputRequests.length;
  const cell = await kernel.startCell(code, { allow_stdin: true });
  for (const [index, value] of answers.entries()) {
    await kernel.until(() => kernel.inputRequests.length > before + index);
    await kernel.send("stdin", "input_reply", { value });
  }
  const execution = await cell.done();
  expect(kernel.inputRequests.length).toBe(before + answers.length);
  return execution;
}

const open = "{ input: process.stdin, output: process.stdout }";

test("readline asks, and prints its question in the cell", async () => {
  const { stdout } = await answer(
    `const first = promises.createInterface(${open});
     const name = await first.question("name? ");
     const age = await first.question("age? ");
     first.close();
     console.log("\\n" + name + " is " + age);`,
    ["Ada", "36"],
  );
  expect(stdout).toBe("name? age? \nAda is 36\n");
});

test("it asks again in a later cell", async () => {
  const { stdout } = await answer(
    `const second = readline.createInterface(${open});
     await new Promise<void>((done) => second.question("again? ", (text) => { console.log(text); done(); }));
     second.close();`,
    ["yes"],
  );
  expect(stdout).toBe("again? yes\n");
});

test("a loop over the lines asks for one after the other", async () => {
  const { stdout } = await answer("await eachLine();", ["one", "end"]);
  expect(stdout).toBe("got one\ngot end\n");
});

test.each([
  ["process.stdin.on", 'process.stdin.on("data", () => {})'],
  ["a loop over process.stdin", "await eachPiece();"],
  ["readline", `readline.createInterface(${open})`],
  ["a pipe", "process.stdin.pipe(process.stdout)"],
])("without someone to ask, %s says so at once", async (_, code) => {
  const { reply } = await kernel.execute(code, { allow_stdin: false });
  expect(reply.content.ename).toBe("LutnnError");
  expect(reply.content.evalue).toMatch(/^process\.stdin: there must be someone to ask/);
});

test("looking at process.stdin does no harm", async () => {
  expect(await kernel.evaluate("[process.stdin.isTTY, process.stdin.fd]")).toBe("[ false, 0 ]");
});
