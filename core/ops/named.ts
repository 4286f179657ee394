/**
 * Every differentiable operation that is not elementwise, under its name.
 *
 * @module
 */

export { batchNorm } from "./batch_norm.ts";
export { concat } from "./concat.ts";
export { conv2d } from "./conv2d.ts";
export { crossEntropy } from "./cross_entropy.ts";
export { crfLogMarginals, crfLogPartition, crfScore } from "./crf.ts";
export { jensenShannonDivergence, klDivergence } from "./divergence.ts";
export { dropout } from "./dropout.ts";
export { embedding } from "./embedding.ts";
export { geluTangent } from "./gelu_tangent.ts";
export { expand, permute, reshape } from "./layout.ts";
export { layerNorm } from "./layer_norm.ts";
export { maskedSoftmax } from "./masked_softmax.ts";
export { linear, matmul } from "./matmul.ts";
export { meanSquaredDifference, weightedSquaredDifferences } from "./mean_squared_difference.ts";
export { pick } from "./pick.ts";
export { pickWithRest } from "./pick_with_rest.ts";
export { averagePool2d, maxPool2d } from "./pool2d.ts";
export { slice } from "./slice.ts";
export { logSoftmax, softmax } from "./softmax.ts";
export { mean, sum } from "./sum.ts";
