import type { TableChoices } from "./choices";
import type { Expectation } from "./expectation";
import { type Entry, measured, ratio, type TableSpec, text } from "./table";

/** Layers of `npx lutnn bench`: BERT's at 128 tokens, ResNet18's on ImageNet and on CIFAR. */
const layerNames = [
  "FC 128×768→3072",
  "FC 128×768→768",
  "FC 128×3072→768",
  "conv 56²×64→64 3×3",
  "conv 28²×128→128 3×3",
  "conv 14²×256→256 3×3",
  "conv 7²×512→512 3×3",
  "conv 56²×64→128 1×1 s2",
  "conv 14²×256→512 1×1 s2",
  "conv 32²×64→64 3×3",
  "conv 8²×256→256 3×3",
  "conv 4²×512→512 3×3",
] as const;

const engines = {
  ortFp32Ms: "ONNX Runtime, fp32",
  ortInt8Ms: "ONNX Runtime, INT8",
  oursMs: "lookup",
  oursIntegerMs: "lookup, codes in integers",
} as const;

/** The benchmark gives no spreads: three runs of it on one quiet machine gave ratios up to so much apart (one of 24, 17 %). */
const runToRun = 0.1;

/** Columns of the ratios, behind the layer's name and the engines. */
const [fp32Column, int8Column] = [5, 6];

/** Milliseconds of single layers, batch 1, one thread. */
export function operators({ quick }: TableChoices): TableSpec {
  const cell = { kind: "operators", rounds: quick ? 1 : 15 } as const;
  const rows = layerNames.map((name): Entry[] => {
    const of = (figure: keyof typeof engines) => measured(cell, `${name}/${figure}`);
    const ours = [of("oursMs"), of("oursIntegerMs")];
    return [
      text(name),
      ...(Object.keys(engines) as (keyof typeof engines)[]).map(of),
      ratio(of("ortFp32Ms"), ...ours),
      ratio(of("ortInt8Ms"), ...ours),
    ];
  });
  const faster = (column: number, engine: string): Expectation[] =>
    layerNames.map((name, row) => ({
      statement: `${name}: faster than ${engine}`,
      more: { row, column },
      less: 1,
      unit: "×",
      runToRun,
    }));
  return {
    id: "operators",
    title: "Latency of single layers (ms, median), batch 1, one thread, K 16, V 9 (3×3), 4 (1×1) or 32 (FC)",
    columns: [
      { title: "layer" },
      ...Object.values(engines).map((title) => ({ title, decimals: 3 })),
      { title: "fp32 / faster lookup" },
      { title: "INT8 / faster lookup" },
    ],
    rows,
    expected: [...faster(fp32Column, "fp32"), ...faster(int8Column, "INT8")],
    shows:
      "How many milliseconds the layers take that a conversion replaces, at the shapes of BERT (128 tokens) and of ResNet18 (ImageNet, CIFAR): the whole call, floats in and floats out, against the time of ONNX Runtime's compute node alone, all in turns in one process on one core. The paper shows such bars without numbers.",
    doesNotShow:
      "What a network gains, of which these layers are a part (see the table of latencies). Inputs, centroids and tables are random, which times do not depend on. Where other programs run beside, ratios are surer than milliseconds.",
    chart: { axis: "median (ms, logarithmic)", scale: "log", kind: "bar", columns: [1, 2, 3, 4] },
  };
}
