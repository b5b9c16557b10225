// What the instrumented library asks for where its test's process has not said how to note down: in threads and in processes
// that tests start. Each place is written at once, as such a process may be killed at any moment.
const { appendFileSync } = require("node:fs");
const { join } = require("node:path");
const { threadId } = require("node:worker_threads");

const { LUTNN_REACH_TO } = process.env;

/** The function that a file of the library calls with the number of each fault that it comes to. */
globalThis.lutnnReachOf ??= (path) => {
  if (!LUTNN_REACH_TO) return () => {};
  const to = join(LUTNN_REACH_TO, `${process.pid}-${threadId}`);
  const been = new Set();
  const write = (number) => {
    try {
      appendFileSync(to, `${path}\t${number}\n`);
    } catch {
      // The test is over and has removed the folder.
    }
  };
  write(-1);
  return (number) => {
    if (been.has(number)) return;
    been.add(number);
    write(number);
  };
};
module.exports = globalThis.lutnnReachOf;
