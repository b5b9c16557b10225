// One step of the set-up: skip what is done, time what is not, say what to try when it fails.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { remedyFor } from "./remedies.mjs";
import { at, root, target } from "./workspace.mjs";

const generated = new Set(["node_modules", "build", "lib", "labextension", "__pycache__"]);

function filesUnder(path) {
  if (!existsSync(at(path))) return [];
  if (!statSync(at(path)).isDirectory()) return [path];
  return readdirSync(at(path))
    .sort()
    .filter((name) => !generated.has(name))
    .flatMap((name) => filesUnder(join(path, name)));
}

/** SHA-256 over the inputs' names and bytes, this system, Node's major version and where the checkout lies. */
export function fingerprint(inputs) {
  const hash = createHash("sha256").update(`${target} ${process.version.split(".")[0]} ${root}`);
  for (const input of inputs)
    for (const file of filesUnder(input)) hash.update(file).update(readFileSync(at(file)));
  return hash.digest("hex");
}

/**
 * @typedef {object} Step
 * @property {string} name what is printed
 * @property {string[]} inputs files and folders of the checkout whose change makes the product stale
 * @property {string} stamp a file inside the product: deleting the product also deletes the record that it was made
 * @property {() => boolean} [intact] false when the product is incomplete although the stamp is there
 * @property {() => string | undefined} make makes the product; a returned string is printed as a remark
 * @property {string[]} needs names of the prerequisites (prerequisites.mjs)
 * @property {string} remedy what to try when it fails and what it printed tells no cause
 */

/** @param {Step} step */
export const isDone = (step) =>
  existsSync(step.stamp) &&
  readFileSync(step.stamp, "utf8") === fingerprint(step.inputs) &&
  (step.intact?.() ?? true);

/** Runs the step and writes its stamp last, so that an interrupted step runs again. @param {Step} step */
export function runStep(step) {
  const start = performance.now();
  console.log(`> ${step.name}`);
  let remark;
  try {
    remark = step.make();
  } catch (error) {
    const remedy = remedyFor(error.message, step.remedy);
    throw new Error(`set-up step "${step.name}" failed.\n${error.message}\n  What to try: ${remedy}`);
  }
  mkdirSync(dirname(step.stamp), { recursive: true });
  writeFileSync(step.stamp, fingerprint(step.inputs));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`  done in ${seconds} s${remark ? ` (${remark})` : ""}`);
}
