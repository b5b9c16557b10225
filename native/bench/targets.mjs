// What a measurement says: a table of layers, and which targets are met.
import { boundBy } from "./bounds.mjs";

const pad = (text, width) => String(text).padStart(width);
const ms = (value) => (value === null ? "–" : value >= 1 ? value.toFixed(2) : value.toFixed(3));
const times = (value) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 1)}×` : "–");

/** Derived figures of a row. */
export function figures(row, peak) {
  const multiplyAdds = (row.N * row.D * 16) / 1e6; // a million
  const lookups = (row.N * (row.D / row.V) * row.M) / 1e6;
  const encodeRate = multiplyAdds / row.encodeMs;
  const lookupRate = lookups / row.lookupMs;
  // Where other programs interrupt, long runs lose more than short ones, so the medians' ratio flatters the short one:
  // what counts is the smaller of that and the ratio of the fastest runs.
  const over = (a, b) =>
    row[a] === null ? Number.NaN : Math.min(row[a] / row[b], row.bests[a] / row.bests[b]);
  const int8Ratio = over("ortInt8Ms", "oursMs");
  const int8RatioInt8 = over("ortInt8Ms", "oursInt8EncodeMs");
  const int8RatioIntegers = over("ortInt8Ms", "oursIntegerMs");
  return {
    encodeRate,
    lookupRate,
    encodeShare: encodeRate / peak.multiplyAddsPerNanosecond,
    rooflineShare:
      (multiplyAdds / peak.multiplyAddsPerNanosecond + lookups / peak.lookupsPerNanosecond) / row.oursMs,
    fp32Ratio: over("ortFp32Ms", "oursMs"),
    int8Ratio,
    int8RatioInt8,
    int8RatioIntegers,
    bestInt8Ratio: Math.max(int8Ratio, int8RatioInt8, int8RatioIntegers),
  };
}

export function layerTable({ isa, peak, rows }) {
  const head = [
    ["layer", -26],
    ["ours ms", 9],
    ["spread", 14],
    ["encode", 8],
    ["lookup", 8],
    ["8-bit enc.", 11],
    ["codes ≠", 8],
    ["integers", 9],
    ["ORT fp32", 9],
    ["spread", 14],
    ["ORT int8", 9],
    ["fp32/ours", 10],
    ["int8/ours", 10],
    ["int8/8-bit", 11],
    ["int8/integers", 14],
    ["% of peaks", 11],
  ];
  const line = (cells) =>
    cells.map((cell, i) => (head[i][1] < 0 ? cell.padEnd(-head[i][1]) : pad(cell, head[i][1]))).join("");
  const spread = (range) => (range ? `${ms(range[0])}…${ms(range[1])}` : "–");
  const lines = rows.map((row) => {
    const f = figures(row, peak);
    return line([
      row.name,
      ms(row.oursMs),
      spread(row.spreads.oursMs),
      ms(row.encodeMs),
      ms(row.lookupMs),
      ms(row.oursInt8EncodeMs),
      `${(row.codesDifferent * 100).toFixed(1)}%`,
      ms(row.oursIntegerMs),
      ms(row.ortFp32Ms),
      spread(row.spreads.ortFp32Ms),
      ms(row.ortInt8Ms),
      times(f.fp32Ratio),
      times(f.int8Ratio),
      times(f.int8RatioInt8),
      times(f.int8RatioIntegers),
      Number.isFinite(f.rooflineShare) ? `${(f.rooflineShare * 100).toFixed(0)}%` : "–",
    ]);
  });
  const peaks = `${peak.multiplyAddsPerNanosecond} multiply-adds and ${peak.lookupsPerNanosecond} lookups a ns, ${peak.bytesPerNanosecond} bytes a ns from memory`;
  return [
    `${isa}: medians of ms, spread from quartile to quartile, ratios the smaller of medians' and fastest runs'; peaks measured: ${peaks}`,
    line(head.map(([name]) => name)),
    ...lines,
  ].join("\n");
}

const isBert = (row) => row.name.startsWith("FC");

/** The targets, each with the rows that it is about and what a row must reach. */
function targets({ isa, peak }) {
  const many = (row) => row.N >= 128;
  const fixed = (digits) => (value) => value.toFixed(digits);
  const percent = (value) => `${(value * 100).toFixed(0)} %`;
  const lookupLeast = isa === "avx512vbmi" || isa === "amx" ? 130 : isa === "avx2" ? 85 : null;
  return [
    peak.multiplyAddsPerNanosecond > 0 && {
      key: "encode",
      what: "encode at 85 % of the multiply-add peak or more, N ≥ 128",
      rows: many,
      value: (f) => f.encodeShare,
      least: 0.85,
      show: percent,
    },
    lookupLeast && {
      key: "lookup",
      what: `${lookupLeast} lookups a ns or more, N ≥ 128`,
      rows: many,
      value: (f) => f.lookupRate,
      least: lookupLeast,
      show: fixed(0),
    },
    isa === "avx2"
      ? {
          key: "fp32",
          what: "2.5 times as fast as ORT fp32",
          rows: () => true,
          value: (f) => f.fp32Ratio,
          least: 2.5,
          show: times,
        }
      : {
          key: "fp32",
          what: "3 times as fast as ORT fp32 on ResNet18's shapes",
          rows: (row) => !isBert(row),
          value: (f) => f.fp32Ratio,
          least: 3,
          show: times,
        },
    isa !== "avx2" && {
      key: "bert",
      what: "30 times as fast as ORT fp32 on BERT's",
      rows: isBert,
      value: (f) => f.fp32Ratio,
      least: 30,
      show: times,
    },
    isa !== "avx2" && {
      key: "int8",
      what: "faster than ORT int8 with the best of the encodings",
      rows: () => true,
      value: (f) => f.bestInt8Ratio,
      least: 1,
      show: times,
    },
  ].filter(Boolean);
}

/** A line for each target, and for each missed row what binds it. */
export function verdicts(measured) {
  const lines = ["Targets"];
  for (const result of measured)
    for (const { key, what, rows, value, least, show } of targets(result)) {
      const about = result.rows
        .filter(rows)
        .map((row) => ({ row, reached: value(figures(row, result.peak)) }));
      const known = about.filter(({ reached }) => Number.isFinite(reached));
      if (known.length === 0) {
        lines.push(`  not run  ${result.isa}: ${what}`);
        continue;
      }
      const missed = known.filter(({ reached }) => reached < least);
      const lowest = Math.min(...known.map(({ reached }) => reached));
      lines.push(
        `  ${missed.length ? "MISSED " : "met    "} ${result.isa}: ${what} (${known.length - missed.length} of ${known.length}; lowest ${show(lowest)})`,
      );
      for (const { row, reached } of missed)
        lines.push(`             ${row.name.padEnd(26)} ${show(reached)}: ${boundBy(key, result.isa, row)}`);
    }
  if (!measured.some(({ isa }) => isa.startsWith("neon")))
    lines.push(
      "  not run  NEON: times on Arm hardware; instructions a lookup are counted and gated by `npm test -- arm`",
    );
  return lines.join("\n");
}
