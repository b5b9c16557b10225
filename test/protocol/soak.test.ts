// Many cells in one kernel, whose memory is watched. The short form is part of `npm test`; the long one is
//   npm run soak
import { expect, test } from "vitest";
import { Kernel } from "./kernelClient";

const count = Number(process.env.LUTNN_SOAK_CELLS ?? 600);
const isLong = count >= 10_000;
/** After it, memory counts. */
const warmUp = isLong ? 1000 : Math.floor(count / 3);
/** Of resident memory. In the short form the compiler's heap is still settling, however busy the machine is. */
const mostGrowth = isLong ? 0.05 : 0.6;
/** Megabytes more that the cells' own thread may hold after a collection of garbage. */
const mostHeapGrowth = 10;

/** What a notebook does, in turns; `#` is a number that comes back after a while, as when cells are run again. */
const cells = [
  "const value# = #; value# + 1",
  'let text = "cell #"; console.log(text); text.length',
  "interface Record# { size: number } const record: Record# = { size: # }; record.size",
  "function shared(x: number) { return x + #; } shared(1)",
  "await new Promise((resolve) => setImmediate(resolve)); #",
  "class Shared { size = #; } new Shared().size",
  'throw new Error("cell #")',
  "const wrong: string = #;",
  'import { join } from "path"; join("a", "#")',
];

test(`${count} cells do not make the kernel grow`, async () => {
  const kernel = await Kernel.start();
  await kernel.execute('import v8 from "v8"; import vm from "vm"; v8.setFlagsFromString("--expose-gc");');
  const heap = async () => {
    await kernel.execute(
      'vm.runInNewContext("gc")(); await new Promise((resolve) => setTimeout(resolve, 100));',
    );
    return Number(await kernel.evaluate('vm.runInNewContext("gc")(); process.memoryUsage().heapUsed / 1e6'));
  };
  const megabytes = async () => Number(await kernel.evaluate("process.memoryUsage().rss / 1e6"));
  /** The least of some moments: garbage that has not been collected is no growth. */
  const settled = async () => {
    const moments: number[] = [];
    for (let moment = 0; moment < 5; moment++) {
      await kernel.evaluate("await new Promise((resolve) => setTimeout(resolve, 300)); 1");
      moments.push(await megabytes());
    }
    return Math.min(...moments);
  };
  try {
    let before = 0;
    let heapBefore = 0;
    for (let index = 0; index < count; index++) {
      await kernel.execute(cells[index % cells.length].replaceAll("#", String(index % 50)), {
        stop_on_error: false,
      });
      kernel.forget();
      if (index === warmUp) {
        before = await settled();
        heapBefore = await heap();
      }
      if (isLong && index % 1000 === 0) console.log(`${index} cells: ${(await megabytes()).toFixed(0)} MB`);
    }
    const after = await settled();
    console.log(`${before.toFixed(0)} MB after ${warmUp} cells, ${after.toFixed(0)} MB after ${count}`);
    const heapAfter = await heap();
    console.log(`the cells' heap: ${heapBefore.toFixed(1)} MB, then ${heapAfter.toFixed(1)} MB`);
    expect(heapAfter - heapBefore).toBeLessThan(mostHeapGrowth);
    expect(after / before - 1).toBeLessThan(mostGrowth);
  } finally {
    await kernel.stop();
  }
}, 3_600_000);
