import type { CommandRegistry } from "@lumino/commands";
import type { ActionName } from "../model/actions";
import { actionLabels } from "../view/actionLabels";
import type { Words } from "../view/words";
import type { PanelController } from "./panelController";

export const commandIds = {
  open: "lutnn:open-panel",
  openTab: "lutnn:open-panel-as-tab",
  tutorials: "lutnn:open-tutorials",
  stop: "lutnn:stop",
  insertCell: "lutnn:insert-cell",
  saveFile: "lutnn:save-file",
  changeSizes: "lutnn:change-sizes",
} as const;

const actionIds: Record<ActionName, string> = {
  replace: "lutnn:replace",
  restore: "lutnn:restore",
  replaceUpTo: "lutnn:replace-up-to",
  calibrate: "lutnn:calibrate",
  fineTune: "lutnn:fine-tune",
  undo: "lutnn:undo",
  redo: "lutnn:redo",
  measureMetric: "lutnn:measure-metric",
  measureLayers: "lutnn:measure-layers",
  measureErrors: "lutnn:measure-errors",
  measureTimes: "lutnn:measure-times",
};

/**
 * Adds what can be done with the conversion as commands, for menu, palette and keys. They can be used once the panel has
 * been opened. Returns their ids.
 */
export function addActionCommands(
  commands: CommandRegistry,
  words: Words,
  controller: () => PanelController | null,
): string[] {
  const { __ } = words;
  const add = (
    id: string,
    label: string,
    caption: string,
    execute: (controller: PanelController) => unknown,
  ) =>
    commands.addCommand(id, {
      label,
      caption,
      describedBy: { args: { type: "object", properties: {} } },
      // Keys reach it wherever the panel is: it says itself why it cannot be done.
      isEnabled: () => Boolean(controller()?.model?.overview),
      execute: () => {
        const there = controller();
        return there ? execute(there) : undefined;
      },
    });
  const labels = Object.entries(actionLabels(words)) as [ActionName, { text: string; title: string }][];
  for (const [name, { text, title }] of labels)
    add(actionIds[name], name.startsWith("measure") ? __("Measure: %1", text) : text, title, (there) =>
      there.perform(name),
    );
  add(commandIds.stop, __("Stop"), __("Stop what runs"), (there) => there.stop());
  add(
    commandIds.insertCell,
    __("Insert a Cell That Does This"),
    __("TypeScript that leads to the present state"),
    (there) => there.insertPresentCell(),
  );
  add(
    commandIds.saveFile,
    __("Save as an ONNX File…"),
    __("Write the network as it is now: an ONNX file that any ONNX runtime runs"),
    (there) => there.savePresentFile(),
  );
  add(commandIds.changeSizes, __("Change K or V"), __("Choose other sizes for the active layer"), (there) =>
    there.changeSizes(),
  );
  const { stop, insertCell, saveFile, changeSizes } = commandIds;
  return [...Object.values(actionIds), stop, insertCell, saveFile, changeSizes];
}
