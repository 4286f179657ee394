import { expectArguments } from "../arguments.ts";
import type { Ops } from "../ops/ops.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { chainParameterCount, type Factors } from "./shapes.ts";

/** The sizes of a chain of n cores (a matrix product operator). */
export interface ChainShape extends Factors {
  /** `[d_0 .. d_n]`, the first and the last 1: core k has the shape `[d_{k-1}, i_k, j_k, d_k]`. */
  readonly bonds: readonly number[];
}

/**
 * A matrix as a chain of cores (Eq. 2 of OPDF). With the digits `i_1 .. i_n` of a row number and `j_1 .. j_n` of a
 * column number, in the bases of the factors, `W[i, j] = T_1[i_1, j_1] T_2[i_2, j_2] .. T_n[i_n, j_n]`, where
 * `T_k[i_k, j_k]` is a matrix `d_{k-1} x d_k`.
 */
export interface Chain extends ChainShape {
  /** Row-major `[d_{k-1}, i_k, j_k, d_k]`. */
  readonly cores: readonly Float64Array[];
}

/** `[d_{k-1}, i_k, j_k, d_k]` of core k, counted from 0. */
export function coreShape(shape: ChainShape, core: number): number[] {
  expectArguments("coreShape", {
    shape: [shape, "the shape of a chain, { rows, cols, bonds }"],
    core: [core, "a number"],
  });
  const { rows, cols, bonds } = shape;
  return [bonds[core], rows[core], cols[core], bonds[core + 1]];
}

/** Which of n cores, counted from 0, is the central tensor: the middle one, of two the first. */
export function centralIndex(order: number): number {
  expectArguments("centralIndex", { order: [order, "a whole number from 1"] });
  return Math.floor((order - 1) / 2);
}

/** The cores that are auxiliary tensors: all but the central one. */
export function auxiliaryIndices(order: number): number[] {
  expectArguments("auxiliaryIndices", { order: [order, "a whole number from 1"] });
  return Array.from({ length: order }, (_, core) => core).filter((core) => core !== centralIndex(order));
}

/** The parameters of a chain over those of its matrix. */
export function increaseRate(shape: ChainShape): number {
  expectArguments("increaseRate", { shape: [shape, "the shape of a chain, { rows, cols, bonds }"] });
  const { rows, cols, bonds } = shape;
  return chainParameterCount(rows, cols, bonds) / (sizeOf(rows) * sizeOf(cols));
}

/** The cores as tensors, for training. */
export function coreTensors(ops: Ops, chain: Chain): Tensor[] {
  expectArguments("coreTensors", {
    ops: [ops, "operations (see createOps)"],
    chain: [chain, "a chain, { rows, cols, bonds, cores }"],
  });
  return chain.cores.map((core, index) => ops.tensor(core, coreShape(chain, index)));
}
