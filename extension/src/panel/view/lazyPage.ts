import type { Change, PanelModel } from "../model/panelModel";
import { element, setAttribute, setText } from "./dom";
import type { Part } from "./part";
import type { Page } from "./tabs";
import type { Words } from "./words";

/** What a page is, once it is loaded. */
export type PageContent = Part & Pick<Page, "onShown"> & { attach?(): void };

export interface LazyPageOptions<Content> {
  name: string;
  title: string;
  load(): Promise<Content>;
  /** What the model must have before there is anything to show, and the sentence that stands there until then. */
  needs?: { of: (model: PanelModel) => boolean; sentence: string };
}

const nothing: ReadonlySet<Change> = new Set();

/** A page whose content is loaded when it is first seen: who opens the panel does not wait for what other pages are made of. */
export class LazyPage<Content extends PageContent> implements Part, Page {
  readonly name: string;
  readonly title: string;
  readonly #sentence = element("p", { class: "lutnn-invitation" });
  readonly node = element("div");
  #content: Content | null = null;
  #loading: Promise<void> | null = null;
  #model: PanelModel | null = null;
  #isShown = false;
  #isDisposed = false;

  constructor(
    private readonly words: Words,
    private readonly options: LazyPageOptions<Content>,
  ) {
    this.name = options.name;
    this.title = options.title;
    this.#follow();
  }

  onShown(isShown: boolean): void {
    this.#isShown = isShown;
    this.#follow();
    this.#content?.onShown?.(isShown);
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    this.#model = model;
    this.#follow();
    this.#content?.update(model, changes);
  }

  attach(): void {
    this.#content?.attach?.();
  }

  /** Does something with the content: now, or when it is there if it is being loaded. */
  use(act: (content: Content) => void): void {
    void this.#loading?.then(() => this.#content && act(this.#content));
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#content?.dispose?.();
  }

  /** Shows the content where there is something to show, else the sentence. */
  #follow(): void {
    const { needs } = this.options;
    const isReady = this.#model !== null && (needs?.of(this.#model) ?? true);
    if (isReady && this.#isShown) this.#loading ??= this.#load();
    if (needs && !isReady) setText(this.#sentence, needs.sentence);
    if (isReady && this.#content) this.#sentence.remove();
    else if (this.#sentence.parentNode !== this.node) this.node.prepend(this.#sentence);
    if (this.#content) this.#content.node.hidden = !isReady;
  }

  async #load(): Promise<void> {
    const { __ } = this.words;
    setText(this.#sentence, __("Loading …"));
    setAttribute(this.node, "aria-busy", true);
    try {
      const content = await this.options.load();
      if (this.#isDisposed) return content.dispose?.();
      this.#content = content;
      this.node.append(content.node);
      if (this.node.isConnected) content.attach?.();
      if (this.#model) content.update(this.#model, nothing);
      if (this.#isShown) content.onShown?.(true);
      this.#follow();
    } catch {
      this.#loading = null; // coming back tries again
      setText(
        this.#sentence,
        __("This page could not be loaded. Reload JupyterLab and open the panel again."),
      );
    } finally {
      setAttribute(this.node, "aria-busy", null);
    }
  }
}
