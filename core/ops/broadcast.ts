import { type BroadcastParameter, MOST_RUNS } from "../kernels/broadcast_walk.ts";
import { showShape, sizeOf } from "../tensor.ts";

interface Dimension {
  extent: number;
  a: number;
  b: number;
}

/** The broadcast shape of two shapes. @throws RangeError where two extents differ and neither is 1 */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const fromA = a[index - rank + a.length] ?? 1;
    const fromB = b[index - rank + b.length] ?? 1;
    if (fromA !== fromB && fromA !== 1 && fromB !== 1) {
      throw new RangeError(
        `Cannot broadcast ${showShape(a)} with ${showShape(b)} as extents must be equal or 1: ${fromA} and ${fromB}`,
      );
    }
    return fromA === 1 ? fromB : fromA;
  });
}

/** The strides of `shape` seen as `target`, 0 along dimensions that are broadcast. */
function stridesIn(shape: readonly number[], target: readonly number[]): number[] {
  const strides = new Array<number>(target.length).fill(0);
  for (let index = shape.length - 1, stride = 1; index >= 0; stride *= shape[index--]) {
    if (shape[index] !== 1) strides[index + target.length - shape.length] = stride;
  }
  return strides;
}

/**
 * How a binary kernel walks two operands: neighbouring dimensions are merged where both operands allow it.
 *
 * @throws RangeError if the shapes do not fit, or more than {@link MOST_RUNS} dimensions remain
 */
export function broadcast(a: readonly number[], b: readonly number[]): {
  shape: number[];
  parameters: Record<BroadcastParameter, number>;
} {
  const shape = broadcastShape(a, b);
  const stridesA = stridesIn(a, shape);
  const stridesB = stridesIn(b, shape);
  const merged: Dimension[] = [];
  shape.forEach((extent, index) => {
    if (extent === 1) return;
    const next = { extent, a: stridesA[index], b: stridesB[index] };
    const last = merged.at(-1);
    if (last && last.a === next.a * extent && last.b === next.b * extent) {
      last.extent *= extent;
      last.a = next.a;
      last.b = next.b;
    } else merged.push(next);
  });
  if (merged.length > MOST_RUNS) {
    throw new RangeError(
      `Cannot broadcast ${showShape(a)} with ${showShape(b)}: more than ${MOST_RUNS} dimensions alternate`,
    );
  }
  const flat = merged.every((dimension) => dimension.a > 0 && dimension.b > 0) && merged.length <= 1 ? 1 : 0;
  while (merged.length < MOST_RUNS) merged.unshift({ extent: 1, a: 0, b: 0 });
  const [d0, d1, d2, d3] = merged;
  // deno-fmt-ignore
  const parameters = {
    size: sizeOf(shape), extent1: d1.extent, extent2: d2.extent, extent3: d3.extent,
    a0: d0.a, a1: d1.a, a2: d2.a, a3: d3.a, b0: d0.b, b1: d1.b, b2: d2.b, b3: d3.b, flat,
  };
  return { shape, parameters };
}
