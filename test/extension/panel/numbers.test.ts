import { expect, it } from "vitest";
import {
  bytesText,
  changeText,
  durationText,
  metricText,
  millisecondsText,
  operationsText,
  timesText,
} from "../../../extension/src/panel/view/numbers";
import { progressText } from "../../../extension/src/panel/view/progressText";
import { wordsOf } from "../../../extension/src/panel/view/words";

const accuracy = { name: "accuracy", unit: "%", higherIsBetter: true, dense: 99.2, now: null };
const error = { name: "mean squared error", unit: "points²", higherIsBetter: false, dense: 0.31, now: null };

it("numbers carry their units", () => {
  expect([999, 1500, 2.5e6, 3e9, 4e12].map(operationsText)).toEqual(["999", "1.5 k", "2.5 M", "3 G", "4 T"]);
  expect([1000, 1536, 5 * 1024 ** 2].map(bytesText)).toEqual(["1000 B", "1.5 KiB", "5 MiB"]);
  expect([null, 0.05, 1.234].map(millisecondsText)).toEqual(["–", "50 µs", "1.23 ms"]);
  expect([4, 80, 3700].map(durationText)).toEqual(["4 s", "1 min 20 s", "1 h 1 min"]);
  expect([timesText(10, 4), timesText(100, 4), timesText(1, 0)]).toEqual(["2.5×", "25×", "–"]);
});

it("a change has the metric's own sign", () => {
  expect(changeText(1.4, accuracy)).toBe("−1.40");
  expect(changeText(-0.3, accuracy)).toBe("+0.30");
  expect(changeText(0.02, error)).toBe("+0.0200 points²");
  expect(changeText(0, accuracy)).toBe("±0");
  expect(changeText(null, accuracy)).toBe("");
});

it("a metric is written with the decimals of the dense one, or short where that is unknown", () => {
  expect(metricText(97.123, accuracy)).toBe("97.12 %");
  expect(metricText(97.123, { ...accuracy, dense: null })).toBe("97.1 %");
  expect(metricText(null, accuracy)).toBe("–");
});

it("where a command is, is said by the time that is left and what is done of all", () => {
  const values = (text: string, some: unknown[]) => text.replace(/%(\d)/g, (_, at) => String(some[at - 1]));
  const words = wordsOf({
    __: (text: string, ...some: unknown[]) => values(text, some),
    _n: (one: string, more: string, n: number, ...some: unknown[]) =>
      values(n === 1 ? one : more, [n, ...some]),
  } as never);
  const at = (progress: object | null) => progressText({ progress } as never, words);
  const progress = { done: 3, total: 5, unit: "epochs", text: "learning", etaSeconds: 80 };
  expect(at(null)).toBe("begins");
  expect(at(progress)).toBe("1 min 20 s left, 3 of 5 epochs");
  expect(at({ ...progress, etaSeconds: 0 })).toBe("0 s left, 3 of 5 epochs");
  expect(at({ ...progress, done: 1234.56, total: 20000, etaSeconds: null })).toBe("1,234.6 of 20,000 epochs");
  expect(at({ ...progress, total: 0, etaSeconds: null })).toBe("learning");
  expect(words._n("%1 layer", "%1 layers", 2)).toBe("2 layers");
});
