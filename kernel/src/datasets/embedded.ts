import { createHash } from "node:crypto";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { gunzipExactly } from "./gunzip";

/** A gzip file below `kernel/data`, as it is and as it unpacks. */
export interface EmbeddedFile {
  /** Below `kernel/data`. */
  path: string;
  sha256: string;
  /** Bytes that it unpacks to. */
  unpacked: number;
}

const remedy = "install the package again";

/** Rows of numbers in an embedded text file. Throws LutnnError, opened by `name`, where the file is not as it was made. */
export async function embeddedRows(
  name: string,
  { path, sha256, unpacked }: EmbeddedFile,
  separator: string,
): Promise<number[][]> {
  const compressed = await readFileWhole(join(__dirname, "../../data", path), name, unpacked, remedy);
  const found = createHash("sha256").update(compressed).digest("hex");
  if (found !== sha256)
    throw new LutnnError(
      `${name}: the embedded file must have sha256 ${sha256} (got ${found}); it is damaged, ${remedy}`,
    );
  const lines = (await gunzipExactly(compressed, unpacked, name)).toString("ascii").trim().split("\n");
  return lines.map((line) => line.trim().split(separator).map(Number));
}
