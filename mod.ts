/**
 * Over-parameterised knowledge distillation (OPDF, arXiv 2411.06448) on any GPU: a student's weight matrices are
 * decomposed into chains of tensors with more parameters than the matrices had, the chains are trained against a
 * teacher, and then contracted back, so that the student that ships is as small as before.
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

import "./core/deno/install.ts";

export * from "./core/mod.ts";
export * from "./plugins/mod.ts";

// The files of this machine, which are in use unless useFiles names others.
export { denoFiles } from "./core/deno/deno_files.ts";
