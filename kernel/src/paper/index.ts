// The library's door to the paper's tables: reproduce one, and keep results of one's own in the same kind of store.

export { makePlan } from "./engine/plan";
export { writeWorkflow } from "./engine/snakemake";
export type { FilledTable } from "./output/filledTable";
export { type Finding, findingsOf, toFindingsTable } from "./output/findings";
export { remarksOf } from "./output/remarks";
export { toChart, toMarkdown, toTable, toText } from "./output/renderings";
export { writeTables } from "./output/writeTables";
export * from "./published";
export { type ReproduceOptions, reproduce, specsOf } from "./reproduce";
export type { CellResult, Measured } from "./store/cellResult";
export { CellStore, type CellWork, type Parameters, type RunOptions } from "./store/cellStore";
export type { Scale, TableChoices } from "./tables/choices";
export { type TableName, tableNames } from "./tables/index";
export { cellsOf } from "./tables/table";
