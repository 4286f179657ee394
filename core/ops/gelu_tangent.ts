import type { Device } from "../device.ts";
import { binaryKernels, unaryKernels } from "../kernels/elementwise.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { broadcast } from "./broadcast.ts";
import { defineOp, type Op } from "./op.ts";

/**
 * How fast gelu(x) changes where x moves along a direction of its shape: gelu'(x) times the direction, by the kernel
 * of gelu's own gradient, which has SIMD on the cpu.
 *
 * @throws RangeError if the shapes differ
 */
export const geluTangent: Op<[x: Tensor, direction: Tensor]> = defineOp({
  forward(device: Device, x: Tensor, direction: Tensor) {
    if (showShape(x.shape) !== showShape(direction.shape)) {
      throw new RangeError(`Cannot move ${showShape(x.shape)} along ${showShape(direction.shape)}: expected one shape`);
    }
    return { output: slope("gelu", device, x, direction), saved: null };
  },
  backward(device, { gradient, needs }, x, direction) {
    const both = () => {
      const { shape, parameters } = broadcast(gradient.shape, direction.shape);
      const output = device.empty(shape);
      device.run(binaryKernels.multiply.value, { a: gradient, b: direction, output }, parameters);
      return output;
    };
    return [
      needs[0] ? slope("geluSlope", device, x, both()) : null,
      needs[1] ? slope("gelu", device, x, gradient) : null,
    ];
  },
});

/** A function's slope at x, times numbers. */
function slope(name: "gelu" | "geluSlope", device: Device, x: Tensor, gradient: Tensor): Tensor {
  const output = device.empty(x.shape);
  device.run(unaryKernels[name].dx, { input: x, gradient, output }, { size: x.size, c: 0 });
  return output;
}
