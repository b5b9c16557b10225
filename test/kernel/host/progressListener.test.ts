import { createRequire } from "node:module";
import { Progress } from "lutnn";
import { describe, expect, it } from "vitest";
import type { ProgressFigures } from "../../../kernel/lib/host/progressListener";

// The library's own copies of these modules: vitest would load others.
const load = createRequire(import.meta.url);
const { listenToProgress, progressAudience, withoutDrawing } = load(
  "../../../kernel/lib/host/progressListener",
) as typeof import("../../../kernel/lib/host/progressListener");
const { askingOnce, nameOf } = load(
  "../../../kernel/lib/host/nameOf",
) as typeof import("../../../kernel/lib/host/nameOf");

describe("whoever started the work", () => {
  it("hears of each step of its bars, through promises, and of nobody else's", async () => {
    const heard: string[] = [];
    const other: string[] = [];
    const note = (list: string[]) => (figures: ProgressFigures) => {
      list.push(`${figures.label} ${figures.done}/${figures.total} ${figures.unit}`);
    };
    const work = async (label: string) => {
      await new Promise(setImmediate);
      const progress = new Progress(label, 2, "steps");
      progress.advance();
      await new Promise(setImmediate);
      progress.finish();
    };
    await Promise.all([
      listenToProgress(note(heard), () => work("mine")),
      listenToProgress(note(other), () => listenToProgress(note(heard), () => work("both"))),
      work("nobody's"),
    ]);
    expect(heard.sort()).toEqual(["both 1/2 steps", "both 2/2 steps", "mine 1/2 steps", "mine 2/2 steps"]);
    expect(other).toEqual(["both 1/2 steps", "both 2/2 steps"]);
  });

  it("is told the seconds left at the rate so far, where there is a total", () => {
    const left: (number | null)[] = [];
    listenToProgress(
      ({ secondsLeft }) => left.push(secondsLeft),
      () => {
        new Progress("open", undefined).advance();
        new Progress("begun", 4).update(0);
        const bar = new Progress("half", 4);
        const begin = performance.now();
        while (performance.now() - begin < 5);
        bar.update(2);
        bar.update(4);
      },
    );
    expect(left.slice(0, 2)).toEqual([null, null]);
    expect(left[2]).toBeGreaterThanOrEqual(0.005);
    expect(left[3]).toBe(0);
  });

  it("may have nothing drawn, and the others' bars are", () => {
    expect(progressAudience().isDrawn).toBe(true);
    withoutDrawing(() => {
      expect(progressAudience().isDrawn).toBe(false);
      listenToProgress(
        () => {},
        () => expect(progressAudience().isDrawn).toBe(false),
      );
    });
    expect(progressAudience().isDrawn).toBe(true);
  });
});

describe("a name", () => {
  it("is asked for once where nothing changes, and is null outside a notebook", () => {
    const key = Symbol.for("lutnn.host");
    const value = {};
    expect(nameOf(value)).toBe(null);
    let asked = 0;
    Reflect.set(globalThis, key, {
      nameOf: (one: object) => {
        asked++;
        return one === value ? "value" : null;
      },
    });
    try {
      askingOnce(() => {
        expect([nameOf(value), nameOf(value), nameOf({})]).toEqual(["value", "value", null]);
        askingOnce(() => nameOf(value));
      });
      expect(asked).toBe(2);
      nameOf(value);
      expect(asked).toBe(3);
      expect(() =>
        askingOnce(() => {
          throw new Error("stop");
        }),
      ).toThrow("stop");
      nameOf(value);
      nameOf(value);
      expect(asked).toBe(5);
    } finally {
      Reflect.deleteProperty(globalThis, key);
    }
  });
});
