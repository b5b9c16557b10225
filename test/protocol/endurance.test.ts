import { afterEach, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
afterEach(() => kernel?.stop());

const model = `
  import * as tf from "@tensorflow/tfjs-node";
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [256], units: 512, activation: "relu" }), tf.layers.dense({ units: 10 })] });
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const [x, y] = [tf.randomNormal([512, 256]), tf.randomNormal([512, 10])];`;

/** A cell that trains for a while. */
const training = (seconds: number) => `
  const until = Date.now() + ${seconds * 1000};
  let steps = 0;
  while (Date.now() < until) { await model.trainOnBatch(x, y); await tf.nextFrame(); steps++; }
  steps`;

/** Messages in all, at 200 a second. */
const messages = 600;

async function startWithModel() {
  kernel = await Kernel.start();
  await kernel.execute(`${model}\nawait model.trainOnBatch(x, y);`);
  await kernel.execute('const { comms } = Reflect.get(globalThis, Symbol.for("lutnn.host"));');
}

describe("while a cell trains", () => {
  test("200 comm messages of 4 KiB a second leave the kernel, none lost and none late", async () => {
    await startWithModel();
    let seen = kernel.published.length; // before the first is sent, which may be here before its cell's end
    // Each message carries the time when it was due, which a busy thread only makes later.
    await kernel.execute(
      `const comm = comms.open("stream", {});
       let sent = 0, start = 0;
       const sender = setInterval(() => {
         start ||= Date.now();
         for (const due = Math.floor((Date.now() - start) / 5); sent <= due && sent < ${messages}; sent++)
           comm.send({ index: sent, due: start + sent * 5 }, { buffers: [new Uint8Array(4096)] });
         if (sent === ${messages}) clearInterval(sender);
       }, 5);`,
    );
    const late: number[] = [];
    const indices: number[] = [];
    const cell = await kernel.startCell(training(4));
    await kernel.until(() => {
      for (; seen < kernel.published.length; seen++) {
        const { header, content, buffers } = kernel.published[seen];
        if (header.msg_type !== "comm_msg") continue;
        indices.push(content.data.index);
        late.push(Date.now() - content.data.due);
        expect(buffers[0].length).toBe(4096);
      }
      return indices.length === messages;
    });
    expect((await cell.done()).reply.content.status).toBe("ok");
    expect(indices).toEqual(Array.from({ length: messages }, (_, index) => index));
    late.sort((a, b) => a - b);
    // None may be late by more than 0.5 s; where the whole machine has a busy moment, few are.
    expect(late[Math.floor(late.length * 0.9)]).toBeLessThan(500);
  });

  test("200 comm messages of 4 KiB a second reach the kernel, none lost", async () => {
    await startWithModel();
    await kernel.execute(
      `const got: number[] = [];
       comms.register("sink", (comm: any) => { comm.onMessage = ({ data, buffers }: any) => { got.push(data * buffers[0].length); }; });`,
    );
    await kernel.send("shell", "comm_open", { comm_id: "c", target_name: "sink", data: {} });
    const cell = await kernel.startCell(training(4));
    const start = Date.now();
    for (let index = 0; index < messages; index++) {
      const wait = start + index * 5 - Date.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await kernel.send(
        "shell",
        "comm_msg",
        { comm_id: "c", data: index },
        { buffers: [new Uint8Array(4096)] },
      );
    }
    expect((await cell.done()).reply.content.status).toBe("ok");
    expect(
      await kernel.evaluate(
        `got.length === ${messages} && got.every((value, index) => value === index * 4096)`,
      ),
    ).toBe("true");
  });
});

/** Interrupts of each kind; `npm run soak` asks for a hundred of each. */
const interrupts = Number(process.env.LUTNN_INTERRUPTS ?? 5);

/**
 * After so long the stop button is pressed a second time. In one of three runs on a busy machine one of a hundred
 * interrupts was not answered; since what ends a cell is in the kernel's zone none of six hundred was. The long form does
 * not allow it at all, the short one once.
 */
const patienceMs = 8000;

const loops = {
  "an async training loop": `
    console.log("on");
    for (;;) { await model.trainOnBatch(x, y); await tf.nextFrame(); steps++; }`,
  "a loop of the CPU": 'console.log("on"); for (;;) steps++;',
  "a loop of the CPU after an await": 'await sleep(1); console.log("on"); for (;;) steps++;',
  "a loop of the CPU in a timer":
    'setTimeout(() => { console.log("on"); for (;;) steps++; }, 1); await sleep(1e9);',
  "a loop of promises":
    'console.log("on"); const spin = (): Promise<void> => Promise.resolve().then(spin); await spin();',
  "long native calls one after the other":
    'console.log("on"); for (;;) tf.tidy(() => { tf.matMul(wide, wide).dataSync(); steps++; });',
};

test(`${interrupts} interrupts in a row of each kind each leave a kernel and a model that go on`, async () => {
  kernel = await Kernel.start();
  await kernel.execute(
    `${model}
     const wide = tf.randomNormal([700, 700]);
     const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
     let steps = 0;`,
  );
  const times = new Map<string, number[]>(Object.keys(loops).map((what) => [what, []]));
  let pressedAgain = 0;
  for (let round = 0; round < interrupts; round++)
    for (const [what, code] of Object.entries(loops)) {
      const cell = await kernel.startCell(code);
      await cell.printed("on");
      const start = performance.now();
      if (round % 2) kernel.process.kill("SIGINT");
      else await kernel.request("control", "interrupt_request");
      const again = setTimeout(() => {
        pressedAgain++;
        console.log(`${what}, round ${round}: pressed stop again`);
        kernel.request("control", "interrupt_request").catch(() => {});
      }, patienceMs);
      const { content } = (await cell.done().finally(() => clearTimeout(again))).reply;
      times.get(what)?.push(performance.now() - start);
      expect(content, `${what}, round ${round}`).toMatchObject({ status: "error", ename: "AbortError" });
      expect(await kernel.evaluate(`${round} + 1`)).toBe(String(round + 1));
    }
  expect(pressedAgain).toBeLessThanOrEqual(interrupts >= 100 ? 0 : 1);
  for (const [what, each] of times) {
    each.sort((a, b) => a - b);
    const [quarter, median, slowest] = [each.length >> 2, each.length >> 1, each.length - 1].map(
      (at) => each[at],
    );
    if (interrupts >= 100)
      console.log(`${what}: median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`);
    // All within 1 s on a machine of its own; a slow kernel would miss it in every round, a busy machine in some.
    expect(quarter, what).toBeLessThan(1000);
  }
  expect(await kernel.heartbeat()).toBe("ping");
  expect(await kernel.evaluate("Number.isFinite(await model.trainOnBatch(x, y) as number)")).toBe("true");
}, 900_000);
