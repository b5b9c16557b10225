import type { TranslationBundle } from "@jupyterlab/translation";

/** Turns English into the language of the page: `__("%1 layers", 3)`. Its functions may be taken off it. */
export type Words = Pick<TranslationBundle, "__" | "_n">;

/** The words of a bundle. */
export const wordsOf = (bundle: TranslationBundle): Words => ({
  __: (text, ...values) => bundle.__(text, ...values),
  _n: (one, more, count, ...values) => bundle._n(one, more, count, ...values),
});
