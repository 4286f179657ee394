import type { Kernel } from "../backend/kernel.ts";
import binaryShader from "../../shaders/binary.wgsl" with { type: "text" };
import erfShader from "../../shaders/erf.wgsl" with { type: "text" };
import isNanShader from "../../shaders/is_nan.wgsl" with { type: "text" };
import unaryShader from "../../shaders/unary.wgsl" with { type: "text" };
import { type BroadcastParameter, broadcastParameters } from "./broadcast_walk.ts";
import { type BinaryExpressions, binaryTable, type UnaryExpressions, unaryTable } from "./elementwise_table.ts";
import { binaryLoops, unaryLoops } from "./elementwise_loops.generated.ts";
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

function unaryKernel(
  name: string,
  expression: string,
  loop: UnaryLoops["value"],
  fast: UnaryExpressions["wasm"],
): UnaryKernel {
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

function unaryGradientKernel(
  name: string,
  expression: string,
  loop: UnaryLoops["dx"],
  fast: UnaryExpressions["wasm"],
): UnaryGradientKernel {
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

type UnaryLoops = typeof unaryLoops[keyof typeof unaryLoops];
type BinaryLoop = typeof binaryLoops.add.value;

function binaryKernel(
  name: string,
  expression: string,
  loop: BinaryLoop,
  fast: BinaryExpressions["wasm"],
): BinaryKernel {
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

function binaryGradientKernel(name: string, expression: string, loop: BinaryLoop): BinaryGradientKernel {
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

function mapTable<Table extends object, Made>(
  table: Table,
  make: (name: keyof Table & string, entry: Table[keyof Table]) => Made,
) {
  const entries = Object.entries(table) as [keyof Table & string, Table[keyof Table]][];
  return Object.fromEntries(entries.map(([name, entry]) => [name, make(name, entry)])) as {
    [Name in keyof Table]: Made;
  };
}

/** The kernels of each unary function: its value and its gradient. */
export const unaryKernels = mapTable(unaryTable, (name, { value, dx, wasm }: UnaryExpressions) => ({
  value: unaryKernel(name, value, unaryLoops[name].value, wasm),
  dx: unaryGradientKernel(`${name} dx`, dx, unaryLoops[name].dx, wasm),
}));

/** The gradient as it came is nothing to compute. */
const gradientKernel = (name: string, expression: string, loop: BinaryLoop) =>
  expression === "g" ? null : binaryGradientKernel(name, expression, loop);

/**
 * The kernels of each binary function: its value and the gradient for either operand, `null` for the gradient as it
 * came.
 */
export const binaryKernels = mapTable(binaryTable, (name, { value, dx, dy, wasm }: BinaryExpressions) => ({
  value: binaryKernel(name, value, binaryLoops[name].value, wasm),
  dx: gradientKernel(`${name} dx`, dx, binaryLoops[name].dx),
  dy: gradientKernel(`${name} dy`, dy, binaryLoops[name].dy),
}));
