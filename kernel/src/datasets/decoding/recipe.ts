/** Where the bytes of one example are: a file, or so many bytes of one from `offset` on. */
export interface Item {
  path: string;
  offset?: number;
}

/** How pictures become numbers; the steps in this order, those that are random only where examples are augmented. */
export interface ImageRecipe {
  kind: "image";
  /** Raw bytes by channel, row, column (`planar`) or channel, column, row (`columnMajor`), (3, side, side); or a file. */
  format: { raw: "planar" | "columnMajor"; side: number } | "ppm" | "jpeg";
  /** Of both sides, or of the shorter one. */
  resize?: number | { shorter: number };
  /** A square: at random in the picture made larger by reflection, else the middle. */
  crop?: { size: number; padding: number };
  /** Degrees to either side, at random. */
  rotate?: number;
  /** Every other picture, at random. */
  mirror?: boolean;
  /** Whether what is random is done; where it is not, a crop is the middle. */
  augment: boolean;
  mean: readonly number[];
  deviation: readonly number[];
}

/** How a second of sound becomes a mel spectrogram (32, 32, 1). */
export interface SoundRecipe {
  kind: "sound";
  /** The logarithm of it. */
  logarithm: boolean;
}

/** What a worker does to an item: plain data. */
export type Recipe = ImageRecipe | SoundRecipe;

/** Examples that a worker is asked for. */
export interface DecodingTask {
  recipe: Recipe;
  items: readonly Item[];
  /** Of the random numbers of each example. */
  seeds: readonly string[];
  /** Numbers of one example. */
  length: number;
}
