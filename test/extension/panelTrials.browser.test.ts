// The panel in JupyterLab when things go wrong, or are not as one thinks of them: kernels that die, two pages, odd names.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { standInCell } from "./fixtures/conversion";
import { chartTexts, execute, load, settle } from "./page";
import {
  cutOff,
  kernelLimit,
  layerNames,
  notebookOf,
  noticeOf,
  openNotebook,
  openPanel,
  restartKernel,
  rowOf,
  runCell,
  shownPage,
  showPage,
} from "./panelPage";
import { type Session, startLimit, startSession } from "./session";

const testLimit = 120_000; // ms
const stem = "backbone.stage3.".repeat(12); // 192 letters
const alike = [`${stem}conv.1`, `${stem}conv.2`, `${stem}conv.3`];
const rightToLeft = ["שכבה.ראשונה", "طبقة-2", "mixed שכבה 3"];
const usual = ["stem", "body", "head"];

let session: Session;
let page: Page;
let panel: Locator;

beforeAll(async () => {
  session = await startSession((root) => {
    for (const [name, layers] of Object.entries({ usual, one: ["only"], alike, rightToLeft }))
      writeFileSync(
        join(root, `${name}.ipynb`),
        notebookOf(
          standInCell(layers),
          "for (let round = 0; round < 200; round++) { update(round); await new Promise((done) => setTimeout(done, 1)); }\nupdate(3);",
          'process.kill(process.pid, "SIGKILL"); await new Promise(() => {});',
        ),
      );
  });
  ({ page } = session);
  await page.setViewportSize({ width: 1280, height: 800 });
}, startLimit);

afterAll(() => session?.close(), startLimit);

async function standIn(name: string, layers: string[]): Promise<void> {
  await openNotebook(page, `${name}.ipynb`);
  await runCell(page);
  panel = await openPanel(page);
  await expect.poll(() => layerNames(panel), { timeout: kernelLimit }).toEqual(layers);
}

it("shows a network of one layer, with all its charts", { timeout: testLimit }, async () => {
  await standIn("one", ["only"]);
  await rowOf(panel, "only").getByRole("rowheader").click();
  await showPage(panel, "Layer");
  await chartTexts(shownPage(panel));
  await showPage(panel, "Errors");
  expect(await chartTexts(shownPage(panel))).toContain("only");
  expect(await panel.locator(".lutnn-count").textContent()).toBe("1 layer");
  await session.screenshot("panel-one-layer");
});

it("tells apart names of 200 letters that begin alike", { timeout: testLimit }, async () => {
  await standIn("alike", alike);
  const ends = await panel.locator(".lutnn-name-end").evaluateAll((parts) =>
    parts.map((part) => {
      const cell = (part.parentElement as HTMLElement).getBoundingClientRect();
      const box = part.getBoundingClientRect();
      return box.width > 0 && box.left >= cell.left && box.right <= cell.right + 0.5
        ? part.textContent
        : "cut";
    }),
  );
  expect(new Set(ends)).toEqual(new Set(["e3.conv.1", "e3.conv.2", "e3.conv.3"]));
  for (const title of ["Layer", "Errors", "Plan", "History"]) {
    await rowOf(panel, alike[1]).getByRole("rowheader").click();
    await showPage(panel, title);
    expect(await cutOff(panel), title).toEqual([]);
  }
  await showPage(panel, "Layer");
  await session.screenshot("panel-long-names");
});

it("writes names of scripts from right to left as they are read", { timeout: testLimit }, async () => {
  await standIn("rightToLeft", rightToLeft);
  const directions = await panel
    .locator('[role="rowheader"]')
    .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell).direction));
  expect(directions.toSorted()).toEqual(["ltr", "rtl", "rtl"]);
  await session.screenshot("panel-right-to-left");
});

