// Written from elementwise_table.ts by tasks/build_loops.ts. Do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file
import type { Floats } from "../backend/backend.ts";
import type { BroadcastParameter } from "./broadcast_walk.ts";
import { abs, clamp, erf, exp, isNan, log, max, min, nanFrom, select, sign, sqrt, tanh } from "./expression_functions.ts";

type Walk = Readonly<Record<BroadcastParameter, number>>;

/** Of each unary function its value, and its gradient `dx`. */
export const unaryLoops = {
  negate: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = -x; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = -g; }
    },
  },
  complement: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = 1.0 - x; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = -g; }
    },
  },
  exp: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(exp(x), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * select(exp(x), x, isNan(x)); }
    },
  },
  log: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(log(x), nanFrom(x), x < 0.0 || isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g / x; }
    },
  },
  sqrt: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = sqrt(x); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = 0.5 * g / sqrt(x); }
    },
  },
  square: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = x * x; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = 2.0 * g * x; }
    },
  },
  abs: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = abs(x); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(g * sign(x), x, isNan(x)); }
    },
  },
  reciprocal: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = 1.0 / x; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = -g / (x * x); }
    },
  },
  relu: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(x, 0.0, x < 0.0); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(0.0, g, x > 0.0); }
    },
  },
  sigmoid: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(1.0 / (1.0 + exp(-x)), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(g / ((1.0 + exp(-x)) * (1.0 + exp(x))), x, isNan(x)); }
    },
  },
  tanh: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(tanh(clamp(x, -20.0, 20.0)), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * (1.0 - select(tanh(clamp(x, -20.0, 20.0)), x, isNan(x)) * select(tanh(clamp(x, -20.0, 20.0)), x, isNan(x))); }
    },
  },
  gelu: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = 0.5 * x * (1.0 + erf(0.7071067811865476 * x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * (0.5 * (1.0 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x)); }
    },
  },
  geluSlope: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = 0.5 * (1.0 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * 0.3989422804014327 * (2.0 - x * x) * exp(-0.5 * x * x); }
    },
  },
  geluTanh: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = 0.5 * x * (1.0 + tanh(clamp(0.7978845608028654 * x * (1.0 + 0.044715 * x * x), -20.0, 20.0))); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * 0.5 * (1.0 + tanh(clamp(0.7978845608028654 * x * (1.0 + 0.044715 * x * x), -20.0, 20.0))) * (1.0 + x * (1.0 - tanh(clamp(0.7978845608028654 * x * (1.0 + 0.044715 * x * x), -20.0, 20.0))) * (0.7978845608028654 + 0.10703222440890037 * x * x)); }
    },
  },
  relu6: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(clamp(x, 0.0, 6.0), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(0.0, g, x > 0.0 && x < 6.0); }
    },
  },
  silu: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = x * select(1.0 / (1.0 + exp(-x)), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g * select(1.0 / (1.0 + exp(-x)), x, isNan(x)) * (1.0 + x * (1.0 - select(1.0 / (1.0 + exp(-x)), x, isNan(x)))); }
    },
  },
  hardSigmoid: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(clamp(0.16666666666666666 * x + 0.5, 0.0, 1.0), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(0.0, g * 0.16666666666666666, abs(x) < 3.0); }
    },
  },
  hardSwish: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = x * select(clamp(0.16666666666666666 * x + 0.5, 0.0, 1.0), x, isNan(x)); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(select(g * (0.3333333333333333 * x + 0.5), g, x >= 3.0), 0.0, x <= -3.0); }
    },
  },
  scale: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = c * x; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = c * g; }
    },
  },
  offset: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = x + c; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = g; }
    },
  },
  huber: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(c * (abs(x) - 0.5 * c), 0.5 * x * x, abs(x) < c); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(g * clamp(x, -c, c), x, isNan(x)); }
    },
  },
  clampMinimum: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = select(x, c, x < c); }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = select(0.0, g, x > c); }
    },
  },
};

/** Of each binary function its value and its gradients; `gradient` is the output itself where it is not asked for. */
export const binaryLoops = {
  add: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = x + y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = x + y;
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g;
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g;
        }
      }
    },
  },
  subtract: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = x - y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = x - y;
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g;
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = -g; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = -g;
        }
      }
    },
  },
  multiply: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = x * y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = x * y;
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g * y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g * y;
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g * x; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g * x;
        }
      }
    },
  },
  divide: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = x / y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = x / y;
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = g / y; }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = g / y;
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = -g * x / (y * y); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = -g * x / (y * y);
        }
      }
    },
  },
  maximum: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(select(x, y, y > x), y, isNan(y)); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(select(x, y, y > x), y, isNan(y));
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(0.0, g, x >= y); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(0.0, g, x >= y);
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(g, 0.0, x >= y); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(g, 0.0, x >= y);
        }
      }
    },
  },
  minimum: {
    value: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(select(x, y, y < x), y, isNan(y)); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(select(x, y, y < x), y, isNan(y));
        }
      }
    },
    dx: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(0.0, g, x <= y); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(0.0, g, x <= y);
        }
      }
    },
    dy: (a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
        for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = select(g, 0.0, x <= y); }
        return;
      }
      const { extent1, extent2, extent3, a3, b3 } = p;
      const extent0 = p.size / (extent1 * extent2 * extent3);
      let i = 0;
      for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
        let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
        let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
        for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
          const x = a[ia], y = b[ib], g = gradient[i]; output[i] = select(g, 0.0, x <= y);
        }
      }
    },
  },
};
