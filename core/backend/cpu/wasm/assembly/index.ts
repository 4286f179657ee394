// What the binaries export.

export { convFilterGradient, convFilterGradientScratch } from "./conv_filter_gradient";
export { convForward, convForwardScratch } from "./conv_forward";
export { convInputGradient, convInputGradientScratch } from "./conv_input_gradient";
export { gemm, gemmScratch } from "./gemm";
