// The measurement as two pictures.
import { figures } from "./targets.mjs";

const colours = {
  encode: "#1f77b4",
  lookup: "#d95f02",
  fp32: "#1f77b4",
  int8: "#7570b3",
  int8Encode: "#d95f02",
  ink: "#333",
  grid: "#ddd",
};
const escapeText = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x, y, content, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escapeText(content)}</text>`;
const line = (x1, y1, x2, y2, stroke, more = "") =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${stroke}" ${more}/>`;

function picture(width, height, title, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="${colours.ink}" role="img" aria-label="${escapeText(title).replaceAll('"', "&quot;")}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(20, 24, title, 'font-size="15"'),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** Operations a byte that has to come from memory or go there once, and operations a ns. */
function points({ rows, peak }) {
  return rows.flatMap((row) => {
    const C = row.D / row.V;
    const f = figures(row, peak);
    const encodeBytes = 4 * row.N * row.D + 4 * 16 * row.D + row.N * C;
    const lookupBytes = row.N * C + C * 16 * row.M + 4 * row.N * row.M;
    return [
      { kind: "encode", name: row.name, x: (row.N * row.D * 16) / encodeBytes, y: f.encodeRate },
      { kind: "lookup", name: row.name, x: (row.N * C * row.M) / lookupBytes, y: f.lookupRate },
    ];
  });
}

/** Both halves of every layer below the roofs of memory, multiply-adds and lookups. Logarithmic axes. */
export function rooflineChart(measured, subtitle) {
  const { peak } = measured;
  const [left, top, width, height] = [70, 60, 760, 420];
  const [xLow, xHigh, yLow, yHigh] = [0.5, 64, 4, 512];
  const x = (value) => left + (Math.log(value / xLow) / Math.log(xHigh / xLow)) * width;
  const y = (value) => top + height - (Math.log(value / yLow) / Math.log(yHigh / yLow)) * height;
  const parts = [];
  for (let value = xLow; value <= xHigh; value *= 2)
    parts.push(
      line(x(value), top, x(value), top + height, colours.grid),
      text(x(value), top + height + 18, value, 'text-anchor="middle"'),
    );
  for (let value = yLow; value <= yHigh; value *= 2)
    parts.push(
      line(left, y(value), left + width, y(value), colours.grid),
      text(left - 8, y(value) + 4, value, 'text-anchor="end"'),
    );
  const roofs = [
    ["encode", peak.multiplyAddsPerNanosecond, "multiply-adds"],
    ["lookup", peak.lookupsPerNanosecond, "lookups"],
  ];
  for (const [kind, roof, what] of roofs) {
    if (!(roof > 0)) continue;
    const corner = Math.max(xLow, roof / peak.bytesPerNanosecond);
    const start = Math.max(xLow, yLow / peak.bytesPerNanosecond);
    parts.push(
      line(
        x(start),
        y(start * peak.bytesPerNanosecond),
        x(corner),
        y(roof),
        colours[kind],
        'stroke-width="2" stroke-dasharray="5 4"',
      ),
      line(x(corner), y(roof), left + width, y(roof), colours[kind], 'stroke-width="2"'),
      text(
        left + width - 6,
        y(roof) - 7,
        `peak of ${what}: ${roof} a ns`,
        `text-anchor="end" fill="${colours[kind]}"`,
      ),
    );
  }
  for (const point of points(measured)) {
    const inside = Math.min(Math.max(point.y, yLow), yHigh);
    parts.push(
      `<circle cx="${x(point.x).toFixed(1)}" cy="${y(inside).toFixed(1)}" r="5" fill="${colours[point.kind]}" fill-opacity="0.75"><title>${escapeText(`${point.name}, ${point.kind}: ${point.y.toFixed(1)} a ns`)}</title></circle>`,
    );
  }
  parts.push(
    text(
      left + width / 2,
      top + height + 42,
      "operations a byte of memory that must be touched",
      'text-anchor="middle"',
    ),
    text(
      20,
      top - 10,
      "operations a ns; blue: encode, orange: lookup; dashed: what memory gives, above it are layers whose data stay in caches",
    ),
    text(20, top + height + 66, subtitle, 'font-size="11"'),
  );
  return picture(860, 560, "Encode and lookup below their roofs", parts);
}

/** How many times as long ONNX Runtime takes; logarithmic, with a line at 1. */
export function ratioChart(measured, subtitle) {
  const series = [
    ["fp32Ratio", "ONNX Runtime fp32 / ours", colours.fp32],
    ["int8Ratio", "ONNX Runtime int8 / ours", colours.int8],
    ["int8RatioInt8", "ONNX Runtime int8 / ours with 8-bit encode", colours.int8Encode],
  ];
  const [left, top, width, group] = [200, 84, 600, 46];
  const [low, high] = [0.25, 128];
  const x = (value) =>
    left + (Math.log(Math.min(Math.max(value, low), high) / low) / Math.log(high / low)) * width;
  const bottom = top + measured.rows.length * group;
  const parts = [];
  for (let value = low; value <= high; value *= 2)
    parts.push(
      line(x(value), top, x(value), bottom, value === 1 ? colours.ink : colours.grid),
      text(x(value), bottom + 18, `${value}×`, 'text-anchor="middle"'),
    );
  for (const [i, [, label, colour]] of series.entries())
    parts.push(
      `<rect x="${20 + i * 240}" y="44" width="11" height="11" fill="${colour}"/>`,
      text(36 + i * 240, 54, label),
    );
  for (const [i, row] of measured.rows.entries()) {
    const f = figures(row, measured.peak);
    parts.push(text(left - 8, top + i * group + group / 2 + 4, row.name, 'text-anchor="end"'));
    for (const [s, [key, , colour]] of series.entries()) {
      const y = top + i * group + 4 + s * 13;
      if (!Number.isFinite(f[key])) continue;
      const [from, to] = [Math.min(x(1), x(f[key])), Math.max(x(1), x(f[key]))];
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="11" fill="${colour}"/>`,
        text(to + 4, y + 10, f[key].toFixed(f[key] < 10 ? 2 : 0), 'font-size="10"'),
      );
    }
  }
  parts.push(text(20, bottom + 44, subtitle, 'font-size="11"'));
  return picture(860, bottom + 60, "How many times as long ONNX Runtime takes", parts);
}
