import { Random } from "../../data/random.ts";
import { upload } from "../batch.ts";
import { initialise } from "../../nn/initialisers.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { Batch, InputDescription } from "../dataset.ts";
import type { Numbers } from "../inner_widths.ts";
import type { ForwardCall, Model, ModelOutputs } from "../model.ts";
import { madeUpBatch } from "./inputs.ts";

/** A model with fresh weights and a made-up batch. */
export class ModelRig {
  /** The weights that the model asked for. */
  readonly asked = new Set<string>();
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly #batch: Batch<Tensor>;
  readonly #provider: Weights;

  constructor(readonly ops: Ops, readonly model: Model, data: InputDescription, size: number) {
    const random = new Random(8);
    this.weights = new Map(model.parameters.map(({ name, shape, initialise: how, trainable }) => {
      const stream = random.split(name);
      const fresh = initialise(how, shape, stream);
      // So that biases and running statistics are not all 0 or 1, where mistakes do not show; variances stay positive.
      const numbers = fresh.map((number) =>
        trainable ? number + 0.1 * stream.normal() : number + 0.1 * stream.uniform()
      );
      return [name, ops.keep(ops.tensor(numbers, shape))];
    }));
    this.#batch = upload(ops, madeUpBatch(data, size));
    const provider = weightsFrom(this.weights);
    this.#provider = {
      get: (name) => {
        this.asked.add(name);
        return provider.get(name);
      },
      rows: (name) => [this.#provider.get(name)],
      cores: () => null,
    };
  }

  /** The weights on the host. */
  async numbers(): Promise<Map<string, Float32Array>> {
    const read = await this.ops.read([...this.weights.values()]);
    return new Map([...this.weights.keys()].map((name, index) => [name, Float32Array.from(read[index])]));
  }

  /** The outputs in evaluation of another model of the same family, with other weights. */
  forwardOf(model: Model, numbers: Numbers): ModelOutputs {
    const { ops } = this;
    const tensors = model.parameters.map(({ name, shape }) => [name, ops.tensor(numbers.get(name)!, shape)] as const);
    return model.forward({ ...this.#call(false), weights: weightsFrom(new Map(tensors)) });
  }

  /** The model's outputs; every pass draws the same random numbers. */
  forward(training: boolean): ModelOutputs {
    return this.model.forward(this.#call(training));
  }

  /** The same with each layer run alone, and the numbers of the layers in the order in which they were asked for. */
  forwardByLayers(training: boolean): { readonly outputs: ModelOutputs; readonly asked: readonly number[] } {
    const asked: number[] = [];
    const call = this.#call(training);
    const replaceLayer = (layer: number, x: Tensor) => {
      asked.push(layer);
      return this.model.runLayer!(call, layer, x);
    };
    return { outputs: this.model.forward({ ...call, replaceLayer }), asked };
  }

  #call(training: boolean): ForwardCall {
    const seeds = new Random(9);
    const randomSeed = () => seeds.uint32();
    return { ops: this.ops, weights: this.#provider, batch: this.#batch, training, randomSeed };
  }

  dispose(): void {
    for (const tensor of [...this.weights.values(), ...Object.values(this.#batch)]) tensor.dispose();
  }
}
