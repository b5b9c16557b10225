import fs from "node:fs";
import { closeBoth, type OpenEnds, withEnds } from "./pipeFiles";

/** The functions of `fs` that write to a descriptor, which comes first. */
const waiting = ["writeSync", "writevSync", "writeFileSync", "appendFileSync"] as const;
const calling = ["write", "writev", "writeFile", "appendFile"] as const;

type Write = (descriptor: unknown, ...rest: unknown[]) => unknown;

/**
 * What code writes to descriptors 1 and 2 by `fs`.
 * @param open of the request whose code it is; null where its text need not go another way
 * @param written called once a function that waits has written
 */
export function watchDescriptorWrites(open: OpenEnds, written: () => void): void {
  for (const name of waiting)
    replace(name, (plain) => (descriptor, ...rest) => {
      if (!isOurs(descriptor)) return plain(descriptor, ...rest);
      try {
        return withEnds(open, (ends) => plain(ends?.[descriptor - 1] ?? descriptor, ...rest));
      } finally {
        written();
      }
    });
  for (const name of calling)
    replace(name, (plain) => (descriptor, ...rest) => {
      const done = rest.at(-1);
      const ends = isOurs(descriptor) && typeof done === "function" ? open() : null;
      if (!ends || !isOurs(descriptor)) return plain(descriptor, ...rest);
      const closing = (...results: unknown[]) => {
        closeBoth(ends);
        Reflect.apply(done as () => void, undefined, results);
      };
      try {
        return plain(ends[descriptor - 1], ...rest.slice(0, -1), closing);
      } catch (error) {
        closeBoth(ends);
        throw error;
      }
    });
}

function replace(name: (typeof waiting | typeof calling)[number], wrap: (plain: Write) => Write): void {
  const plain = fs[name] as unknown as Write;
  const wrapped = wrap((...args) => Reflect.apply(plain, fs, args));
  // What util.promisify looks for, and the name.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(plain));
  Object.assign(fs, { [name]: wrapped });
}

const isOurs = (descriptor: unknown): descriptor is 1 | 2 => descriptor === 1 || descriptor === 2;
