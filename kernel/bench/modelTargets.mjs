// What whole networks by lookup are meant to reach, and whether measured rows do: each target met, missed or too close to tell, and
// beside a missed time the operators that take it and what was tried on them.

/** At least so many times as fast as fp32, and as the faster of the INT8 engines; one thread, batch 1. */
const speeds = {
  "resnet18-32": { fp32: 6, int8: 1.3 },
  "resnet18-224": { fp32: 5, int8: 1.5 },
  "senet18-32": { fp32: 6, int8: 1.3 },
  "senet18-224": { fp32: 5, int8: 1.5 },
  "vgg11-32": { fp32: 8, int8: 2 },
  "vgg11-224": { fp32: 8, int8: 2 },
  "bert6-64": { fp32: 12, int8: 3 },
  "bert6-128": { fp32: 12, int8: 3 },
  "minilm-32": { int8: 3 },
  "minilm-128": { int8: 3 },
};
/** At least so many times less peak memory over idle than fp32: the least of the paper's ratios, and BERT's. */
const memories = { bert6: 6.5 };
const leastMemory = 1.4;
const creationMs = { "resnet18-32": 300, "resnet18-224": 300 };

/** What binds operators, and what was tried on them; native/bench/RESULTS.md has the figures. The first whose names match. */
const bindings = [
  {
    of: "lookups",
    names: /^Lut/,
    binds:
      "codes cost 3 instructions for each centroid and 16 positions whatever the outputs are (layers of 64), tables of layers with 256 outputs and more come from memory (1.8 bytes a weight at V = 9), and a shuffle looks up 64 entries a cycle where AMX multiplies 1,024 bytes",
    tried:
      "codes for 32 positions at once, in AMX tiles (no gain), tables asked for ahead, on huge pages (a tenth), 16 positions gathered (no gain), bytes between layers, ReLU, GELU, sums and pooling inside",
  },
  {
    of: "attention",
    names: /Attention/,
    binds:
      "in float32 its products, at the rate of fused multiply-adds; in INT8 the shares' exponentials, a third, and what is packed for each head",
    tried:
      "one operator for a layer's attention (440 → 332 µs), products and shares in bytes with the rest in INT8 (291 → 173 µs at 12 heads of 32, 564 → 221 of 64)",
  },
  {
    of: "dense layers",
    names: /^(DenseConv|DenseMatMul|Conv|FusedConv|Gemm|FusedGemm|MatMul|FusedMatMul)/,
    binds:
      "what is not replaced: in a stem of few inputs, scaling, bias, ReLU and bytes of each result; else its products",
    tried:
      "the remainder in INT8 (variant lut-native-int8), AMX tiles, windows gathered in blocks, 1×1 interleaved as they lie",
  },
  {
    of: "pooling and orders of data",
    names: /Pool|Reorder|Transpose|Concat|Reshape/,
    binds: "reading and writing the largest maps of the network",
    tried:
      "pooling of bytes between lookups; pooling of floats with their bytes behind an INT8 stem (0.48 for 0.60 ms, nothing in the whole: left out)",
  },
  {
    of: "layer norms",
    names: /LayerNorm/,
    binds: "three passes over cached rows, a third of the time for their bytes",
    tried: "bytes for the lookups behind them",
  },
  {
    of: "the rest",
    names: /./,
    binds: "small nodes of ONNX Runtime's own, a few microseconds each",
    tried: "sums, masks and activations inside lookups and attention",
  },
];

/** What binds a missed target that is no time, and what was tried. */
const because = {
  memory: ({ peakBytes, fileBytes }) =>
    `${(peakBytes / 1e6).toFixed(0)} MB over idle for a file of ${(fileBytes / 1e6).toFixed(0)}: tables are K / V bytes a weight (1.8 at V = 9, 0.5 at 32), the rest activations and ONNX Runtime's own; tried: bytes between layers, the rest in INT8`,
  batch:
    "a dense layer reads its weights once for a batch, and several images leave the second cache; tried: a block of a table for several small images at a time (ResNet18 32²: 17.8 → 16.3 ms of batch 8)",
};

const isOurs = ({ variant }) => variant.startsWith("lut-native");
const isInt8 = ({ variant }) => variant.endsWith("-int8") && !variant.startsWith("lut");
const fastest = (rows) =>
  rows.reduce((best, row) => (best && best.medianMs <= row.medianMs ? best : row), undefined);

/** Two quartile ranges as a share of a quotient: what of it the runs leave open. */
const openShare = (...rows) => Math.hypot(...rows.map(({ medianMs, spreadMs }) => spreadMs / medianMs)) / 2;

/** "met", "missed", or "within the spread" where the figure is closer to the target than its spread. */
function verdict(ratio, target, share) {
  if (Math.abs(ratio - target) <= share * target) return "within the spread";
  return ratio > target ? "met" : "missed";
}

function speed(ours, other, target, of) {
  const ratio = other.medianMs / ours.medianMs;
  return {
    what: `${ours.variant}: times as fast as ${of}`,
    target: `at least ${target}`,
    measured: ratio.toFixed(2),
    verdict: verdict(ratio, target, openShare(ours, other)),
    isTime: true,
  };
}

function memory(ours, other, target, of) {
  const ratio = other.peakBytes / ours.peakBytes;
  return {
    what: `${ours.variant}: times less memory than ${of}`,
    target: `at least ${target}`,
    measured: ratio.toFixed(2),
    verdict: ratio >= target ? "met" : "missed",
    because: because.memory(ours),
  };
}

