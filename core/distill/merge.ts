import { CpuBackend } from "../backend/cpu/cpu_backend.ts";
import { mergeChain } from "../mpo/merge.ts";
import { createOps } from "../ops/ops.ts";
import type { NamedShape } from "../nn/parameter_store.ts";
import type { Student } from "./student.ts";

/**
 * Contracts cores back to the matrix, in float64: done once, so exactness is worth more than speed, and it makes the
 * comparison of factored and merged logits a check by a second computation.
 *
 * @param cores each `[bond, row, column, bond]`
 * @returns the matrix row by row
 */
export async function mergeOnHost(
  cores: readonly { readonly shape: readonly number[]; readonly data: ArrayLike<number> }[],
): Promise<Float32Array> {
  const backend = await CpuBackend.create({ precision: "float64" });
  const ops = createOps(backend);
  const merged = ops.scope(() => mergeChain(ops, cores.map(({ data, shape }) => ops.tensor(data, shape))));
  const numbers = Float32Array.from(await merged.read());
  await backend.close();
  return numbers;
}

/** The weights of a student as plain numbers, chains contracted. */
export async function mergedWeights(student: Student): Promise<Map<string, Float32Array>> {
  const weights = new Map([...await student.plain.read(), ...await student.statistics.read()]);
  const shapes = new Map(student.cores.specs.map(({ name, shape }: NamedShape) => [name, shape]));
  const cores = await student.cores.read();
  for (const weight of student.chains.keys()) {
    const own = student.coreNames(weight).map((name) => ({ shape: shapes.get(name)!, data: cores.get(name)! }));
    weights.set(weight, await mergeOnHost(own));
  }
  return weights;
}
