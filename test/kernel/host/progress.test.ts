import { describe, expect, it } from "vitest";
import { installHost, type MimeBundle } from "../../../kernel/lib/host/host";
import { formatSeconds, Progress } from "../../../kernel/lib/host/progress";
import { cellSignal } from "../../../kernel/lib/host/signal";

describe("progress", () => {
  it("shows one output that updates in place, with share, rate and what is left", () => {
    const shown: { bundle: MimeBundle; id?: string; update?: boolean }[] = [];
    const controller = new AbortController();
    installHost({
      display: (bundle, options) => shown.push({ bundle, id: options?.displayId, update: options?.update }),
      clearOutput: () => {},
      signal: controller.signal,
      comms: { open: () => expect.unreachable(), register: () => {} },
    });
    const progress = new Progress("fit", 10, "images");
    progress.update(5, { loss: "0.5" });
    progress.update(6); // too soon after the first: not drawn
    progress.finish({ loss: "0.1" });
    expect(shown.map(({ update }) => update)).toEqual([false, true]);
    expect(new Set(shown.map(({ id }) => id)).size).toBe(1);
    expect(shown[0].bundle["text/plain"]).toMatch(
      /^fit █{12}░{12} 50 % · .* images\/s · .* left · loss 0\.5$/,
    );
    expect(shown[1].bundle["text/plain"]).toMatch(/^fit █{24} 100 % · .* · took .* · loss 0\.1$/);

    const signal = cellSignal(new AbortController().signal);
    controller.abort(new Error("cell interrupted"));
    expect(signal.aborted).toBe(true);
    expect(cellSignal().aborted).toBe(true);
  });

  it("writes times as people say them", () => {
    expect([0.04, 9.94, 12.4, 65, 3599.4, 7800].map(formatSeconds)).toEqual([
      "0.0 s",
      "9.9 s",
      "12 s",
      "1 min 05 s",
      "59 min 59 s",
      "2 h 10 min",
    ]);
  });
});
