import type { Device } from "../../../device.ts";
import { norm } from "../../../linalg/vector.ts";
import type { Chain } from "../../../mpo/chain.ts";
import { matrixSize } from "../../../nn/matrix_size.ts";
import { decomposeWeight } from "../../../overparameterise/mpo.ts";
import { factorNames, productOfFactors } from "../../../plugin/factors.ts";
import { factoredModel } from "../../../plugin/factored_model.ts";
import type { Model } from "../../../plugin/model.ts";
import { countTrainable } from "../../../plugin/parameters.ts";
import { sizeOf } from "../../../tensor.ts";
import { chooseRanks } from "./choose_ranks.ts";
import { type FactorPlan, fullRank } from "./factor_plan.ts";

/** What cutting a weight to two factors came to. */
export interface Truncated {
  /** Singular values that stayed. */
  readonly rank: number;
  /** How many there were. */
  readonly fullRank: number;
  /** ||up down - W|| / ||W||, Frobenius norms. */
  readonly error: number;
}

/** A student of whose weights some are two factors. */
export interface FactoredStudent {
  readonly model: Model;
  /** By the names of its own parameters. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** The same with the factors multiplied, by the names that the model without factors has. */
  readonly products: ReadonlyMap<string, Float32Array>;
  /** By weight; those that would have been no smaller are not there. */
  readonly truncated: Readonly<Record<string, Truncated>>;
}

/**
 * Cuts weights to the product of two factors: of their singular value decomposition, a chain of two cores, what the
 * plan's ranks leave, the roots of the singular values in both.
 *
 * @param numbers of the student's merged weights
 */
export async function truncateWeights(
  device: Device,
  model: Model,
  numbers: ReadonlyMap<string, Float32Array>,
  plan: FactorPlan,
): Promise<FactoredStudent> {
  const chains = new Map<string, Chain>();
  const spectra = new Map<string, Float64Array>();
  for (const [name, shape] of plan.weights) {
    const { rows, cols } = matrixSize(shape);
    const spec = { rows: [rows, 1], cols: [1, cols], gauge: "balanced" as const };
    const chain = await decomposeWeight(device, numbers.get(name)!, shape, spec);
    chains.set(name, chain);
    spectra.set(name, spectrumOf(chain));
  }
  const others = [...plan.weights.values()].reduce(
    (sum, shape) => sum - sizeOf(shape),
    countTrainable(model.parameters),
  );
  const ranks = chooseRanks(plan, spectra, others);
  const [own, products] = [new Map(numbers), new Map(numbers)];
  const truncated: Record<string, Truncated> = {};
  for (const [name, rank] of ranks) {
    const whole = numbers.get(name)!;
    const { down, up } = cut(chains.get(name)!, rank);
    const product = productOfFactors(down, up, rank);
    const names = factorNames(name);
    own.delete(name);
    own.set(names.down, down).set(names.up, up);
    products.set(name, product);
    const [size, apart] = [whole, product.map((value, at) => value - whole[at])].map((part) => {
      return norm(Float64Array.from(part));
    });
    truncated[name] = { rank, fullRank: fullRank(plan.weights.get(name)!), error: size === 0 ? apart : apart / size };
  }
  return { model: factoredModel(model, ranks), numbers: own, products, truncated };
}

/** A balanced chain of two has the root of each singular value as the norm of a column of its first core. */
function spectrumOf({ cores: [up], rows: [outputs], bonds: [, rank] }: Chain): Float64Array {
  const squares = new Float64Array(rank);
  for (let row = 0; row < outputs; row++) {
    for (let k = 0; k < rank; k++) squares[k] += up[row * rank + k] ** 2;
  }
  return squares;
}

/** The factors of the largest singular values. */
function cut(
  { cores: [up, down], rows: [outputs], cols: [, inputs], bonds: [, full] }: Chain,
  rank: number,
): { readonly down: Float32Array; readonly up: Float32Array } {
  return {
    down: Float32Array.from(down.subarray(0, rank * inputs)),
    up: Float32Array.from({ length: outputs * rank }, (_, at) => up[Math.floor(at / rank) * full + at % rank]),
  };
}
