import { LutnnError } from "../errors";
import { cellSignal } from "../host/signal";
import { Dataset } from "./dataset";
import { gunzipExactly } from "./gunzip";
import { type IdxArray, idxBytes, parseIdx } from "./idx";
import { locate, readDataFile } from "./locate";
import type { DataSource } from "./source";

/** Fashion-MNIST (Xiao et al., 2017; MIT licence): 60,000 train and 10,000 test images of 28×28, ten kinds of clothes. */
export const fashionMnistSource: DataSource = {
  name: "fashion-mnist",
  url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
  files: [
    { name: "train-images-idx3-ubyte.gz", bytes: 26421880, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d" },
    { name: "train-labels-idx1-ubyte.gz", bytes: 29515, md5: "25c81989df183df01b3e8a0aad5dffbe" },
    { name: "t10k-images-idx3-ubyte.gz", bytes: 4422102, md5: "bef4ecab320f06d8554ea6380940ec79" },
    { name: "t10k-labels-idx1-ubyte.gz", bytes: 5148, md5: "bb300cfdad3c16e7a12a480ee83cd310" },
  ],
  system: {
    folder: "/usr/share/datasets/fashion-mnist",
    install: "on Debian and Ubuntu: apt install dataset-fashion-mnist",
  },
};

export interface FashionMnistOptions {
  /** 28 as published, or 14: the mean of each 2×2 block. Default 28. */
  size?: 28 | 14;
  /** Folder that holds the files. Default: $LUTNN_DATA, the user's cache, the system package. */
  dataFolder?: string;
  /** Fetch the files (31 MB) when they are nowhere. Default false. */
  download?: boolean;
  signal?: AbortSignal;
}

/** Mean and standard deviation of the training pixels, scaled to 0 … 1. */
const [mean, deviation] = [0.286, 0.353];

/**
 * Fashion-MNIST with pixels (p/255 − 0.286) / 0.353. The files come from `dataFolder`, the user's cache, the system's
 * package or, when allowed, a checked download.
 */
export async function fashionMnist(
  options: FashionMnistOptions = {},
): Promise<{ train: Dataset; test: Dataset }> {
  const { size = 28, dataFolder, download = false } = options;
  if (size !== 28 && size !== 14) throw new LutnnError(`fashionMnist: size must be 28 or 14 (got ${size})`);
  const folder = await locate(fashionMnistSource, {
    dataFolder,
    download,
    signal: cellSignal(options.signal),
  });
  const part = async (prefix: string, count: number) => {
    const images = await readIdx(folder, `${prefix}-images-idx3-ubyte.gz`, [count, 28, 28]);
    const labels = await readIdx(folder, `${prefix}-labels-idx1-ubyte.gz`, [count]);
    return new Dataset({
      name: "fashion-mnist",
      inputShape: [size, size, 1],
      numClasses: 10,
      images: pixels(images.data, 28 / size),
      labels: Int32Array.from(labels.data),
    });
  };
  return { train: await part("train", 60_000), test: await part("t10k", 10_000) };
}

async function readIdx(folder: string, name: string, dims: number[]): Promise<IdxArray> {
  const size = idxBytes(dims);
  const bytes = await gunzipExactly(await readDataFile(folder, name, size), size, name);
  const array = parseIdx(bytes, name);
  if (array.dims.join() !== dims.join())
    throw new LutnnError(`${name}: the file must hold ${dims.join("×")} bytes (got ${array.dims.join("×")})`);
  return array;
}

/** Bytes of 28×28 images → normalised float32, averaged over blocks of block×block. */
function pixels(bytes: Uint8Array, block: number): Float32Array {
  const side = 28 / block;
  const scale = 1 / (255 * block * block);
  const out = new Float32Array(bytes.length / (block * block));
  for (let i = 0; i < out.length; i++) {
    const image = Math.floor(i / (side * side));
    const [y, x] = [Math.floor(i / side) % side, i % side];
    let sum = 0;
    for (let dy = 0; dy < block; dy++)
      for (let dx = 0; dx < block; dx++) sum += bytes[image * 784 + (y * block + dy) * 28 + x * block + dx];
    out[i] = (sum * scale - mean) / deviation;
  }
  return out;
}
