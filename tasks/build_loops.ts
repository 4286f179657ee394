/**
 * Writes the loops that the elementwise table's expressions stand in on the cpu, as JavaScript: made at run time, they
 * would need `new Function`, which a strict content policy of a page forbids.
 *
 * @module
 */
import { binaryTable, unaryTable } from "../core/kernels/elementwise_table.ts";

/** The file that holds the loops. */
export const GENERATED = new URL("../core/kernels/elementwise_loops.generated.ts", import.meta.url);

const FUNCTIONS = [
  "abs",
  "clamp",
  "erf",
  "exp",
  "isNan",
  "log",
  "max",
  "min",
  "nanFrom",
  "select",
  "sign",
  "sqrt",
  "tanh",
];

/** The file's text, from the table as it is. */
export function buildLoops(): string {
  const unary = Object.entries(unaryTable).map(([name, { value, dx }]) =>
    `  ${name}: {
    value: (input: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i]; output[i] = ${value}; }
    },
    dx: (input: Floats, gradient: Floats, output: Floats, c: number) => {
      for (let i = 0; i < output.length; i++) { const x = input[i], g = gradient[i]; output[i] = ${dx}; }
    },
  },
`
  );
  const binary = Object.entries(binaryTable).map(([name, { value, dx, dy }]) =>
    `  ${name}: {
    value: ${broadcastLoop(value)},
    dx: ${broadcastLoop(dx)},
    dy: ${broadcastLoop(dy)},
  },
`
  );
  return `// Written from elementwise_table.ts by tasks/build_loops.ts. Do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file
import type { Floats } from "../backend/backend.ts";
import type { BroadcastParameter } from "./broadcast_walk.ts";
import { ${FUNCTIONS.join(", ")} } from "./expression_functions.ts";

type Walk = Readonly<Record<BroadcastParameter, number>>;

/** Of each unary function its value, and its gradient \`dx\`. */
export const unaryLoops = {
${unary.join("")}};

/** Of each binary function its value and its gradients; \`gradient\` is the output itself where it is not asked for. */
export const binaryLoops = {
${binary.join("")}};
`;
}

/** The loop over broadcast operands. */
function broadcastLoop(expression: string): string {
  return `(a: Floats, b: Floats, gradient: Floats, output: Floats, p: Walk) => {
      if (p.flat === 1) {
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
      }
    }`;
}

if (import.meta.main) await Deno.writeTextFile(GENERATED, buildLoops());
