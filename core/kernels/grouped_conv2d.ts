import filterShader from "../../shaders/grouped_conv2d_filter_gradient.wgsl" with { type: "text" };
import forwardShader from "../../shaders/grouped_conv2d.wgsl" with { type: "text" };
import inputShader from "../../shaders/grouped_conv2d_input_gradient.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { convOperations, convParameters } from "./conv_geometry.ts";
import { type Taps, walkTaps } from "./conv_taps.ts";
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** `groups` divides both numbers of channels. */
const parameters = { ...convParameters, dilation: "u32", groups: "u32" } as const;

type GroupedGeometry = Readonly<Record<keyof typeof parameters, number>>;

/** A multiply-add for each tap of each channel that a number of the result sees. */
const operations = (p: GroupedGeometry) => convOperations(p) / p.groups;

/**
 * y `[images, outHeight, outWidth, outputs]` of x and filters `[kernelHeight, kernelWidth, inputs / groups, outputs]`.
 */
export const groupedConvKernel = defineKernel({
  name: "grouped conv2d",
  reads: { x: "f32", filters: "f32" },
  writes: { y: "f32" },
  parameters,
  launch: (p, adapter) => ({
    shader: forwardShader,
    workgroups: linear(p.images * p.outHeight * p.outWidth * p.outputs, adapter),
  }),
  operations,
  cpu({ x, filters, y }, p) {
    y.fill(0);
    walkChannels(p, ({ input, filter, output, made }) => {
      for (let o = 0; o < made; o++) y[output + o] += x[input] * filters[filter + o];
    });
  },
});

/** d loss / d x of d loss / d y and the filters. */
export const groupedConvInputGradientKernel = defineKernel({
  name: "grouped conv2d input gradient",
  reads: { gradient: "f32", filters: "f32" },
  writes: { dx: "f32" },
  parameters,
  launch: (p, adapter) => ({
    shader: inputShader,
    workgroups: linear(p.images * p.height * p.width * p.inputs, adapter),
  }),
  operations,
  cpu({ gradient, filters, dx }, p) {
    dx.fill(0);
    walkChannels(p, ({ input, filter, output, made }) => {
      let sum = 0;
      for (let o = 0; o < made; o++) sum += gradient[output + o] * filters[filter + o];
      dx[input] += sum;
    });
  },
});

/**
 * d loss / d filters in parts `[parts, kernelHeight, kernelWidth, inputs / groups, outputs]`, to be summed: part i is
 * that of the `partRows` rows of output pixels, counted through all images, from i * partRows on.
 */
export const groupedConvFilterGradientKernel = defineKernel({
  name: "grouped conv2d filter gradient",
  reads: { x: "f32", gradient: "f32" },
  writes: { partials: "f32" },
  parameters: { ...parameters, parts: "u32", partRows: "u32" },
  launch: (p, adapter) => ({
    shader: filterShader,
    workgroups: linear(p.parts * filterSize(p), adapter),
  }),
  operations,
  cpu({ x, gradient, partials }, p) {
    (partials as Floats).fill(0);
    walkChannels(p, ({ input, filter, output, made, line }) => {
      const at = Math.floor(line / p.partRows) * filterSize(p) + filter;
      for (let o = 0; o < made; o++) partials[at + o] += x[input] * gradient[output + o];
    });
  },
});

/** Numbers of all filters. */
const filterSize = (p: GroupedGeometry) => p.kernelHeight * p.kernelWidth * p.inputs / p.groups * p.outputs;

/** One input channel of a tap: its place, and those of the first of the `made` channels of its group. */
interface Channel {
  readonly input: number;
  readonly filter: number;
  readonly output: number;
  readonly made: number;
  readonly line: number;
}

function walkChannels(p: GroupedGeometry, visit: (channel: Channel) => void): void {
  const [seen, made] = [p.inputs / p.groups, p.outputs / p.groups];
  walkTaps(p, ({ input, tap, output, line }: Taps) => {
    for (let i = 0; i < p.inputs; i++) {
      const first = Math.floor(i / seen) * made;
      visit({
        input: input * p.inputs + i,
        filter: (tap * seen + i % seen) * p.outputs + first,
        output: output * p.outputs + first,
        made,
        line,
      });
    }
  });
}
