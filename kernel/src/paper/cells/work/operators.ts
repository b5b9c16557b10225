import { nativeStatus } from "../../../compute/backend";
import type { Work } from "../kind";
import { layerBenchMissing, runLayerBench } from "./bench";

interface Measurement {
  machine: { cpu: string; onnxruntime: string | null };
  isa: string;
  rows: ({ name: string } & Record<string, unknown>)[];
}

/** Times single layers with the benchmark of the lookup backend, `npx lutnn bench`, in its fastest instruction set. */
export const work: Work<"operators"> = {
  whyNot: () => layerBenchMissing(),
  run: async ({ rounds }, { signal }) => {
    const native = nativeStatus();
    const isa = native.available ? ["--isa", native.isa] : [];
    const text = await runLayerBench(["--json", "--rounds", String(rounds), ...isa], signal);
    const { machine, isa: used, rows }: Measurement = JSON.parse(text);
    const figures: Record<string, number | null> = {};
    for (const { name, ...row } of rows)
      for (const [figure, value] of Object.entries(row))
        if (typeof value === "number" || value === null) figures[`${name}/${figure}`] = value;
    const runtime = machine.onnxruntime ? `ONNX Runtime ${machine.onnxruntime}` : "no ONNX Runtime";
    return { figures, notes: { baselines: `${machine.cpu}, ${used}, ${runtime}` } };
  },
};
