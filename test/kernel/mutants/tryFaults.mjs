import { plant } from "./plant.mjs";
import { comesOutside } from "./reach.mjs";
import { plantTogether } from "./together.mjs";

/** Which tests of each file are run with which of some faults: the quick tests of all files first, and narrow files before wide ones. */
function partsOf(switched, reach) {
  const parts = [];
  for (const { switchedBy, tries } of switched)
    for (const { file, isQuick, width, names } of tries) {
      let part = parts.find((one) => one.file === file && one.isQuick === isQuick);
      if (!part) {
        const { tests } = reach.get(file);
        const milliseconds = Object.fromEntries(tests.map((one) => [one.name, one.milliseconds]));
        part = { file, isQuick, width, tests: {}, milliseconds };
        parts.push(part);
      }
      for (const name of names) {
        part.tests[name] ??= [];
        part.tests[name].push(switchedBy);
      }
    }
  return parts.sort((a, b) => b.isQuick - a.isQuick || a.width - b.width);
}

/**
 * Tries faults: together where tests alone come to them, and by themselves where what runs outside of tests does: as a file
 * is loaded, in a thread, in a process that outlives a test.
 * @param faults each with its `tries`, as `testsThatReach` gives them
 * @param seconds that the tests of one fault may take about; 0: all of them are run
 * @param tell called with each fault, what noticed it (or null), and whether tests were left that were not run
 */
export async function tryFaults(root, faults, reach, seconds, tell) {
  const all = faults.map((fault, switchedBy) => ({ ...fault, switchedBy }));
  const told = new Set();
  const tellOf = (number, killedBy, isCut) => {
    told.add(number);
    tell(faults[number], killedBy, isCut);
  };
  const isAlone = (fault, file) => !fault.canSwitch || comesOutside(fault, reach.get(file));
  const switched = all.map((fault) => ({
    ...fault,
    tries: fault.tries.filter(({ file }) => !isAlone(fault, file)),
  }));
  const left = all.map(() => (seconds > 0 ? 1000 * seconds : Number.MAX_VALUE));
  const untried = await plantTogether(
    root,
    switched.filter(({ tries }) => tries.length > 0),
    partsOf(switched, reach),
    left,
    (number, killedBy) => tellOf(number, killedBy, false),
  );
  for (const fault of all.filter(({ switchedBy }) => !told.has(switchedBy))) {
    const number = fault.switchedBy;
    const wasUntried = (file, name) =>
      untried.some(({ file: of, test, fault: which }) => of === file && test === name && which === number);
    const tries = fault.tries.flatMap((one) => {
      const names = one.names.filter((name) => isAlone(fault, one.file) || wasUntried(one.file, name));
      return names.length > 0 ? [{ ...one, names }] : [];
    });
    const { killedBy, isCut } = await plant(root, fault, tries, seconds);
    tellOf(number, killedBy, killedBy === null && (isCut || left[number] <= 0));
  }
}
