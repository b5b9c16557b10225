import type { Conversion } from "../conversion/conversion";
import type { KernelMessage, PanelQuestion } from "../report/conversionMessages";
import { dataFor } from "./commands";

/** The answer to a panel's question. */
export async function answer(
  request: number,
  question: PanelQuestion,
  conversion: Conversion,
): Promise<KernelMessage> {
  if (question.about === "cell") return { type: "cell", request, code: conversion.code(question.state) };
  if (question.about === "comparison") {
    const { a, b } = question;
    const layers = conversion.compare(a, b).rows.map(({ layer, before, after, change }) => ({
      name: layer,
      a: before,
      b: after,
      moved: change !== null && Number.isFinite(change) ? change : null,
    }));
    return { type: "comparison", request, comparison: { a, b, layers } };
  }
  const role = conversion.data.validation ? "validation" : "train";
  const data = dataFor("layerDetail", conversion, role);
  return { type: "layer", request, detail: await conversion.layerDetail(question.layer, data) };
}
