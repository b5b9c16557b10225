import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { installHost, type MimeBundle } from "../../../kernel/lib/host/host";
import { formatSeconds, Progress } from "../../../kernel/lib/host/progress";
import { progress } from "../../../kernel/lib/host/progressLoop";
import { cellSignal } from "../../../kernel/lib/host/signal";

const controller = new AbortController();
let shown: { bundle: MimeBundle; id?: string; update?: boolean }[];
const text = (at: number) => shown[at].bundle["text/plain"];
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  shown = [];
  installHost({
    display: (bundle, options) => shown.push({ bundle, id: options?.displayId, update: options?.update }),
    clearOutput: () => {},
    signal: controller.signal,
    comms: { open: () => expect.unreachable(), register: () => {} },
    input: () => expect.unreachable(),
  });
});
afterEach(() => void vi.useRealTimers());

describe("progress", () => {
  it("shows one output that updates in place, with share, rate and what is left", () => {
    const bar = new Progress("fit", 10, "images");
    pass(500);
    bar.update(5, { loss: "0.5" });
    pass(100);
    bar.update(6); // too soon after the first: not drawn
    pass(400);
    bar.finish({ loss: "0.1" });
    expect(shown.map(({ update }) => update)).toEqual([false, true]);
    expect(new Set(shown.map(({ id }) => id)).size).toBe(1);
    expect(text(0)).toBe("fit ████████████░░░░░░░░░░░░ 50 % · 10.0 images/s · 0.5 s left · loss 0.5");
    expect(text(1)).toBe("fit ████████████████████████ 100 % · 10.0 images/s · took 1.0 s · loss 0.1");
    expect(shown[0].bundle["text/html"]).toBe(
      '<div>fit <progress max="1" value="0.5000"></progress> 50 % · 10.0 images/s · 0.5 s left · loss 0.5</div>',
    );
  });

  it("draws nothing of what is done within 400 ms", () => {
    const bar = new Progress("quick", 2, "steps");
    bar.update(1);
    pass(399);
    bar.update(2);
    bar.finish();
    expect(shown).toEqual([]);
  });

  it("draws the end of what took long, though it said nothing on the way", () => {
    const bar = new Progress("slow", 2, "steps");
    pass(2000);
    bar.finish();
    bar.finish();
    expect(shown).toHaveLength(1);
    expect(text(0)).toBe("slow ████████████████████████ 100 % · 1.00 steps/s · took 2.0 s");
  });

  it("counts where the total is unknown", () => {
    const bar = progress(undefined, { label: "files", unit: "files" });
    pass(500);
    bar.advance(3, { last: "a<b" });
    expect(text(0)).toBe("files 3 files · 6.00 files/s · last a<b");
    expect(shown[0].bundle["text/html"]).toBe("<div>files 3 files · 6.00 files/s · last a&lt;b</div>");
  });

  it("advances with a loop and ends with it, where it stands, also by an exception", () => {
    const loop = () => {
      for (const value of progress(["a", "b", "c", "d"], { label: "loop" })) {
        pass(500);
        if (value === "c") throw new Error("stop");
      }
    };
    expect(loop).toThrow("stop");
    expect(text(0)).toBe("loop ██████░░░░░░░░░░░░░░░░░░ 25 % · 2.00/s · 1.5 s left");
    expect(text(shown.length - 1)).toBe("loop ████████████░░░░░░░░░░░░ 50 % · 1.33/s · took 1.5 s");
  });

  it("advances with an asynchronous loop", async () => {
    async function* numbers() {
      for (let number = 0; number < 3; number++) {
        pass(400);
        yield number;
      }
    }
    const seen: number[] = [];
    for await (const number of progress(numbers())) seen.push(number);
    expect(seen).toEqual([0, 1, 2]);
    expect(text(shown.length - 1)).toBe("3 · 2.50/s · took 1.2 s");
  });

  it("writes times as people say them", () => {
    const seconds = [0.04, 9.94, 9.95, 12.4, 59.4, 59.5, 65, 3599.4, 3599.5, 7199, 7800];
    expect(seconds.map(formatSeconds)).toEqual([
      "0.0 s",
      "9.9 s",
      "10 s",
      "12 s",
      "59 s",
      "1 min 00 s",
      "1 min 05 s",
      "59 min 59 s",
      "1 h 00 min",
      "1 h 59 min",
      "2 h 10 min",
    ]);
  });
});

describe("the running cell's signal", () => {
  it("aborts a computation that has one of its own, and one that has none", () => {
    const signal = cellSignal(new AbortController().signal);
    controller.abort(new Error("cell interrupted"));
    expect(signal.aborted).toBe(true);
    expect(cellSignal().aborted).toBe(true);
  });
});
