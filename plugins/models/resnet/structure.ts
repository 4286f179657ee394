import type { TensorShapes } from "../../../core/plugin/model.ts";
import { unwrapped } from "../wrappers.ts";

/** A tensor of a file. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A convolution's filter, or the tensors of a batch norm by the last part of their names. */
export interface Module {
  /** What its tensors' names begin with. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** The parts of something, in the order of their numbers. */
export interface Parts {
  readonly convolutions: readonly Module[];
  readonly norms: readonly Module[];
  /** What is neither. */
  readonly others: readonly Module[];
}

/** A block of a file. */
export interface FoundBlock {
  readonly main: Parts;
  readonly shortcut: Parts;
}

/** The tensors of a file by their places in a residual network, whatever their names. */
export interface Structure {
  readonly stem: Parts;
  readonly stages: readonly (readonly FoundBlock[])[];
}

/** The name here of a tensor in a file of PyTorch; `null` for what is not needed. */
export function ownName(name: string): string | null {
  // PyTorch's batch counter is not needed.
  return name.endsWith(".num_batches_tracked") ? null : unwrapped(name);
}

/** `layer1.0.conv1.weight`, `layers.0.0.bn.weight`, `resnet.encoder.stages.0.layers.1.layer.0.convolution.weight` */
const IN_BLOCK = /^.*?(\d+)(?:_x)?[._](?:[A-Za-z_]+[._]?)?(\d+)[._](.+\..+)$/;
const SHORTCUT = /^(?:shortcut|downsample|projection|skip|identity|short_cut)/;

/** Sorts a file's tensors. */
export function structureOf(shapes: TensorShapes): Structure {
  const stem: NamedTensor[] = [];
  const stages = new Map<number, Map<number, { main: NamedTensor[]; shortcut: NamedTensor[] }>>();
  for (const [stored, shape] of shapes) {
    const name = ownName(stored);
    if (name === null) continue;
    const [, stage, index, rest] = name.match(IN_BLOCK) ?? [];
    if (rest === undefined) {
      stem.push({ name, shape });
      continue;
    }
    const blocks = entry(stages, Number(stage), () => new Map());
    const block = entry(blocks, Number(index), () => ({ main: [], shortcut: [] }));
    (SHORTCUT.test(rest) ? block.shortcut : block.main).push({ name, shape });
  }
  const inOrder = <Value>(map: ReadonlyMap<number, Value>) =>
    [...map].sort(([a], [b]) => a - b).map(([, value]) => value);
  return {
    stem: partsOf(stem),
    stages: inOrder(stages).map((blocks) =>
      inOrder(blocks).map(({ main, shortcut }) => ({ main: partsOf(main), shortcut: partsOf(shortcut) }))
    ),
  };
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function partsOf(tensors: readonly NamedTensor[]): Parts {
  const modules = new Map<string, Map<string, NamedTensor>>();
  for (const tensor of tensors) {
    const at = tensor.name.lastIndexOf(".");
    entry(modules, tensor.name.slice(0, Math.max(at, 0)), () => new Map<string, NamedTensor>())
      .set(tensor.name.slice(at + 1), tensor);
  }
  const sorted = [...modules].map(([path, tensors]): Module => ({ path, tensors }))
    .sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
  const isConvolution = ({ tensors }: Module) => tensors.get("weight")?.shape.length === 4;
  const isNorm = ({ tensors }: Module) => tensors.has("running_mean");
  return {
    convolutions: sorted.filter(isConvolution),
    norms: sorted.filter(isNorm),
    others: sorted.filter((module) => !isConvolution(module) && !isNorm(module)),
  };
}
