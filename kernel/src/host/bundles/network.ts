import type { MimeBundle } from "../host";
import { tableBundle } from "./table";

/** What a row needs of a layer of TensorFlow.js. */
interface LayerLike {
  name: string;
  outputShape: unknown;
  countParams(): number;
  getClassName(): string;
}

/** A network of TensorFlow.js, known by what it has: this room imports nothing of it. */
interface NetworkLike {
  name: string;
  layers: readonly LayerLike[];
}

const isNetwork = (value: object): value is NetworkLike => {
  const { layers, name } = value as Partial<NetworkLike>;
  const has = (method: string) => typeof Reflect.get(value, method) === "function";
  return (
    Array.isArray(layers) && typeof name === "string" && ["predict", "summary", "countParams"].every(has)
  );
};

const shapeText = (shape: unknown): string => {
  if (!Array.isArray(shape)) return "–";
  if (Array.isArray(shape[0])) return shape.map(shapeText).join(", ");
  return shape.map((length) => length ?? "any").join("×");
};

/** A network as a table of its layers: kind, shape of the output with the batch first, numbers; null for other values. */
export function networkBundle(value: object): MimeBundle | null {
  if (!isNetwork(value)) return null;
  const { layers, name } = value;
  const count = (layer: LayerLike) => (layer.getClassName() === "InputLayer" ? 0 : layer.countParams());
  const total = layers.reduce((sum, layer) => sum + count(layer), 0);
  return tableBundle(
    ["layer", "kind", "output", "numbers"],
    layers.length,
    (row) => {
      const layer = layers[row];
      return [layer.name, layer.getClassName(), shapeText(layer.outputShape), count(layer)];
    },
    `${name}: ${layers.length} layers, ${total.toLocaleString("en")} numbers`,
  );
}
