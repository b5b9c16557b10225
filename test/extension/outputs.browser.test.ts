import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotebook } from "./fixtures/notebooks";
import { hostileNames, hostileOutputs, outputs } from "./fixtures/outputs";
import {
  badLabels,
  chartTexts,
  openOutput,
  setTheme,
  settle,
  setWidth,
  type Theme,
  textColours,
} from "./page";
import { type Session, startLimit, startSession } from "./session";

const testLimit = 120_000; // ms
const readable = 4.5; // contrast ratio of text, WCAG 2 AA
const charts = ["plan", "timings", "training", "categories"];
const others = ["image-grid", "table", "layer-table", "claims"];

let session: Session;
let page: Page;

beforeAll(async () => {
  session = await startSession(async (root) => {
    const bundles = { ...(await outputs()), ...hostileOutputs() };
    for (const [name, data] of Object.entries(bundles))
      writeNotebook(join(root, `${name}.ipynb`), [{ source: "// a fixture with invented numbers", data }]);
  });
  ({ page } = session);
}, startLimit);

afterAll(() => session?.close(), startLimit);

describe.each<Theme>(["light", "dark"])("outputs in the %s theme", (theme) => {
  describe.each([700, 1280, 1920])("of a window of %i pixels", (width) => {
    it("are whole, readable, and nothing lies over anything else", { timeout: testLimit }, async () => {
      await setWidth(page, width);
      await setTheme(page, theme);
      for (const name of charts) {
        const output = await openOutput(page, `${name}.ipynb`);
        await chartTexts(output);
        await settle(page);
        await expect.poll(() => badLabels(output), { message: name }).toEqual([]);
        await output.locator(".lutnn-chart").hover({ position: { x: 300, y: 6 } });
        expect(await underButtons(output), name).toEqual([]);
        expect((await textColours(output)).leastContrast, name).toBeGreaterThanOrEqual(readable);
        await session.screenshot(`${name}-${width}-${theme}`, output);
      }
      for (const name of others) {
        const output = await openOutput(page, `${name}.ipynb`);
        await settle(page);
        await session.screenshot(`${name}-${width}-${theme}`, output);
      }
    });
  });

  it("show figures below a chart, with units, where the pointer is", { timeout: testLimit }, async () => {
    await setWidth(page, 1280);
    await setTheme(page, theme);
    const figures = {
      timings:
        /conv3 K 16, V 9, within noise\s+dense, ONNX Runtime fp32\s+6\.00 \(5\.10–6\.90\) µs\s+lookup, native avx2\s+5\.50 \([\d.]+–[\d.]+\) µs/,
      plan: /operations for one input [\d.]+ million\s+trade-off\s+[\d.]+ nats/,
      training:
        /epoch [\d.]+\s+loss \(nats\)\s+accuracy \(%\)\s+training, within epochs\s+[\d.]+ nats\s+[\d.]+ %/,
    };
    for (const [name, text] of Object.entries(figures)) {
      const output = await openOutput(page, `${name}.ipynb`);
      await chartTexts(output);
      await settle(page);
      const area = await output.locator(".nsewdrag").first().boundingBox();
      if (!area) throw new Error(`${name} has no area to point at`);
      await page.mouse.move(area.x + 0.37 * area.width, area.y + 0.5 * area.height);
      await page.mouse.move(area.x + 0.38 * area.width, area.y + 0.5 * area.height);
      const readout = output.locator(".lutnn-readout");
      await expect.poll(() => readout.innerText(), { message: name }).toMatch(text);
      expect(await output.locator(".hoverlayer .hovertext").count()).toBe(0);
      await session.screenshot(`${name}-hover-${theme}`, output);
    }
  });
});

describe("names in outputs", () => {
  it.each(["hostile-chart", "hostile-curve", "hostile-table"])(
    "stay text, letter by letter: %s",
    { timeout: testLimit },
    async (name) => {
      await setWidth(page, 1280);
      let alerts = 0;
      page.on("dialog", (dialog) => {
        alerts++;
        void dialog.dismiss();
      });
      const output = await openOutput(page, `${name}.ipynb`);
      await expect.poll(() => output.locator("svg.main-svg text, td").count()).toBeGreaterThan(0);
      await settle(page);
      const area = await output
        .locator(".nsewdrag")
        .first()
        .boundingBox({ timeout: 1000 })
        .catch(() => null);
      if (area) {
        await page.mouse.move(area.x + 0.2 * area.width, area.y + 0.5 * area.height);
        await page.mouse.move(area.x + 0.21 * area.width, area.y + 0.5 * area.height);
        await expect.poll(() => output.locator(".lutnn-readout td").count()).toBeGreaterThan(0);
      }
      expect(await output.locator("img, script, a, b:has(b), svg svg svg").count()).toBe(0);
      const text = ((await output.textContent()) ?? "").replace(/\s+/g, "");
      for (const hostile of hostileNames) expect(text).toContain(hostile.replace(/\s+/g, ""));
      expect(alerts).toBe(0);
      await session.screenshot(name, output);
    },
  );

  it("logs no error and asks no other host for anything", () => {
    expect(session.complaints.filter((text) => /lutnn|plotly/i.test(text))).toEqual([]);
    expect(session.foreignRequests).toEqual([]);
  });
});

/** Texts of a chart that lie under the buttons in its corner. */
function underButtons(output: Locator): Promise<string[]> {
  return output.locator(".lutnn-chart").evaluate((chart) => {
    const buttons = chart.querySelector(".modebar-container .modebar")?.getBoundingClientRect();
    if (!buttons || buttons.width === 0) return ["there are no buttons"];
    return [...chart.querySelectorAll("svg.main-svg text")]
      .filter((text) => {
        const box = text.getBoundingClientRect();
        return (
          box.width > 0 &&
          box.right > buttons.left &&
          box.left < buttons.right &&
          box.bottom > buttons.top &&
          box.top < buttons.bottom
        );
      })
      .map((text) => text.textContent ?? "");
  });
}
