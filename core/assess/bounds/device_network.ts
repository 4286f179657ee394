import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { LinearStep, Network } from "./network.ts";
import { shapeIn } from "../replay.ts";

/** A network's linear maps on the backend, until it is disposed of. */
export class DeviceNetwork implements Disposable {
  readonly #factors = new Map<LinearStep, { readonly signed: Tensor; readonly absolute: Tensor }>();

  constructor(readonly ops: Ops, readonly network: Network) {
    for (const step of network.steps) {
      if (step.kind !== "linear" || !step.factors) continue;
      const { data, shape } = step.factors;
      const signed = Float32Array.from(data);
      this.#factors.set(step, {
        signed: ops.keep(ops.tensor(signed, shape)),
        absolute: ops.keep(ops.tensor(signed.map(Math.abs), shape)),
      });
    }
  }

  /** L x for each of a batch of changes, or with `absolute` |L| x. */
  run(step: LinearStep, inputs: readonly Tensor[], absolute: boolean): Tensor {
    const factors = this.#factors.get(step)?.[absolute ? "absolute" : "signed"] ?? null;
    return step.run({ ops: this.ops, inputs, factors, batch: inputs[0].shape[0], absolute });
  }

  /** L^T y for each of a batch: one tensor for each of the step's inputs. */
  transposed(step: LinearStep, y: Tensor): Tensor[] {
    const batch = y.shape[0];
    const anywhere = step.inputs.map(({ shape }) => this.ops.full(shapeIn(shape, batch), 0));
    const product = () => this.ops.sum(this.ops.multiply(this.run(step, anywhere, false), y));
    return this.ops.differentiate(product, anywhere).gradients as Tensor[];
  }

  [Symbol.dispose](): void {
    for (const { signed, absolute } of this.#factors.values()) {
      signed.dispose();
      absolute.dispose();
    }
  }
}
