import { z } from "zod";
import { byReason } from "../outcome";

/** What a file says of its remainder, under this key of its `metadata_props`, as JSON. */
export const remainderKey = "lutnn.remainder";

export const remainderReport = z.object({
  kind: z.literal("int8"),
  /** Names of the layers in INT8, in network order. */
  layers: z.array(z.string()),
  /** Names of the attentions in INT8; files of before have none. */
  attention: z.array(z.string()).default([]),
  /** Bytes of the layers' weights and scales, and of the weights in float32. */
  bytes: z.number(),
  float32Bytes: z.number(),
  /** Why others stay in float32, by name. */
  float32: z.record(z.string(), z.string()),
  /** Examples that ranges were chosen by. */
  data: z.string(),
  examples: z.number(),
  /** How far INT8 moves the answers; on other examples than those where it says so. */
  effect: z.object({
    examples: z.number(),
    apart: z.boolean(),
    agreement: z.number().nullable(),
    movement: z.number(),
  }),
});

export type RemainderReport = z.infer<typeof remainderReport>;

/** A handful of examples is no calibration, and too few to be two sets. */
export const enough = 64;

const count = (value: number): string => value.toLocaleString("en");

/** Which layers stay in float32, and why, as a phrase; empty where none does. */
function describeLeft(float32: RemainderReport["float32"]): string {
  const left = byReason(Object.entries(float32));
  return left ? `; left in float32: ${left}` : "";
}

/** What stays dense in INT8 as a phrase: how much, by which examples, what it does to the answers, and what stays in float32. */
export function describeRemainder(report: RemainderReport): string {
  const { layers, attention, bytes, float32Bytes, float32, data, examples, effect } = report;
  if (layers.length + attention.length === 0) return `no layer in INT8${describeLeft(float32)}`;
  const { agreement, movement } = effect;
  const on = `${count(effect.examples)} ${effect.apart ? "others" : "of them"}`;
  const agrees = agreement === null ? "" : `${agreement.toFixed(1)} % of answers are as with float32 and `;
  const parts = [
    ...(layers.length > 0
      ? [
          `${layers.length} dense ${layers.length === 1 ? "layer" : "layers"} in INT8 (${count(bytes)} bytes, ${count(float32Bytes)} in float32)`,
        ]
      : []),
    ...(attention.length > 0
      ? [`attention of ${attention.length} ${attention.length === 1 ? "layer" : "layers"} in INT8`]
      : []),
  ];
  return `${parts.join(", ")}, ranges from ${count(examples)} examples of ${data}; on ${on} ${agrees}outputs move by ${movement.toPrecision(2)} % of their deviation${describeLeft(float32)}`;
}

/** What the user should do about it, a sentence each. */
export const warningsOfRemainder = ({ layers, attention, examples }: RemainderReport): string[] =>
  layers.length + attention.length > 0 && examples < enough
    ? [`ranges of ${count(examples)} examples may miss what others hold; give ${enough} or more`]
    : [];
