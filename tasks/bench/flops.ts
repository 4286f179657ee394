import { encoderOperations, encoders, isEncoderCase } from "./encoders.ts";
import {
  attentionSizes,
  batchSize,
  type Case,
  classes,
  convolutions,
  inferenceBatch,
  matmulSize,
  stem,
} from "./workload.ts";

/**
 * Floating-point operations of one step of a case, a fused multiply-add counted as two.
 *
 * ResNet-8 counts its convolutions and the linear layer: forward, and backward twice as much (input and filter
 * gradient), but for the stem, whose input needs no gradient; an encoder counts its products of matrices. A
 * decomposition has no agreed count.
 *
 * @param name the case
 * @returns operations, or undefined where nobody counts them
 */
export function operations(name: Case): number | undefined {
  if (name === "decompose" || name === "decompose-3072" || name === "overhead") return undefined;
  if (name === "matmul") return 2 * matmulSize ** 3;
  if (name === "attention") return 4 * attentionSizes.heads * attentionSizes.length ** 2 * attentionSizes.width;
  if (isEncoderCase(name)) return encoderOperations(encoders[name]);
  if (name === "inference") return forward(inferenceBatch);
  return 3 * forward(batchSize) - batchSize * convolution(stem);
}

function forward(images: number): number {
  const linear = 2 * classes * 64;
  return images * convolutions.reduce((sum, each) => sum + convolution(each), linear);
}

function convolution(c: typeof stem): number {
  return 2 * c.outputSize ** 2 * c.outputs * c.inputs * c.kernel ** 2;
}
