import { mergeOnHost } from "../../mpo/merge_chain.ts";
import type { Student } from "./student.ts";

/**
 * The weights of a student as plain numbers. Chains are contracted on the host in float64: done once, so exactness is
 * worth more than speed, and comparing factored with merged logits then checks one computation by another. What masks
 * take away is zero, without a sign.
 */
export async function mergedWeights(student: Student): Promise<Map<string, Float32Array>> {
  const weights = new Map([...await student.plain.read(), ...await student.untrained.read()]);
  const trained = await student.cores.read();
  for (const [weight, chain] of student.chains) {
    const cores = student.coreNames(weight).map((name) => Float64Array.from(trained.get(name)!));
    weights.set(weight, Float32Array.from(mergeOnHost({ ...chain, cores })));
  }
  for (const [name, mask] of await student.masks.read()) {
    weights.set(name, weights.get(name)!.map((value, index) => mask[index] === 0 ? 0 : value));
  }
  return weights;
}
