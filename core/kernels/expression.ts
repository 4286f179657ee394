import { erf } from "./erf.ts";

/** The WGSL functions that the elementwise table may use, `erf` and `isNan`, under the same names for JavaScript. */
const functions = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: Math.sign,
  tanh: Math.tanh,
  erf,
  isNan: Number.isNaN,
  min: Math.min,
  max: Math.max,
  clamp: (x: number, low: number, high: number) => Math.min(Math.max(x, low), high),
  select: (otherwise: number, value: number, condition: boolean) => condition ? value : otherwise,
};

const library = Object.keys(functions).map((name) => `const ${name} = functions.${name};`).join("\n");

/** Compiles a loop whose body holds table expressions; the table's own text is the only source it is made of. */
export function compileLoop<Loop extends (...args: never[]) => void>(
  parameters: readonly string[],
  body: string,
): Loop {
  const make = new Function(
    "functions",
    `"use strict";\n${library}\nreturn (${parameters.join(", ")}) => {\n${body}\n};`,
  );
  return make(functions) as Loop;
}
