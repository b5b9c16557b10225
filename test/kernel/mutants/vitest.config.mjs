import base from "../../vitest.config.mjs";

/** As the tests always run, and written down what they run into. Vitest must not rewrite the library: V8 counts by place. */
export default {
  ...base,
  test: {
    ...base.test,
    testTimeout: 300_000, // counting takes time, and the machine may be busy
    setupFiles: ["test/kernel/mutants/recordCoverage.mjs"],
    server: { deps: { external: [/\/kernel\/lib\//] } },
  },
};
