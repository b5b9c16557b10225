import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KernelLink } from "../../../extension/src/panel/lab/kernelLink";
import { PanelModel } from "../../../extension/src/panel/model/panelModel";
import { conversionsMessage, wholeSnapshot } from "../fixtures/conversion";
import { FakeKernel } from "../fixtures/kernel";

let model: PanelModel;
beforeEach(() => {
  model = new PanelModel();
});

async function linked(kernel: FakeKernel): Promise<KernelLink> {
  const link = new KernelLink(kernel as never, model);
  await kernel.info;
  await Promise.resolve();
  return link;
}

it("a comm is opened once, and what the kernel says on it reaches the model", async () => {
  const kernel = new FakeKernel();
  await linked(kernel);
  await kernel.become("busy");
  expect(kernel.comms).toHaveLength(1);
  kernel.comms[0].say(conversionsMessage("one"));
  kernel.comms[0].say(wholeSnapshot("one", ["a", "b"]));
  expect(model.layers).toHaveLength(2);
  expect(kernel.comms[0].sent).toEqual([
    { type: "watch", conversion: null },
    { type: "watch", conversion: "one" },
  ]);
});

describe("a question that is not answered", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is asked anew of a kernel that does nothing, less and less often", async () => {
    const kernel = new FakeKernel();
    await linked(kernel);
    const asked: number[] = [];
    for (let seconds = 1; seconds <= 60; seconds++) {
      const { length } = kernel.comms;
      await vi.advanceTimersByTimeAsync(1000);
      if (kernel.comms.length > length) asked.push(seconds);
    }
    expect(asked).toEqual([4, 12, 28, 60]);
    expect(kernel.comms.map(({ isDisposed }) => isDisposed)).toEqual([true, true, true, true, false]);
    kernel.comms[3].say(conversionsMessage("late"));
    expect(model.link).toBe("asking");
    kernel.comms[4].say(conversionsMessage("one"));
    await vi.advanceTimersByTimeAsync(600_000);
    expect([model.link, kernel.comms.length]).toEqual(["live", 5]);
  });

  it("waits for a kernel that is busy, and for one that has gone", async () => {
    const kernel = new FakeKernel("busy");
    await linked(kernel);
    await vi.advanceTimersByTimeAsync(100_000);
    expect([model.link, kernel.comms.length]).toEqual(["asking", 1]);
    await kernel.become("dead");
    await vi.advanceTimersByTimeAsync(100_000);
    expect([model.link, kernel.comms.length]).toEqual(["dead", 1]);
  });

  it("is not asked anew once the kernel has said that it has nothing", async () => {
    const kernel = new FakeKernel();
    await linked(kernel);
    kernel.comms[0].onClose();
    await vi.advanceTimersByTimeAsync(100_000);
    expect([model.link, kernel.comms.length]).toEqual(["quiet", 1]);
  });
});

it("a message that is none is said in a sentence, and changes nothing", async () => {
  const kernel = new FakeKernel();
  await linked(kernel);
  kernel.comms[0].say(conversionsMessage("one"));
  kernel.comms[0].say(wholeSnapshot("one", ["a"]));
  for (const bad of [
    null,
    "text",
    { type: "snapshot" },
    { type: "nothing" },
    { ...wholeSnapshot("one", ["a"]), sequence: "9" },
  ]) {
    model.notice = null;
    kernel.comms[0].say(bad);
    expect(model.notice).toMatchObject({ kind: "fault" });
  }
  expect(model.layers).toHaveLength(1);
});

it("a kernel of another language is not asked", async () => {
  const kernel = new FakeKernel("idle", "python");
  await linked(kernel);
  expect(kernel.comms).toHaveLength(0);
  expect(model.link).toBe("foreign");
});

it("a kernel that closes the comm is not asked again before it says that it has a conversion", async () => {
  const kernel = new FakeKernel();
  const link = await linked(kernel);
  kernel.comms[0].onClose();
  await kernel.become("busy");
  await kernel.become("idle");
  expect([model.link, kernel.comms.length]).toEqual(["quiet", 1]);
  link.ask();
  await kernel.info;
  await Promise.resolve();
  kernel.comms[1].say(conversionsMessage("one"));
  expect(model.link).toBe("live");
  link.ask();
  await kernel.info;
  await Promise.resolve();
  expect(kernel.comms).toHaveLength(2);
});

it("a restart is shown, and the kernel is asked anew when it is there again", async () => {
  const kernel = new FakeKernel();
  await linked(kernel);
  kernel.comms[0].say(conversionsMessage("one"));
  await kernel.become("restarting");
  expect(model.link).toBe("restarting");
  expect(kernel.comms).toHaveLength(1);
  await kernel.become("unknown");
  await kernel.become("idle");
  expect(kernel.comms).toHaveLength(2);
  kernel.comms[0].say(conversionsMessage("old")); // too late
  expect(model.conversions).toEqual([]);
  kernel.comms[1].say(conversionsMessage("new"));
  expect(model.link).toBe("live");
});

it("death is shown", async () => {
  const kernel = new FakeKernel();
  await linked(kernel);
  await kernel.become("dead");
  expect(model.link).toBe("dead");
});

it("a connection that comes back is used", async () => {
  const kernel = new FakeKernel();
  await linked(kernel);
  kernel.comms[0].say(conversionsMessage("one"));
  kernel.comms[0].say(wholeSnapshot("one", ["a"]));
  kernel.connectionStatus = "connecting";
  kernel.connectionStatusChanged.emit("connecting");
  expect([model.link, model.layers.length]).toEqual(["unreachable", 1]);
  kernel.connectionStatus = "connected";
  kernel.connectionStatusChanged.emit("connected");
  await kernel.info;
  await Promise.resolve();
  expect(kernel.comms[1].sent).toEqual([{ type: "watch", conversion: "one" }]);
});

it("a link that is disposed closes its comm and hears nothing more", async () => {
  const kernel = new FakeKernel();
  const link = await linked(kernel);
  link.dispose();
  expect(kernel.comms[0].isDisposed).toBe(true);
  kernel.comms[0].say(conversionsMessage("one"));
  await kernel.become("dead");
  expect(model.link).toBe("asking");
});

it("a link that is disposed before the kernel has said what it is asks it nothing", async () => {
  const kernel = new FakeKernel();
  new KernelLink(kernel as never, model).dispose();
  await kernel.info;
  await Promise.resolve();
  expect(kernel.comms).toHaveLength(0);
});
