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

it("what was measured in a state holds in every other with the same network, the newest first", () => {
  /** States 1 and 4 have one network; 1, 2 and 4 are the same once every calibrated layer is replaced. */
  const figures = new Figures({ network: (state) => [0, 1, 2, 3, 1][state], whole: (state) => state === 3 });
  figures.setMetric(1, 97);
  expect([1, 4].map((state) => figures.metric(state))).toEqual([97, 97]);
  expect([0, 2, 3].map((state) => figures.metric(state))).toEqual([null, null, null]);
  figures.setMetric(4, 96);
  expect([1, 4].map((state) => figures.metric(state))).toEqual([97, 96]);
  figures.setEffects(1, effects(90));
  expect(figures.layers(names, 2)[0]).toMatchObject({ state: 2, onlyThis: 90, allButThis: 89 });
  expect(figures.layers(names, 3)[0]).toMatchObject({ state: 1, onlyThis: 90 }); // of another network
  figures.setErrors(1, report);
  expect(figures.layers(names, 4)[0]).toMatchObject({ state: 4, errorsState: 4 });
  expect(figures.layers(names, 2)[0]).toMatchObject({ state: 2, errorsState: 1 });
  figures.setNetworkTime(1, 0.5);
  figures.setNetworkTime("dense", 2);
  expect([1, 4, 2, "dense" as const].map((state) => figures.networkTime(state))).toEqual([0.5, 0.5, null, 2]);
});
