import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import type { OutputError } from "../report/errorAccumulation";

/** Sums per output channel, over all batches seen, from which both errors follow. */
export class ErrorSums {
  private count = 0;
  private readonly y: Float64Array;
  private readonly yy: Float64Array;
  private readonly z: Float64Array;
  private readonly zz: Float64Array;
  private readonly yz: Float64Array;
  private readonly difference: Float64Array;

  constructor(channels: number) {
    const zeros = () => new Float64Array(channels);
    [this.y, this.yy, this.z, this.zz, this.yz, this.difference] = [
      zeros(),
      zeros(),
      zeros(),
      zeros(),
      zeros(),
      zeros(),
    ];
  }

  /**
   * Adds a batch: the exact output and the approximation, both (…, channels).
   * @param rows which of their rows count; all of them where null
   */
  add(exact: tf.Tensor, approximate: tf.Tensor, rows: Uint32Array | null = null): void {
    const channels = this.y.length;
    const sums = valuesOf(() => {
      const chosen = rows && tf.tensor1d(Int32Array.from(rows), "int32");
      const rowsOf = (x: tf.Tensor) => {
        const all = x.reshape([-1, channels]);
        return chosen ? tf.gather(all, chosen) : all;
      };
      const y = rowsOf(exact);
      const z = rowsOf(approximate);
      this.count += y.shape[0];
      const perChannel = [y, tf.square(y), z, tf.square(z), tf.mul(y, z), tf.squaredDifference(y, z)];
      return tf.stack(perChannel.map((values) => tf.sum(values, 0)));
    });
    [this.y, this.yy, this.z, this.zz, this.yz, this.difference].forEach((total, i) => {
      for (let c = 0; c < channels; c++) total[c] += sums[i * channels + c];
    });
  }

  /** The errors so far, null before the first batch; a constant exact output counts as explained. */
  error(): OutputError | null {
    if (this.count === 0) return null;
    let squared = 0;
    let variance = 0;
    let unexplained = 0;
    for (let c = 0; c < this.y.length; c++) {
      const varianceY = Math.max(0, this.yy[c] - this.y[c] ** 2 / this.count);
      const varianceZ = Math.max(0, this.zz[c] - this.z[c] ** 2 / this.count);
      const covariance = this.yz[c] - (this.y[c] * this.z[c]) / this.count;
      const correlation = varianceY > 0 && varianceZ > 0 ? covariance ** 2 / (varianceY * varianceZ) : 0;
      squared += this.difference[c];
      variance += varianceY;
      unexplained += varianceY * (1 - Math.min(1, correlation));
    }
    if (variance === 0) return { relative: squared > 0 ? Number.MAX_VALUE : 0, unexplained: 0 };
    return { relative: squared / variance, unexplained: unexplained / variance };
  }
}
