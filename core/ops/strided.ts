import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import { stridedCopyKernel } from "../kernels/strided_copy.ts";
import { showShape, type Tensor } from "../tensor.ts";

interface Dimension {
  extent: number;
  stride: number;
}

/** Row-major strides of a shape. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; stride *= shape[axis--]) strides[axis] = stride;
  return strides;
}

/** Drops dimensions of extent 1 and joins neighbours that one stride runs through. */
function merge(dimensions: readonly Dimension[]): Dimension[] {
  const merged: Dimension[] = [];
  for (const { extent, stride } of dimensions) {
    if (extent === 1) continue;
    const last = merged.at(-1);
    if (last && last.stride === stride * extent) {
      last.extent *= extent;
      last.stride = stride;
    } else merged.push({ extent, stride });
  }
  return merged;
}

function stridedCopy(
  device: Device,
  x: Tensor,
  dimensions: readonly Dimension[],
  shape: readonly number[],
  format: NumberFormat,
): Tensor {
  const padded = [...dimensions];
  while (padded.length < 6) padded.unshift({ extent: 1, stride: 0 });
  const [d0, d1, d2, d3, d4, d5] = padded;
  const output = device.empty(shape, format);
  // deno-fmt-ignore
  device.run(stridedCopyKernel, { input: x, output }, {
    size: output.size,
    extent1: d1.extent, extent2: d2.extent, extent3: d3.extent, extent4: d4.extent, extent5: d5.extent,
    stride0: d0.stride, stride1: d1.stride, stride2: d2.stride, stride3: d3.stride, stride4: d4.stride, stride5: d5.stride,
  });
  return output;
}

/** Permutes dimensions: output dimension i is input dimension `order[i]`. The tensor itself where nothing moves. */
export function permuted(
  device: Device,
  x: Tensor,
  order: readonly number[],
  format: NumberFormat = "f32",
): Tensor {
  const shape = order.map((axis) => x.shape[axis]);
  const strides = stridesOf(x.shape);
  const merged = merge(order.map((axis) => ({ extent: x.shape[axis], stride: strides[axis] })));
  if (merged.length <= 1) return device.alias(device.inFormat(x, format), shape);
  if (merged.length <= 6) return stridedCopy(device, x, merged, shape, format);
  // More than six independent dimensions (long tensor chains): bring one axis to its place at a time, which is always a
  // permutation of at most four merged ones.
  let current = x;
  let axes = [...x.shape.keys()];
  for (let place = 0; place < order.length; place++) {
    const at = axes.indexOf(order[place]);
    if (at === place) continue;
    const next = [...axes.slice(0, place), order[place], ...axes.slice(place).filter((axis) => axis !== order[place])];
    current = permuted(device, current, next.map((axis) => axes.indexOf(axis)), format);
    axes = next;
  }
  return current;
}

/** Repeats along dimensions of extent 1, and new leading ones, up to `shape`. */
export function expandTo(
  device: Device,
  x: Tensor,
  shape: readonly number[],
  format: NumberFormat = "f32",
): Tensor {
  const strides = stridesOf(x.shape);
  const lead = shape.length - x.shape.length;
  const dimensions = shape.map((extent, axis) => {
    const repeated = axis < lead || (x.shape[axis - lead] === 1 && extent !== 1);
    return { extent, stride: repeated ? 0 : strides[axis - lead] };
  });
  const merged = merge(dimensions);
  if (merged.length > 6) {
    throw new RangeError(`Cannot expand ${showShape(x.shape)} to ${showShape(shape)}: too many runs`);
  }
  return stridedCopy(device, x, merged, shape, format);
}
