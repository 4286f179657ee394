import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import { sumKernel } from "../kernels/sum.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { unaryKernels } from "../kernels/elementwise.ts";
import { chunksOf } from "./chunks.ts";
import { defineOp, type Op } from "./op.ts";
import { expandTo } from "./strided.ts";

/** On a software adapter rows longer than this are summed in chunks first: a long sum still has many threads. */
const LONGEST_CHUNK = 256;

/** Sums the middle of `[outer, length, inner]`; the result has `outer * inner` elements in the given shape. */
function sumMiddle(
  device: Device,
  x: Tensor,
  outer: number,
  length: number,
  inner: number,
  shape: readonly number[],
  factor: number,
  format: NumberFormat,
): Tensor {
  let input = x;
  for (;;) {
    const { chunk, chunks } = chunksOf(device, { outer, length, inner }, LONGEST_CHUNK);
    const last = chunks === 1;
    const output = last ? device.empty(shape, format) : device.empty([outer, chunks, inner]);
    device.run(sumKernel, { input, output }, { outer, length, inner, chunk, chunks, factor: last ? factor : 1 });
    if (last) return output;
    input = output;
    length = chunks;
  }
}

/** Sums over some dimensions, which stay with extent 1, and multiplies by `factor`; parts of a sum are float32. */
export function sumOver(
  device: Device,
  x: Tensor,
  axes: ReadonlySet<number>,
  factor = 1,
  format: NumberFormat = "f32",
): Tensor {
  let result = x;
  let shape = [...x.shape];
  // Neighbouring axes go in one pass; the last group carries the factor.
  const groups: [first: number, last: number][] = [];
  for (const axis of [...axes].sort((a, b) => a - b)) {
    const group = groups.at(-1);
    if (group && group[1] === axis - 1) group[1] = axis;
    else groups.push([axis, axis]);
  }
  groups.forEach(([first, last], index) => {
    const outer = sizeOf(shape.slice(0, first));
    const length = sizeOf(shape.slice(first, last + 1));
    const inner = sizeOf(shape.slice(last + 1));
    shape = shape.map((extent, axis) => axis >= first && axis <= last ? 1 : extent);
    const final = index === groups.length - 1;
    result = sumMiddle(device, result, outer, length, inner, shape, final ? factor : 1, final ? format : "f32");
  });
  return result;
}

/** Sums a broadcast result back to an operand's shape; the tensor itself if nothing was broadcast. */
export function sumTo(device: Device, x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.shape.length - shape.length;
  const axes = new Set(
    [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1)),
  );
  if (axes.size === 0) return x;
  return device.alias(sumOver(device, x, axes), shape);
}

/** Which dimensions a reduction runs over, and whether they stay with extent 1. */
export interface ReduceOptions {
  /** Dimensions to reduce, negative ones counted from the end; all by default. */
  readonly axes?: readonly number[];
  readonly keepDimensions?: boolean;
}

function resolveAxes(shape: readonly number[], axes: readonly number[] | undefined): Set<number> {
  return new Set((axes ?? [...shape.keys()]).map((axis) => {
    const resolved = axis < 0 ? axis + shape.length : axis;
    if (!Number.isInteger(axis) || resolved < 0 || resolved >= shape.length) {
      throw new RangeError(`Cannot reduce axis ${axis} of a tensor of shape ${showShape(shape)}`);
    }
    return resolved;
  }));
}

const reduction = (factorOf: (count: number) => number) =>
  defineOp({
    forward(device: Device, x: Tensor, { axes, keepDimensions = false }: ReduceOptions = {}) {
      const over = resolveAxes(x.shape, axes);
      const factor = factorOf(sizeOf(x.shape.filter((_, axis) => over.has(axis))));
      const reduced = over.size === 0 ? x : sumOver(device, x, over, factor);
      const shape = keepDimensions ? reduced.shape : x.shape.filter((_, axis) => !over.has(axis));
      return { output: device.alias(reduced, shape), saved: { kept: reduced.shape, factor } };
    },
    backward(device, { gradient, saved }, x) {
      let g = gradient;
      if (saved.factor !== 1) {
        g = device.empty(gradient.shape);
        device.run(unaryKernels.scale.value, { input: gradient, output: g }, { size: g.size, c: saved.factor });
      }
      return [expandTo(device, device.alias(g, saved.kept), x.shape, x.format)];
    },
  });

/** Sum over some or all dimensions. */
export const sum: Op<[x: Tensor, options?: ReduceOptions]> = reduction(() => 1);
/** Arithmetic mean over some or all dimensions. */
export const mean: Op<[x: Tensor, options?: ReduceOptions]> = reduction((count) => 1 / count);
