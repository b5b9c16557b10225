import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { DocumentRegistry } from "@jupyterlab/docregistry";

const language = "typescript";

/**
 * A notebook that is opened is told by its kernel what the language is, down to the compiler's version, and JupyterLab
 * writes that into it and calls it changed. For notebooks of our language this plugin takes the mark back while nothing
 * else has changed: reading a tutorial leaves no trace.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-lutnn:clean-notebooks",
  description: "Leaves TypeScript notebooks unchanged while they are only read",
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    app.docRegistry.addWidgetExtension("Notebook", {
      createNew: (_panel, context) => void context.ready.then(() => keepClean(context)),
    });
  },
};

export default plugin;

/** Follows the document until it differs from its file in more than what the kernel says. */
function keepClean({ model }: DocumentRegistry.Context): void {
  let saved = model.dirty ? null : contentOf(model.toJSON());
  model.stateChanged.connect((_, { name, newValue }) => {
    if (name !== "dirty") return;
    if (newValue === false) saved = contentOf(model.toJSON());
    else if (saved !== null && contentOf(model.toJSON()) === saved) model.dirty = false;
  });
}

/** What is the notebook's own, as text: all but its kernel's description; null where it is not of our language. */
export function contentOf(notebook: unknown): string | null {
  const { metadata = {}, ...rest } = notebook as { metadata?: Metadata };
  const { kernelspec, language_info, ...own } = metadata;
  if (kernelspec?.language !== language && language_info?.name !== language) return null;
  return JSON.stringify([kernelspec?.name, own, rest]);
}

interface Metadata {
  kernelspec?: { name?: string; language?: string };
  language_info?: { name?: string };
}
