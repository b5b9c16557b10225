import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import { CONVERSION_COMM } from "../../../../kernel/src/report/conversionMessages";

/** Calls `found` when a notebook's kernel makes its first conversion, which it tells by opening a comm. */
export function watchFirstConversions(
  tracker: INotebookTracker,
  found: (notebook: NotebookPanel) => void,
): void {
  const watch = (notebook: NotebookPanel) => {
    const onOpen = (comm: Kernel.IComm) => {
      comm.close(); // the panel opens one of its own
      found(notebook);
    };
    const follow = () => notebook.sessionContext.session?.kernel?.registerCommTarget(CONVERSION_COMM, onOpen);
    notebook.sessionContext.kernelChanged.connect(follow);
    follow();
  };
  tracker.forEach(watch);
  tracker.widgetAdded.connect((_, notebook) => watch(notebook));
}
