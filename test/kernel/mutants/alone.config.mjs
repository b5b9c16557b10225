import base from "../../vitest.config.mjs";
import ownSources from "./ownSources.mjs";

/** As the tests always run, with one fault. */
export default { ...base, plugins: [ownSources()] };
