import type { Device } from "../device.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { broadcastShape } from "./broadcast.ts";
import { gemm, type Matrices, matricesIn, transposed } from "./gemm.ts";
import { defineOp, type Op } from "./op.ts";
import { expandTo } from "./strided.ts";
import { sumOver, sumTo } from "./sum.ts";

/** Whether a factor is stored transposed: its last two dimensions change places before the product. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** A product whose operands are matrices as they lie in memory, their batch dimensions brought to one. */
interface Product {
  /** `[..., m, k]`, transposed already where asked for. */
  readonly a: Matrices;
  /** `[..., k, n]`, likewise. */
  readonly b: Matrices;
  readonly batch: number;
  /** The leading dimensions of the result. */
  readonly lead: readonly number[];
}

function plan(
  device: Device,
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions,
): Product {
  const fail = (reason: string): never => {
    const show = (x: Tensor, flag: boolean) => `${showShape(x.shape)}${flag ? " transposed" : ""}`;
    throw new RangeError(`Cannot multiply ${show(a, transposeA)} by ${show(b, transposeB)} as ${reason}`);
  };
  if (a.shape.length < 2 || b.shape.length < 2) fail("both must have two dimensions or more");
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [inner, other] = [transposeA ? aRows : aColumns, transposeB ? bColumns : bRows];
  if (inner !== other) fail(`the inner extents must be equal: ${inner} and ${other}`);
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (sizeOf(leadB) === 1 && leadA.length >= leadB.length && !transposeA) {
    // One right factor for all: the left ones are one tall matrix.
    const left = matricesIn(a, sizeOf(leadA) * aRows, aColumns);
    const right = matricesIn(b, bRows, bColumns);
    return { a: left, b: transposeB ? transposed(right) : right, batch: 1, lead: leadA };
  }
  const lead = ((): number[] => {
    try {
      return broadcastShape(leadA, leadB);
    } catch {
      return fail("their leading extents must be equal or 1");
    }
  })();
  const batch = sizeOf(lead);
  const operand = (x: Tensor, own: readonly number[], rows: number, columns: number, flag: boolean) => {
    // Only a tensor that is repeated along some leading dimensions but not all needs a copy.
    const whole = [1, batch].includes(sizeOf(own)) ? x : expandTo(device, x, [...lead, rows, columns], x.format);
    const matrices = matricesIn(whole, rows, columns);
    return flag ? transposed(matrices) : matrices;
  };
  return {
    a: operand(a, leadA, aRows, aColumns, transposeA),
    b: operand(b, leadB, bRows, bColumns, transposeB),
    batch,
    lead,
  };
}

/**
 * The matrix product of the last two dimensions: `[..., m, k]` times `[..., k, n]` is `[..., m, n]`. Leading dimensions
 * are broadcast. A factor stored transposed is read in place by its flag.
 */
export const matmul: Op<[a: Tensor, b: Tensor, options?: MatmulOptions]> = defineOp({
  forward(device: Device, a: Tensor, b: Tensor, options: MatmulOptions = {}) {
    const product = plan(device, a, b, options);
    const m = a.shape.at(options.transposeA ? -1 : -2)!;
    const shape = [...product.lead, m, product.b.columns];
    const format = device.formatOf(a, b);
    return { output: gemm(device, product.a, product.b, product.batch, shape, undefined, format), saved: product };
  },
  backward(device, { gradient, saved: { a, b, batch, lead }, needs }, inputA, inputB, options = {}) {
    const g = matricesIn(gradient, a.rows, b.columns);
    const part = (left: Matrices, right: Matrices, input: Tensor) => {
      const full = batch === 1 ? input.shape : [...lead, ...input.shape.slice(-2)];
      return sumTo(device, gemm(device, left, right, batch, full, undefined, input.format), input.shape);
    };
    const toA = () => options.transposeA ? part(b, transposed(g), inputA) : part(g, transposed(b), inputA);
    const toB = () => options.transposeB ? part(transposed(g), a, inputB) : part(transposed(a), g, inputB);
    return [needs[0] ? toA() : null, needs[1] ? toB() : null];
  },
});

/**
 * x weight^T + bias over the last dimension of x.
 *
 * x `[..., in]`, weight `[out, in]` and bias `[out]` as PyTorch stores them; the result is `[..., out]`.
 */
export const linear: Op<[x: Tensor, weight: Tensor, bias?: Tensor]> = defineOp({
  forward(device: Device, x: Tensor, weight: Tensor, bias?: Tensor) {
    const [outputs, inputs] = weight.shape;
    if (weight.shape.length !== 2 || x.shape.at(-1) !== inputs) {
      throw new RangeError(
        `Cannot apply a linear layer with weight ${showShape(weight.shape)} to ${showShape(x.shape)}: ` +
          "the last extent of the input must be the second of the weight",
      );
    }
    if (bias && showShape(bias.shape) !== showShape([outputs])) {
      throw new RangeError(
        `Cannot add a bias of shape ${showShape(bias.shape)} in a linear layer with weight ` +
          `${showShape(weight.shape)}: it must be ${showShape([outputs])}`,
      );
    }
    const rows = x.size / inputs;
    const product = { x: matricesIn(x, rows, inputs), weight: matricesIn(weight, outputs, inputs) };
    const shape = x.shape.with(-1, outputs);
    const output = gemm(device, product.x, transposed(product.weight), 1, shape, bias, device.formatOf(x));
    return { output, saved: product };
  },
  backward(device, { gradient, saved, needs }, x, weight, bias?: Tensor) {
    const [outputs] = weight.shape;
    const g = matricesIn(gradient, saved.x.rows, outputs);
    const rows = device.alias(gradient, [g.rows, outputs]);
    return [
      needs[0] ? gemm(device, g, saved.weight, 1, x.shape, undefined, x.format) : null,
      needs[1] ? gemm(device, transposed(g), saved.x, 1, weight.shape) : null,
      needs[2] && bias ? device.alias(sumOver(device, rows, new Set([0])), bias.shape) : null,
    ];
  },
});
