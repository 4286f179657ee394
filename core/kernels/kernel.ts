import type { AnyKernel, Kernel } from "../backend/kernel.ts";

const registry = new Map<string, AnyKernel>();

/** Registers a kernel under its name, so that tests can walk all of them. */
export function defineKernel<Binding extends string, Parameter extends string>(
  kernel: Kernel<Binding, Parameter>,
): Kernel<Binding, Parameter> {
  if (registry.has(kernel.name)) throw new Error(`Cannot define kernel "${kernel.name}" twice`);
  registry.set(kernel.name, kernel);
  return kernel;
}

/** All kernels defined so far, by name. */
export function kernels(): ReadonlyMap<string, AnyKernel> {
  return registry;
}
