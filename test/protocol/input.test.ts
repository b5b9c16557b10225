import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute('import * as lutnn from "lutnn";');
});
afterAll(() => kernel.stop());

/** Starts the code and waits for its question. */
async function ask(code: string) {
  const before = kernel.inputRequests.length;
  const cell = await kernel.startCell(code, { allow_stdin: true });
  await kernel.until(() => kernel.inputRequests.length > before);
  const question = kernel.inputRequests[before];
  expect(question.parent.msg_id).toBe(cell.id);
  return { cell, question: question.content };
}
const answer = (value: string) => kernel.send("stdin", "input_reply", { value, status: "ok" });

test("lutnn.input asks the client and gives its answer, while other code runs on", async () => {
  const { cell, question } = await ask(
    `let ticks = 0; const clock = setInterval(() => { if (++ticks === 3) console.log("ticking"); }, 5);
     const name = await lutnn.input("Name? "); clearInterval(clock); name.toUpperCase()`,
  );
  expect(question).toEqual({ prompt: "Name? ", password: false });
  await cell.printed("ticking");
  await answer("ada");
  const { published } = await cell.done();
  expect(published.at(-2)?.content.data["text/plain"]).toBe("'ADA'");
});

test("a password is asked for as one", async () => {
  const { cell, question } = await ask('await lutnn.input("Key", { password: true })');
  expect(question).toEqual({ prompt: "Key", password: true });
  await answer("secret");
  expect((await cell.done()).reply.content.status).toBe("ok");
});

test("prompt waits for the answer, and takes the preset for an empty one", async () => {
  const first = await ask('[prompt("Size?", "10"), prompt("Unit?", "mm")].join("")');
  expect(first.question).toEqual({ prompt: "Size?", password: false });
  await answer("");
  await kernel.until(() => kernel.inputRequests.at(-1)?.content.prompt === "Unit?");
  await answer("cm");
  expect((await first.cell.done()).published.at(-2)?.content.data["text/plain"]).toBe("'10cm'");
});

test.each(["await lutnn.input()", 'prompt("?")'])(
  "an interrupt withdraws the question of %s",
  async (code) => {
    const { cell } = await ask(code);
    await kernel.request("control", "interrupt_request");
    expect((await cell.done()).reply.content.ename).toBe("AbortError");
    await answer("too late");
    expect(await kernel.evaluate("1 + 1")).toBe("2");
    const next = await ask(code);
    await answer("in time");
    expect((await next.cell.done()).published.at(-2)?.content.data["text/plain"]).toBe("'in time'");
  },
);

test.each(["await lutnn.input()", 'prompt("?")'])("%s fails where the client cannot ask", async (code) => {
  const { reply } = await kernel.execute(code, { allow_stdin: false });
  expect(reply.content.evalue).toContain("input: the client must be able to ask its user");
});

test("an answer that nobody asked for is ignored", async () => {
  await answer("hello?");
  expect(await kernel.evaluate("1 + 1")).toBe("2");
});
