import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { INotebookModel, NotebookPanel } from "@jupyterlab/notebook";
import { ToolbarButton } from "@jupyterlab/ui-components";
import { panelIcon } from "./icon";

/** Adds a button to the toolbars of notebooks; it is seen where the notebook's kernel speaks TypeScript. */
export function addNotebookButton(registry: DocumentRegistry, tooltip: string, onClick: () => void): void {
  registry.addWidgetExtension("Notebook", {
    createNew: (panel: NotebookPanel, _context: DocumentRegistry.IContext<INotebookModel>) => {
      const made = new ToolbarButton({
        icon: panelIcon,
        tooltip,
        onClick,
        className: "lutnn-toolbar-button",
      });
      const { sessionContext } = panel;
      const follow = async () => {
        const info = await sessionContext.session?.kernel?.info;
        if (!made.isDisposed) made.setHidden(info?.language_info.name !== "typescript");
      };
      made.hide();
      panel.toolbar.insertBefore("spacer", "lutnn-panel", made);
      sessionContext.kernelChanged.connect(follow);
      void sessionContext.ready.then(follow);
      return made;
    },
  });
}
