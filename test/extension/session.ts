import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { startBrowser } from "./browser";
import { type JupyterLab, startJupyterLab } from "./jupyterLab";
import { load } from "./page";

export const startLimit = 120_000; // ms
export const patience = 20_000; // ms, for one thing to appear
const screenshots = "out/screenshots";

/** JupyterLab on a folder of its own, in a browser of its own. */
export interface Session {
  page: Page;
  lab: JupyterLab;
  /** The folder that it serves. */
  root: string;
  /** Errors that the page logged or did not catch. */
  complaints: string[];
  foreignRequests: string[];
  screenshot(name: string, of?: Page | Locator): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param prepare fills the folder, before it is served
 * @param subject what `lutnn lab` opens, below that folder
 */
export async function startSession(prepare: (root: string) => unknown, subject = "."): Promise<Session> {
  mkdirSync(screenshots, { recursive: true });
  const root = mkdtempSync(join(tmpdir(), "lutnn-notebooks-"));
  await prepare(root);
  const browser = await startBrowser();
  const lab = await startJupyterLab(join(root, subject));
  const page = await browser.context.newPage();
  page.setDefaultTimeout(patience);
  const complaints: string[] = [];
  const foreignRequests: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => {
    if (!/^(data|blob):|^https?:\/\/127\.0\.0\.1[:/]/.test(request.url()))
      foreignRequests.push(request.url());
  });
  await load(page, lab.url("lab"), startLimit);
  const close = async () => {
    await browser.close();
    await lab.stop();
    rmSync(root, { recursive: true, force: true });
  };
  const screenshot = async (name: string, of: Page | Locator = page) =>
    void (await of.screenshot({ path: join(screenshots, `${name}.png`) }));
  return { page, lab, root, complaints, foreignRequests, screenshot, close };
}
