// Read by JupyterLab at start-up: which outputs and files the error chart is for.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { ERROR_ACCUMULATION_MIME } from "../../kernel/src/report/errorAccumulation";
import { LazyRenderer } from "./lazyRenderer";

const fileType = "lutnn-error-accumulation";
const name = "LUT-NN Error Accumulation";

const extension: IRenderMime.IExtension = {
  id: "jupyterlab-lutnn:error-accumulation",
  description: "Draws the error accumulation of a network converted to table lookups",
  rendererFactory: {
    safe: true, // names and numbers are drawn, never run
    mimeTypes: [ERROR_ACCUMULATION_MIME],
    createRenderer: () => new LazyRenderer(async () => new (await import("./errorRenderer")).ErrorRenderer()),
  },
  rank: 40, // text/html has 50: with a higher rank, a bundle would show its fallback
  dataType: "json",
  fileTypes: [
    {
      name: fileType,
      displayName: name,
      mimeTypes: [ERROR_ACCUMULATION_MIME],
      extensions: [".lutnn.json"],
      fileFormat: "text",
    },
  ],
  documentWidgetFactoryOptions: {
    name,
    primaryFileType: fileType,
    fileTypes: [fileType],
    defaultFor: [fileType],
  },
};

export default extension;
