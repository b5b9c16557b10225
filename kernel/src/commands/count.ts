import { existsSync } from "node:fs";
import { LutnnError } from "../errors";
import type { LayerTable } from "../index";
import type { Cost } from "../report/counting";
import { UsageError } from "./usageError";

export interface CountOptions {
  /** A name of the paper's networks, or an ONNX file. */
  model: string;
  /** K */
  k: string;
  json?: boolean;
}

const counted = ({ operations, bytes }: Cost) => ({ ops: operations, bytes });

/** Convertible layers and those that stay and count, in the order in which the network has them. */
function layersOf(table: LayerTable, names: readonly string[]) {
  const place = new Map(names.map((name, at) => [name, at]));
  const replaced = [...table].map(({ name, op, before, after, ...layer }) => {
    const { positions, inputLength, outputs, numCentroids, subvectorLength, numCodebooks } = layer;
    const sizes = { positions, inputLength, outputs, numCentroids, subvectorLength, numCodebooks };
    return { name, op, replaced: true, ...sizes, dense: counted(before), lut: counted(after) };
  });
  const rest = table.rest.map(({ name, className, rows, cost }) => ({
    name,
    op: className,
    replaced: false,
    ...rows,
    dense: counted(cost),
    lut: counted(cost),
  }));
  const at = ({ name }: { name: string }) => place.get(name) ?? names.length;
  return [...replaced, ...rest].sort((a, b) => at(a) - at(b));
}

/** Operations and bytes of a network, dense and with its layers as lookups, as a table or as JSON; nothing is run. */
export async function countNetwork({ model, k, json }: CountOptions): Promise<string> {
  const numCentroids = Number(k);
  if (!Number.isInteger(numCentroids) || numCentroids < 2 || numCentroids > 256)
    throw new UsageError(
      `count: --k must be a whole number from 2 to 256 (got ${k}); the paper has 8 and 16`,
    );
  const { count, fromOnnx, models } = await import("../index.js");
  const make = Object.hasOwn(models.paperNetworks, model) ? models.paperNetworks[model] : null;
  if (!make && !existsSync(model))
    throw new UsageError(
      `count: --model must be one of ${Object.keys(models.paperNetworks).join(", ")}, or an ONNX file (got ${JSON.stringify(model)}, which is neither)`,
    );
  const network = make ? make() : await fromOnnx(model);
  try {
    const layers = count(network, { numCentroids });
    if (!json) return layers.toString();
    const { dense, lookup } = layers.network;
    return JSON.stringify(
      {
        model,
        k: numCentroids,
        dense: counted(dense),
        lut: { multiplyAdds: lookup.multiplyAdds, additions: lookup.additions, ...counted(lookup) },
        layers: layersOf(
          layers,
          network.layers.map(({ name }) => name),
        ),
      },
      null,
      2,
    );
  } catch (error) {
    throw error instanceof LutnnError ? new UsageError(error.message) : error;
  } finally {
    network.dispose();
  }
}
