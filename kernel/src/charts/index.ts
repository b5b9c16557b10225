export type { Chart, ChartPanel, ChartSeries } from "./chart";
export { accuracyNoise, Claim, type ClaimOptions, claimTable, type Verdict } from "./claim";
export { ErrorAccumulation, type ErrorMeasure } from "./errorAccumulation";
export { Figure } from "./figure";
export { ImageGrid, imageGrid } from "./imageGrid";
export { type Cell, type Column, Table } from "./table";
