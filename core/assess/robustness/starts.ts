import { Random } from "../../data/random.ts";
import { sizeOf } from "../../tensor.ts";
import type { AttackOptions } from "./attack.ts";

/**
 * Where descents start: first without any change (`null`), then each example at places of its own, whatever the others
 * of its batch are.
 *
 * @param shape of the changes of the batch
 * @param batch the examples
 */
export function startsOf(
  { seed, restarts, norm }: Pick<AttackOptions, "seed" | "restarts" | "norm">,
  shape: readonly number[],
  batch: Uint32Array,
  eps: number,
): (Float32Array | null)[] {
  const each = sizeOf(shape.slice(1));
  return Array.from({ length: restarts }, (_, restart) => {
    if (restart === 0) return null;
    const stream = new Random(seed).split("attack").split(restart);
    const all = new Float32Array(sizeOf(shape));
    batch.forEach((index, row) => {
      const random = stream.split(index);
      const own = all.subarray(row * each, (row + 1) * each);
      if (norm === "linf") own.forEach((_, at) => own[at] = eps * (2 * random.uniform() - 1));
      else inBall(own, random, eps);
    });
    return all;
  });
}

/** A place within the Euclidean ball, each as likely. */
function inBall(numbers: Float32Array, random: Random, radius: number): void {
  numbers.forEach((_, at) => numbers[at] = random.normal());
  const length = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
  const scale = radius * random.uniform() ** (1 / numbers.length) / Math.max(length, Number.MIN_VALUE);
  numbers.forEach((number, at) => numbers[at] = scale * number);
}
