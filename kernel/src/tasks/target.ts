/**
 * What is to be learnt of every example. `class`: one of `classes`, int32 (N). `labels`: `count` yes-or-no answers,
 * float32 (N, count) of 0 and 1; yes-or-no alone is one of them. `values`: float32 (N, length), in `unit`. `tokens`: for
 * each of `length` positions one of `classes`, int32 (N, length), −1 where there is nothing to learn.
 */
export type TargetSpec =
  | { kind: "class"; classes: number; names?: readonly string[] }
  | { kind: "labels"; count: number; names?: readonly string[] }
  | { kind: "values"; length: number; unit?: string }
  | { kind: "tokens"; length: number; classes: number };
