import type { Student } from "./student.ts";

/**
 * The weights of a student as plain numbers. Over-parameterised ones are merged on the host in float64: done once, so
 * exactness is worth more than speed, and comparing factored with merged logits then checks one computation by another.
 * What masks take away is zero, without a sign.
 */
export async function mergedWeights(student: Student): Promise<Map<string, Float32Array>> {
  const weights = new Map([...await student.plain.read(), ...await student.untrained.read()]);
  const trained = await student.cores.read();
  for (const [weight, { provider }] of student.overParameterised) {
    const cores = student.coreNames(weight).map((name) => Float64Array.from(trained.get(name)!));
    weights.set(weight, Float32Array.from(provider.merge(cores)));
  }
  for (const [name, mask] of await student.masks.read()) {
    weights.set(name, weights.get(name)!.map((value, index) => mask[index] === 0 ? 0 : value));
  }
  return weights;
}
