import { UserError } from "../../core/errors.ts";
import { layerShare } from "../../core/nn/layer_share.ts";
import type { LossSetup } from "../../core/plugin/loss.ts";
import type { OutputShapes } from "../../core/plugin/output_tree.ts";

/** Outputs that are lists of a tensor for each layer's attention. */
export type AttentionList = "attention" | "scores" | "relations";

/** Places of a layer of the student and the teacher's that it is compared with, from 0. */
export interface AttentionPair {
  readonly student: number;
  readonly teacher: number;
}

const NOUN: Readonly<Record<AttentionList, string>> = {
  attention: "attention probabilities",
  scores: "attention scores",
  relations: "queries, keys and values",
};

/**
 * The shapes of what a model gives for each layer's attention; of relations, those of the queries.
 *
 * @param who name of the loss
 * @throws UserError if there is no such model, or it does not give them
 */
export function layersOf(
  who: string,
  list: AttentionList,
  shapes: LossSetup["shapes"],
  model: "student" | "teacher",
): readonly (readonly number[])[] {
  const given: OutputShapes | null = shapes[model];
  if (!given) throw new UserError(`Cannot use the loss "${who}" without a ${model}`);
  const layers = (list === "relations" ? given.relations?.map(({ queries }) => queries) : given[list]) ?? [];
  if (layers.length === 0) {
    throw new UserError(
      `Cannot use the loss "${who}" as the ${model} gives no ${NOUN[list]}: both must be transformers`,
    );
  }
  return layers;
}

/**
 * A layer's place from 0; negative ones count from the end.
 *
 * @throws UserError if there is no such layer
 */
export function layerAt(who: string, model: "student" | "teacher", layer: number, count: number): number {
  const place = layer < 0 ? layer + count : layer;
  if (place < 0 || place >= count) {
    throw new UserError(
      `Cannot compare attention of the ${model}'s layer ${layer} in "${who}": it has ${count} layers`,
    );
  }
  return place;
}

/**
 * Compares the numbers of tokens of two layers, which images cut into other patches, or one more learned token, change.
 *
 * @param student the shape of the student's layer, `[batch, heads, length, ...]`
 * @throws UserError if they differ
 */
export function expectSameLength(who: string, student: readonly number[], teacher: readonly number[]): void {
  if (student[2] === teacher[2]) return;
  throw new UserError(
    `Cannot compare attention over the student's ${student[2]} tokens with that over the teacher's ${teacher[2]} in ` +
      `"${who}": the numbers must be equal`,
  );
}

/**
 * The uniform map of TinyBERT: the m-th of M layers with the m N / M-th of N, counted from 1.
 *
 * @throws UserError if N is no multiple of M
 */
export function uniformPairs(who: string, student: number, teacher: number): AttentionPair[] {
  if (teacher % student !== 0) {
    throw new UserError(
      `Cannot spread ${student} layers over the teacher's ${teacher} in "${who}" as ${teacher} is no multiple of ` +
        `${student}: list the pairs of layers`,
    );
  }
  return Array.from({ length: student }, (_, place) => {
    return { student: place, teacher: layerShare(place, student, teacher).end - 1 };
  });
}
