import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { actions } from "../../../extension/src/panel/model/actions";
import { defaultSettings, readSettings } from "../../../extension/src/panel/settings";
import { actionLabels } from "../../../extension/src/panel/view/actionLabels";

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../extension/schema/panel.json"), "utf8"),
);

it("the schema has the settings that the panel knows, with the same defaults", () => {
  const properties = Object.entries<{ default: unknown }>(schema.properties);
  expect(Object.fromEntries(properties.map(([name, property]) => [name, property.default]))).toEqual(
    defaultSettings,
  );
});

it("settings that are not as they should be are as by default", () => {
  expect(readSettings({})).toEqual(defaultSettings);
  expect(readSettings({ metric: 3, chart: "x", updateRate: -1, autoOpen: "yes", tutorials: "" })).toEqual(
    defaultSettings,
  );
  expect(
    readSettings({ metric: "loss", chart: "unexplained", updateRate: 500, autoOpen: true }),
  ).toMatchObject({
    metric: "loss",
    chart: "unexplained",
    updateRate: 60,
    autoOpen: true,
  });
  expect([1, 0.5, 60, 61].map((updateRate) => readSettings({ updateRate }).updateRate)).toEqual([
    1, 60, 60, 60,
  ]);
});

it("buttons name the keys that the schema gives to their commands", () => {
  const words = { __: (text: string) => text, _n: (text: string) => text };
  const keyOf = (command: string) =>
    schema["jupyter.lab.shortcuts"].find((shortcut: { command: string }) => shortcut.command === command)
      ?.keys[0];
  for (const name of Object.keys(actions) as (keyof typeof actions)[]) {
    const command = `lutnn:${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    expect(actionLabels(words)[name].key, name).toBe(keyOf(command)?.replace("Accel", "Ctrl"));
  }
});