/** Of a network's rows at one thread and batch 1. */
function judgedAlone(model, rows) {
  const [ours, int8] = [fastest(rows.filter(isOurs)), fastest(rows.filter(isInt8))];
  const fp32 = rows.find(({ variant }) => variant === "fp32");
  if (!ours || !fp32) return [];
  const judged = [];
  const wanted = speeds[model] ?? {};
  if (wanted.fp32) judged.push(speed(ours, fp32, wanted.fp32, "fp32"));
  if (wanted.int8 && int8) judged.push(speed(ours, int8, wanted.int8, int8.variant));
  if (wanted.int8 && ours.peakBytes !== null) {
    judged.push(memory(ours, fp32, memories[model.split("-")[0]] ?? leastMemory, "fp32"));
    const frugal = rows.filter(isInt8).sort((a, b) => a.peakBytes - b.peakBytes)[0];
    if (frugal) judged.push(memory(ours, frugal, 1, frugal.variant));
  }
  const most = creationMs[model];
  if (most)
    judged.push({
      what: `${ours.variant}: ms to make a session`,
      target: `at most ${most}`,
      measured: ours.createMs.toFixed(0),
      verdict: ours.createMs <= most ? "met" : "missed",
    });
  return judged.map((one) => ({ model, ...one, operators: ours.operators }));
}

/** Batches take no more than their size times one, and grow no faster than the dense network's. */
function judgedBatches(model, threads, rows) {
  const sizes = [...new Set(rows.map(({ batch }) => batch))].filter((batch) => batch > 1);
  const ours = fastest(rows.filter((row) => isOurs(row) && row.batch === 1));
  if (!ours) return [];
  const row = (variant, batch) => rows.find((one) => one.variant === variant && one.batch === batch);
  return sizes.flatMap((batch) => {
    const four = [row(ours.variant, batch), ours, row("fp32", batch), row("fp32", 1)];
    if (four.some((one) => one === undefined)) return [];
    const [grown, denseGrown] = [four[0].medianMs / four[1].medianMs, four[2].medianMs / four[3].medianMs];
    const most = Math.min(batch, denseGrown);
    return {
      model,
      what: `${ours.variant}: batch ${batch} over 1, ${threads} thread${threads > 1 ? "s" : ""}`,
      target: `at most ${most.toFixed(2)} (${most === batch ? "linear" : "fp32's"})`,
      measured: grown.toFixed(2),
      verdict: verdict(most, grown, openShare(...four)),
      because: because.batch,
    };
  });
}

/**
 * Each target that the rows have figures for: model, what, target, measured, verdict ("met", "missed", "within the spread"), and of a
 * missed one what binds it: of a time `binds`, by part of the network its share of the run, what binds it and what was tried; of others
 * `because`, a phrase.
 */
export function judge(rows) {
  const judged = [...new Set(rows.map(({ model }) => model))].flatMap((model) => {
    const own = rows.filter((row) => row.model === model);
    const alone = own.filter(({ threads, batch }) => threads === 1 && batch === 1);
    const threads = [...new Set(own.map((row) => row.threads))];
    return [
      ...judgedAlone(model, alone),
      ...threads.flatMap((count) =>
        judgedBatches(
          model,
          count,
          own.filter((row) => row.threads === count),
        ),
      ),
    ];
  });
  return judged.map(({ isTime, operators, because: why, ...one }) => {
    if (one.verdict !== "missed") return one;
    return isTime && operators
      ? { ...one, binds: bindingParts(operators) }
      : { ...one, because: why ?? null };
  });
}

/** The parts of a network by the operators that ran: the share of their time, the slowest first. */
function bindingParts(operators) {
  const all = operators.reduce((sum, [, , ms]) => sum + ms, 0);
  const parts = new Map();
  for (const [operator, nodes, ms] of operators) {
    const binding = bindings.find(({ names }) => names.test(operator));
    const part = parts.get(binding) ?? {
      part: binding.of,
      nodes: 0,
      ms: 0,
      binds: binding.binds,
      tried: binding.tried,
    };
    part.nodes += nodes;
    part.ms += ms;
    parts.set(binding, part);
  }
  return [...parts.values()].map((part) => ({ ...part, share: part.ms / all })).sort((a, b) => b.ms - a.ms);
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

/** The targets as a Markdown table, below each missed time where it goes, and last what binds those parts. */
export function targetsText(judged) {
  if (judged.length === 0) return "No target: none of these networks has one at these threads and batches.";
  const lines = judged.flatMap(({ model, what, target, measured, verdict, binds, because: why }) => [
    `| ${[model, what, target, measured, verdict, binds ? partsText(binds) : (why ?? "")].join(" | ")} |`,
  ]);
  const parts = new Map(judged.flatMap(({ binds = [] }) => binds.map((one) => [one.part, one])));
  const counted = ["met", "missed", "within the spread"].map(
    (name) => `${judged.filter(({ verdict }) => verdict === name).length} ${name}`,
  );
  return [
    "| model | what | target | measured | verdict | where its time goes, or what binds it |",
    "|---|---|---|--:|---|---|",
    ...lines,
    "",
    `Targets: ${counted.join(", ")}.`,
    ...[...parts.values()].map(({ part, binds, tried }) => `* ${part}: ${binds}. Tried: ${tried}.`),
  ].join("\n");
}

const partsText = (parts) =>
  parts
    .filter(({ share }) => share >= 0.05)
    .map(({ part, nodes, ms, share }) => `${part} ${ms.toFixed(2)} ms (${percent(share)}, ${nodes} nodes)`)
    .join(", ");
