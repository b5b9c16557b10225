import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute(
    `/** How far it is. */
     const distance: number = 3;
     function measure(from: string, to?: string): number { return distance; }`,
  );
});
afterAll(() => kernel.stop());

const codePoints = (text: string) => [...text].length;
async function complete(code: string, cursor_pos = codePoints(code)) {
  return (await kernel.request("shell", "complete_request", { code, cursor_pos })).content;
}
async function inspect(code: string, cursor_pos = codePoints(code)) {
  return (await kernel.request("shell", "inspect_request", { code, cursor_pos, detail_level: 0 })).content;
}
async function isComplete(code: string) {
  return (await kernel.request("shell", "is_complete_request", { code })).content;
}

describe("completion", () => {
  test("offers names of earlier cells and members, with the range that they replace", async () => {
    expect(await complete("dist")).toMatchObject({ status: "ok", cursor_start: 0, cursor_end: 4 });
    expect((await complete("dist")).matches).toContain("distance");
    const members = await complete("distance.toF");
    expect(members).toMatchObject({ matches: ["toFixed"], cursor_start: 9, cursor_end: 12 });
    expect(members.metadata._jupyter_types_experimental).toEqual([
      { text: "toFixed", type: "method", start: 9, end: 12 },
    ]);
  });

  test("counts the cursor in code points", async () => {
    const code = 'const s = "😀😀"; s.toUpper';
    const { matches, cursor_start, cursor_end } = await complete(code);
    expect(matches).toContain("toUpperCase");
    expect([...code].slice(cursor_start, cursor_end).join("")).toBe("toUpper");
  });

  test("answers while a cell is running", async () => {
    const cell = await kernel.startCell(
      'console.log("on"); await new Promise((resolve) => setTimeout(resolve, 300));',
    );
    await cell.printed("on");
    expect((await complete("measu")).matches).toContain("measure");
    expect((await cell.done()).reply.content.status).toBe("ok");
  });

  test("offers nothing inside a text, and does not fail on an empty cell", async () => {
    expect((await complete('"dist')).matches).toEqual([]);
    expect((await complete("")).status).toBe("ok");
  });
});

describe("inspection", () => {
  test("shows type and documentation, also with the cursor behind the name", async () => {
    const { status, found, data } = await inspect("distance");
    expect({ status, found }).toEqual({ status: "ok", found: true });
    expect(data["text/plain"]).toContain("const distance: number");
    expect(data["text/plain"]).toContain("How far it is.");
    expect((await inspect("measure(", 3)).data["text/plain"]).toContain(
      "measure(from: string, to?: string): number",
    );
  });

  test("counts the cursor in code points", async () => {
    const code = '"😀"; distance + 1';
    expect((await inspect(code, 6)).data["text/plain"]).toContain("distance");
  });

  test("finds nothing in white space", async () => {
    expect(await inspect("   ", 1)).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  });
});

test.each([
  ["const x = 1;", "complete"],
  ["await Promise.resolve(1)", "complete"],
  ["function f() {", "incomplete"],
  ["const xs = [", "incomplete"],
  ["`text", "incomplete"],
  ["/* comment", "incomplete"],
  ["const = 1;", "invalid"],
  ["let let = }", "invalid"],
  ['"text', "invalid"],
])("the code %j is %s", async (code, status) => {
  expect((await isComplete(code)).status).toBe(status);
});

test("code that goes on is to be indented", async () => {
  expect(await isComplete("if (true) {")).toEqual({ status: "incomplete", indent: "  " });
});

test("code that is too long to be typed is not judged", async () => {
  expect(await isComplete(`"${"x".repeat(1 << 21)}"`)).toEqual({ status: "unknown" });
});
