// What the browser test does with JupyterLab's page, and reads from it.
import type { Locator, Page } from "playwright-core";
import { contrast } from "./contrast";

/** JupyterLab's application object, global in the page. */
declare const jupyterapp: {
  restored: Promise<void>;
  commands: { execute(command: string, args: object): Promise<{ id: string } | undefined> };
};

export type Theme = "light" | "dark" | "high contrast";

const themes: Record<Theme, string> = {
  light: "JupyterLab Light",
  dark: "JupyterLab Dark",
  "high contrast": "JupyterLab Dark High Contrast",
};

/** Loads JupyterLab, without its file browser. */
export async function load(page: Page, url: string, timeout: number): Promise<void> {
  await page.goto(url, { timeout });
  await page.waitForFunction(() => typeof jupyterapp === "object", undefined, { timeout });
  await page.evaluate(async () => void (await jupyterapp.restored));
  await execute(page, "application:toggle-left-area");
}

/** Resolves to the node id of what the command returns, where that is a widget. */
export function execute(page: Page, command: string, args: object = {}): Promise<string | undefined> {
  return page.evaluate(async ([name, values]) => (await jupyterapp.commands.execute(name, values))?.id, [
    command,
    args,
  ] as const);
}

/** Opens a file; a notebook gets a kernel only when asked for. Resolves to what our extension shows in it first. */
export async function open(page: Page, path: string, kernel = false): Promise<Locator> {
  const kernelPreference = { shouldStart: false, shouldReuse: false };
  const id = await execute(page, "docmanager:open", kernel ? { path } : { path, kernelPreference });
  return page.locator(`[id="${id}"] .lutnn-output`).first();
}

/** The same, but resolves to the first output whatever shows it. */
export async function openOutput(page: Page, path: string): Promise<Locator> {
  const kernelPreference = { shouldStart: false, shouldReuse: false };
  const id = await execute(page, "docmanager:open", { path, kernelPreference });
  const output = page.locator(`[id="${id}"] .jp-OutputArea-output`).first();
  await output.waitFor();
  return output;
}

export async function setTheme(page: Page, theme: Theme): Promise<void> {
  const name = themes[theme];
  const themed = page.locator(`body[data-jp-theme-name="${name}"]`);
  if ((await themed.count()) > 0) return;
  await execute(page, "apputils:change-theme", { theme: name });
  await themed.waitFor({ state: "attached" });
  await settle(page);
}

export async function setWidth(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 1100 });
  await settle(page);
}

/** Waits some frames: a change of size or theme is drawn a frame or two after it happened. */
export async function settle(page: Page): Promise<void> {
  for (let frame = 0; frame < 6; frame++) await page.evaluate(() => new Promise(requestAnimationFrame));
}

export async function chartTexts(output: Locator): Promise<string[]> {
  const texts = output.locator("svg.main-svg text");
  await texts.first().waitFor();
  return texts.allTextContents();
}

/** Texts of the chart that reach out of it, or lie over each other. */
export function badLabels(output: Locator): Promise<string[]> {
  return output.locator(".lutnn-plot").evaluate((plot) => {
    const page = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("svg.main-svg text")].filter((text) => text.textContent?.trim());
    const boxes = texts.map((text) => ({ text: text.textContent ?? "", box: text.getBoundingClientRect() }));
    const outside = boxes.filter(
      ({ box }) =>
        box.left < page.left - 1 ||
        box.right > page.right + 1 ||
        box.top < page.top - 1 ||
        box.bottom > page.bottom + 1,
    );
    const straight = boxes.filter(({ text, box }) => box.height < 20 || text.includes(" ")); // a slanted box is too big
    const over = straight.filter(({ box }, index) =>
      straight
        .slice(0, index)
        .some(
          ({ box: other }) =>
            box.left < other.right - 1 &&
            other.left < box.right - 1 &&
            box.top < other.bottom - 3 &&
            other.top < box.bottom - 3,
        ),
    );
    return [
      ...outside.map(({ text }) => `outside: ${text}`),
      ...over.map(({ text }) => `over another: ${text}`),
    ];
  });
}

/** The colour of the chart's first text, and the least contrast of any of its texts with the page. */
export async function textColours(output: Locator): Promise<{ colour: string; leastContrast: number }> {
  const { texts, background } = await output.evaluate((node) => {
    let behind: Element | null = node;
    while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
      behind = behind.parentElement;
    return {
      background: behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)",
      texts: [...node.querySelectorAll("svg.main-svg text")].map((text) => {
        const { fill, fillOpacity } = getComputedStyle(text);
        return { fill, opacity: Number(fillOpacity) };
      }),
    };
  });
  const contrasts = texts.map(({ fill, opacity }) => contrast(fill, background, opacity));
  return { colour: `${texts[0].fill} ${texts[0].opacity}`, leastContrast: Math.min(...contrasts) };
}
