// What the binaries export.

export { channelAffine, channelGradient } from "./channel_affine";
export { channelGradientSums, channelSquares, channelSums } from "./channel_sums";
export { convFilterGradient, convFilterGradientScratch } from "./conv_filter_gradient";
export { convForward, convForwardScratch } from "./conv_forward";
export { convInputGradient, convInputGradientScratch } from "./conv_input_gradient";
export { depthwiseFilterGradient, depthwiseForward, depthwiseScatter } from "./depthwise";
export { dropout } from "./dropout";
export { add, addRow, hardSwish, hardSwishGradient, relu, relu6, relu6Gradient, reluGradient } from "./elementwise";
export { gelu, geluGradient } from "./gelu";
export { gemm, gemmBatch, gemmScratch } from "./gemm";
export { gemm64, gemm64Scratch } from "./gemm64";
export { layerNorm, layerNormGradient, layerNormSums } from "./layer_norm";
export { adamw, sgd, squaredSumCount, squaredSums } from "./optimisers";
export { rotatePanels64 } from "./rotations64";
export { silu, siluGradient } from "./silu";
export { softmax, softmaxGradient } from "./softmax";
export { stridedCopy } from "./strided_copy";
export { addRows64, rowProducts64 } from "./vectors64";
