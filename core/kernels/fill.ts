import shader from "../../shaders/fill.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Sets every element to `value`. */
export const fillKernel = defineKernel({
  name: "fill",
  reads: {},
  writes: { output: "f32" },
  parameters: { size: "u32", value: "f32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.size, adapter) }),
  cpu: ({ output }, { value }) => {
    output.fill(value);
  },
});
