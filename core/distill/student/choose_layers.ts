import { UserError } from "../../errors.ts";
import { layerShare } from "../../nn/layer_share.ts";
import type { FileTensors, Model } from "../../plugin/model.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { showShape } from "../../tensor.ts";

/** Which layers a student starts from. */
export type Layers = NonNullable<Recipe["student"]["initialise"]>["layers"];

/**
 * The layer that each layer of the student starts from, numbered from 0. `mapped` takes the last of each layer's share,
 * `i` of `n` getting `(i + 1) N / n - 1` of `N` (1, 3, 5, .. where there are twice as many): those that OPDF aligns it
 * with.
 *
 * @param count the student's layers
 * @param offered the layers there are to start from
 * @param whose whose they are, for messages
 * @throws UserError if there are none, or the list does not fit
 */
export function chooseLayers(count: number, offered: number, layers: Layers, whose = "the teacher's"): number[] {
  if (count === 0 || offered === 0) {
    throw new UserError(`Cannot start the student from ${whose} layers: both must be models of repeated layers`);
  }
  if (typeof layers === "object") {
    if (layers.length !== count) {
      throw new UserError(
        `Cannot start ${count} layers from ${showShape(layers)}: expected ${count} numbers of ${whose} layers`,
      );
    }
    const wrong = layers.find((layer) => layer >= offered);
    if (wrong !== undefined) {
      throw new UserError(`Cannot start from ${whose} layer ${wrong}: expected one of 0 to ${offered - 1}`);
    }
    return [...layers];
  }
  if (count > offered) {
    throw new UserError(`Cannot start ${count} layers from ${whose} ${offered}: list the layers to be repeated`);
  }
  return Array.from({ length: count }, (_, layer) => {
    if (layers === "mapped") return layerShare(layer, count, offered).end - 1;
    return layers === "first" ? layer : offered - count + layer;
  });
}

/** Layers of a file in the place of the student's. */
export interface FileLayers {
  /** Numbers of the layers that were taken, in order. */
  readonly chosen: readonly number[];
  /** How many the file has. */
  readonly offered: number;
  /** The chosen ones under the names of the student's layers, and what is outside of layers. */
  readonly tensors: FileTensors;
}

/**
 * Layers of a file that has as many as it has, for a student whose layers differ in their number alone.
 *
 * @throws UserError if they differ otherwise, as the blocks of a residual network's stages do, or the list does not fit
 */
export function layersOfFile({ layerPrefixes = [] }: Model, stored: FileTensors, layers: Layers): FileLayers {
  const before = /^(.*\.)0\.$/.exec(layerPrefixes[0] ?? "")?.[1];
  const prefixOf = (layer: number) => `${before}${layer}.`;
  if (before === undefined || layerPrefixes.some((prefix, layer) => prefix !== prefixOf(layer))) {
    throw new UserError(
      "Cannot start from some layers of the weights: expected an encoder, whose layers are numbered; for other models " +
        "name the weights as the teacher's, with from: teacher",
    );
  }
  const numberOf = (name: string) => {
    if (!name.startsWith(before)) return null;
    const number = /^(0|[1-9]\d{0,5})\./.exec(name.slice(before.length))?.[1];
    return number === undefined ? null : Number(number);
  };
  const numbers = [...stored.keys()].flatMap((name) => numberOf(name) ?? []);
  const offered = numbers.reduce((most, number) => Math.max(most, number + 1), 0);
  const chosen = chooseLayers(layerPrefixes.length, offered, layers, "the weights'");
  const tensors = new Map([...stored].flatMap(([name, tensor]) => {
    const layer = numberOf(name);
    if (layer === null) return [[name, tensor] as const];
    const rest = name.slice(prefixOf(layer).length);
    return chosen.flatMap((from, to) => from === layer ? [[prefixOf(to) + rest, tensor] as const] : []);
  }));
  return { chosen, offered, tensors };
}
