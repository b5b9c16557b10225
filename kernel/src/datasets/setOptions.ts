import { createHash } from "node:crypto";
import { LutnnError } from "../errors";
import { cellSignal } from "../host/signal";
import { locate } from "./locate";
import type { DataSource } from "./source";

/** What every reader takes that reads files. */
export interface ReadOptions {
  /** Folder that holds the files. Default: $LUTNN_DATA, the user's cache, the system's package. */
  dataFolder?: string;
  /** Fetch the files when they are nowhere and there is an address. Default false. */
  download?: boolean;
  signal?: AbortSignal;
}

/** What the readers of pictures and sounds take. */
export interface SetOptions extends ReadOptions {
  /** The paper's transforms, or ours where they differ. Default "plus". */
  profile?: "paper" | "plus";
  /** Whether training examples are moved, turned or mirrored at random, as the set's transforms say. Default true. */
  augment?: boolean;
  /** Of what is random. Default 0. */
  seed?: number;
}

/** Options with their defaults and the folder of the set's files. Throws LutnnError on what is none, and where they are not. */
export async function openSet(
  source: DataSource,
  options: SetOptions,
): Promise<{
  folder: string;
  profile: "paper" | "plus";
  augment: boolean;
  seed: number;
  signal: AbortSignal;
}> {
  const { profile = "plus", augment = true, seed = 0, dataFolder, download } = options;
  if (profile !== "paper" && profile !== "plus")
    throw new LutnnError(
      `${source.name}: profile must be "paper" or "plus" (got ${JSON.stringify(profile)})`,
    );
  const signal = cellSignal(options.signal);
  const folder = await locate(source, { dataFolder, download, signal });
  return { folder, profile, augment, seed, signal };
}

/** Stands for what is known of a set's content, for its fingerprint. */
export function digestOf(...parts: readonly (string | NodeJS.ArrayBufferView)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}
