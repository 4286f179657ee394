import type { ModelOutputs } from "./model.ts";
import { Tensor } from "../tensor.ts";

/** Outputs with names in the place of tensors, as JSON can hold it. */
export type OutputTree = string | readonly OutputTree[] | { readonly [key: string]: OutputTree };

/** Outputs whose tensors are known by names. */
export interface NamedOutputs {
  readonly tree: OutputTree;
  /** By name: `logits`, `hidden.0`, `features.layer1`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Names the tensors of outputs by where they stand. */
export function nameOutputs(outputs: Partial<ModelOutputs>): NamedOutputs {
  const tensors = new Map<string, Tensor>();
  const visit = (value: unknown, path: string): OutputTree => {
    if (value instanceof Tensor) {
      tensors.set(path, value);
      return path;
    }
    const below = (key: string | number) => path === "" ? `${key}` : `${path}.${key}`;
    if (Array.isArray(value)) return value.map((part, index) => visit(part, below(index)));
    const present = Object.entries(value as object).filter(([, part]) => part !== undefined);
    return Object.fromEntries(present.map(([key, part]) => [key, visit(part, below(key))]));
  };
  return { tree: visit(outputs, ""), tensors };
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
