import type { AdapterTraits } from "../backend/kernel.ts";

/** Threads per workgroup of kernels with one thread per element. */
export const LINEAR_WORKGROUP = 64;

/**
 * Workgroups for `count` threads in a row; beyond the limit of one dimension they continue in the second, and the
 * shader finds its index as `id.x + id.y * groups.x * 64`.
 */
export function linear(count: number, adapter: AdapterTraits): [number, number, number] {
  return inGroups(Math.ceil(count / LINEAR_WORKGROUP), adapter);
}

/** So many workgroups, at least one, in one dimension or two; the shader finds its own by `workgroupIndex`. */
export function inGroups(count: number, adapter: AdapterTraits): [number, number, number] {
  const groups = Math.max(1, count);
  const x = Math.min(groups, adapter.maxWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x), 1];
}

/**
 * Threads for `count` elements in a shader with a grid-stride loop: one for each element on a GPU, fewer on a software
 * adapter.
 */
export function threadsOver(count: number, adapter: AdapterTraits): number {
  return Math.ceil(count / adapter.elementsPerThread);
}

/** Workgroups for a shader with the loop `for (i = id.x + id.y * groups.x * 64; i < count; i += all threads)`. */
export function spread(count: number, adapter: AdapterTraits): [number, number, number] {
  return linear(threadsOver(count, adapter), adapter);
}
