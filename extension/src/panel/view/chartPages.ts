// The pages that draw charts, with all that they draw them by: loaded together, before plotly, with the first of them.
export { ErrorsPage } from "./errorsPage";
export { LayerPage } from "./layerPage";
export { PlanPage } from "./planPage";
export { TrainingPage } from "./trainingPage";
