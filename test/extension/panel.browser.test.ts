// The whole story of the panel: a tutorial in the real JupyterLab with the real kernel, converted with the mouse.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chartTexts, execute, setTheme, settle } from "./page";
import {
  clickLayerPoint,
  clickPlanPoint,
  kernelLimit,
  layerNames,
  notebookOf,
  noticeOf,
  openNotebook,
  openPanel,
  panelOf,
  restartKernel,
  rowOf,
  runCell,
  shownPage,
  showPage,
} from "./panelPage";
import { type Session, startLimit, startSession } from "./session";

const testLimit = 240_000; // ms
const workLimit = 60_000; // ms, for one command on a busy machine
const longTraining = 500; // epochs: far more than pass before it is stopped

/** The cells of the tutorial that load the data, train the dense network and begin to convert it. */
function tutorialCells(): string[] {
  const path = join(import.meta.dirname, "../../notebooks/02-layer-by-layer.ipynb");
  const cells: { source: string[] }[] = JSON.parse(readFileSync(path, "utf8")).cells;
  const sources = cells.map(({ source }) => source.join(""));
  return ["const dataName", "lutnn.fit(model", "lutnn.panel(conversion"].map((call) => {
    const found = sources.find((source) => source.includes(call));
    if (!found) throw new Error(`the tutorial has no cell with ${call}`);
    return found;
  });
}

/** What the tutorial's loop does with its first layer, with a conversion of its own; shows whether both networks answer alike. */
const byCode = `{
  const other = lutnn.convert(model);
  const [name] = other.layers.names;
  await other.calibrate(train, { layers: [name], seed });
  await other.replace(name);
  await other.fineTune(train, { epochs: 1, seed });
  const [a, b] = [await conversion.evaluate(test), await other.evaluate(test)];
  console.log(a.accuracy === b.accuracy && a.loss === b.loss ? "the same" : "others", a.loss, b.loss);
}`;

let session: Session;
let page: Page;
let panel: Locator;

beforeAll(async () => {
  session = await startSession((root) =>
    writeFileSync(join(root, "tutorial.ipynb"), notebookOf(...tutorialCells(), byCode)),
  );
  ({ page } = session);
  await page.setViewportSize({ width: 1280, height: 800 });
}, startLimit);

afterAll(() => session?.close(), startLimit);

const press = (name: string) => panel.getByRole("button", { name, exact: true }).click();
const notice = () => noticeOf(panel).textContent();
const saying = (what: RegExp) => expect.poll(notice, { timeout: workLimit }).toMatch(what);
const stateOf = (layer: string) => rowOf(panel, layer).getAttribute("data-state");
const statesOf = (layers: string[]) => Promise.all(layers.map(stateOf));
const choose = (layer: string) => rowOf(panel, layer).getByRole("rowheader").click();
const mark = (layer: string) => rowOf(panel, layer).locator(".lutnn-mark").click();
/** The texts of a column, from top to bottom. */
const figures = async (column: string, of: string[]) =>
  Promise.all(of.map((layer) => rowOf(panel, layer).locator(`.lutnn-${column} .lutnn-text`).textContent()));

