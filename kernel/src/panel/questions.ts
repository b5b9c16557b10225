import type { Conversion } from "../conversion/conversion";
import type {
  ComparedLayer,
  KernelMessage,
  PanelQuestion,
  StateComparison,
} from "../report/conversionMessages";
import { dataFor } from "./commands";
import { finite } from "./finite";

/** The answer to a panel's question. */
export async function answer(
  request: number,
  question: PanelQuestion,
  conversion: Conversion,
): Promise<KernelMessage> {
  if (question.about === "cell") return { type: "cell", request, code: conversion.code(question.state) };
  if (question.about === "comparison")
    return { type: "comparison", request, comparison: comparison(question.a, question.b, conversion) };
  const role = conversion.data.validation ? "validation" : "train";
  const data = dataFor("layerDetail", conversion, role);
  return { type: "layer", request, detail: await conversion.layerDetail(question.layer, data) };
}

/** Two states side by side, with what was measured of each layer in each. */
function comparison(a: number, b: number, conversion: Conversion): StateComparison {
  const { rows } = conversion.compare(a, b);
  const measured = [a, b].map((state) => {
    const all = conversion.figures.layers(conversion.layers.names, state);
    return new Map(all.filter((one) => one.state === state).map((one) => [one.layer, one]));
  });
  const layer = (side: 0 | 1, name: string, is: string): ComparedLayer => {
    const found = measured[side].get(name);
    return { is, onlyThis: finite(found?.onlyThis), allButThis: finite(found?.allButThis) };
  };
  return {
    a,
    b,
    layers: rows.map(({ layer: name, before, after, change }) => ({
      name,
      a: layer(0, name, before),
      b: layer(1, name, after),
      moved: finite(change),
    })),
  };
}
