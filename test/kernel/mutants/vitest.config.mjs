import base from "../../vitest.config.mjs";

/** As the tests always run, and written down what they run into. */
export default {
  ...base,
  test: { ...base.test, setupFiles: ["test/kernel/mutants/recordCoverage.mjs"] },
};
