import base from "../../vitest.config.mjs";
import ownSources from "./ownSources.mjs";

/** As the tests always run, each with one fault after the other. What takes too long is together.mjs' to say. */
export default {
  ...base,
  plugins: [ownSources()],
  test: { ...base.test, testTimeout: 300_000, runner: "test/kernel/mutants/faultRunner.mjs" },
};
