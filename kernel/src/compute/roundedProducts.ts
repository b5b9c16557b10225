/**
 * The numbers that TensorFlow's library may round the factors of its products to, as the environment asks it (`BF16`, `F16`, `TF32`,
 * `ANY`); null where products are of float32.
 */
export function roundedProducts(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { ONEDNN_DEFAULT_FPMATH_MODE: mode, DNNL_DEFAULT_FPMATH_MODE: older } = environment;
  const asked = (mode ?? older ?? "").toUpperCase();
  return asked === "" || asked === "STRICT" ? null : asked;
}
