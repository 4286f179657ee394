import type { Random } from "../data/random.ts";
import { sizeOf } from "../tensor.ts";

/** How a fresh tensor is filled. */
export type Initialiser =
  /**
   * He et al. 2015, for weights before a ReLU: normal with variance 2 / fan, fan = outputs x kernel area or inputs x
   * kernel area.
   */
  | { readonly use: "kaiming-normal"; readonly fan: "out" | "in" }
  /** PyTorch's default of linear layers: uniform within 1 / sqrt(inputs). */
  | { readonly use: "uniform"; readonly bound: number }
  | { readonly use: "normal"; readonly deviation: number }
  | { readonly use: "constant"; readonly value: number };

/** Fresh numbers for a tensor of PyTorch's axis order. */
export function initialise(initialiser: Initialiser, shape: readonly number[], random: Random): Float32Array {
  const numbers = new Float32Array(sizeOf(shape));
  switch (initialiser.use) {
    case "kaiming-normal": {
      const area = sizeOf(shape.slice(2));
      const deviation = Math.sqrt(2 / (area * (initialiser.fan === "out" ? shape[0] : shape[1])));
      return numbers.map(() => deviation * random.normal());
    }
    case "normal":
      return numbers.map(() => initialiser.deviation * random.normal());
    case "uniform":
      return numbers.map(() => initialiser.bound * (2 * random.uniform() - 1));
    case "constant":
      return numbers.fill(initialiser.value);
  }
}
