// node run.mjs FOLDER TIMES: what writes files writes the same, what works on a cell keeps it, and what tells of progress tells
// sense, while the clock is set to and fro (see setClock.mjs). Ends with 1 where one does not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { actions, contentOf, lutnn } from "../faults/actions.mjs";
import { setClock } from "./setClock.mjs";

const { writeFileWhole } = createRequire(import.meta.url)("../../../kernel/lib/files/writeFile.js");

/** Each action twice, and its files, or what it gives where these also say how long it took; `done` after each. */
async function writeAll(root, done) {
  const contents = [];
  for (const [name, { act, goesOn }] of Object.entries(await actions())) {
    const folder = join(root, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const given = [];
    for (const version of [0, 1]) {
      given.push(await act(folder, version));
      done();
    }
    contents.push([name, goesOn ? given : [...contentOf(folder)]]);
  }
  return contents;
}

/** A file that two threads write at once, over and over. */
async function writeTogether(path, times) {
  const other = new Worker(new URL(import.meta.url), { workerData: { path, times } });
  for (let i = 0; i < times; i++) await writeFileWhole(path, `main ${i}`, "test");
  await once(other, "exit").then(([code]) => assert.equal(code, 0, "the other thread failed"));
}

/** A cell that is worked on for longer than a holder may be silent, and that another one waits for. */
async function workOnCell(root) {
  const store = new lutnn.paper.CellStore(root);
  let times = 0;
  const work = async () => {
    times++;
    await pause(1500);
    return { figures: { times } };
  };
  const options = { staleSeconds: 1 };
  const [first, second] = await Promise.all([
    store.remember({ name: "cell" }, work, options),
    pause(200).then(() => store.remember({ name: "cell" }, work, options)),
  ]);
  assert.deepEqual([times, first.figures, second.figures], [1, { times: 1 }, { times: 1 }]);
}

if (isMainThread) {
  const [root, times] = [process.argv[2], Number(process.argv[3])];
  const calm = await writeAll(join(root, "files"), () => {});
  const before = Date.now();
  setClock();
  assert.ok(Date.now() < before, "the clock must be one that can be set");
  const jumping = setInterval(() => setClock(), 3);
  for (let i = 0; i < times; i++)
    assert.deepEqual(await writeAll(join(root, "files"), () => setClock()), calm);
  await writeTogether(join(root, "together"), 100 * times);
  await workOnCell(join(root, "cells"));
  clearInterval(jumping);
  console.log("ok");
} else {
  for (let i = 0; i < workerData.times; i++) await writeFileWhole(workerData.path, `other ${i}`, "test");
}
