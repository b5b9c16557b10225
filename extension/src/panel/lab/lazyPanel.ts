import { Panel, type Widget } from "@lumino/widgets";

/** A place in JupyterLab whose content is loaded when it first comes into sight. */
export class LazyPanel extends Panel {
  #loading: Promise<void> | null = null;

  constructor(private readonly load: () => Promise<Widget>) {
    super();
    this.addClass("lutnn-panel-place");
  }

  /** Resolves when the content is there. */
  fill(): Promise<void> {
    this.#loading ??= this.load().then((content) => {
      if (this.isDisposed) content.dispose();
      else this.addWidget(content);
    });
    return this.#loading;
  }

  protected override onAfterShow(): void {
    void this.fill();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) void this.fill();
  }

  protected override onActivateRequest(): void {
    void this.fill().then(() => this.widgets[0]?.activate());
  }
}
