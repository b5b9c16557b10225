import type { ISessionContext } from "@jupyterlab/apputils";
import { PanelModel } from "../model/panelModel";
import { KernelLink } from "./kernelLink";

/** The model of one notebook, whichever kernels it has in turn. */
export class NotebookLink {
  readonly model = new PanelModel();
  #link: KernelLink | null = null;

  constructor(private readonly context: ISessionContext) {
    context.kernelChanged.connect(this.#follow, this);
    context.disposed.connect(this.dispose, this);
    this.#follow();
  }

  /** The kernel has made its first conversion. */
  ask(): void {
    this.#link?.ask();
  }

  dispose(): void {
    this.context.kernelChanged.disconnect(this.#follow, this);
    this.context.disposed.disconnect(this.dispose, this);
    this.#link?.dispose();
    this.#link = null;
  }

  #follow(): void {
    const kernel = this.context.session?.kernel ?? null;
    if (this.#link?.kernel === kernel) return;
    this.#link?.dispose();
    this.#link = null;
    this.model.disconnect("none");
    if (kernel) this.#link = new KernelLink(kernel, this.model);
  }
}
