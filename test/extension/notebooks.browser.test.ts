// Notebooks with the real kernel, in JupyterLab as `lutnn lab` opens it.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute, settle } from "./page";
import { type Session, startLimit, startSession } from "./session";

const notebooks = join(import.meta.dirname, "../../notebooks");
const published = [notebooks, join(notebooks, "executed")].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb"))
    .map((name) => join(folder, name)),
);
const testLimit = 240_000; // ms
const kernelLimit = 90_000; // ms, for a kernel to start, load TensorFlow and train for a second on a busy machine
const ours = "TypeScript (LUT-NN)";

let session: Session;
let page: Page;
const nameOf = (path: string) => path.slice(notebooks.length + 1).replace(/[\\/]/, "-");

beforeAll(async () => {
  session = await startSession((root) => {
    mkdirSync(join(root, "tutorial"));
    for (const path of published) copyFileSync(path, join(root, "tutorial", nameOf(path)));
    const git = (...words: string[]) => execFileSync("git", words, { cwd: root });
    copyFileSync(join(notebooks, "../.gitignore"), join(root, ".gitignore"));
    git("init", "--quiet");
    git("add", "tutorial");
    const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    git(...author, "commit", "--quiet", "--message", "as published");
    const cell = {
      cell_type: "code",
      id: "a",
      metadata: {},
      source: "6 * 7",
      execution_count: null,
      outputs: [],
    };
    const plain = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
    writeFileSync(join(root, "no-kernel.ipynb"), JSON.stringify(plain));
    const training = [
      'import * as lutnn from "lutnn";',
      "const { train, test } = await lutnn.datasets.digits();",
      "const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10 });",
      "await lutnn.fit(model, train, { epochs: 12, validation: test });",
    ].join("\n");
    writeFileSync(
      join(root, "training.ipynb"),
      JSON.stringify({ ...plain, cells: [{ ...cell, source: training }] }),
    );
  }, "new.ipynb");
  ({ page } = session);
}, startLimit);

afterAll(() => session?.close(), startLimit);

/** JupyterLab's application, as far as it is asked here. */
declare const jupyterapp: {
  commands: { execute(command: string, args: object): Promise<void> };
  shell: {
    currentWidget: {
      context: {
        path: string;
        model: { dirty: boolean };
        sessionContext: { session: { kernel: { status: string } | null } | null };
      };
      close(): void;
    };
  };
};
const isDirty = () => page.evaluate(() => jupyterapp.shell.currentWidget.context.model.dirty);

/** Opens a notebook with its kernel, and waits until that is idle: the status bar may still tell of the one before. */
async function openWithKernel(path: string): Promise<void> {
  await execute(page, "docmanager:open", { path });
  await page.waitForFunction(
    (wanted) => {
      const { context } = jupyterapp.shell.currentWidget;
      return context.path === wanted && context.sessionContext.session?.kernel?.status === "idle";
    },
    path,
    { timeout: kernelLimit },
  );
  await page.getByText(`${ours} | Idle`).waitFor({ timeout: kernelLimit });
  await settle(page);
}

describe("lutnn lab", () => {
  it("makes the notebook that is not there, which opens with this kernel", {
    timeout: testLimit,
  }, async () => {
    const made = JSON.parse(readFileSync(join(session.root, "new.ipynb"), "utf8"));
    expect(made.metadata.kernelspec).toMatchObject({ name: "lutnn", display_name: ours });
    expect(session.lab.log()).toContain("/lab/tree/new.ipynb");
    await openWithKernel("new.ipynb");
  });

  it("opens a notebook that names no kernel with this one, without a question", {
    timeout: testLimit,
  }, async () => {
    await openWithKernel("no-kernel.ipynb");
    expect(await page.locator(".jp-Dialog").count()).toBe(0);
  });

  it("keeps its layout in a workspace of its own", () => {
    const workspaces = join(session.lab.home, "config/lab/lutnn-workspaces");
    expect(readdirSync(workspaces)).toHaveLength(1);
    expect(existsSync(join(session.lab.home, "config/lab/workspaces"))).toBe(false);
  });
});

describe("a published notebook", () => {
  it.each(published.map(nameOf))(
    "is as it was after it has been opened and closed: %s",
    { timeout: testLimit },
    async (name) => {
      await openWithKernel(`tutorial/${name}`);
      // What the kernel says of its language arrives after it is idle.
      for (let look = 0; look < 10; look++) {
        expect(await isDirty()).toBe(false);
        await page.waitForTimeout(100);
      }
      await execute(page, "notebook:shutdown-kernel");
      await page.evaluate(() => jupyterapp.shell.currentWidget.close());
      expect(await page.locator(".jp-Dialog").count()).toBe(0);
      const status = execFileSync("git", ["status", "--porcelain", "tutorial"], {
        cwd: session.root,
        encoding: "utf8",
      });
      expect(status).toBe("");
    },
  );
});

describe("training in a notebook", () => {
  it("shows its curves while it trains, and one chart in the end", { timeout: testLimit }, async () => {
    await openWithKernel("training.ipynb");
    // The command ends with the cell, which is to be seen before.
    await page.evaluate(() => void jupyterapp.commands.execute("notebook:run-cell-and-select-next", {}));
    const chart = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .lutnn-output");
    await chart.locator("svg.main-svg text").first().waitFor({ timeout: kernelLimit });
    const busy = page.getByText(`${ours} | Busy`);
    expect(await busy.count()).toBe(1);
    const tokens = () => chart.locator(".scatterlayer .trace path.js-line").first().getAttribute("d");
    const first = await tokens();
    await expect.poll(tokens, { timeout: kernelLimit }).not.toBe(first);
    expect(await busy.count()).toBe(1);
    await session.screenshot("training-live", chart);
    await page.getByText(`${ours} | Idle`).waitFor({ timeout: testLimit });
    await settle(page);
    expect(await chart.count()).toBe(1);
    const texts = await chart.locator("svg.main-svg text").allTextContents();
    expect(texts).toEqual(expect.arrayContaining(["epoch", "loss (nats)", "accuracy (%)", "validation"]));
    await session.screenshot("training-done", chart);
  });
});
