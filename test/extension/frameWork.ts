import type { Page } from "playwright-core";

interface TraceEvent {
  name: string;
  ph: string;
  ts: number;
  dur?: number;
  /** Time that the thread itself ran, microseconds, where the system tells. */
  tdur?: number;
  pid: number;
  tid: number;
}

/**
 * Milliseconds for which the page's main thread worked in each frame while `act` ran, smallest first: everything counts,
 * messages, scripts, style, layout and painting; what other processes take of the processor does not.
 */
export async function frameWork(page: Page, act: () => Promise<void>): Promise<number[]> {
  const client = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  client.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise<void>((resolve) => client.once("Tracing.tracingComplete", () => resolve()));
  await client.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: [
        "devtools.timeline",
        "devtools.timeline.frame",
        "disabled-by-default-devtools.timeline",
      ],
    },
  });
  await act();
  await client.send("Tracing.end");
  await complete;
  await client.detach();
  // A frame ends when it is handed over to be drawn.
  const commits = events.filter(({ name }) => name === "Commit");
  const main = mostOften(commits.map(threadOf));
  const ends = commits.filter((event) => threadOf(event) === main).map(({ ts }) => ts);
  ends.sort((a, b) => a - b);
  const work = new Array<number>(ends.length).fill(0);
  for (const event of events) {
    if (event.name !== "RunTask" || event.ph !== "X" || threadOf(event) !== main) continue;
    const frame = ends.findIndex((end) => event.ts <= end);
    if (frame >= 0) work[frame] += (event.tdur ?? event.dur ?? 0) / 1000;
  }
  return work.sort((a, b) => a - b);
}

const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;

function mostOften(names: string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}
