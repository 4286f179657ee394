/**
 * Over-parameterised knowledge distillation (OPDF, arXiv 2411.06448) on any GPU: a student's weight matrices are
 * decomposed into chains of tensors with more parameters than the matrices had, the chains are trained against a teacher,
 * and then contracted back, so that the student that ships is as small as before.
 *
 * @example Run a recipe
 * ```ts
 * import { builtins, distill, openBackend, readRecipe } from "@opdf/opdf";
 *
 * const recipe = await readRecipe("tasks/recipes/quickstart.yaml");
 * const { backend } = await openBackend("auto");
 * const summary = await distill(recipe, { backend, builtins });
 * console.log(summary.student.accuracy);
 * await backend.close();
 * ```
 *
 * @example Decompose a matrix and contract it back
 * ```ts
 * import { coreTensors, createOps, decomposeMatrix, mergeChain, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const matrix = Float32Array.from({ length: 12 * 12 }, Math.random);
 * const { chain } = await decomposeMatrix(matrix, 12, 12, { rows: [4, 1, 3], cols: [4, 1, 3] });
 * const merged = mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols);
 * await backend.close();
 * ```
 *
 * @module
 */

export * from "./core/errors.ts";
export type * from "./core/backend/backend.ts";
export * from "./core/backend/open_backend.ts";
export type { AdapterTraits, Kernel, Launch, ParameterType } from "./core/kernels/kernel.ts";
export * from "./core/tensor.ts";
export { Device } from "./core/device.ts";
export * from "./core/ops/ops.ts";
export type * from "./core/ops/op.ts";
export * from "./core/contract.ts";
export * from "./core/mpo/chain.ts";
export * from "./core/mpo/shapes.ts";
export * from "./core/mpo/automatic_shapes.ts";
export * from "./core/mpo/decompose.ts";
export type * from "./core/mpo/gauge.ts";
export type * from "./core/mpo/truncate.ts";
export type * from "./core/mpo/linear_algebra.ts";
export { mergeChain, mergeOnHost, planMerge } from "./core/mpo/merge.ts";
export type * from "./core/nn/initialisers.ts";
export type * from "./core/nn/weights.ts";
export { Random, type RandomState } from "./core/data/random.ts";
export * from "./core/plugin/dataset.ts";
export * from "./core/plugin/kit.ts";
export * from "./core/plugin/loss.ts";
export * from "./core/plugin/model.ts";
export type * from "./core/plugin/registry.ts";
export { readRecipe } from "./core/recipe/recipe.ts";
export { Checked, type ParseOptions } from "./core/recipe/checked.ts";
export type { Recipe } from "./core/recipe/schema.ts";
export { type Scheduled, scheduled } from "./core/recipe/scheduled.ts";
export type * from "./core/distill/chain_map.ts";
export * from "./core/distill/distill.ts";
export * from "./core/distill/progress.ts";
export * from "./core/distill/stops.ts";
export type * from "./core/distill/summary.ts";
export * from "./core/safetensors.ts";
export * from "./plugins/builtins.ts";
