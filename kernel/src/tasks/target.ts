/**
 * What is to be learnt of every example. `class`: one of `classes`, int32 (N). `labels`: `count` yes-or-no answers,
 * float32 (N, count) of 0 and 1; yes-or-no alone is one of them. `values`: float32 (N, length), in `unit`; `spread` is
 * their standard deviation (the root of the columns' mean variance) where it is known; `counts` says that they are whole
 * numbers from 0, and has them checked. `tokens`: for each of `length`
 * positions one of `classes`, int32 (N, length), −1 where there is nothing to learn.
 */
export type TargetSpec =
  | { kind: "class"; classes: number; names?: readonly string[] }
  | { kind: "labels"; count: number; names?: readonly string[] }
  | { kind: "values"; length: number; unit?: string; spread?: number; counts?: true }
  | { kind: "tokens"; length: number; classes: number };

const counted = (count: number, one: string, many: string) => (count === 1 ? one : `${count} ${many}`);

/** As words for a sentence: "one of 10 classes". */
export function describeTarget(target: TargetSpec): string {
  switch (target.kind) {
    case "class":
      return `one of ${counted(target.classes, "1 class", "classes")}`;
    case "labels":
      return counted(target.count, "a yes-or-no answer", "yes-or-no answers");
    case "values":
      return target.counts
        ? counted(target.length, "a count", "counts")
        : counted(target.length, "a number", "numbers");
    case "tokens":
      return `one of ${target.classes} classes at each of ${counted(target.length, "1 position", "positions")}`;
  }
}
