import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { find, Kernel, typesOf } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.execute('const { comms } = Reflect.get(globalThis, Symbol.for("lutnn.host"));');
});
afterAll(() => kernel.stop());

const statesOf = (id: string) => kernel.of(id).map(({ content }) => content.execution_state);

test("a comm that a view opens reaches its handler, which answers with data and buffers", async () => {
  await kernel.execute(
    `comms.register("echo", (comm: any, opening: any) => {
       comm.send({ opened: opening.data });
       comm.onMessage = ({ data, buffers }: any) => comm.send({ data }, { buffers: [...buffers, new Uint8Array([7])] });
     });`,
  );
  const comm_id = randomUUID();
  const opening = await kernel.send("shell", "comm_open", { comm_id, target_name: "echo", data: { a: 1 } });
  const message = await kernel.send(
    "shell",
    "comm_msg",
    { comm_id, data: "hello" },
    { buffers: [Buffer.from([1, 2])] },
  );
  await kernel.until(() => statesOf(message).includes("idle"));
  expect(typesOf(kernel.of(opening))).toEqual(["status", "comm_msg", "status"]);
  expect(kernel.of(opening)[1].content).toEqual({ comm_id, data: { opened: { a: 1 } } });
  const answer = find(kernel.of(message), "comm_msg");
  expect(answer?.content).toEqual({ comm_id, data: { data: "hello" } });
  expect(answer?.buffers.map((buffer) => [...buffer])).toEqual([[1, 2], [7]]);
});

test("comm_info lists the open comms, also of one target only", async () => {
  const comm_id = randomUUID();
  const opening = await kernel.send("shell", "comm_open", { comm_id, target_name: "echo", data: {} });
  await kernel.until(() => statesOf(opening).includes("idle"));
  const all = (await kernel.request("shell", "comm_info_request", {})).content;
  expect(all.status).toBe("ok");
  expect(all.comms[comm_id]).toEqual({ target_name: "echo" });
  const none = (await kernel.request("shell", "comm_info_request", { target_name: "other" })).content;
  expect(none.comms).toEqual({});
  await kernel.send("shell", "comm_close", { comm_id, data: {} });
  const after = (await kernel.request("shell", "comm_info_request", {})).content;
  expect(after.comms[comm_id]).toBeUndefined();
});

test("a comm for an unknown target is closed", async () => {
  const comm_id = randomUUID();
  const opening = await kernel.send("shell", "comm_open", { comm_id, target_name: "nobody", data: {} });
  await kernel.until(() => statesOf(opening).includes("idle"));
  expect(find(kernel.of(opening), "comm_close")?.content.comm_id).toBe(comm_id);
});

test("a comm that the kernel opens announces itself, and hears when the view closes it", async () => {
  const { published } = await kernel.execute(
    `const mine = comms.open("view", { start: true }, { buffers: [new Uint8Array([9])] });
     mine.onClose = () => console.log("closed by the view");`,
  );
  const opening = find(published, "comm_open");
  expect(opening?.content).toMatchObject({ target_name: "view", data: { start: true } });
  expect([...opening!.buffers[0]]).toEqual([9]);
  const closing = await kernel.send("shell", "comm_close", { comm_id: opening!.content.comm_id, data: {} });
  await kernel.until(() => statesOf(closing).includes("idle"));
  expect(find(kernel.of(closing), "stream")?.content.text).toBe("closed by the view\n");
  const { reply } = await kernel.execute("mine.send(1)");
  expect(reply.content.evalue).toContain('the comm must be open (this one, "view", is closed)');
});

test("messages reach a comm while a cell awaits, and the client is told that the cell is still busy", async () => {
  const cell = await kernel.startCell(
    `const stop = new Promise<void>((resolve) => comms.register("stop", () => resolve()));
     console.log("waiting"); await stop; "stopped"`,
  );
  await cell.printed("waiting");
  const opening = await kernel.send("shell", "comm_open", {
    comm_id: randomUUID(),
    target_name: "stop",
    data: {},
  });
  const { published } = await cell.done();
  expect(find(published, "execute_result")?.content.data["text/plain"]).toBe("'stopped'");
  await kernel.until(() => statesOf(opening).includes("idle"));
  const states = kernel.published.filter(({ header }) => header.msg_type === "status");
  const idle = states.findIndex(
    ({ parent, content }) => parent.msg_id === opening && content.execution_state === "idle",
  );
  expect(states[idle + 1]).toMatchObject({
    parent: { msg_id: cell.id },
    content: { execution_state: "busy" },
  });
});

test("a message for a target that an earlier cell has yet to register waits for that cell", async () => {
  const cell = await kernel.startCell(
    'await new Promise((resolve) => setTimeout(resolve, 100)); comms.register("late", () => console.log("found"));',
  );
  const opening = await kernel.send("shell", "comm_open", {
    comm_id: randomUUID(),
    target_name: "late",
    data: {},
  });
  await cell.done();
  await kernel.until(() => statesOf(opening).includes("idle"));
  expect(find(kernel.of(opening), "stream")?.content.text).toBe("found\n");
});

test("an error in a handler is printed, and the comm that it refused is closed", async () => {
  await kernel.execute('comms.register("broken", () => { throw new Error("not today"); });');
  const comm_id = randomUUID();
  const opening = await kernel.send("shell", "comm_open", { comm_id, target_name: "broken", data: {} });
  await kernel.until(() => statesOf(opening).includes("idle"));
  expect(find(kernel.of(opening), "comm_close")?.content.comm_id).toBe(comm_id);
  expect(find(kernel.of(opening), "stream")?.content).toMatchObject({ name: "stderr" });
});

test("a handler that loops can be interrupted", async () => {
  await kernel.execute('comms.register("loop", () => { for (;;) {} });');
  const opening = await kernel.send("shell", "comm_open", {
    comm_id: randomUUID(),
    target_name: "loop",
    data: {},
  });
  await kernel.until(() => statesOf(opening).includes("busy"));
  await kernel.request("control", "interrupt_request");
  await kernel.until(() => statesOf(opening).includes("idle"));
  expect(await kernel.evaluate("1 + 1")).toBe("2");
});
