import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it("what comes from elsewhere is known by its content, runs no script, and may be used (check:supply)", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "checkSupply.mjs"), "--offline"],
    { encoding: "utf8" },
  );
  expect(status, stdout + stderr).toBe(0);
  expect(stdout.match(/^holds/gm)).toHaveLength(6);
});

it("a licence of several is taken where one alternative is, and each of its parts", async () => {
  // @ts-expect-error: a script without types
  const { isAllowed } = await import("./supply.mjs");
  expect(isAllowed("(MIT OR GPL-3.0-only)", "a")).toBe(true);
  expect(isAllowed("(BSD-3-Clause AND Apache-2.0)", "a")).toBe(true);
  expect(isAllowed("MIT AND GPL-2.0-only", "a")).toBe(false);
  expect(isAllowed("AGPL-3.0-or-later", "a")).toBe(false);
  expect(isAllowed("LGPL-3.0-or-later", "@img/sharp-libvips-linux-x64")).toBe(true);
  expect(isAllowed("LGPL-3.0-or-later", "a")).toBe(false);
  expect(isAllowed("none", "a")).toBe(false);
});
