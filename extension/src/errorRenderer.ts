import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { ERROR_ACCUMULATION_MIME } from "../../kernel/src/report/errorAccumulation";
import { ErrorChart } from "./errorChart";

/** The error chart as a renderer of outputs. */
export class ErrorRenderer extends ErrorChart implements IRenderMime.IRenderer {
  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    return this.showReport(model.data[ERROR_ACCUMULATION_MIME]);
  }
}
