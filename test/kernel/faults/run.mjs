// node run.mjs FOLDER EVERY [SEED TIMES]: with shim.c loaded. Lets calls of a kind that an action makes fail, each in turn or
// every EVERYth; with SEED and TIMES so many that are drawn. Ends with 1 where a fault was passed over, was said
// otherwise than by a sentence of ours, or has changed what was there.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { below, oneOf, randomFrom } from "../../native/addon/random.mjs";
import { actions, contentOf, lutnn } from "./actions.mjs";

const [root, every, seed, times] = [process.argv[2], ...process.argv.slice(3).map(Number)];

/** What the system calls them; -1 writes half of what is to be written. */
const errors = { ENOSPC: 28, EIO: 5, EROFS: 30, EACCES: 13, EDQUOT: 122 };
const half = "half";
const kinds = {
  open: ["ENOSPC", "EACCES", "EROFS", "EIO"],
  write: ["ENOSPC", "EIO", "EDQUOT", half],
  fsync: ["EIO", "ENOSPC"],
  rename: ["EIO", "EACCES", "ENOSPC"],
  mkdir: ["EROFS", "EACCES", "ENOSPC"],
};
process.env.LUTNN_FAULT_UNDER = root;

let round = 0;
/** Does the action while call `at` of that kind fails; below 0: from call −at on. */
async function failing(call, at, error, act) {
  delete process.env.LUTNN_FAULT_HIT;
  process.env.LUTNN_FAULT = `${call} ${at} ${error === half ? -1 : errors[error]} ${++round}`;
  try {
    return { result: await act(), said: null };
  } catch (said) {
    return { result: null, said };
  } finally {
    delete process.env.LUTNN_FAULT;
  }
}

const same = (a, b) => a.size === b.size && [...a].every(([name, digest]) => b.get(name) === digest);
const isPart = (name) => name.endsWith(".part");

/** Calls whose failing is no fault of what was written: of a folder's sync, and of making folders that are there. */
const mayPass = (call, error) => call === "fsync" || call === "mkdir" || error === half;

/** One action with one fault; throws where a promise is broken. Returns whether the call was reached. */
async function tryOne(name, { act, keeps, goesOn }, states, call, at, error) {
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  if (!goesOn) cpSync(states[0].folder, folder, { recursive: true });
  else mkdirSync(folder, { recursive: true });
  const { result, said } = await failing(call, at, error, () => act(folder, 1));
  const isHit = process.env.LUTNN_FAULT_HIT === "1";
  const where = `${name}, ${call} ${at} fails with ${error}`;
  if (said && !(said instanceof lutnn.LutnnError && !said.message.includes("\n")))
    throw new Error(`${where}: ${said.stack ?? said}`);
  if (said && !(isHit && said.message.includes(`got ${error} `)))
    throw new Error(`${where}: it said "${said.message}"`);
  if (isHit && !said && !mayPass(call, error)) throw new Error(`${where}: it was passed over`);
  const now = contentOf(folder);
  const parts = [...now.keys()].filter(isPart);
  if (parts.length > 0 && !keeps) throw new Error(`${where}: it left ${parts.join()} behind`);
  for (const part of parts) now.delete(part);
  if (goesOn) {
    // Done again it goes on, and ends as if nothing had been.
    const again = said ? await act(folder, 1) : result;
    if (again !== states[1].result) throw new Error(`${where}: it went on to another result`);
  } else if (!same(now, states[said ? 0 : 1].content))
    throw new Error(`${where}: what is there is neither old nor new`);
  return isHit;
}

const all = await actions();
let tried = 0;
for (const [name, action] of Object.entries(all)) {
  const states = [];
  for (const version of [0, 1]) {
    const folder = join(root, `${name}-${version}`);
    mkdirSync(folder, { recursive: true });
    const result = await action.act(folder, version);
    states.push({ folder, result, content: contentOf(folder) });
  }
  if (seed === undefined) {
    for (const [call, list] of Object.entries(kinds))
      for (let at = 1, isReached = true; isReached; at += every) {
        isReached = await tryOne(name, action, states, call, at, list[at % list.length]);
        if (isReached && at === 1)
          for (const error of every > 1 ? list.slice(0, 1) : list) {
            await tryOne(name, action, states, call, -at, error);
            tried++;
          }
        tried++;
      }
  } else {
    const random = randomFrom(seed);
    for (let i = 0; i < times; i++) {
      const call = oneOf(random, Object.keys(kinds));
      const at = (1 + below(random, 40)) * (random() < 0.3 ? -1 : 1);
      await tryOne(name, action, states, call, at, oneOf(random, kinds[call]));
      tried++;
    }
  }
}
console.log(
  `${tried} faults of the disk in ${Object.keys(all).join(", ")}: said in a sentence, what was there is there`,
);
