import type { FileTensor, FileTensors } from "../../../core/plugin/model.ts";
import { sizeOf } from "../../../core/tensor.ts";
import type { BlockNames } from "./block.ts";

/** The names of a block's query, key and value, and of the one layer in their place. */
export type Projections = Required<Pick<BlockNames, "query" | "key" | "value" | "fused">>;

const KINDS = ["weight", "bias"] as const;

/**
 * A file's tensors with query, key and value of each block in one: `[3 width, width]`, and a bias. What lacks one
 * stays.
 */
export function fuse(tensors: FileTensors, blocks: readonly Projections[]): FileTensors {
  const result = new Map(tensors);
  for (const { query, key, value, fused } of blocks) {
    for (const kind of KINDS) {
      const names = [query, key, value].map((name) => `${name}.${kind}`);
      const parts = names.flatMap((name) => tensors.get(name) ?? []);
      const alike = parts.every(({ shape }) => shape.join() === parts[0].shape.join());
      if (parts.length < names.length || !alike || result.has(`${fused}.${kind}`)) continue;
      names.forEach((name) => result.delete(name));
      result.set(`${fused}.${kind}`, stack(parts));
    }
  }
  return result;
}

/** The opposite of {@link fuse}: query, key and value of each block apart, as Hugging Face has them. */
export function unfuse(tensors: FileTensors, blocks: readonly Projections[]): FileTensors {
  const result = new Map(tensors);
  for (const { query, key, value, fused } of blocks) {
    for (const kind of KINDS) {
      const whole = tensors.get(`${fused}.${kind}`);
      if (!whole || whole.shape[0] % 3 !== 0) continue;
      result.delete(`${fused}.${kind}`);
      [query, key, value].forEach((name, part) => result.set(`${name}.${kind}`, third(whole, part)));
    }
  }
  return result;
}

/** Tensors of one shape below each other. */
function stack(parts: readonly FileTensor[]): FileTensor {
  const [rows, ...rest] = parts[0].shape;
  const shape = [parts.length * rows, ...rest];
  const numbers = () => {
    const whole = new Float32Array(sizeOf(shape));
    parts.forEach((part, index) => whole.set(part.numbers(), index * whole.length / parts.length));
    return whole;
  };
  return { shape, numbers };
}

/** The first, second or last third of a tensor's rows. */
function third({ shape: [rows, ...rest], numbers }: FileTensor, part: number): FileTensor {
  const shape = [rows / 3, ...rest];
  const size = sizeOf(shape);
  return { shape, numbers: () => numbers().slice(part * size, (part + 1) * size) };
}
