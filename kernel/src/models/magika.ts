import { join } from "node:path";
import { locatePypi, type PypiSource } from "../datasets/pypiSource";
import { cellSignal } from "../host/signal";

const model = "magika/models/standard_v3_3";

/** Google's Magika (Apache-2.0), which tells what a file is from its bytes, as its package on PyPI carries it. */
export const magikaSource: PypiSource = {
  name: "magika",
  project: "magika",
  file: {
    name: "magika-1.0.3-py3-none-manylinux_2_28_x86_64.whl",
    bytes: 16_244_594,
    sha256: "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
  },
  unpacked: {
    paths: [`${model}/model.onnx`, `${model}/config.min.json`],
    bytes: 2 ** 27,
    entries: 100,
  },
  remedy:
    "python3 -m pip download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 magika==1.0.3 gets the wheel",
};

export interface MagikaOptions {
  /** Folder that holds the wheel, or it unpacked. Default: $LUTNN_DATA, the user's cache. */
  dataFolder?: string;
  /** Fetch the wheel (16 MB) from PyPI when it is nowhere. Default false. */
  download?: boolean;
  signal?: AbortSignal;
}

/**
 * The folder of Magika's network (version standard_v3_3: `model.onnx`, `config.min.json`), an ONNX file that JAX and tf2onnx
 * made: 2,048 bytes of a file in, shares of 214 kinds out. From `dataFolder`, $LUTNN_DATA, the user's cache or, when allowed,
 * PyPI; else LutnnError says how to get it.
 */
export async function magika({ signal, ...options }: MagikaOptions = {}): Promise<string> {
  return join(await locatePypi(magikaSource, { ...options, signal: cellSignal(signal) }), model);
}
