// How results become the places of a table, and what the tables' specifications say of their own columns.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { coreShares } from "../../../kernel/lib/paper/engine/cores";
import { type EngineEvent, runLocally } from "../../../kernel/lib/paper/engine/local";
import type { Job } from "../../../kernel/lib/paper/engine/plan";
import { type FilledTable, fillTable } from "../../../kernel/lib/paper/output/filledTable";
import { toChart, toCsv, toJson, toMarkdown } from "../../../kernel/lib/paper/output/renderings";
import type { CellResult } from "../../../kernel/lib/paper/store/cellResult";
import { CellStore } from "../../../kernel/lib/paper/store/cellStore";
import { readMarker, readState } from "../../../kernel/lib/paper/store/markers";
import { defaultChoices } from "../../../kernel/lib/paper/tables/choices";
import {
  type Entry,
  measured,
  none,
  published,
  ratio,
  type TableSpec,
  text,
} from "../../../kernel/lib/paper/tables/table";
import { temporary } from "./cells";

type Cell = Parameters<typeof measured>[0];
const cell = (name: string) => ({ kind: "count", model: name, centroids: 16 }) as unknown as Cell & object;

/** A result of figures, series and notes; a string is why there is none. */
type Given = Partial<Pick<CellResult, "figures" | "series" | "notes">> & { seeds?: number[] };
function filled(
  row: Entry[],
  given: Record<string, Given | string>,
  more: Partial<TableSpec> = {},
): FilledTable {
  const of = (one: object) => given[Reflect.get(one, "model")] ?? "nobody has run it yet";
  const spec: TableSpec = {
    ...{ id: "t", title: "A | table", shows: "this", doesNotShow: "that" },
    columns: row.map((_, i) => ({ title: `column ${i}` })),
    rows: [row],
    ...more,
  };
  const known = {
    result: (one: object) => {
      const found = of(one);
      if (typeof found === "string") return null;
      const provenance = {
        machine: "m",
        versions: { a: "1", b: "2" },
        seeds: found.seeds ?? [],
        seconds: 1,
        runs: 1,
      };
      return { key: "k", figures: {}, series: {}, notes: {}, provenance, ...found } as unknown as CellResult;
    },
    reason: (one: object) => String(of(one)),
  };
  return fillTable(spec, known as unknown as Parameters<typeof fillTable>[1], {
    scale: "small",
    command: "run",
  });
}
const place = (entry: Entry, given: Record<string, Given | string>) => filled([entry], given).rows[0][0];

