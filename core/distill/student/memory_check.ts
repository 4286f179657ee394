import type { Ops } from "../../ops/ops.ts";
import { trainedNumbers, type WeightProvider } from "../../overparameterise/weight_provider.ts";
import type { Model } from "../../plugin/model.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { sizeOf } from "../../tensor.ts";
import { NOTHING_PRUNED, type Pruned } from "./student.ts";

/** Bytes of a float32. */
const NUMBER = 4;

/**
 * Bytes that a backend can have at most: WebAssembly addresses 4 GiB; no GPU that runs one student has above 256 GiB.
 */
const MOST_BYTES: Readonly<Record<Ops["backend"]["name"], number>> = { cpu: 2 ** 32, webgpu: 2 ** 38 };

/** What a student takes at least while it is trained. */
export interface TrainingMemory {
  /** Numbers in its weights and cores. */
  readonly numbers: number;
  /** Numbers in the weights of a teacher that learns beside it; 0 without. */
  readonly teacher: number;
  /** Bytes of these, of their gradients, the optimiser's averages and masks: activations come on top. */
  readonly bytes: number;
}

/**
 * Estimates from shapes alone what training takes at least, before any of it is made.
 *
 * @param rates learning rates by weight; a plain weight of rate 0 is frozen
 * @param beside `pruned`: weights with masks; those by movement have gradients and sums of them. `learning`: a teacher
 * that is trained, too; the student is then there twice, as it is and one step ahead
 */
export function trainingMemory(
  { parameters }: Pick<Model, "parameters">,
  providers: ReadonlyMap<string, WeightProvider>,
  rates: ReadonlyMap<string, number>,
  optimiser: Recipe["train"]["optimiser"],
  { pruned = NOTHING_PRUNED, learning = null }: {
    readonly pruned?: Pruned;
    readonly learning?: Pick<Model, "parameters"> | null;
  } = {},
): TrainingMemory {
  const averages = optimiser.use === "adamw" ? 2 : optimiser.momentum > 0 ? 1 : 0;
  let [numbers, trained, masked] = [0, 0, 0];
  for (const { name, shape, trainable } of parameters) {
    const provider = providers.get(name);
    const own = provider ? trainedNumbers(provider) : sizeOf(shape);
    numbers += own;
    if (pruned.weights.has(name)) masked += sizeOf(shape);
    if (provider || trainable && rates.get(name) !== 0) trained += own;
  }
  // Beside each mask what the weight is times it.
  const perMask = pruned.learnsScores ? 4 : 2;
  const alone = numbers + (1 + averages) * trained + perMask * masked;
  if (!learning) return { numbers, teacher: 0, bytes: NUMBER * alone };
  const teacher = learning.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { numbers, teacher, bytes: NUMBER * (alone + (2 + averages) * (trained + teacher)) };
}

/** The sentence that refuses a student which the backend cannot hold; `null` if it can. */
export function tooLarge(
  { numbers, teacher, bytes }: TrainingMemory,
  { name }: Pick<Ops["backend"], "name">,
): string | null {
  const most = MOST_BYTES[name];
  if (bytes <= most) return null;
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toLocaleString("en", { maximumFractionDigits: 1 })} GiB`;
  const beside = teacher === 0 ? "" : ` and a teacher of ${teacher.toLocaleString("en")}`;
  return `Cannot train a student of ${
    numbers.toLocaleString("en")
  } parameters${beside} on ${name}: weights, gradients and the ` +
    `optimiser's averages take at least ${gibibytes(bytes)} of at most ${gibibytes(most)}; make it smaller, or ` +
    "over-parameterise it less";
}
