import { Widget } from "@lumino/widgets";

/**
 * Reaches every layer of a chart that has no room for all their names: by a part of its name, or one after the other with the
 * slider's keys.
 */
export class LayerFinder extends Widget {
  #names: readonly string[] = [];
  readonly #field = document.createElement("input");
  readonly #slider = document.createElement("input");
  readonly #options = document.createElement("datalist");
  readonly #missing = document.createElement("span");

  /**
   * @param onPointed a layer, by its number, is to be read
   * @param onFound its name was entered
   */
  constructor(
    private readonly onPointed: (layer: number) => void,
    private readonly onFound: (layer: number) => void,
  ) {
    super();
    this.addClass("lutnn-finder");
    this.#options.id = `lutnn-layers-${++made}`;
    this.#field.type = "search";
    this.#field.placeholder = "Find a layer";
    this.#field.ariaLabel = "Find a layer by a part of its name";
    this.#field.setAttribute("list", this.#options.id);
    this.#field.classList.add("jp-mod-styled");
    this.#slider.type = "range";
    this.#slider.min = "0";
    this.#slider.ariaLabel = "Layer whose figures are read";
    this.#missing.role = "status";
    // Keys of fields are theirs, not commands of the notebook around them.
    for (const input of [this.#field, this.#slider]) input.dataset.lmSuppressShortcuts = "true";
    this.#field.addEventListener("focus", () => this.#fillOptions());
    this.#field.addEventListener("change", () => this.#find());
    this.#slider.addEventListener("input", () => this.#pointAt(this.#slider.valueAsNumber));
    this.node.append(this.#field, this.#options, this.#slider, this.#missing);
  }

  /** @param names of the layers, in network order */
  set names(names: readonly string[]) {
    const isSame = names.length === this.#names.length && names.every((name, at) => name === this.#names[at]);
    if (isSame) return;
    this.#names = names;
    this.#options.replaceChildren();
    this.#slider.max = String(Math.max(0, names.length - 1));
    this.#slider.valueAsNumber = names.length - 1; // the figures that are read at first
    this.#tell(names.length - 1);
  }

  #fillOptions(): void {
    if (this.#options.childElementCount > 0) return;
    const options = this.#names.map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    });
    this.#options.append(...options);
  }

  /** The layer of that name, else the first whose name has it as a part. */
  #find(): void {
    const wanted = this.#field.value.trim().toLowerCase();
    if (wanted === "") return;
    const names = this.#names.map((name) => name.toLowerCase());
    const exact = names.indexOf(wanted);
    const found = exact >= 0 ? exact : names.findIndex((name) => name.includes(wanted));
    this.#missing.textContent = found < 0 ? "no such layer" : "";
    if (found < 0) return;
    this.#pointAt(found);
    this.onFound(found);
  }

  #pointAt(layer: number): void {
    this.#slider.valueAsNumber = layer;
    this.#tell(layer);
    this.onPointed(layer);
  }

  #tell(layer: number): void {
    this.#slider.setAttribute(
      "aria-valuetext",
      `${this.#names[layer]}, ${layer + 1} of ${this.#names.length}`,
    );
  }
}

let made = 0;
