import { expect, it } from "vitest";
import { errorSummary } from "../../extension/src/errorSummary";
import { formatError, formatMetric } from "../../kernel/src/report/format";
import { fixtureReport, smallNetwork } from "./fixtures/report";

it("the summary compares every series with the dense network in one line", () => {
  const report = fixtureReport({ names: smallNetwork, series: ["k-means", "fine-tuned"] });
  expect(errorSummary(report)).toBe(
    "fixture network on invented numbers (1,024 examples), accuracy: dense 97.31 %, k-means 35.31 %, fine-tuned 94.73 %.",
  );
});

it("the summary of an unfinished run says how far it is", () => {
  const report = fixtureReport({ names: smallNetwork, series: ["k-means", "fine-tuned"], measured: 2 });
  expect(errorSummary(report)).toMatch(/^Measuring \(4 of 6\): .* dense 97\.31 %\.$/);
});

it("a metric keeps about four digits, its unit and one number of decimals within a report", () => {
  const metric = { name: "accuracy", unit: "%", higherIsBetter: true, dense: 97.31 };
  expect(formatMetric(9, metric)).toBe("9.00 %");
  expect(formatMetric(0.5, { ...metric, unit: "", dense: 0.9731 })).toBe("0.5000");
  expect(formatMetric(12.5, { ...metric, unit: "nats", dense: 4.25 })).toBe("12.500 nats");
});

it("an error has three significant digits, and a dash where it was not measured", () => {
  expect([0.04213, 1.5, 0, null, undefined].map(formatError)).toEqual(["0.0421", "1.50", "0.00", "–", "–"]);
});