describe("a place of a table", () => {
  const seeds = [cell("a"), cell("b"), cell("c")] as never[];

  it("has the mean over the seeds, their deviation, and two standard errors of it", () => {
    const given = {
      a: { figures: { metric: 90 } },
      b: { figures: { metric: 92 } },
      c: { figures: { metric: 97 } },
    };
    const { text, value, deviation, noise, kind, keys } = place(measured(seeds, "metric"), given);
    expect([kind, text, value]).toEqual(["measured", "93.00 ± 3.61", 93]);
    expect(deviation).toBeCloseTo(Math.sqrt(13), 12);
    expect(noise).toBeCloseTo((2 * Math.sqrt(13)) / Math.sqrt(3), 12);
    expect(new Set(keys).size).toBe(3);
  });

  it("has the noise of counting examples where that is larger, and of one seed", () => {
    const of = (metric: number, noise: number) => ({ figures: { metric, noise } });
    const two = place(measured(seeds.slice(0, 2), "metric"), { a: of(90, 4), b: of(90, 6) });
    expect(two.noise).toBeCloseTo((2 * 5) / Math.sqrt(2), 12);
    const one = place(measured(seeds[0], "metric"), { a: of(90, 4) });
    expect([one.text, one.noise, one.deviation]).toEqual(["90.00", 8, undefined]);
    expect(place(measured(seeds[0], "bytes"), { a: { figures: { bytes: 7, noise: 4 } } }).noise).toBe(
      undefined,
    );
  });

  it("has the spread of times, and a figure of a series", () => {
    const times = { figures: { "lut/medianMs": 4, "lut/spreadMs": 0.5 } };
    const more = { figures: { "lut/medianMs": 6, "lut/spreadMs": 1.5 } };
    expect(place(measured(seeds.slice(0, 2), "lut/medianMs"), { a: times, b: more })).toMatchObject({
      value: 5,
      noise: 1,
    });
    expect(place(measured(seeds[0], "loss", 1), { a: { series: { loss: [3, 2, 1] } } }).value).toBe(2);
  });

  it("says how many seeds it is of where some are missing, and why where all are", () => {
    const given = { a: { figures: { metric: 90 } }, b: "the power failed", c: "never" };
    expect(place(measured(seeds, "metric"), given).text).toBe("90.00 (1 of 3 seeds)");
    const { rows, reasons } = filled(
      [
        measured(seeds.slice(1), "metric"),
        measured(seeds[2], "metric"),
        measured(seeds[1], "metric"),
        measured(seeds[0], "lut/medianMs"),
        measured(seeds[0], "other"),
        { kind: "notRun", why: "never" },
      ],
      { ...given, a: { figures: {}, notes: { lut: "no such engine" } } },
    );
    expect(rows[0].map(({ reason }) => reason)).toEqual([1, 2, 1, 3, 4, 2]);
    expect(reasons).toEqual(["the power failed", "never", "no such engine", "the cell measured no other"]);
  });

  it("has how many times the smallest of the others is in the first, and what follows of their noises", () => {
    const of = (ms: number, spread?: number) => ({
      figures: { "x/medianMs": ms, ...(spread ? { "x/spreadMs": spread } : {}) },
    });
    const entry = ratio(
      measured(seeds[0], "x/medianMs"),
      measured(seeds[1], "x/medianMs"),
      measured(seeds[2], "x/medianMs"),
    );
    const found = place(entry, { a: of(12, 1.2), b: of(6, 3), c: of(4, 0.8) });
    expect([found.value, found.text]).toEqual([3, "3.00"]);
    expect(found.noise).toBeCloseTo(3 * Math.hypot(0.1, 0.2), 12);
    expect(place(entry, { a: of(12, 1.2), b: of(6), c: of(4) }).noise).toBe(undefined);
    expect(place(entry, { a: of(12), b: of(6), c: "never" })).toMatchObject({ kind: "notRun", reason: 1 });
  });

  it("shows digits and units as its column wants them", () => {
    const row = [measured(seeds[0], "n"), measured(seeds[0], "n"), published(1234567)];
    const { rows } = filled(
      row,
      { a: { figures: { n: 1234567 } } },
      {
        columns: [
          { title: "a", decimals: 0 },
          { title: "b", divisor: 1e6, decimals: 3 },
          { title: "c", decimals: 0, divisor: 1000 },
        ],
      },
    );
    expect(rows[0].map(({ text }) => text)).toEqual(["1,234,567", "1.235", "1,235"]);
  });

  it("of what was run says by which machine, versions and seeds", () => {
    const given = {
      a: { figures: { metric: 1 }, seeds: [1, 0] },
      b: { figures: { metric: 1 }, seeds: [1], notes: { baselines: "ort 1" } },
    };
    expect(filled([measured(seeds, "metric")], given).origin).toEqual([
      ...["Scale: small. Command: run", "Machine: m", "Versions: a 1, b 2", "Engines: ort 1", "Seeds: 0, 1"],
    ]);
    expect(filled([measured(seeds, "metric")], { a: { figures: { metric: 1 } } }).origin).toEqual([
      ...["Scale: small. Command: run", "Machine: m", "Versions: a 1, b 2", "Seeds: none, nothing is random"],
    ]);
    expect(filled([text("x")], {}).origin).toEqual([
      "Scale: small. Command: run",
      "Nothing of this table has been run.",
    ]);
  });
});