describe("with the usual network", () => {
  it("is reached, worked in and left by keys alone", { timeout: testLimit }, async () => {
    await standIn("usual", usual);
    await execute(page, "notebook:enter-command-mode");
    await page.keyboard.press("Alt+Shift+L");
    const focused = () =>
      page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent);
    await expect.poll(focused).toBe("Layers of the network");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter"); // into the layer
    await expect.poll(() => shownPage(panel).locator("h3").textContent()).toBe("stem");
    await page.keyboard.press("d");
    await expect.poll(() => noticeOf(panel).textContent()).toBe("restore: stem");
    await page.keyboard.press("r");
    await expect.poll(() => noticeOf(panel).textContent()).toBe("replace: stem");
    await page.keyboard.press("Tab");
    await expect.poll(focused).toBe("Layer");
    for (const title of ["Errors", "Training", "Plan", "History"]) {
      await page.keyboard.press("ArrowRight");
      await expect.poll(focused).toBe(title);
    }
    await panel.locator(".lutnn-states").waitFor();
    await page.keyboard.press("Tab"); // the page itself, then what is in it
    await page.keyboard.press("Tab");
    await expect.poll(focused).toBe("Compare A with B");
    await page.keyboard.press("Tab");
    await expect.poll(focused).toMatch(/^Compare as [AB]: state/);
    // Back into the panel's head, and out of it to the notebook.
    await panel.getByRole("grid").focus();
    await page.keyboard.press("Shift+Tab");
    await expect.poll(focused).toBe("Show only layers that alone lose at least");
    await showPage(panel, "Layer");
  });

  it("keeps everything in its place while a command runs and when it is done", {
    timeout: testLimit,
  }, async () => {
    const top = async () => (await panel.locator(".lutnn-work").boundingBox())?.y;
    await expect.poll(() => noticeOf(panel).textContent()).toBe("replace: stem");
    const before = await top();
    await panel.getByRole("button", { name: "Measure", exact: true }).click();
    await panel.locator(".lutnn-queue progress").waitFor();
    expect(await noticeOf(panel).textContent()).toBe("");
    expect(await top()).toBe(before);
    await expect.poll(() => noticeOf(panel).textContent()).toBe("measured");
    await expect.poll(() => panel.locator(".lutnn-queue-place").isHidden()).toBe(true);
    expect(await top()).toBe(before);
    // What has gone wrong stays to be read while the next command runs.
    await panel.getByRole("button", { name: "Up to here" }).click();
    const refusal = /^the stand-in does not know/;
    await expect.poll(() => noticeOf(panel).textContent()).toMatch(refusal);
    await panel.getByRole("button", { name: "Measure", exact: true }).click();
    await panel.locator(".lutnn-queue progress").waitFor();
    expect(await noticeOf(panel).textContent()).toMatch(refusal);
    await expect.poll(() => noticeOf(panel).textContent()).toBe("measured");
  });

  it("draws the newest figures once it comes into sight again", { timeout: testLimit }, async () => {
    const only = () => rowOf(panel, "body").locator(".lutnn-only .lutnn-text").textContent();
    const other = await page.context().newPage();
    await other.bringToFront();
    await openNotebook(page, "usual.ipynb");
    await runCell(page);
    await page.bringToFront();
    await expect.poll(only).toBe("98.20 %"); // 99.2 − ((1·7 + 3·3) mod 11) / 5
    await other.close();
  });

  it("shows two pages of one notebook the same, and each answers its own", {
    timeout: testLimit,
  }, async () => {
    const second = await page.context().newPage();
    second.setDefaultTimeout(kernelLimit);
    await second.setViewportSize({ width: 1280, height: 800 });
    await load(second, session.lab.url("lab/workspaces/second"), startLimit);
    await execute(second, "docmanager:open", { path: "usual.ipynb" });
    const there = await openPanel(second);
    await expect.poll(() => layerNames(there), { timeout: kernelLimit }).toEqual(usual);
    await rowOf(there, "body").getByRole("rowheader").click();
    await second.keyboard.press("d");
    await expect.poll(() => noticeOf(there).textContent()).toBe("restore: body");
    await expect.poll(() => rowOf(panel, "body").getAttribute("data-state")).toBe("calibrated");
    expect(await noticeOf(panel).textContent()).not.toBe("restore: body");
    await second.close();
    await rowOf(panel, "body").getByRole("rowheader").click();
    await page.keyboard.press("r");
    await expect.poll(() => noticeOf(panel).textContent()).toBe("replace: body");
  });

  it("fits a window at twice its size", { timeout: testLimit }, async () => {
    await page.setViewportSize({ width: 640, height: 400 }); // 1,280 × 800 at 200 %
    await settle(page);
    for (const title of ["Layer", "History"]) {
      await showPage(panel, title);
      expect(await cutOff(panel), title).toEqual([]);
    }
    await session.screenshot("panel-zoom-200");
    await page.setViewportSize({ width: 1280, height: 800 });
    await settle(page);
  });

  it("compares two states with what was measured of each layer", { timeout: testLimit }, async () => {
    await showPage(panel, "History");
    await panel.getByRole("button", { name: "Compare A with B" }).click();
    const headings = panel.locator(".lutnn-comparison thead th");
    await expect.poll(() => headings.allTextContents()).toContain("Only this, A → B");
    const first = panel.locator(".lutnn-comparison tbody tr").first().locator("td");
    expect((await first.allTextContents()).slice(3)).toEqual(["– → 98.50 %", "– → 97.20 %"]);
    await session.screenshot("panel-comparison");
    await showPage(panel, "Layer");
  });

  it("says that the kernel is gone when it dies in a command, and is useful again", {
    timeout: testLimit,
  }, async () => {
    const title = () => panel.locator(".lutnn-empty h2").textContent();
    await panel.getByRole("button", { name: "Up to here" }).click(); // the stand-in refuses it
    await expect.poll(() => noticeOf(panel).textContent()).toMatch(/^the stand-in does not know/);
    await panel.getByRole("button", { name: "Fine-tune" }).click(); // which goes on until the end
    await openNotebook(page, "usual.ipynb");
    void runCell(page).catch(() => {});
    await expect.poll(title, { timeout: kernelLimit }).toMatch(/^The kernel|^No conversion yet/);
    await page.locator("dialog button", { hasText: /^ok$/i }).click({ timeout: kernelLimit });
    await expect.poll(title, { timeout: kernelLimit }).toBe("No conversion yet");
    await session.screenshot("panel-after-death");
    // What waited for an answer was told that none comes.
    expect(await noticeOf(panel).textContent()).toBe("the kernel restarts");
    expect(await cutOff(panel)).toEqual([]);
    await restartKernel(page);
    await expect.poll(title, { timeout: kernelLimit }).toBe("No conversion yet");
  });
});

it("logs no error and asks no other host for anything", () => {
  expect(session.complaints.filter((text) => /lutnn|plotly/i.test(text))).toEqual([]);
  expect(session.foreignRequests).toEqual([]);
});
