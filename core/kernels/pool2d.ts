import averageGradientShader from "../../shaders/average_pool_gradient.wgsl" with { type: "text" };
import averageShader from "../../shaders/average_pool.wgsl" with { type: "text" };
import isNan from "../../shaders/is_nan.wgsl" with { type: "text" };
import maximumGradientShader from "../../shaders/max_pool_gradient.wgsl" with { type: "text" };
import maximumShader from "../../shaders/max_pool.wgsl" with { type: "text" };
import windows from "../../shaders/pool2d.wgsl" with { type: "text" };
import type { AdapterTraits } from "../backend/kernel.ts";
import { defineKernel, type ShaderLaunch } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Square windows over channels-last images. */
const parameters = {
  images: "u32",
  height: "u32",
  width: "u32",
  channels: "u32",
  outHeight: "u32",
  outWidth: "u32",
  size: "u32",
  stride: "u32",
  padding: "u32",
} as const;

/** `images` of `height` x `width` x `channels` become `outHeight` x `outWidth` x `channels`. */
export type PoolGeometry = Readonly<Record<keyof typeof parameters, number>>;

/** An addition or a comparison, and finding its place, for each element of a window. */
const operations = (p: PoolGeometry) => 2 * p.images * p.outHeight * p.outWidth * p.channels * p.size ** 2;

/** A launch with a thread for each number of a result of this many pixels. */
function perNumber(shader: string, pixels: (p: PoolGeometry) => number) {
  const whole = [windows, shader].join("\n");
  return (p: PoolGeometry, adapter: AdapterTraits): ShaderLaunch => ({
    shader: whole,
    workgroups: linear(pixels(p) * p.channels, adapter),
  });
}

const perOutput = (shader: string) => perNumber(shader, (p) => p.images * p.outHeight * p.outWidth);
const perInput = (shader: string) => perNumber(shader, (p) => p.images * p.height * p.width);

/**
 * Largest value of each window, and in `taps` which of its elements that is: row by row, the first of equals; NaN where
 * it has one.
 */
export const maxPoolKernel = defineKernel({
  name: "max pool",
  reads: { x: "f32" },
  writes: { y: "f32", taps: "f32" },
  parameters,
  launch: perOutput([isNan, maximumShader].join("\n")),
  operations,
  cpu: ({ x, y, taps }, p) => {
    taps.fill(-1);
    walk(p, (input, tap, output) => {
      for (let c = 0; c < p.channels; c++) {
        const value = x[input + c];
        if (taps[output + c] < 0 || value > y[output + c] || Number.isNaN(value)) {
          y[output + c] = value;
          taps[output + c] = tap;
        }
      }
    });
  },
});

/** d loss / d x of the maxima: an output's gradient goes to the element of its window that `taps` names. */
export const maxPoolGradientKernel = defineKernel({
  name: "max pool gradient",
  reads: { gradient: "f32", taps: "f32" },
  writes: { dx: "f32" },
  parameters,
  launch: perInput(maximumGradientShader),
  operations,
  cpu: ({ gradient, taps, dx }, p) => {
    dx.fill(0);
    walk(p, (input, tap, output) => {
      for (let c = 0; c < p.channels; c++) if (taps[output + c] === tap) dx[input + c] += gradient[output + c];
    });
  },
});

/** Mean of each window; padding counts as zeros. */
export const averagePoolKernel = defineKernel({
  name: "average pool",
  reads: { x: "f32" },
  writes: { y: "f32" },
  parameters,
  launch: perOutput(averageShader),
  operations,
  cpu: ({ x, y }, p) => {
    y.fill(0);
    const factor = 1 / p.size ** 2;
    walk(p, (input, _tap, output) => {
      for (let c = 0; c < p.channels; c++) y[output + c] += x[input + c] * factor;
    });
  },
});

/** d loss / d x of the means. */
export const averagePoolGradientKernel = defineKernel({
  name: "average pool gradient",
  reads: { gradient: "f32" },
  writes: { dx: "f32" },
  parameters,
  launch: perInput(averageGradientShader),
  operations,
  cpu: ({ gradient, dx }, p) => {
    dx.fill(0);
    const factor = 1 / p.size ** 2;
    walk(p, (input, _tap, output) => {
      for (let c = 0; c < p.channels; c++) dx[input + c] += gradient[output + c] * factor;
    });
  },
});

/** Every window with every element of it that is inside of the image: the positions of their first channels. */
function walk(p: PoolGeometry, visit: (input: number, tap: number, output: number) => void): void {
  for (let line = 0; line < p.images * p.outHeight; line++) {
    const image = Math.floor(line / p.outHeight);
    const top = line % p.outHeight * p.stride - p.padding;
    for (let x = 0; x < p.outWidth; x++) {
      const left = x * p.stride - p.padding;
      for (let ky = Math.max(0, -top); ky < Math.min(p.size, p.height - top); ky++) {
        for (let kx = Math.max(0, -left); kx < Math.min(p.size, p.width - left); kx++) {
          const input = ((image * p.height + top + ky) * p.width + left + kx) * p.channels;
          visit(input, ky * p.size + kx, (line * p.outWidth + x) * p.channels);
        }
      }
    }
  }
}
