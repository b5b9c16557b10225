import { LutnnError } from "../errors";

// The soft assignment is softmax(−d·m) with the inverse temperature m = softplus(θ) + 1: the trained number is θ, and the
// temperature 1 / m lies above 0 and is at most 1.

/** θ of the released recipe for convolutional networks: inverse temperature 15.38, temperature 0.065. */
export const INITIAL_INVERSE_TEMPERATURE_LOGIT = 14.3846;

/** Above this, softplus(θ) = θ in float32, and eˣ would soon leave its range. */
const linearFrom = 30;

/** θ for a temperature. Throws LutnnError unless it is above 0 and at most 1. */
export function temperatureLogit(temperature: number): number {
  if (!(temperature > 0 && temperature <= 1))
    throw new LutnnError(
      `temperature: it must be above 0 and at most 1 (got ${temperature}); the lower, the harder the assignment`,
    );
  const excess = Math.max(1 / temperature - 1, 1e-12); // softplus(θ)
  return excess > linearFrom ? excess : Math.log(Math.expm1(excess));
}

/** The temperature for θ. */
export function temperatureOf(logit: number): number {
  const excess = logit > linearFrom ? logit : Math.log1p(Math.exp(logit));
  return 1 / (excess + 1);
}
