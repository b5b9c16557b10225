import base from "../../vitest.config.mjs";
import ownSources from "./ownSources.mjs";

/** As the tests always run, and written down what they come to. */
export default {
  ...base,
  plugins: [ownSources()],
  test: {
    ...base.test,
    testTimeout: 300_000, // noting down takes time, and the machine may be busy
    hookTimeout: 300_000,
    setupFiles: ["test/kernel/mutants/recordReach.mjs"],
  },
};
