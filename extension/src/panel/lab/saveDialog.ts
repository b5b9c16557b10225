// Loaded when a file is saved for the first time.
import { Dialog, showDialog } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import type { PanelCommand } from "../../../../kernel/src/report/conversionMessages";
import { element, newId } from "../view/dom";
import type { Words } from "../view/words";

/** What a file is to be called and to hold. */
export type WantedFile = Omit<Extract<PanelCommand, { verb: "save" }>, "verb">;

/** A name, what becomes of the layers that are no lookups, and what else is written or replaced. */
class SaveForm extends Widget implements Dialog.IBodyWidget<WantedFile> {
  readonly #name = element("input", { type: "text", class: "jp-mod-styled", id: newId("save-name") });
  readonly #remainder = element("select", { class: "jp-mod-styled", id: newId("save-remainder") });
  readonly #reopen = element("input", { type: "checkbox" });
  readonly #overwrite = element("input", { type: "checkbox" });

  constructor({ __ }: Words, name: string) {
    super();
    this.addClass("lutnn-save");
    this.#name.value = name;
    this.#remainder.append(
      element("option", { value: "float32" }, __("float32: computes what the network computes")),
      element("option", { value: "int8" }, __("INT8: smaller and faster, answers move a little")),
    );
    this.node.append(
      element("label", { for: this.#name.id }, __("File, seen from the notebook's folder")),
      this.#name,
      element("label", { for: this.#remainder.id }, __("What is no lookup computes in")),
      this.#remainder,
      element(
        "label",
        { title: __("All that was learnt, and the dense network: many times the file") },
        this.#reopen,
        __("Store the work beside it, to train on from the file"),
      ),
      element("label", {}, this.#overwrite, __("Replace a file of that name")),
    );
  }

  getValue(): WantedFile {
    const name = this.#name.value.trim();
    return {
      path: /\.onnx$/i.test(name) ? name : `${name}.onnx`,
      remainder: this.#remainder.value === "int8" ? "int8" : "float32",
      reopen: this.#reopen.checked,
      overwrite: this.#overwrite.checked,
    };
  }
}

/** Asks the user; null where nothing is to be written. */
export async function askForFile(words: Words, name: string): Promise<WantedFile | null> {
  const { __ } = words;
  const { button, value } = await showDialog({
    title: __("Save the network as an ONNX file"),
    body: new SaveForm(words, name),
    buttons: [Dialog.cancelButton({ label: __("Cancel") }), Dialog.okButton({ label: __("Save") })],
    focusNodeSelector: "input",
  });
  return button.accept ? value : null;
}
