import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, showErrorMessage, WidgetTracker } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { addStyleSheet } from "../../styleSheet";
import { defaultSettings, readSettings } from "../settings";
import { wordsOf } from "../view/words";
import { addActionCommands, commandIds } from "./commands";
import { watchFirstConversions } from "./firstConversion";
import { panelIcon } from "./icon";
import { LazyPanel } from "./lazyPanel";
import { addNotebookButton } from "./notebookButton";
import type { PanelController } from "./panelController";
import { giveRoom } from "./sideRoom";
import { TrainingStatus } from "./trainingStatus";

const id = "jupyterlab-lutnn:panel";
const sideWidth = 400; // pixels, as style/index.css has it
const panelStyle = new URL("jupyterlab-lutnn/style/panel.css", import.meta.url);

/** The panel, its commands and its places in JupyterLab and Notebook 7. The panel itself is loaded when it is first seen. */
const panelPlugin: JupyterFrontEndPlugin<void> = {
  id,
  description: "Converts a network to table lookups, layer by layer, beside the notebook that holds it",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator, ISettingRegistry, ICommandPalette, ILayoutRestorer, ILauncher, IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    statusBar: IStatusBar | null,
  ) => {
    const words = wordsOf((translator ?? nullTranslator).load("jupyterlab_lutnn"));
    const { __ } = words;
    const { commands, shell } = app;
    const category = "LUT-NN";
    let settings = defaultSettings;
    let controller: PanelController | null = null;
    let loading: Promise<PanelController> | null = null;

    const status = new TrainingStatus(words);
    const openTutorials = () => void commands.execute(commandIds.tutorials);
    const load = (): Promise<PanelController> => {
      loading ??= import("./panelController").then(({ PanelController }) => {
        controller = new PanelController(tracker, words, settings, openTutorials);
        controller.modelChanged.connect((_, model) => status.follow(model));
        status.follow(controller.model);
        return controller;
      });
      return loading;
    };
    const place = (): LazyPanel => {
      const made = new LazyPanel(async () => {
        const [controller] = await Promise.all([load(), addStyleSheet(panelStyle)]);
        return controller.createView();
      });
      made.title.icon = panelIcon;
      return made;
    };

    const side = place();
    side.id = "lutnn-panel";
    side.title.caption = __("LUT-NN: layers, errors, plan, history");
    shell.add(side, "right", { rank: 550, type: "LUT-NN" });
    restorer?.add(side, side.id);
    let hasRoom = false;
    const open = () => {
      if ("expandRight" in shell && typeof shell.expandRight === "function") shell.expandRight(side.id);
      shell.activateById(side.id);
      // Once: how wide it is from then on is for the user to say.
      if (!hasRoom) requestAnimationFrame(() => giveRoom(side, sideWidth));
      hasRoom = true;
    };

    const tabs = new WidgetTracker<MainAreaWidget<LazyPanel>>({ namespace: "lutnn-panel" });
    void restorer?.restore(tabs, { command: commandIds.openTab, name: () => "tab" });

    commands.addCommand(commandIds.open, {
      label: __("LUT-NN Panel"),
      caption: __("Convert the network layer by layer"),
      icon: panelIcon,
      describedBy: { args: { type: "object", properties: {} } },
      execute: open,
    });
    commands.addCommand(commandIds.openTab, {
      label: __("LUT-NN Panel as a Tab"),
      caption: __("The same panel in the main area, where it has more room"),
      icon: panelIcon,
      describedBy: { args: { type: "object", properties: {} } },
      execute: () => {
        const there = tabs.currentWidget;
        if (there && !there.isDisposed) return shell.activateById(there.id);
        const content = place();
        const tab = new MainAreaWidget({ content });
        tab.id = "lutnn-panel-tab";
        tab.title.label = __("LUT-NN");
        tab.title.icon = panelIcon;
        shell.add(tab, "main", { mode: "split-right" });
        void tabs.add(tab);
        shell.activateById(tab.id);
      },
    });
    commands.addCommand(commandIds.tutorials, {
      label: __("LUT-NN Tutorials"),
      caption: __("Open the first notebook of the tutorials"),
      icon: panelIcon,
      describedBy: { args: { type: "object", properties: {} } },
      execute: async () => {
        try {
          await app.serviceManager.contents.get(settings.tutorials, { content: false });
        } catch {
          const sentence = __(
            "There is no %1 below the folder that JupyterLab serves. Start it by “npm run lab”, or say in the settings of LUT-NN where the tutorials are.",
            settings.tutorials,
          );
          return void showErrorMessage(__("The tutorials are not here"), sentence);
        }
        await commands.execute("docmanager:open", { path: settings.tutorials });
      },
    });
    const actionIds = addActionCommands(commands, words, () => controller);
    for (const command of [...Object.values(commandIds).slice(0, 3), ...actionIds])
      palette?.addItem({ command, category });

    // Beside kernels, a card has a picture and not its command's icon.
    const picture = panelIcon.svgstr.replace("#616161", "#1976d2");
    const kernelIconUrl = `data:image/svg+xml,${encodeURIComponent(picture)}`;
    launcher?.add({ command: commandIds.tutorials, category: __("Notebook"), rank: 90, kernelIconUrl });
    statusBar?.registerStatusItem(id, {
      item: status,
      align: "left",
      rank: 10,
      isActive: () => status.isActive,
      activeStateChanged: status.activeChanged,
    });
    addNotebookButton(app.docRegistry, __("Convert the network layer by layer"), open);
    watchFirstConversions(tracker, async (notebook) => {
      (await load()).link(notebook).ask();
      if (settings.autoOpen && tracker.currentWidget === notebook) open();
    });

    void registry?.load(id).then((loaded) => {
      const apply = () => {
        settings = readSettings(loaded.composite);
        controller?.apply(settings);
      };
      loaded.changed.connect(apply);
      apply();
    });
  },
};

export default panelPlugin;
