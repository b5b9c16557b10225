// How JupyterLab of a checkout's own environment behaves where its user has not chosen otherwise.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files below the environment's etc/jupyter, which Jupyter reads before the user's own settings. */
const defaults = {
  // A notebook that names no kernel gets ours, without a question.
  "jupyter_server_config.json": { MultiKernelManager: { default_kernel_name: "lutnn" } },
  "labconfig/default_setting_overrides.json": {
    "@jupyterlab/notebook-extension:tracker": { autoStartDefaultKernel: true },
  },
  // No question about news and no look for updates: nothing is fetched from elsewhere.
  "labconfig/page_config.json": {
    disabledExtensions: { "@jupyterlab/apputils-extension:announcements": true },
  },
};

/** @param {string} folder etc/jupyter of an environment */
export function writeJupyterDefaults(folder) {
  for (const [name, content] of Object.entries(defaults)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  }
}
