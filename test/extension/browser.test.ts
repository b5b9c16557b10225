import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_ACCUMULATION_MIME,
  type ErrorAccumulationReport,
} from "../../kernel/src/report/errorAccumulation";
import { reports, writeFixtures } from "./fixtures/notebooks";
import { residualNetwork, smallNetwork } from "./fixtures/report";
import {
  badLabels,
  chartTexts,
  execute,
  open,
  setTheme,
  settle,
  setWidth,
  type Theme,
  textColours,
} from "./page";
import { patience, type Session, startLimit, startSession } from "./session";

const executedNotebook = process.env.LUTNN_EXECUTED_NOTEBOOK || "out/01-first-lookup-network.ipynb";
const testLimit = 60_000; // ms
const readable = 4.5; // contrast ratio of text, WCAG 2 AA

let session: Session;
let page: Page;

beforeAll(async () => {
  session = await startSession(writeFixtures);
  ({ page } = session);
}, startLimit);

afterAll(() => session?.close(), startLimit);

beforeEach(async () => {
  await setWidth(page, 1280);
  await setTheme(page, "light");
}, startLimit);

const screenshot = (name: string, of?: Page | Locator) => session.screenshot(name, of);

describe("JupyterLab with the extension", { timeout: testLimit }, () => {
  it("shows the error accumulation of the executed notebook, every layer by its name", async () => {
    if (!existsSync(executedNotebook))
      throw new Error(
        `${executedNotebook} does not exist: run the notebook first (npm start), or set LUTNN_EXECUTED_NOTEBOOK.`,
      );
    copyFileSync(executedNotebook, join(session.root, "executed.ipynb"));
    await open(page, "executed.ipynb");
    const output = page
      .locator(".jp-NotebookPanel:not(.lm-mod-hidden) .lutnn-output")
      .filter({ has: page.locator(".lutnn-measure") })
      .first();
    await output.scrollIntoViewIfNeeded();
    const texts = await chartTexts(output);
    for (const { name } of firstReport(executedNotebook).layers) expect(texts).toContain(name);
    await screenshot("executed-notebook-light");
    await setTheme(page, "dark");
    await expect.poll(async () => (await textColours(output)).leastContrast).toBeGreaterThanOrEqual(readable);
    await screenshot("executed-notebook-dark");
  });

  it("draws its charts anew in place when the theme changes", async () => {
    const output = await open(page, "3-layers-3-series.ipynb");
    expect(await chartTexts(output)).toEqual(expect.arrayContaining(smallNetwork));
    const light = await textColours(output);
    const plot = await output.locator(".main-svg").first().elementHandle();
    await setTheme(page, "dark");
    await expect.poll(async () => (await textColours(output)).colour).not.toBe(light.colour);
    expect((await textColours(output)).leastContrast).toBeGreaterThanOrEqual(readable);
    expect(await plot?.evaluate((node) => node.isConnected)).toBe(true);
    await setTheme(page, "light");
    await expect.poll(() => textColours(output)).toEqual(light);
  });

  it.each<Theme>(["light", "dark"])(
    "keeps every label readable in the %s theme, wide and narrow",
    async (theme) => {
      await setTheme(page, theme);
      for (const width of [1920, 1280, 700, 600]) {
        await setWidth(page, width);
        for (const [name, { layers }] of Object.entries(reports)) {
          const output = await open(page, `${name}.ipynb`);
          expect(await chartTexts(output)).toEqual(expect.arrayContaining(layers.map((layer) => layer.name)));
          await settle(page);
          await expect.poll(() => badLabels(output), { message: name }).toEqual([]);
          expect((await textColours(output)).leastContrast, name).toBeGreaterThanOrEqual(readable);
          await screenshot(`${name}-${width}-${theme}`, output);
        }
      }
    },
  );

  it("follows a run in place, keeps the reader's zoom, and announces the end once", async () => {
    const output = await open(page, "streaming.ipynb", true);
    const status = output.getByRole("status");
    const layers = output.locator(".xtick");
    await page.getByText("Python 3 (ipykernel) | Idle").waitFor();
    await execute(page, "notebook:run-cell-and-select-next");
    await chartTexts(output);
    expect(await layers.count()).toBe(residualNetwork.length);
    const plot = await output.locator(".main-svg").first().elementHandle();

    const area = await output.locator(".nsewdrag").first().boundingBox();
    if (!area) throw new Error("the chart has no area to drag in");
    await page.mouse.move(area.x + 0.1 * area.width, area.y + 0.5 * area.height);
    await page.mouse.down();
    await page.mouse.move(area.x + 0.6 * area.width, area.y + 0.5 * area.height, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => layers.count()).toBe(10);

    expect(await status.textContent()).toBe("");
    await execute(page, "notebook:run-cell-and-select-next");
    await expect.poll(() => status.textContent(), { timeout: patience }).toContain("fine-tuned 94.73 %");
    await settle(page);
    expect(await plot?.evaluate((node) => node.isConnected)).toBe(true);
    expect(await layers.count()).toBe(10);
    expect(await output.locator(".trace.bars").first().locator(".point").count()).toBe(
      residualNetwork.length,
    );
    await screenshot("zoomed", output);
  });

  it("switches the measure with the keyboard", async () => {
    const output = await open(page, "3-layers-1-series.ipynb");
    await chartTexts(output);
    await settle(page); // a notebook takes the focus when it opens
    await output.getByRole("radio", { name: "Relative squared error" }).focus();
    await page.keyboard.press("ArrowDown");
    await expect
      .poll(async () => (await chartTexts(output)).join())
      .toMatch(/1 − R².*this.layer.*accumulated/);
    await expect.poll(() => output.getByRole("radio", { name: "1 − R²" }).isChecked()).toBe(true);
  });

  it("opens the table of figures with the keyboard", async () => {
    const output = await open(page, "3-layers-3-series.ipynb");
    await chartTexts(output);
    await settle(page);
    await output.getByText("Table", { exact: true }).focus();
    await page.keyboard.press("Enter");
    const rows = output.locator(".lutnn-table tbody tr");
    await expect.poll(() => rows.count()).toBe(smallNetwork.length);
    expect(await rows.first().innerText()).toMatch(
      /^conv1\s+conv2d, K 16, V 9, C 16\s+0\.294\s+0\.462\s+86\.62 %/,
    );
    await screenshot("table", output);
  });

  it.each<Theme>(["light", "dark"])(
    "is read below the chart while the pointer is over it, in the %s theme",
    async (theme) => {
      await setTheme(page, theme);
      const output = await open(page, "20-layers-3-series.ipynb");
      const area = await output.locator(".nsewdrag").first().boundingBox();
      if (!area) throw new Error("the chart has no area to point at");
      await page.mouse.move(area.x + 0.4 * area.width, area.y + 0.4 * area.height);
      await page.mouse.move(area.x + 0.41 * area.width, area.y + 0.4 * area.height);
      const readout = output.locator(".lutnn-readout");
      await expect
        .poll(() => readout.innerText())
        .toMatch(
          /layer2\.1\.conv2 conv2d, K 16, V 9, C 64\s+this layer\s+accumulated\s+accuracy\s+k-means\s+0\.258/,
        );
      expect((await readout.boundingBox())?.y).toBeGreaterThan(area.y + area.height);
      expect(await output.locator(".hoverlayer .hovertext, .hoverlayer .legend").count()).toBe(0);
      await expect.poll(() => output.locator(".spikeline").count()).toBeGreaterThan(0);
      expect(await brightLines(output)).toEqual([]);
      await screenshot(`hover-${theme}`, output);
    },
  );

  it("opens a report file as a document", async () => {
    const output = await open(page, "report.lutnn.json");
    expect(await chartTexts(output)).toEqual(expect.arrayContaining(smallNetwork));
    await screenshot("document");
  });

  it("draws general plotly figures in the colours of the page", async () => {
    const bars = await open(page, "figure.ipynb");
    expect(await chartTexts(bars)).toContain("A fixture figure");
    await setTheme(page, "dark");
    await expect.poll(async () => (await textColours(bars)).leastContrast).toBeGreaterThanOrEqual(readable);
    await screenshot("figure", bars);
    const map = await open(page, "heatmap.ipynb");
    await map.locator(".heatmaplayer image").waitFor();
    await screenshot("heatmap", map);
  });

  it.each([
    [
      "malformed",
      "This error accumulation cannot be shown: the report's runId must be a text (got nothing).",
    ],
    ["pie", "This figure cannot be shown: traces of type pie need the extension of the plotly package"],
  ])("says in one sentence why it shows no chart: %s", async (name, sentence) => {
    const output = await open(page, `${name}.ipynb`);
    await expect.poll(() => output.innerText()).toContain(sentence);
    expect((await output.innerText()).trim().split("\n")).toHaveLength(1);
    expect(await output.locator("svg:visible").count()).toBe(0);
  });

  it("logs no error and asks no other host for anything", () => {
    expect(session.complaints.filter((text) => /lutnn|plotly/i.test(text))).toEqual([]);
    expect(session.foreignRequests).toEqual([]);
  });
});

/** Lines at the pointer that are far brighter or darker than the page and the text: a bar across a dark chart. */
function brightLines(output: Locator): Promise<string[]> {
  return output.evaluate((node) => {
    const dark = document.body.dataset.jpThemeLight === "false";
    const lines = [...node.querySelectorAll(".hoverlayer line, .hoverlayer path, .hoverlayer rect")];
    return lines
      .map((line) => getComputedStyle(line).stroke)
      .filter((stroke) => dark && /^rgb\(2[3-5]\d, 2[3-5]\d, 2[3-5]\d\)$/.test(stroke));
  });
}

function firstReport(path: string): ErrorAccumulationReport {
  const { cells } = JSON.parse(readFileSync(path, "utf8"));
  for (const { outputs = [] } of cells)
    for (const { data = {} } of outputs)
      if (data[ERROR_ACCUMULATION_MIME]) return data[ERROR_ACCUMULATION_MIME];
  throw new Error(`${path} has no output of type ${ERROR_ACCUMULATION_MIME}`);
}
