import { readFileSync } from "node:fs";
import { join } from "node:path";
import { paper } from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { namesIn, temporary } from "./cells";

const counts = JSON.parse(
  readFileSync(join(import.meta.dirname, "../models/publishedCounts.json"), "utf8"),
) as Record<string, Record<"dense" | "K8" | "K16", number[]>>;
const networks = [
  "resnet18_cifar",
  "senet18_cifar",
  "vgg11_cifar",
  "resnet18_imagenet224",
  "senet18_imagenet224",
  "vgg11_bn_imagenet224",
];
const store = temporary("tables");

describe("the tables of operations and bytes", () => {
  let flops: paper.FilledTable;
  let size: paper.FilledTable;
  beforeAll(async () => {
    [flops] = await paper.reproduce("flops", { store });
    [size] = await paper.reproduce("size", { store, engine: "none" });
  }, 120_000);

  it.each(networks.flatMap((name, at) => [8, 16].map((k, i) => [name, k, 2 * at + i] as const)))(
    "%s at K %i is the paper's counting, to the last digit",
    (name, k, row) => {
      const { dense } = counts[name];
      const [multiplyAdds, additions, operations, bytes] = counts[name][`K${k}` as "K8" | "K16"];
      expect(multiplyAdds + additions).toBe(operations);
      expect(flops.rows[row].slice(1).map(({ value, text }) => value ?? text)).toEqual([
        String(k),
        dense[0],
        operations,
        dense[0] / operations,
      ]);
      expect(size.rows[row].slice(2, 5).map(({ value }) => value)).toEqual([
        dense[1],
        bytes,
        dense[1] / bytes,
      ]);
    },
  );

  it("has BERT as the paper counts it, with K 16", () => {
    expect(flops.rows[13].slice(2, 4).map(({ value }) => value)).toEqual([2_759_442_432, 168_935_424]);
  });

  it("says of a file that was not made why, and puts nothing in its place", () => {
    const file = size.rows[1][5];
    expect([file.kind, file.text, file.value]).toEqual(["notRun", "not run", null]);
    expect(size.reasons[file.reason! - 1]).toMatch(/nobody has run it yet|must be there|need onnx/);
    expect(paper.toText(size)).toMatch(/\[1\] not run: /);
  });
});

describe("the tables' specifications", () => {
  it.each(paper.tableNames)(
    "%s has a figure or a reason in every place, and never the published one for ours",
    async (name) => {
      for (const scale of ["small", "paper"] as const) {
        const [filled] = await paper.reproduce(name, { store: temporary("empty"), scale, engine: "none" });
        const { spec, rows } = filled;
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) expect(row.length).toBe(spec.columns.length);
        rows.forEach((row) => {
          row.forEach(({ kind }, at) => {
            expect(kind === "published", `${name}: ${spec.columns[at].title}`).toBe(
              kind !== "none" && spec.columns[at].title.startsWith("published"),
            );
          });
        });
        expect(rows.flat().some(({ kind }) => kind === "measured")).toBe(false);
        expect(spec.shows.length * spec.doesNotShow.length).toBeGreaterThan(0);
      }
    },
  );

  it("never calls a small cell by the name of a cell of the paper", async () => {
    const [{ rows }] = await paper.reproduce("accuracy", { store: temporary("empty"), engine: "none" });
    for (const [{ text }] of rows) expect(text).toMatch(/^Fashion-MNIST, \w+ at half width$/);
  });

  it("says at once which files a data set misses", async () => {
    const store = temporary("empty");
    const [filled] = await paper.reproduce("accuracy", { store, scale: "paper", engine: "local" });
    expect(filled.reasons.some((why) => /cifar-10.*must be in one of/.test(why))).toBe(true);
    expect(filled.rows).toHaveLength(18);
    expect(filled.rows[0].slice(6).map(({ value }) => value)).toEqual([95.26, 10.01, 94.4]);
    expect(namesIn(store)).toEqual([]);
  });
});

