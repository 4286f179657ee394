import assert from "node:assert/strict";
import type { Backend } from "../../core/backend/backend.ts";
import { Random } from "../../core/data/random.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import { doConv } from "../../core/overparameterise/do_conv.ts";
import { majority } from "../../core/overparameterise/majority.ts";
import { mpo } from "../../core/overparameterise/mpo.ts";
import { sum } from "../../core/overparameterise/sum.ts";
import type { WeightProvider } from "../../core/overparameterise/weight_provider.ts";
import type { OverParameterisation } from "../../core/recipe/recipe_type.ts";
import { sizeOf, type Tensor } from "../../core/tensor.ts";
import { pseudoRandom } from "./numbers.ts";

const NOTHING: Omit<OverParameterisation, "use"> = {
  layers: "*",
  kernels: null,
  cores: null,
  rows: null,
  cols: null,
  increaseRate: null,
  gauge: "balanced",
};

/** A provider as a recipe's entry gives it for a weight of a shape; `null` where the weight stays as it is. */
export function providerOf(entry: Partial<OverParameterisation>, shape: readonly number[]): WeightProvider | null {
  const kinds = { mpo, sum, "do-conv": doConv, majority };
  const whole: OverParameterisation = { ...NOTHING, use: "mpo", ...entry };
  return kinds[whole.use](whole, shape);
}

/** Every kind with shapes that it takes: odd ones, linear layers, and as few kernels as there may be. */
export const PROVIDERS: readonly (readonly [entry: Partial<OverParameterisation>, shape: readonly number[]])[] = [
  [{ use: "mpo", cores: 3 }, [6, 4, 3, 3]],
  [{ use: "mpo", rows: [3, 2, 1], cols: [2, 2, 9] }, [6, 4, 3, 3]],
  [{ use: "sum", kernels: 1 }, [5, 3, 3, 3]],
  [{ use: "sum", kernels: 3 }, [5, 3, 3, 3]],
  [{ use: "sum", kernels: 2 }, [2, 7, 4, 2]],
  [{ use: "sum", kernels: 1 }, [7, 5]],
  [{ use: "sum", kernels: 4 }, [7, 5]],
  [{ use: "sum", kernels: 2 }, [3, 5, 1, 1]],
  [{ use: "do-conv" }, [5, 3, 3, 3]],
  [{ use: "do-conv" }, [7, 1, 2, 3]],
  [{ use: "majority", kernels: 2 }, [5, 3, 3, 3]],
  [{ use: "majority", kernels: 3 }, [7, 5]],
];

/** What a test says of a provider that it is at fault. */
export const showProvider = (entry: Partial<OverParameterisation>, shape: readonly number[]): string =>
  `${JSON.stringify(entry)} of [${shape}]`;

/** Numbers for each of a provider's tensors, which need not come from any weight. */
export const anyTensors = ({ shapes }: WeightProvider, seed: number): Float64Array[] =>
  shapes.map((shape, index) => pseudoRandom(seed + index, sizeOf(shape)));

/** The tensors that make a weight. */
export async function startOf(backend: Backend, provider: WeightProvider, weight: Float32Array) {
  const start = await provider.start(weight, { device: createOps(backend).device, random: new Random(3) });
  assert.deepEqual(start.map(({ length }) => length), provider.shapes.map(sizeOf));
  return start;
}

/** Puts a provider's tensors on a device. */
export const onDevice = (ops: Ops, { shapes }: WeightProvider, tensors: readonly Float64Array[]): Tensor[] =>
  tensors.map((numbers, index) => ops.tensor(numbers, shapes[index]));
