// A cell's parameters are its name in the store: whoever changes one leaves the results that people have behind, hours of
// training among them. So the cells of every table are held by a digest of their names; a wanted change takes the new one from
// the failure, and says in CHANGELOG.md which results must be made anew.
import { createHash } from "node:crypto";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { keyOf } from "../../../kernel/lib/files/canonicalJson";
import { defaultChoices } from "../../../kernel/lib/paper/tables/choices";
import { cellsOf } from "../../../kernel/lib/paper/tables/table";

const digests: Record<string, string> = {
  "accuracy, small": "1f52ff7795d7",
  "glue, small": "0bbbbe90fe0a",
  "flops, small": "8be92790f1c2",
  "size, small": "b8c1f5d983db",
  "latency, small": "e88bbc358151",
  "operators, small": "670d16041ba1",
  "memory, small": "fbbc57ee3bf0",
  "power, small": "78bf333dc65d",
  "temperature, small": "f220cdaa4fcc",
  "quantisation, small": "2740a6e4a30c",
  "layers, small": "0394c399299d",
  "accuracy, small, quick": "821eb30bd8e5",
  "glue, small, quick": "e3b0c44298fc",
  "flops, small, quick": "8be92790f1c2",
  "size, small, quick": "4bd3f146c09d",
  "latency, small, quick": "bfd229eae5cb",
  "operators, small, quick": "e5b3af06940b",
  "memory, small, quick": "932454adddd3",
  "power, small, quick": "ab49700e6687",
  "temperature, small, quick": "cfeb64985687",
  "quantisation, small, quick": "0b283e625a64",
  "layers, small, quick": "0cfbec7591e4",
  "accuracy, paper, 2 seeds": "232594e2c2ac",
  "glue, paper, 2 seeds": "0f8396fbf2d7",
  "flops, paper, 2 seeds": "8be92790f1c2",
  "size, paper, 2 seeds": "b8c1f5d983db",
  "latency, paper, 2 seeds": "e88bbc358151",
  "operators, paper, 2 seeds": "670d16041ba1",
  "memory, paper, 2 seeds": "fbbc57ee3bf0",
  "power, paper, 2 seeds": "78bf333dc65d",
  "temperature, paper, 2 seeds": "e348e31c6cee",
  "quantisation, paper, 2 seeds": "264afc2d190c",
  "layers, paper, 2 seeds": "0394c399299d",
};

const choices = [
  ["small", { scale: "small" }],
  ["small, quick", { scale: "small", quick: true }],
  ["paper, 2 seeds", { scale: "paper", seeds: 2 }],
] as const;

describe("results of before are found again:", () => {
  it.each(
    choices.flatMap(([called, some]) =>
      paper.tableNames.map((name) => [`${name}, ${called}`, name, some] as const),
    ),
  )("%s", (called, name, some) => {
    const hash = createHash("sha256");
    for (const spec of paper.specsOf(name, { ...defaultChoices, ...some }))
      for (const cell of cellsOf(spec)) hash.update(keyOf(cell));
    expect(hash.digest("hex").slice(0, 12)).toBe(digests[called]);
  });
});
