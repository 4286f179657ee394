// What the binaries export.

export { channelAffine, channelGradient } from "./channel_affine";
export { channelGradientSums, channelSquares, channelSums } from "./channel_sums";
export { convFilterGradient, convFilterGradientScratch } from "./conv_filter_gradient";
export { convForward, convForwardScratch } from "./conv_forward";
export { convInputGradient, convInputGradientScratch } from "./conv_input_gradient";
export { add, relu, reluGradient } from "./elementwise";
export { gemm, gemmScratch } from "./gemm";
