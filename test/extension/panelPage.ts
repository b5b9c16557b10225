// What the panel's browser tests do with JupyterLab's page, and read from it.
import type { Locator, Page } from "playwright-core";
import { execute, settle } from "./page";

/** JupyterLab's application, as far as it is asked here. */
declare const jupyterapp: {
  shell: {
    currentWidget: {
      context: { path: string; sessionContext: { session: { kernel: LabKernel | null } | null } };
      content: { activeCellIndex: number };
    } | null;
  };
  pluginRegistry: {
    _plugins: Map<string, { service: { set(plugin: string, key: string, value: string): Promise<void> } }>;
  };
};
interface LabKernel {
  status: string;
  restart(): Promise<void>;
}

export const kernelLimit = 90_000; // ms, for a kernel to start on a busy machine

/** A notebook of code cells, as a file holds it. */
export const notebookOf = (...sources: string[]): string =>
  JSON.stringify({
    cells: sources.map((source, index) => ({
      cell_type: "code",
      id: `cell-${index}`,
      metadata: {},
      source,
      execution_count: null,
      outputs: [],
    })),
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });

/** Opens a notebook, or brings it to the front, and waits until its kernel is idle. */
export async function openNotebook(page: Page, path: string): Promise<void> {
  await execute(page, "docmanager:open", { path });
  await page.waitForFunction(
    (wanted) => {
      const context = jupyterapp.shell.currentWidget?.context;
      return context?.path === wanted && context.sessionContext.session?.kernel?.status === "idle";
    },
    path,
    { timeout: kernelLimit },
  );
}

/** Runs the active cell and waits until it has ended. */
export async function runCell(page: Page): Promise<void> {
  await execute(page, "notebook:run-cell-and-select-next");
}

export async function restartKernel(page: Page): Promise<void> {
  await page.evaluate(() =>
    jupyterapp.shell.currentWidget?.context.sessionContext.session?.kernel?.restart(),
  );
}

/** The panel in the right area. */
export const panelOf = (page: Page): Locator => page.locator("#lutnn-panel .lutnn-panel");

export async function openPanel(page: Page): Promise<Locator> {
  await execute(page, "lutnn:open-panel");
  const panel = panelOf(page);
  await panel.waitFor();
  await settle(page);
  return panel;
}

/** Names of the layers in the order that is shown, of rows in sight. */
export const layerNames = (panel: Locator): Promise<string[]> =>
  panel
    .locator(".lutnn-row")
    .evaluateAll((rows) =>
      rows
        .toSorted(
          (a, b) =>
            Number.parseFloat((a as HTMLElement).style.top) - Number.parseFloat((b as HTMLElement).style.top),
        )
        .map((row) => row.querySelector('[role="rowheader"]')?.textContent ?? ""),
    );

export const rowOf = (panel: Locator, layer: string): Locator =>
  panel
    .locator(".lutnn-row")
    .filter({ has: panel.page().locator(`[role="rowheader"][title=${JSON.stringify(layer)}]`) });

/** The page of the panel that is shown. */
export const shownPage = (panel: Locator): Locator => panel.locator('[role="tabpanel"]:not([hidden])');

/** What the panel has said last. */
export const noticeOf = (panel: Locator): Locator => panel.locator('.lutnn-notice [role="status"]');

export async function showPage(panel: Locator, title: string): Promise<void> {
  await panel.getByRole("tab", { name: title, exact: true }).click();
  await shownPage(panel).and(panel.locator(":not([aria-busy])")).waitFor(); // it is loaded when it is first seen
  await settle(panel.page());
}

/** Bytes of our scripts that the page has loaded. */
export const scriptBytes = (page: Page): Promise<number> =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ name }) => /\/extensions\/jupyterlab-lutnn\/static\/.*\.js/.test(name))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).decodedBodySize, 0),
  );

/** The same as a server sends them that compresses (gzip), each by itself. */
export const sentScriptBytes = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const scripts = performance
      .getEntriesByType("resource")
      .filter(({ name }) => /\/extensions\/jupyterlab-lutnn\/static\/.*\.js/.test(name));
    const sizes = scripts.map(async ({ name }) => {
      const { body } = await fetch(name);
      const compressed = body?.pipeThrough(new CompressionStream("gzip"));
      return (await new Response(compressed).arrayBuffer()).byteLength;
    });
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  });

/** Changes a setting of ours, as the settings editor does: by JupyterLab's registry of settings, which has no other door. */
export async function setSetting(page: Page, name: string, value: string): Promise<void> {
  await page.evaluate(
    ([key, chosen]) => {
      const plugins = jupyterapp.pluginRegistry._plugins;
      return plugins
        .get("@jupyterlab/apputils-extension:settings")
        ?.service.set("jupyterlab-lutnn:panel", key, chosen);
    },
    [name, value] as const,
  );
}

/** What does not fit: parts of the panel that are wider than it, and figures and titles that are shortened. Names of layers may be. */
export const cutOff = (panel: Locator): Promise<string[]> =>
  panel.evaluate((root) => {
    const right = root.getBoundingClientRect().right;
    const parts = root.querySelectorAll<HTMLElement>(
      ".lutnn-cell > span, [role=tab], button, dd, h3, pre, .lutnn-list th, .lutnn-list td",
    );
    return [...parts].flatMap((part) => {
      if (part.closest(".lutnn-name, .lutnn-scroll, svg") || part.offsetParent === null) return [];
      const hides = ["H3", "PRE"].includes(part.tagName) || getComputedStyle(part).overflow === "hidden";
      const isShortened = hides && part.scrollWidth > part.clientWidth;
      const isOutside = part.getBoundingClientRect().right > right + 0.5;
      return isShortened || isOutside ? [`${part.textContent}: ${isOutside ? "outside" : "shortened"}`] : [];
    });
  });

/** Clicks the chart of errors where a layer is, by its number. */
export async function clickLayerPoint(panel: Locator, layer: number): Promise<void> {
  const page = panel.page();
  const label = shownPage(panel).locator(".ytick text").nth(layer);
  await label.scrollIntoViewIfNeeded();
  const area = await shownPage(panel).locator(".nsewdrag").first().boundingBox();
  const at = await label.boundingBox();
  if (!area || !at) throw new Error("the chart of errors is not drawn");
  const y = at.y + at.height / 2;
  await page.mouse.move(area.x + 0.3 * area.width, y);
  await page.mouse.move(area.x + 0.35 * area.width, y);
  await settle(page);
  await page.mouse.click(area.x + 0.35 * area.width, y);
}

/** Clicks the plan's curve where a point of it is, by its number. */
export async function clickPlanPoint(panel: Locator, point: number): Promise<void> {
  const page = panel.page();
  const mark = shownPage(panel).locator(".scatterlayer .trace").first().locator(".point").nth(point);
  await mark.scrollIntoViewIfNeeded();
  const at = await mark.boundingBox();
  if (!at) throw new Error("the plan's curve is not drawn");
  const [x, y] = [at.x + at.width / 2, at.y + at.height / 2];
  await page.mouse.move(x - 1, y);
  await page.mouse.move(x, y);
  await settle(page);
  await page.mouse.click(x, y);
}

/** Resolves when JupyterLab has kept a layout with the panel as a tab, as it does some time after it changed. */
export async function tabIsKept(page: Page): Promise<void> {
  await page.waitForRequest(
    (request) =>
      request.method() === "PUT" &&
      request.url().includes("/workspaces") &&
      (request.postData() ?? "").includes("lutnn-panel:tab"),
  );
}
