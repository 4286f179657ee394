import type { Device } from "../device.ts";
import {
  type BinaryGradientKernel,
  type BinaryKernel,
  binaryKernels,
  type UnaryGradientKernel,
  type UnaryKernel,
  unaryKernels,
} from "../kernels/elementwise.ts";
import type { BinaryName, ConstantName, UnaryName } from "../kernels/elementwise_table.ts";
import type { Tensor } from "../tensor.ts";
import { broadcast } from "./broadcast.ts";
import { defineOp, type Op } from "./op.ts";
import { sumTo } from "./sum.ts";

function unary({ value, dx }: { value: UnaryKernel; dx: UnaryGradientKernel }): Op<[x: Tensor, c?: number], null> {
  return defineOp({
    forward(device: Device, x: Tensor, c = 0) {
      const output = device.empty(x.shape, device.formatOf(x));
      device.run(value, { input: x, output }, { size: x.size, c });
      return { output, saved: null };
    },
    backward(device, { gradient }, x, c = 0) {
      const output = device.empty(x.shape, x.format);
      device.run(dx, { input: x, gradient, output }, { size: x.size, c });
      return [output];
    },
  });
}

interface BinaryKernels {
  readonly value: BinaryKernel;
  /** `null` where the gradient passes as it came. */
  readonly dx: BinaryGradientKernel | null;
  readonly dy: BinaryGradientKernel | null;
}

function binary(kernels: BinaryKernels): Op<[a: Tensor, b: Tensor], null> {
  return defineOp({
    forward(device: Device, a: Tensor, b: Tensor) {
      const { shape, parameters } = broadcast(a.shape, b.shape);
      const output = device.empty(shape, device.formatOf(a, b));
      device.run(kernels.value, { a, b, output }, parameters);
      return { output, saved: null };
    },
    backward(device, { gradient, needs }, a, b) {
      const { shape, parameters } = broadcast(a.shape, b.shape);
      const part = (kernel: BinaryGradientKernel | null, operand: Tensor) => {
        if (kernel === null) return sumTo(device, gradient, operand.shape);
        // Where the operand was repeated, a sum in float32 follows.
        const output = device.empty(shape, operand.format);
        device.run(kernel, { a, b, gradient, output }, parameters);
        return sumTo(device, output, operand.shape);
      };
      return [needs[0] ? part(kernels.dx, a) : null, needs[1] ? part(kernels.dy, b) : null];
    },
  });
}

/** The unary functions of the table; those with a constant take it as second argument. */
export const unaryOps = Object.fromEntries(
  Object.entries(unaryKernels).map(([name, kernels]) => [name, unary(kernels)]),
) as
  & { readonly [Name in UnaryName]: Op<[x: Tensor], null> }
  & { readonly [Name in ConstantName]: Op<[x: Tensor, c: number], null> };

/** The binary functions of the table, with NumPy's broadcasting. */
export const binaryOps = Object.fromEntries(
  Object.entries(binaryKernels).map(([name, kernels]) => [name, binary(kernels)]),
) as { readonly [Name in BinaryName]: Op<[a: Tensor, b: Tensor], null> };
