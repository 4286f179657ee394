import type { Call } from "../program.ts";

/**
 * Operations in whose time a slow GPU moves one number from or to memory: 100 billion a second beside 50 GB/s.
 */
const OPERATIONS_PER_NUMBER = 8;

/**
 * A call's work, counted from sizes alone: the arithmetic that its kernel states, and every number that it reads or
 * writes once. What a command buffer may hold of it is a trait of the adapter, `workPerSubmit`.
 */
export function workOf(call: Call): number {
  if ("source" in call) return 2 * OPERATIONS_PER_NUMBER * call.source.length;
  const { kernel, views, parameters } = call;
  let numbers = 0;
  for (const name in views) numbers += views[name].length;
  return (kernel.operations?.(parameters) ?? 0) + OPERATIONS_PER_NUMBER * numbers;
}
