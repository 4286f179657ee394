import type { Floats } from "../../backend/backend.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Value } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import type { HostTensor } from "../../plugin/dataset.ts";
import { type Network, sizeOfOne } from "./network.ts";
import { replay, shapeIn } from "../replay.ts";

/** What a network computes of some images as they are, in float64: bounds say how far from it others can be. */
export class Anchor {
  private constructor(
    /** How many images. */
    readonly batch: number,
    private readonly values: ReadonlyMap<Value, Floats>,
  ) {}

  /** @param exact operations in float64; `weights` are there */
  static async at(exact: Ops, network: Network, weights: Weights, images: HostTensor): Promise<Anchor> {
    const wanted = [
      ...new Set([...network.steps.flatMap((step) => step.kind === "linear" ? [] : step.inputs), network.logits]),
    ];
    const batch = images.shape[0];
    const tensors = exact.scope(() => {
      const held = new Map([[network.input, exact.tensor(images.data, images.shape)]]);
      replay({ ops: exact, weights, sizes: { batch, length: 1 }, held }, network.pass);
      return wanted.map((value) => exact.reshape(held.get(value)!, shapeIn(value.shape, batch)));
    });
    const numbers = await exact.read(tensors);
    tensors.forEach((tensor) => tensor.dispose());
    return new Anchor(batch, new Map(wanted.map((value, index) => [value, numbers[index]])));
  }

  /** The numbers `[batch, ...]` that some curve gets, or the logits. */
  of(value: Value): Floats {
    return this.values.get(value)!;
  }

  /** The same of some of the images. */
  some(examples: readonly number[]): Anchor {
    const values = [...this.values].map(([value, numbers]): [Value, Floats] => {
      const size = sizeOfOne(value);
      const own = new Float64Array(examples.length * size);
      examples.forEach((example, place) =>
        own.set(numbers.subarray(example * size, (example + 1) * size), place * size)
      );
      return [value, own];
    });
    return new Anchor(examples.length, new Map(values));
  }
}
