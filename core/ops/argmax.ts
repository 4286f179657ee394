import type { Device } from "../device.ts";
import { argmaxKernel } from "../kernels/argmax.ts";
import { correctKernel } from "../kernels/correct.ts";
import { showShape, type Tensor } from "../tensor.ts";

/** The rows of `x [..., columns]`. @throws RangeError if there are no columns to choose from */
function rowsOf(x: Tensor): { readonly shape: readonly number[]; readonly rows: number; readonly columns: number } {
  const columns = x.shape.at(-1) ?? 0;
  if (columns === 0) throw new RangeError(`Cannot find the largest entry of each row of ${showShape(x.shape)}`);
  return { shape: x.shape.slice(0, -1), rows: x.size / columns, columns };
}

/** The index of the first largest entry along the last dimension: `[..., columns]` gives `[...]`. */
export function argmax(device: Device, x: Tensor): Tensor {
  const { shape, rows, columns } = rowsOf(x);
  const output = device.empty(shape);
  device.run(argmaxKernel, { input: x, output }, { rows, columns });
  return output;
}

/** 1 where {@link argmax} of `x [..., columns]` is `indices [...]`, else 0; so it is where an index is -1. */
export function argmaxIs(device: Device, x: Tensor, indices: Tensor): Tensor {
  const { shape, rows, columns } = rowsOf(x);
  if (showShape(shape) !== showShape(indices.shape)) {
    throw new RangeError(
      `Cannot compare the largest entries of ${showShape(x.shape)} with ${showShape(indices.shape)}: expected ` +
        showShape(shape),
    );
  }
  const output = device.empty(shape);
  device.run(correctKernel, { logits: x, labels: indices, output }, { rows, columns });
  return output;
}
