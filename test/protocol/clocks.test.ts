import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
// @ts-expect-error: what runs beside TypeScript is plain JavaScript
import { setClock, withClock } from "../kernel/clocks/setClock.mjs";
import { Kernel } from "./kernelClient";

test.runIf(process.platform === "linux")(
  "a clock that is set to and fro changes nothing about cells, waits, interrupts and history",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-clocks-"));
    const env = withClock(folder);
    const kernel = await Kernel.start({ env });
    const jumping = setInterval(() => setClock(env.LUTNN_CLOCK), 3);
    try {
      const waited = await kernel.evaluateAll(
        "const begin = process.hrtime.bigint();",
        "await new Promise((resolve) => setTimeout(resolve, 300));",
        "Number(process.hrtime.bigint() - begin) / 1e6",
      );
      expect(Number(waited)).toBeGreaterThanOrEqual(299);
      const days = new Set<string>();
      while (days.size < 3) days.add(await kernel.evaluate("new Date().toISOString().slice(0, 10)"));
      for (const loop of ["for (;;) {}", "await new Promise(() => {});"]) {
        const cell = await kernel.startCell(`console.log("on"); ${loop}`);
        await cell.printed("on");
        await kernel.request("control", "interrupt_request");
        expect((await cell.done()).reply.content.ename).toBe("AbortError");
      }
      const asked = { hist_access_type: "tail", n: 3, raw: true, output: false };
      const { history } = (await kernel.request("shell", "history_request", asked)).content;
      expect(history).toHaveLength(3);
      expect(await kernel.heartbeat()).toBe("ping");
    } finally {
      clearInterval(jumping);
      await kernel.stop();
      rmSync(folder, { recursive: true });
    }
  },
);
