import type { Floats } from "../backend/backend.ts";
import type { Kernel } from "../backend/kernel.ts";
import binaryShader from "../../shaders/binary.wgsl" with { type: "text" };
import erfShader from "../../shaders/erf.wgsl" with { type: "text" };
import isNanShader from "../../shaders/is_nan.wgsl" with { type: "text" };
import unaryShader from "../../shaders/unary.wgsl" with { type: "text" };
import { type BroadcastParameter, broadcastParameters } from "./broadcast_walk.ts";
import { type BinaryExpressions, binaryTable, type UnaryExpressions, unaryTable } from "./elementwise_table.ts";
import { compileLoop } from "./expression.ts";
import { fillHoles } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";

/** A shader with its expression in place, and with what the expression calls beyond WGSL. */
function withExpression(shader: string, expression: string, gradient = ""): string {
  const erf = expression.includes("erf(") ? erfShader : "";
  const isNan = expression.includes("isNan(") ? isNanShader : "";
  return erf + isNan + fillHoles(shader, { GRADIENT: gradient, EXPRESSION: expression });
}

/** The text that replaces `GRADIENT` for an expression that computes with it. */
const GRADIENT = "let g = gradient[i];";

export type UnaryKernel = Kernel<"input" | "output", "size" | "c">;
export type UnaryGradientKernel = Kernel<"input" | "gradient" | "output", "size" | "c">;

export type BinaryKernel = Kernel<"a" | "b" | "output", BroadcastParameter>;
export type BinaryGradientKernel = Kernel<"a" | "b" | "gradient" | "output", BroadcastParameter>;

const unaryParameters = { size: "u32", c: "f32" } as const;

function unaryKernel(name: string, expression: string, fast: UnaryExpressions["wasm"]): UnaryKernel {
  const loop = compileLoop<(input: Floats, output: Floats, c: number) => void>(
    ["input", "output", "c"],
    `for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = ${expression}; }`,
  );
  const shader = withExpression(unaryShader, expression);
  return defineKernel({
    name,
    reads: { input: "f32" },
    writes: { output: "f32" },
    parameters: unaryParameters,
    launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
    cpu: ({ input, output }, { size, c }, wasm) => {
      if (wasm && fast) wasm.kernels[fast](size, input.byteOffset, output.byteOffset);
      else loop(input, output, c);
    },
  });
}

function unaryGradientKernel(name: string, expression: string, fast: UnaryExpressions["wasm"]): UnaryGradientKernel {
  const loop = compileLoop<(input: Floats, gradient: Floats, output: Floats, c: number) => void>(
    ["input", "gradient", "output", "c"],
    `for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = ${expression}; }`,
  );
  const shader = withExpression(unaryShader, expression, GRADIENT);
  return defineKernel({
    name,
    reads: { input: "f32", gradient: "f32" },
    writes: { output: "f32" },
    parameters: unaryParameters,
    launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
    cpu: ({ input, gradient, output }, { size, c }, wasm) => {
      if (wasm && fast) wasm.kernels[`${fast}Gradient`](size, input.byteOffset, gradient.byteOffset, output.byteOffset);
      else loop(input, gradient, output, c);
    },
  });
}

type BroadcastParameters = Readonly<Record<BroadcastParameter, number>>;

/** The loop over broadcast operands; `gradient` is the output itself where the expression has no `g`. */
function broadcastLoop(expression: string) {
  return compileLoop<(a: Floats, b: Floats, gradient: Floats, output: Floats, p: BroadcastParameters) => void>(
    ["a", "b", "gradient", "output", "p"],
    `if (p.flat === 1) {
       for (let i = 0; i < p.size; i++) { const x = a[i], y = b[i], g = gradient[i]; output[i] = ${expression}; }
       return;
     }
     const { extent1, extent2, extent3, a3, b3 } = p;
     const extent0 = p.size / (extent1 * extent2 * extent3);
     let i = 0;
     for (let i0 = 0; i0 < extent0; i0++) for (let i1 = 0; i1 < extent1; i1++) for (let i2 = 0; i2 < extent2; i2++) {
       let ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
       let ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2;
       for (let i3 = 0; i3 < extent3; i3++, i++, ia += a3, ib += b3) {
         const x = a[ia], y = b[ib], g = gradient[i]; output[i] = ${expression};
       }
     }`,
  );
}

function binaryKernel(name: string, expression: string, fast: BinaryExpressions["wasm"]): BinaryKernel {
  const loop = broadcastLoop(expression);
  const shader = withExpression(binaryShader, expression);
  return defineKernel({
    name,
    reads: { a: "f32", b: "f32" },
    writes: { output: "f32" },
    parameters: broadcastParameters,
    launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
    cpu: ({ a, b, output }, p, wasm) => {
      if (wasm && fast && p.flat === 1) {
        wasm.kernels[fast](p.size, a.byteOffset, b.byteOffset, output.byteOffset);
      } else loop(a, b, output, output, p);
    },
  });
}

function binaryGradientKernel(name: string, expression: string): BinaryGradientKernel {
  const loop = broadcastLoop(expression);
  const shader = withExpression(binaryShader, expression, GRADIENT);
  return defineKernel({
    name,
    reads: { a: "f32", b: "f32", gradient: "f32" },
    writes: { output: "f32" },
    parameters: broadcastParameters,
    launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
    cpu: ({ a, b, gradient, output }, p) => loop(a, b, gradient, output, p),
  });
}

function mapTable<Table extends object, Made>(table: Table, make: (name: string, entry: Table[keyof Table]) => Made) {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, make(name, entry)])) as {
    [Name in keyof Table]: Made;
  };
}

/** The kernels of each unary function: its value and its gradient. */
export const unaryKernels = mapTable(unaryTable, (name, { value, dx, wasm }: UnaryExpressions) => ({
  value: unaryKernel(name, value, wasm),
  dx: unaryGradientKernel(`${name} dx`, dx, wasm),
}));

/** The gradient as it came is nothing to compute. */
const gradientKernel = (name: string, expression: string) =>
  expression === "g" ? null : binaryGradientKernel(name, expression);

/**
 * The kernels of each binary function: its value and the gradient for either operand, `null` for the gradient as it
 * came.
 */
export const binaryKernels = mapTable(binaryTable, (name, { value, dx, dy, wasm }: BinaryExpressions) => ({
  value: binaryKernel(name, value, wasm),
  dx: gradientKernel(`${name} dx`, dx),
  dy: gradientKernel(`${name} dy`, dy),
}));
