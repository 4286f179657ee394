import { Tensor } from "../tensor.ts";
import type { ModelOutputs } from "./model.ts";

/** A tree of tensors, such as a model's outputs, with something else in the place of each tensor. */
export type InPlaceOfTensors<Tree, Part> = Tree extends Tensor ? Part
  : { readonly [Key in keyof Tree]: InPlaceOfTensors<Tree[Key], Part> };

/** Shapes of a model's outputs for one example: the batch dimension is there, and 1. */
export type OutputShapes = InPlaceOfTensors<ModelOutputs, readonly number[]>;

/** Outputs with names in the place of tensors, as JSON can hold it. */
export type OutputTree = string | readonly OutputTree[] | { readonly [key: string]: OutputTree };

/** Outputs whose tensors are known by names. */
export interface NamedOutputs {
  readonly tree: OutputTree;
  /** By name: `logits`, `hidden.0`, `features.layer1`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Puts something else in the place of each tensor of a model's outputs; optional ones that are missing stay missing.
 *
 * @param map is also given the tensor's name: `logits`, `hidden.0`, `features.layer1`
 */
export function mapOutputs<Tree extends Partial<ModelOutputs>, Part>(
  outputs: Tree,
  map: (tensor: Tensor, name: string) => Part,
): InPlaceOfTensors<Tree, Part> {
  const visit = (value: unknown, path: string): unknown => {
    if (value instanceof Tensor) return map(value, path);
    const below = (key: string | number) => path === "" ? `${key}` : `${path}.${key}`;
    if (Array.isArray(value)) return value.map((part, index) => visit(part, below(index)));
    const present = Object.entries(value as object).filter(([, part]) => part !== undefined);
    return Object.fromEntries(present.map(([key, part]) => [key, visit(part, below(key))]));
  };
  return visit(outputs, "") as InPlaceOfTensors<Tree, Part>;
}

/** Names the tensors of outputs by where they stand. */
export function nameOutputs(outputs: Partial<ModelOutputs>): NamedOutputs {
  const tensors = new Map<string, Tensor>();
  const tree = mapOutputs(outputs, (tensor, name) => {
    tensors.set(name, tensor);
    return name;
  });
  return { tree: tree as OutputTree, tensors };
}

/** Outputs again, with the tensor that `get` has for each name. */
export function outputsFrom(tree: OutputTree, get: (name: string) => Tensor): ModelOutputs {
  const visit = (part: OutputTree): unknown => {
    if (typeof part === "string") return get(part);
    if (Array.isArray(part)) return part.map(visit);
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, visit(value)]));
  };
  return visit(tree) as ModelOutputs;
}
