import { batchNorm } from "./batch_norm.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { crfLogMarginals, crfLogPartition, crfScore } from "./crf.ts";
import { jensenShannonDivergence, klDivergence } from "./divergence.ts";
import { dropout } from "./dropout.ts";
import { binaryOps, unaryOps } from "./elementwise.ts";
import { embedding } from "./embedding.ts";
import { expand, permute, reshape } from "./layout.ts";
import { layerNorm } from "./layer_norm.ts";
import { maskedSoftmax } from "./masked_softmax.ts";
import { linear, matmul } from "./matmul.ts";
import { meanSquaredDifference, weightedSquaredDifferences } from "./mean_squared_difference.ts";
import { pick } from "./pick.ts";
import { averagePool2d, maxPool2d } from "./pool2d.ts";
import { slice } from "./slice.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { mean, sum } from "./sum.ts";

/**
 * Every differentiable operation. Tests walk this table: an operation without cases for parity between the backends and
 * for its gradient does not compile there.
 */
export const primitives = {
  ...unaryOps,
  ...binaryOps,
  reshape,
  permute,
  expand,
  sum,
  mean,
  meanSquaredDifference,
  weightedSquaredDifferences,
  softmax,
  logSoftmax,
  crossEntropy,
  klDivergence,
  jensenShannonDivergence,
  maskedSoftmax,
  layerNorm,
  embedding,
  slice,
  concat,
  pick,
  crfLogPartition,
  crfLogMarginals,
  crfScore,
  dropout,
  batchNorm,
  matmul,
  linear,
  conv2d,
  maxPool2d,
  averagePool2d,
};
