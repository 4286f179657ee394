import type { Device } from "../device.ts";
import { placeSliceKernel, sliceKernel } from "../kernels/slice.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** Where tensors are joined. */
export interface ConcatOptions {
  /** The dimension along which they follow each other, from 0. */
  readonly axis: number;
}

/** The shape of the whole. @throws RangeError unless the tensors differ along the axis alone */
function joinedShape(tensors: readonly Tensor[], axis: number): number[] {
  const [first] = tensors;
  const hasAxis = ({ shape }: Tensor) => Number.isInteger(axis) && axis >= 0 && axis < shape.length;
  const others = ({ shape }: Tensor) => showShape(shape.toSpliced(axis, 1));
  if (tensors.length === 0 || !tensors.every((tensor) => hasAxis(tensor) && others(tensor) === others(first))) {
    const shapes = tensors.map(({ shape }) => showShape(shape)).join(" and ") || "no tensors";
    throw new RangeError(`Cannot join ${shapes} along axis ${axis}: expected shapes that differ along this axis alone`);
  }
  return first.shape.with(axis, tensors.reduce((sum, { shape }) => sum + shape[axis], 0));
}

/** Each tensor with its place in the whole, as the kernels see it. */
function placesOf(tensors: readonly Tensor[], whole: readonly number[], axis: number) {
  const geometry = { extent: whole[axis], inner: sizeOf(whole.slice(axis + 1)) };
  let begin = 0;
  return tensors.map((part) => {
    const parameters = { size: part.size, ...geometry, begin, length: part.shape[axis] };
    begin += part.shape[axis];
    return { part, parameters };
  });
}

/** Tensors one after the other along one dimension; the reverse of taking slices. */
export const concat: Op<[tensors: readonly Tensor[], options: ConcatOptions]> = defineOp({
  forward(device: Device, tensors: readonly Tensor[], { axis }: ConcatOptions) {
    const output = device.empty(joinedShape(tensors, axis), device.formatOf(...tensors));
    for (const { part, parameters } of placesOf(tensors, output.shape, axis)) {
      device.run(placeSliceKernel, { input: part, output }, parameters);
    }
    return { output, saved: null };
  },
  backward(device, { gradient, needs }, tensors, { axis }) {
    return placesOf(tensors, gradient.shape, axis).map(({ part, parameters }, index) => {
      if (!needs[index]) return null;
      const output = device.empty(part.shape, part.format);
      device.run(sliceKernel, { input: gradient, output }, parameters);
      return output;
    });
  },
});