describe("what a table is expected to show", () => {
  const place = (value: number | null, noise?: number) =>
    value === null
      ? { kind: "notRun", text: "not run", value, reason: 1 }
      : { kind: "measured", text: String(value), value, noise };
  const verdictOf = (more: number | null, less: number | null, noise: number, by: number) => {
    const filled = {
      spec: {
        expected: [
          { statement: "more", more: { row: 0, column: 0 }, less: { row: 0, column: 1 }, by, unit: "points" },
        ],
      },
      rows: [[place(more, noise), place(less, noise)]],
      reasons: ["the power failed"],
    };
    return paper.findingsOf(filled as unknown as paper.FilledTable)[0];
  };

  it("holds, fails or is within noise by the margin, the allowance and the noise of both places", () => {
    expect(verdictOf(92, 90, 1, 0).verdict).toBe("holds"); // noise √2
    expect(verdictOf(92, 90, 1.5, 0).verdict).toBe("within noise"); // noise 2.12
    expect(verdictOf(90, 92, 1, 0).verdict).toBe("fails");
    expect(verdictOf(90, 92, 0.1, -3).verdict).toBe("holds"); // may lie so far behind
    expect(verdictOf(92, 90, 0.1, 3).verdict).toBe("fails");
  });

  it("takes what differs from run to run for the noise of figures that have no spread", () => {
    const of = (value: number, less: number, runToRun?: number) => {
      const filled = {
        spec: { expected: [{ statement: "m", more: { row: 0, column: 0 }, less, unit: "×", runToRun }] },
        rows: [[place(value)]],
        reasons: [],
      };
      return paper.findingsOf(filled as unknown as paper.FilledTable)[0];
    };
    expect(of(1.05, 1, 0.1).verdict).toBe("within noise");
    expect(of(1.2, 1, 0.1).claim?.noise).toBeCloseTo(0.12, 12);
    expect([of(1.05, 1).verdict, of(1.2, 1, 0.1).verdict, of(0.8, 1, 0.1).verdict]).toEqual([
      "holds",
      "holds",
      "fails",
    ]);
  });

  it("is not run where a place is empty, for that place's reason", () => {
    for (const found of [verdictOf(null, 90, 1, 0), verdictOf(90, null, 1, 0)])
      expect(found).toEqual({
        statement: "more",
        verdict: "not run",
        claim: null,
        why: "the power failed",
        reason: 1,
      });
  });

  it("says why it was not run once, below the table, wherever verdicts are read", async () => {
    const choices = { store: temporary("empty"), engine: "none" } as const;
    const [accuracy] = await paper.reproduce("accuracy", choices);
    const out = temporary("page");
    await paper.writeTables([accuracy], out, "Nothing yet");
    const texts = [paper.toText(accuracy), paper.toMarkdown(accuracy).replaceAll("\\", "")];
    for (const text of [...texts, readFileSync(join(out, "index.html"), "utf8")]) {
      expect(text.match(/nobody has run it yet/g)).toHaveLength(1);
      expect(text).toMatch(/\[1\] not run: nobody has run it yet/);
      expect(text).toMatch(/plus is ahead of LUT-NN, paper(: |<.*)not run \[1\]/);
    }
    expect(paper.toFindingsTable(paper.findingsOf(accuracy)).toString()).toMatch(/not run \[1\]/);
  });

  it("is counted at the head of the page, table by table", async () => {
    const tables = await Promise.all(
      ["flops", "power"].map(async (name) => (await paper.reproduce(name, { store, engine: "none" }))[0]),
    );
    const out = temporary("page");
    await paper.writeTables(tables, out, "Counts");
    const page = readFileSync(join(out, "index.html"), "utf8");
    const held = '<td class="">flops</td><td class="holds">2</td><td class="withinNoise"></td>';
    expect(page).toContain(held);
    expect(page).not.toContain('<td class="">power</td>'); // nothing is expected of it
    expect(page.match(/What was expected, and what was found/g)).toHaveLength(1);
  });

  it.each(paper.tableNames)(
    "%s asks only places that it has, and concludes nothing from what was not run",
    async (name) => {
      for (const [scale, quick] of [
        ["small", false],
        ["small", true],
        ["paper", false],
      ] as const) {
        const choices = { store: temporary("empty"), scale, quick, engine: "none" } as const;
        const [filled] = await paper.reproduce(name, choices);
        const findings = paper.findingsOf(filled);
        expect(findings.length > 0).toBe(name !== "power" && !(name === "quantisation" && quick));
        for (const { verdict, why } of findings)
          expect([verdict, why]).toEqual([
            "not run",
            expect.stringMatching(/nobody has run it yet|--quick leaves it out|must/),
          ]);
        const measures = (filled.spec.expected ?? []).flatMap(({ more, less }) =>
          typeof less === "number" ? [more] : [more, less],
        );
        for (const { column } of measures)
          expect(filled.spec.columns[column].title).not.toMatch(/^published/);
      }
    },
  );

  it("is found in the counted tables, whose figures are exact", async () => {
    for (const name of ["flops", "size"]) {
      const [filled] = await paper.reproduce(name, { store, engine: "none" });
      expect(paper.findingsOf(filled).map(({ verdict }) => verdict)).not.toContain("fails");
      expect(paper.remarksOf(filled).join("\n")).toMatch(/Expected: .*: holds \(\+/);
      expect(paper.toFindingsTable(paper.findingsOf(filled)).toString()).toMatch(/holds/);
    }
  });
});

describe("reproduce", () => {
  it("runs a rehearsal's cells, each once, and writes every form of the table", async () => {
    const [folder, out] = [temporary("store"), temporary("out")];
    const events: string[] = [];
    const options = { store: folder, scale: "rehearsal", quick: true, cores: 2, jobs: 2 } as const;
    const onEvent = ({ kind, job }: { kind: string; job: { title: string } }) => {
      if (kind === "done") events.push(job.title);
    };
    const filled = await paper.reproduce("accuracy", { ...options, onEvent });
    expect(events).toHaveLength(5);
    expect(events[0]).toMatch(/^rehearsal of dense/); // all others need it
    expect(filled[0].rows[0].slice(1, 6).every(({ kind }) => kind === "measured")).toBe(true);
    await paper.writeTables(filled, out, "A rehearsal");
    expect(namesIn(out).sort()).toEqual(
      ["accuracy.csv", "accuracy.json", "accuracy.md", "accuracy.svg", "index.html"].sort(),
    );
    const page = readFileSync(join(out, "index.html"), "utf8");
    expect(page).toContain("REHEARSAL, nothing is measured");
    expect(page).not.toMatch(/<(script|link|img|iframe)\b|(src|href)="(https?:)?\/\//);
    const again = await paper.reproduce("accuracy", { ...options, onEvent });
    expect([events.length, paper.toText(again[0])]).toEqual([5, paper.toText(filled[0])]);
  });

  it("refuses what it cannot do, in a sentence", async () => {
    const options = { store: "anywhere" };
    await expect(paper.reproduce("speed", options)).rejects.toThrow(/must be one of accuracy, .*, or all/);
    await expect(paper.reproduce("all", { ...options, jobs: 3, cores: 2 })).rejects.toThrow(
      /at most as many as cores/,
    );
    await expect(paper.reproduce("all", { ...options, seeds: 0 })).rejects.toThrow(
      /seeds must be a whole number/,
    );
  });
});
