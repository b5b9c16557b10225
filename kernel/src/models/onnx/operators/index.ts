import { activations } from "./activations";
import { arithmetic } from "./arithmetic";
import type { Build, Builders } from "./builder";
import { convolutions } from "./convolution";
import { linear } from "./linear";
import { lookups } from "./lookup";
import { normalizations } from "./normalization";
import { poolings } from "./pooling";
import { reductions } from "./reduce";
import { resizings } from "./resize";
import { shapes } from "./shape";

/** Every operator that networks may be made of: a new family is a file beside this and a line here. */
const builders: Builders = {
  ...activations,
  ...arithmetic,
  ...convolutions,
  ...linear,
  ...lookups,
  ...normalizations,
  ...poolings,
  ...reductions,
  ...resizings,
  ...shapes,
};

/** What builds an operator of ONNX's own; undefined for one that is not known. */
export const builderOf = (opType: string): Build | undefined =>
  Object.hasOwn(builders, opType) ? builders[opType] : undefined;

export const knownOperators = (): string[] => Object.keys(builders).sort();
