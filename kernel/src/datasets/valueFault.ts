import type { TargetSpec } from "../tasks/target";

type Numbers = Float32Array | Int32Array | Float64Array;

/** The first number that is not finite, as the value and its index; null when there is none. */
export function findNotFinite(values: Numbers): { value: number; index: number } | null {
  if (values instanceof Int32Array) return null;
  const index = values.findIndex((value) => !Number.isFinite(value));
  return index < 0 ? null : { value: values[index], index };
}

/** The first number that an int32 does not hold as it is, as the value and its index; null when all are such integers. */
export function findNotInt32(values: ArrayLike<number>): { value: number; index: number } | null {
  for (let index = 0; index < values.length; index++)
    if ((values[index] | 0) !== values[index]) return { value: values[index], index };
  return null;
}

/** The first number of a mask that is neither 1 nor 0, as the value and its index; null when there is none. */
export function findMaskFault(mask: ArrayLike<number>): { value: number; index: number } | null {
  for (let index = 0; index < mask.length; index++)
    if (mask[index] !== 0 && mask[index] !== 1) return { value: mask[index], index };
  return null;
}

/** The first target that is none of its kind: the rule that it breaks, the value, its index; null when all are. */
export function findTargetFault(
  values: Numbers,
  target: TargetSpec,
): { rule: string; value: number; index: number } | null {
  const [rule, isGood] = targetRule(target);
  const index = values.findIndex((value) => !isGood(value));
  return index < 0 ? null : { rule, value: values[index], index };
}

function targetRule(target: TargetSpec): [rule: string, isGood: (value: number) => boolean] {
  switch (target.kind) {
    case "class":
      return [
        `be integers from 0 to ${target.classes - 1}`,
        (value) => Number.isInteger(value) && value >= 0 && value < target.classes,
      ];
    case "tokens":
      return [
        `be integers from 0 to ${target.classes - 1}, or -1 where there is nothing to learn`,
        (value) => Number.isInteger(value) && value >= -1 && value < target.classes,
      ];
    case "labels":
      return ["be 0 or 1", (value) => value === 0 || value === 1];
    case "values":
      return target.counts
        ? ["be whole numbers from 0", (value) => Number.isInteger(value) && value >= 0]
        : ["be finite", Number.isFinite];
  }
}
