import type { Comms } from "../host/comm";
import type { DisplayOptions, MimeBundle, NotebookHost } from "../host/host";
import { currentContext } from "./context";
import type { Input } from "./input";
import type { Output } from "./output";

/** What the library finds installed in a notebook. */
export function notebookHost(
  output: Output,
  comms: Comms,
  input: Input,
  nameOf: (value: object) => string | null,
): NotebookHost {
  return {
    display(bundle: MimeBundle, { displayId, update = false, metadata = {} }: DisplayOptions = {}) {
      const transient = displayId === undefined ? {} : { display_id: displayId };
      output.publish(update ? "update_display_data" : "display_data", { data: bundle, metadata, transient });
    },
    clearOutput(wait = false) {
      output.publish("clear_output", { wait });
    },
    get signal() {
      return currentContext().signal;
    },
    comms,
    input: (prompt, options) => input.ask(prompt, options),
    nameOf,
  };
}
