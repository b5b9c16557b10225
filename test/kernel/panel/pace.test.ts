import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pace } from "../../../kernel/lib/panel/pace";

describe("a pace", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("does at once what is asked for many times, never within the call, and at most so often a second", () => {
    const done: number[] = [];
    const begin = performance.now();
    const pace = new Pace(20, () => done.push(performance.now() - begin));
    for (let i = 0; i < 5; i++) pace.request();
    expect(done).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(done).toEqual([0]);
    for (let at = 0; at < 1000; at++) {
      pace.request();
      vi.advanceTimersByTime(1);
    }
    expect(done).toHaveLength(21);
    for (let i = 1; i < done.length; i++) expect(done[i] - done[i - 1]).toBeGreaterThanOrEqual(50);
    vi.advanceTimersByTime(10_000);
    const { length } = done;
    vi.advanceTimersByTime(10_000);
    expect(done).toHaveLength(length);
    // After a rest it does not wait.
    pace.request();
    vi.advanceTimersByTime(0);
    expect(done).toHaveLength(length + 1);
  });
});
