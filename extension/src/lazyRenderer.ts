import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Panel } from "@lumino/widgets";

/** A renderer of outputs that is loaded with the first of them: JupyterLab's start does not wait for it. */
export class LazyRenderer extends Panel implements IRenderMime.IRenderer {
  #renderer: Promise<IRenderMime.IRenderer> | undefined;

  constructor(private readonly load: () => Promise<IRenderMime.IRenderer>) {
    super();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#renderer ??= this.load().then((renderer) => {
      if (this.isDisposed) renderer.dispose();
      else this.addWidget(renderer);
      return renderer;
    });
    const renderer = await this.#renderer;
    if (!renderer.isDisposed) await renderer.renderModel(model);
  }
}
