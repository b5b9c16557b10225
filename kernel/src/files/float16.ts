const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of the half-precision number nearest to x, ties to even; beyond 65,519 infinity. */
export function toFloat16(x: number): number {
  float[0] = x;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds beyond the largest
  if (magnitude < 0x38800000) {
    // Below 2⁻¹⁴: steps of 2⁻²⁴.
    const steps = Math.abs(float[0]) * 2 ** 24;
    const whole = Math.floor(steps);
    const rest = steps - whole;
    return sign | (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The number that 16 bits of half precision stand for. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
