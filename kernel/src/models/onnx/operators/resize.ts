import * as tf from "@tensorflow/tfjs-node";
import type { Draft } from "../draft";
import { countOf } from "../draft";
import type { Operation } from "../operation";
import { dimsOf, type Traced } from "../value";
import type { Build, Builders } from "./builder";

type Pair = [number, number];

/** How many times larger each axis of the file becomes. */
function factorsOf(operation: Operation, x: Traced): number[] {
  const dims = dimsOf(x);
  const attribute = operation.floats("scales");
  if (attribute) return attribute;
  const place = operation.opType === "Upsample" || operation.opset < 11 ? 1 : 2;
  const scales = operation.constantOrNull(place, "scales");
  if (scales && countOf(scales) > 0) return Array.from(scales.data);
  const sizes = operation.constant(3, "sizes");
  return dims.map((length, i) => (length === null ? 1 : sizes.data[i] / length));
}

/** What tf.js computes: every pixel repeated, or interpolated between the corners' own places. */
function checkMode(operation: Operation): "nearest" | "bilinear" {
  const mode = operation.string("mode", "nearest");
  const isOld = operation.opType === "Upsample" || operation.opset < 11;
  const places = operation.string("coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel");
  const rounding = operation.string("nearest_mode", isOld ? "floor" : "round_prefer_floor");
  // Of whole factors, the nearest of half pixels is the floor of others.
  const repeats =
    (places === "asymmetric" && rounding === "floor") ||
    ((places === "half_pixel" || places === "pytorch_half_pixel") && rounding.startsWith("round_"));
  if (mode === "nearest" && repeats) return "nearest";
  if (mode === "linear" && places === "asymmetric") return "bilinear";
  return operation.refuse(
    "mode must be nearest, or linear with asymmetric coordinates",
    `${mode} with ${places} coordinates${mode === "nearest" ? ` and ${rounding}` : ""}`,
    "export the network with one of them, or cut it before it with outputs",
  );
}

const resize: Build = (draft: Draft, operation: Operation) => {
  const given = operation.traced(0);
  const interpolation = checkMode(operation);
  if (given.order.length !== 4)
    operation.refuse(
      "it must enlarge images",
      `${given.order.length} axes`,
      "cut the network before it with outputs",
    );
  const x = draft.image(operation, given);
  const [batch, channels, ...size] = factorsOf(operation, x);
  if (batch !== 1 || channels !== 1 || size.some((factor) => !Number.isInteger(factor) || factor < 1))
    operation.refuse(
      "height and width must become whole times larger, and nothing else",
      [batch, channels, ...size].join(", "),
      "give an inputShape of which that is so, or cut the network before it with outputs",
    );
  if (size.every((factor) => factor === 1)) return x;
  const tensor = draft.apply(operation, x.tensor, (name) =>
    tf.layers.upSampling2d({ size: size as Pair, interpolation, name }),
  );
  return { ...x, tensor };
};

export const resizings: Builders = { Resize: resize, Upsample: resize };
