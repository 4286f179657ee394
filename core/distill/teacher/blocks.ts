import type { Floats } from "../../backend/backend.ts";
import { sizeOf } from "../../tensor.ts";

/** Numbers that outputs are kept as: whole ones as such. */
export type KeptNumbers = Float32Array | Uint16Array | Uint32Array;

/** Numbers in an array, row-major, from an offset on. */
export interface Block {
  readonly data: Floats | KeptNumbers;
  readonly offset: number;
  readonly shape: readonly number[];
}

/**
 * Copies what two blocks of as many dimensions have in common: along each the places that both have. So a smaller
 * target is a cut, and a larger one keeps what it holds elsewhere.
 */
export function copyCommon(from: Block, to: Block): void {
  const axes = Array.from({ length: Math.max(from.shape.length, 1) }, (_, axis) => {
    const [source, target] = [from, to].map(({ shape }) => shape.slice(axis + 1));
    const count = Math.min(from.shape[axis] ?? 1, to.shape[axis] ?? 1);
    return { count, source: sizeOf(source), target: sizeOf(target), whole: source.join() === target.join() };
  });
  const walk = (axis: number, source: number, target: number): void => {
    const rows = axes[axis];
    if (rows.whole) {
      to.data.set(from.data.subarray(source, source + rows.count * rows.source), target);
      return;
    }
    for (let row = 0; row < rows.count; row++) {
      walk(axis + 1, source + row * rows.source, target + row * rows.target);
    }
  };
  walk(0, from.offset, to.offset);
}