describe("converting a network with the mouse", { timeout: testLimit }, () => {
  let layers: string[];

  it("says what to do, and shows the conversion as soon as a cell has made one", async () => {
    await openNotebook(page, "tutorial.ipynb");
    panel = await openPanel(page);
    await expect.poll(() => panel.locator(".lutnn-empty h2").textContent()).toBe("No conversion yet");
    for (let cell = 0; cell < 3; cell++) await runCell(page);
    await expect
      .poll(async () => (await layerNames(panel)).length, { timeout: kernelLimit })
      .toBeGreaterThan(2);
    layers = await layerNames(panel);
    expect(new Set(await statesOf(layers))).toEqual(new Set(["dense"]));
  });

  it("does what the tutorial's code does with a layer, to the same bits, and goes back to where it began", async () => {
    const [layer] = layers;
    await choose(layer);
    await press("Calibrate");
    await expect.poll(() => stateOf(layer), { timeout: workLimit }).toBe("calibrated");
    expect(await statesOf(layers.slice(1))).toEqual(layers.slice(1).map(() => "dense"));
    await press("Replace");
    await expect.poll(() => stateOf(layer), { timeout: workLimit }).toBe("replaced");
    await panel.getByLabel("Epochs of fine-tuning").fill("1");
    await press("Fine-tune");
    await saying(/^fine-tuned: /);
    await runCell(page);
    const said = page.locator(".jp-Cell", { hasText: "const other" }).locator(".jp-OutputArea-output");
    await said.filter({ hasText: /^the same/ }).waitFor();
    await showPage(panel, "History");
    await panel.getByRole("button", { name: "Go to state 0" }).click();
    await expect.poll(() => stateOf(layer), { timeout: workLimit }).toBe("dense");
    await panel.getByRole("grid").focus();
    await page.keyboard.press("Escape"); // no layer is chosen
    await showPage(panel, "Layer");
  });

  it("calibrates, measures each layer, and sorts by what it loses", async () => {
    await press("Calibrate");
    await expect.poll(() => statesOf(layers), { timeout: workLimit }).toEqual(layers.map(() => "calibrated"));
    await press("Measure");
    await saying(/^measured \d+ layers/);
    const elements = await Promise.all(layers.map((layer) => rowOf(panel, layer).elementHandle()));
    await panel.getByRole("columnheader", { name: "Only this" }).click();
    const accuracies = async () =>
      (await figures("only", await layerNames(panel))).map((text) => Number.parseFloat(text ?? ""));
    await expect.poll(async () => (await accuracies()).every(Number.isFinite)).toBe(true);
    await settle(page);
    const values = await accuracies(); // those that are left
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    // Whatever the order, a layer's row is the same element, in which a click that has begun ends.
    const titleIn = (row: Element) => row.querySelector('[role="rowheader"]')?.getAttribute("title");
    expect(await Promise.all(elements.map((row) => row?.evaluate(titleIn)))).toEqual(layers);
    expect(
      await panel.locator(".lutnn-row").evaluateAll((rows) => rows.map((row) => row.ariaRowIndex)),
    ).toEqual(layers.map((_, i) => String(i + 2)));
    await session.screenshot("panel-sorted");
  });

  it("replaces three layers by clicks, and shows how the error accumulates", async () => {
    const three = layers.slice(0, 3);
    for (const layer of three) {
      await mark(layer);
      await expect.poll(() => rowOf(panel, layer).getAttribute("aria-selected")).toBe("true");
    }
    await press("Replace");
    await expect.poll(() => statesOf(three), { timeout: workLimit }).toEqual(three.map(() => "replaced"));
    await panel.getByLabel("What is measured").selectOption("errors");
    await press("Measure");
    await saying(/^measured the errors/);
    await showPage(panel, "Errors");
    expect(await chartTexts(shownPage(panel))).toEqual(expect.arrayContaining(three));
    const chart = shownPage(panel).locator(".js-plotly-plot");
    const place = await chart.boundingBox(); // with three layers chosen
    await clickLayerPoint(panel, 1);
    await expect.poll(() => rowOf(panel, layers[1]).getAttribute("aria-selected")).toBe("true");
    expect(await chart.boundingBox()).toEqual(place); // it stays below the pointer
    await session.screenshot("panel-errors-1280-light");
    await setTheme(page, "dark");
    await session.screenshot("panel-errors-1280-dark");
    await setTheme(page, "light");
  });

  it("changes a layer's V, and looks inside", async () => {
    const [layer] = layers;
    await choose(layer);
    await showPage(panel, "Layer");
    await chartTexts(shownPage(panel)); // of the centroids' use
    await session.screenshot("panel-layer-1280-light");
    const lengths = panel.getByLabel("V, length of a sub-vector");
    const before = await lengths.inputValue();
    const other = (await lengths.locator("option").allTextContents()).find((text) => text !== before) ?? "";
    await lengths.selectOption(other);
    await press("Change");
    await saying(/calibrated anew/);
    await expect.poll(() => shownPage(panel).locator(".lutnn-facts").textContent()).toContain(`V ${other},`);
  });

  it("fine-tunes, shows the curve live, and stops in the middle", async () => {
    await panel.getByLabel("Epochs of fine-tuning").fill(String(longTraining));
    await press("Fine-tune");
    await showPage(panel, "Training");
    const sentence = () => shownPage(panel).locator("p").first().textContent();
    await expect.poll(sentence, { timeout: workLimit }).toMatch(/runs; loss/);
    await page.locator(".lutnn-status", { hasText: /left/ }).waitFor({ timeout: workLimit });
    await panel.locator('.lutnn-queue [data-state="running"] progress').waitFor();
    await session.screenshot("panel-training-1280-light");
    await panel.locator(".lutnn-queue").getByRole("button", { name: /^Stop/ }).click();
    await saying(/cancelled/);
    await expect.poll(() => panel.locator(".lutnn-queue li").count()).toBe(0);
    await showPage(panel, "History");
    await expect.poll(() => currentState(panel)).toMatch(/stopped/);
  });

  it("undoes, and restores", async () => {
    const before = await currentState(panel);
    await press("Undo");
    await expect.poll(() => currentState(panel), { timeout: workLimit }).not.toBe(before);
    await choose(layers[2]);
    await press("Restore");
    await expect.poll(() => stateOf(layers[2]), { timeout: workLimit }).toBe("calibrated");
  });

  it("is the same after the page has been loaded anew", async () => {
    const before = { states: await statesOf(layers), now: await currentState(panel) };
    await execute(page, "docmanager:save");
    await page.reload();
    panel = panelOf(page);
    await expect
      .poll(async () => (await layerNames(panel)).toSorted(), { timeout: kernelLimit })
      .toEqual(layers.toSorted());
    await showPage(panel, "History");
    expect({ states: await statesOf(layers), now: await currentState(panel) }).toEqual(before);
  });

  it("compares two states, and inserts a cell that makes the present one again", async () => {
    const replaced = await statesOf(layers);
    const states = shownPage(panel).locator(".lutnn-states tbody tr");
    await states.last().getByRole("radio").first().check();
    await states.first().getByRole("radio").last().check();
    await press("Compare A with B");
    await expect.poll(() => panel.locator(".lutnn-differs").count()).toBeGreaterThan(0);
    await session.screenshot("panel-history-1280-light");
    await press("Insert cell");
    await saying(/^Inserted as cell/);
    const source = page.locator(".jp-Notebook .jp-mod-active .cm-content");
    expect(await source.innerText()).toContain("lutnn.convert(model");
    const conversions = panel.getByLabel("Conversion", { exact: true });
    const count = await conversions.locator("option").count();
    await runCell(page);
    await expect
      .poll(() => conversions.locator("option").count(), { timeout: workLimit })
      .toBeGreaterThan(Math.max(1, count));
    await conversions.selectOption({ index: Math.max(1, count) });
    await expect.poll(() => statesOf(layers), { timeout: workLimit }).toEqual(replaced);
  });

  it("saves the network as a file beside the notebook, and never over another one unasked", async () => {
    const path = join(session.root, "network.lut.onnx");
    const dialog = page.locator(".jp-Dialog").filter({ hasText: "Save the network as an ONNX file" });
    const save = async (fill: (name: Locator) => Promise<void>) => {
      await press("Save…");
      await dialog.waitFor();
      await fill(dialog.getByLabel("File, seen from the notebook's folder"));
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.waitFor({ state: "detached" });
    };
    await save(async (name) => {
      expect(await name.inputValue()).toMatch(/^conversionState\d+\.lut\.onnx$/); // as the inserted cell calls it
      await name.fill("network.lut");
      await session.screenshot("panel-save-1280-light");
    });
    await saying(/^saved network\.lut\.onnx: /);
    const before = readFileSync(path);
    expect(before.length).toBeGreaterThan(1000);
    await save((name) => name.fill("network.lut.onnx"));
    await saying(/^save: network\.lut\.onnx must not be there yet/);
    expect(readFileSync(path)).toEqual(before);
    await save(async (name) => {
      await name.fill("network.lut.onnx");
      await dialog.getByLabel("What is no lookup computes in").selectOption("int8");
      await dialog.getByLabel("Store the work beside it").check();
      await dialog.getByLabel("Replace a file of that name").check();
    });
    await saying(/^saved network\.lut\.onnx: .*INT8.*, the work in network\.lut\.onnx\.work/);
    expect(readFileSync(path)).not.toEqual(before);
    await press("Save…");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
  });

  it("plans, and applies a point of the trade-off", async () => {
    await panel.getByLabel("Conversion", { exact: true }).selectOption({ index: 0 });
    await showPage(panel, "Plan");
    await press("Plan");
    await saying(/^planned: \d+ points/);
    await chartTexts(shownPage(panel));
    await session.screenshot("panel-plan-1280-light");
    await shownPage(panel)
      .getByRole("button", { name: /^Apply the plan/ })
      .last()
      .click();
    await saying(/applied a plan/);
    const here = shownPage(panel).locator('tr[aria-current="true"]');
    await expect.poll(() => here.count()).toBe(1);
    const rows = shownPage(panel).locator(".lutnn-list tbody tr");
    expect(await rows.first().getAttribute("aria-current")).toBeNull();
    await clickPlanPoint(panel, 0);
    await expect.poll(() => rows.first().getAttribute("aria-current"), { timeout: workLimit }).toBe("true");
    await expect.poll(() => here.count()).toBe(1);
  });

  it("shows a kernel that restarts, and is useful again by itself", async () => {
    await restartKernel(page);
    await expect
      .poll(() => panel.locator(".lutnn-empty h2").textContent(), { timeout: kernelLimit })
      .toBe("No conversion yet");
  });

  it("logs no error and asks no other host for anything", () => {
    expect(session.complaints.filter((text) => /lutnn|plotly/i.test(text))).toEqual([]);
    expect(session.foreignRequests).toEqual([]);
  });
});

/** The present state, as the history names it. */
async function currentState(of: Locator): Promise<string> {
  return (await of.locator('.lutnn-states tr[aria-current="true"] th > span').allTextContents()).join(" ");
}