describe("a table is written", () => {
  const row = [
    text("a|b, *c*"),
    measured(cell("a") as never, "metric"),
    measured(cell("b") as never, "metric"),
    none,
    published(2),
  ];
  const made = filled(
    row,
    { a: { figures: { metric: 1.23456, noise: 0.01 } } },
    {
      columns: [
        { title: "what" },
        { title: 'a "b"' },
        { title: "c" },
        { title: "d" },
        { title: "published" },
      ],
      expected: [{ statement: "a is above 1", more: { row: 0, column: 1 }, less: 1, unit: "points" }],
      chart: { axis: "points", kind: "bar", columns: [1, 2] },
    },
  );

  it("as CSV: numbers in full, reasons in words, quotes doubled", () => {
    expect(toCsv(made)).toBe(
      'what,"a ""b""",c,d,published\r\n"a|b, *c*",1.23456,not run: nobody has run it yet,,2\r\n',
    );
  });

  it("as Markdown, in which nothing of a name is markup", () => {
    const lines = toMarkdown(made).split("\n");
    expect(lines.slice(0, 5)).toEqual([
      "## A \\| table",
      "",
      '| what | a "b" | c | d | published |',
      "|---|--:|--:|--:|--:|",
      "| a\\|b, \\*c\\* | 1.23 | not run [1] | – | 2.00 |",
    ]);
    expect(lines).toContain("* [1] not run: nobody has run it yet");
    expect(lines).toContain("* What it shows: this");
  });

  it("as JSON, with what was found", () => {
    const { rows, findings, columns } = JSON.parse(toJson(made));
    expect(columns).toHaveLength(5);
    expect(rows[0][2]).toEqual({
      kind: "notRun",
      text: "not run",
      value: null,
      reason: "nobody has run it yet",
    });
    expect(findings).toEqual([
      {
        statement: "a is above 1",
        verdict: "holds",
        margin: expect.closeTo(0.23456, 12),
        noise: 0.02,
        unit: "points",
      },
    ]);
  });

  it("as a chart of what there is, and none where there is nothing", () => {
    expect(toChart(made)).toMatchObject({
      categories: ["a|b, *c*"],
      categoryName: "what",
      panels: [{ axis: "points", series: [{ name: 'a "b"', kind: "bar", color: 0, values: [1.23456] }] }],
    });
    expect(
      toChart({ ...made, spec: { ...made.spec, chart: { axis: "points", kind: "bar", columns: [2] } } }),
    ).toBe(null);
    const named = {
      ...made.spec,
      columns: made.spec.columns.map((one, i) => (i === 1 ? { title: "K", divisor: 10 } : one)),
    };
    expect(toChart({ ...made, spec: named })!.categories).toEqual(["a|b, *c*, 1.23"]);
    expect(toChart({ ...made, spec: named })!.panels[0].series[0].values).toEqual([1.23456 / 10]);
  });
});

describe("a table's specification", () => {
  const specs = paper.tableNames.flatMap((name) =>
    (["small", "paper"] as const).flatMap((scale) =>
      [false, true].flatMap((quick) =>
        paper
          .specsOf(name, { ...defaultChoices, scale, quick })
          .map((spec) => [`${name}, ${scale}${quick ? ", quick" : ""}`, spec] as const),
      ),
    ),
  );

  it.each(specs)(
    "%s draws columns of figures of ours, each once, and has columns with different titles",
    (_, spec) => {
      const titles = spec.columns.map(({ title }) => title);
      expect(new Set(titles).size).toBe(titles.length);
      const drawn = spec.chart?.columns ?? [];
      expect(new Set(drawn).size).toBe(drawn.length);
      for (const column of drawn) {
        const kinds = spec.rows.map((row) => row[column].kind);
        expect(kinds.some((kind) => kind === "measured" || kind === "notRun" || kind === "ratio")).toBe(true);
        expect(kinds).not.toContain("text");
      }
    },
  );

  it.each(specs)("%s expects of the columns that its sentence names", (_, spec) => {
    for (const { statement, more, less, runToRun = 0 } of spec.expected ?? []) {
      expect(runToRun).toBeLessThan(0.5);
      const places = typeof less === "number" ? [more] : [more, less];
      for (const { row, column } of places)
        expect(["measured", "ratio", "notRun"]).toContain(spec.rows[row][column].kind);
      // "…: A is ahead of B", "… errs more than …": in the order of the sentence, where it calls columns by their titles.
      const called = places.map(({ column }) => statement.indexOf(spec.columns[column].title));
      if (called.every((at) => at >= 0) && new Set(called).size === 2)
        expect(called[0]).toBeLessThan(called[1]);
    }
  });

  it.each(["small", "paper"] as const)(
    "of sentences, %s, replaces the layers that its title says",
    (scale) => {
      const [spec] = paper.specsOf("glue", { ...defaultChoices, scale });
      const words: Record<string, number> = { three: 3, six: 6 };
      const [, last] = /last (\w+) of (six|twelve)/i.exec(spec.title)!;
      for (const entry of spec.rows.flat())
        for (const one of entry.kind === "measured" ? entry.cells : []) {
          const dense = one.kind === "lookup" ? one.dense : one;
          expect(dense).toMatchObject({ network: { last: words[last] } });
        }
      if (scale === "paper") {
        const [, epochs, batch] = /(\d+) epochs, batches of (\d+)/.exec(spec.shows)!;
        const lookups = spec.rows[0].flatMap((entry) => (entry.kind === "measured" ? entry.cells : []));
        for (const one of lookups)
          expect(one).toMatchObject({
            training: { epochs: Number(epochs), batchSize: Number(batch), schedule: "constant" },
          });
      }
    },
  );
});

