import base from "../../vitest.config.mjs";

/** As the tests always run, each with one fault after the other. */
export default { ...base, test: { ...base.test, runner: "test/kernel/mutants/faultRunner.mjs" } };
