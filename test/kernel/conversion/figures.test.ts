import { expect, it } from "vitest";
import { Figures } from "../../../kernel/lib/conversion/figures";
import { fixtureReport } from "../../extension/fixtures/report";

const names = ["conv1", "conv2"];
const effects = (onlyThis: number) =>
  new Map(names.map((name) => [name, { onlyThis, allButThis: onlyThis - 1 }]));
const report = fixtureReport({ names, series: ["k-means"] });

it("metrics and errors of layers are each of the state asked for, or of the newest one that they were measured in", () => {
  const figures = new Figures();
  expect(figures.layers(names, 0)).toEqual([]);
  figures.setEffects(1, effects(90));
  expect(figures.layers(names, 3)[0]).toMatchObject({
    state: 1,
    onlyThis: 90,
    errorsState: null,
    local: null,
  });
  figures.setErrors(2, report);
  const [first] = figures.layers(names, 2);
  expect(first).toMatchObject({ layer: "conv1", state: 1, onlyThis: 90, allButThis: 89, errorsState: 2 });
  expect(first.local).toEqual(report.series[0].errors[0].local);
  figures.setEffects(2, effects(91));
  figures.setEffects(1, effects(92)); // measured again: the newest
  expect(figures.layers(names, 2)[1]).toMatchObject({ state: 2, onlyThis: 91 });
  expect(figures.layers(names, 5)[1]).toMatchObject({ state: 1, onlyThis: 92, errorsState: 2 });
  figures.clear();
  expect(figures.layers(names, 2)).toEqual([]);
});