describe("a marker of a cell", () => {
  it("says who holds it and how often it was taken", () => {
    const marker = "lease.12.0123abcd-77-89abcdef";
    expect(readMarker(marker)).toEqual({
      ...{ kind: "held", token: 12, marker },
      holder: { system: "0123abcd", pid: 77, random: "89abcdef" },
    });
    expect(readMarker("lease.3.free")).toEqual({ kind: "free", token: 3, marker: "lease.3.free" });
    expect(readMarker("done.4")).toEqual({ kind: "done", token: 4, marker: "done.4" });
    for (const other of ["done.x", "done.4.part", "lease.3", "lease.3.0123abcd-77", "work.3"])
      expect(readMarker(other)).toBe(null);
  });

  it("is the newest of those that are seen while one is renamed", async () => {
    const folder = temporary("markers");
    for (const name of ["lease.2.free", "lease.3.free", "done.3", "work.9"])
      writeFileSync(join(folder, name), "");
    expect(await readState(folder)).toEqual({ kind: "done", token: 3, marker: "done.3" });
    writeFileSync(join(folder, "lease.10.free"), "");
    expect((await readState(folder))!.marker).toBe("lease.10.free");
    expect(await readState(join(folder, "none"))).toBe(null);
  });
});

describe("the engine of this machine", () => {
  const job = (key: string, more: Partial<Job> = {}): Job => ({
    ...{ key, title: `cell ${key}`, needs: [], effort: 1, isAlone: false, isDone: false, stale: null },
    whyNot: null,
    cell: { kind: "count", network: "vgg11_cifar", centroids: key.length } as unknown as Job["cell"],
    ...more,
  });
  async function run(plan: Job[], jobs: number) {
    const events: string[] = [];
    const running = new Set<string>();
    const together: string[][] = [];
    const reasons = await runLocally(plan, {
      ...{
        store: new CellStore(temporary("engine")),
        cores: jobs,
        jobs,
        signal: new AbortController().signal,
      },
      onEvent: ({ kind, job: { key } }: EngineEvent) => {
        events.push(`${kind} ${key}`);
        if (kind === "start") running.add(key);
        else running.delete(key);
        together.push([...running]);
      },
    });
    return { events, reasons: Object.fromEntries(reasons), together };
  }

  it("runs cells side by side, and those that take times when nothing else does", async () => {
    const aloneOnes = [job("aa", { isAlone: true }), job("aaa", { isAlone: true })];
    const { events, together } = await run([...aloneOnes, job("b".repeat(4)), job("b".repeat(5))], 2);
    expect(events.slice(0, 2)).toEqual(["start bbbb", "start bbbbb"]);
    expect(together.some((some) => some.length === 2)).toBe(true);
    for (const some of together) if (some.some((key) => key.startsWith("a"))) expect(some).toHaveLength(1);
    expect(events.filter((event) => event.startsWith("done"))).toHaveLength(4);
  });

  it("runs a cell after what it needs, not what is done, and says of what cannot be had why", async () => {
    const { events, reasons } = await run(
      [
        job("gone", { whyNot: "no data" }),
        job("late", { needs: ["first"] }),
        job("hopeless", { needs: ["gone"] }),
        job("worse", { needs: ["first", "hopeless"] }),
        job("first", { needs: ["here"] }),
        job("here", { isDone: true }),
      ],
      2,
    );
    expect(events).toEqual(["start first", "done first", "start late", "done late"]);
    expect(reasons).toEqual({
      gone: "no data",
      hopeless: "it needs cell gone, which is not done: no data",
      worse: "it needs cell hopeless, which is not done: it needs cell gone, which is not done: no data",
    });
  });

  it("goes on where a cell fails, and says why of it and of what needs it", async () => {
    const cell = { kind: "count", network: "nothing", centroids: 16 } as unknown as Job["cell"];
    const { events, reasons } = await run(
      [job("bad", { cell }), job("after", { needs: ["bad"] }), job("cc")],
      1,
    );
    expect(events).toEqual(["start bad", "failed bad", "start cc", "done cc"]);
    expect(reasons.bad).toMatch(/\S/);
    expect(reasons.after).toBe(`it needs cell bad, which is not done: ${reasons.bad}`);
  });

  it.runIf(process.platform === "linux")("keeps processes side by side on processors of their own", () => {
    const all = availableParallelism();
    expect(coreShares(all, 1)).toEqual([[]]); // all that there are, for one
    const shares = coreShares(all, all);
    expect(shares).toHaveLength(all);
    if (all === 1) return;
    expect(shares.map((words) => words.slice(0, 2))).toEqual(shares.map(() => ["taskset", "-c"]));
    const own = shares.map(([, , list]) => list);
    expect(new Set(own).size).toBe(all);
    for (const list of own) expect(list).toMatch(/^\d+$/);
    const two = coreShares(2, 1);
    if (all > 2) expect(two[0][2].split(",")).toHaveLength(2);
  });
});
