/** The images and the filters of a convolution: extents in pixels and channels, a stride of 1 or more. */
export const convParameters = {
  images: "u32",
  height: "u32",
  width: "u32",
  inputs: "u32",
  outHeight: "u32",
  outWidth: "u32",
  outputs: "u32",
  kernelHeight: "u32",
  kernelWidth: "u32",
  stride: "u32",
  padding: "u32",
} as const;

/** `images` of `height` x `width` x `inputs` become `outHeight` x `outWidth` x `outputs`. */
export type ConvGeometry = Readonly<Record<keyof typeof convParameters, number>>;

/** A multiply-add for each tap of each channel, of either direction. */
export const convOperations = (p: ConvGeometry): number =>
  2 * p.images * p.outHeight * p.outWidth * p.outputs * p.inputs * p.kernelHeight * p.kernelWidth;
