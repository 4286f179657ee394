import { groupBy } from "../../../core/group_by.ts";
import type { TensorShapes } from "../../../core/plugin/model.ts";
import { listWords } from "../../../core/recipe/words.ts";
import { depthOf, DEPTHS, layOut } from "./architecture.ts";
import { parametersOf } from "./parameters.ts";

/** The name here of a tensor in a file of PyTorch; `null` for what is not needed. */
export function ownName(name: string): string | null {
  // Data-parallel training prefixes every name; PyTorch's batch counter is not needed.
  const plain = name.replace(/^module\./, "");
  return plain.endsWith(".num_batches_tracked") ? null : plain;
}

/** A residual network as the shapes of its tensors show it, whatever their names. */
export interface Recognised {
  /** `null` for one that cannot be built here. */
  readonly depth: number | null;
  /** Why it cannot be: grouped convolutions, or blocks whose width is not the stem's. */
  readonly oddity: "grouped" | "wide" | null;
  /** Channels of the first convolution. */
  readonly width: number;
  /** Height and width of its filters. */
  readonly kernel: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Whether a block has three convolutions, not two. */
  readonly bottleneck: boolean;
  /** Whether a file of this network could be read: its names are torchvision's, and none is missing. */
  readonly readable: boolean;
  /** Some of its names that are not torchvision's, with torchvision's for the same tensors. */
  readonly otherNames: readonly (readonly [name: string, own: string])[];
  /** Whether a block whose sizes change has weights for its shortcut. */
  readonly hasShortcuts: boolean;
}

/** `layer1.0.conv1.weight`, `layers.0.0.bn.weight`, `resnet.encoder.stages.0.layers.1.layer.0.convolution.weight` */
const IN_BLOCK = /^.*?(\d+)(?:_x)?[._](?:[A-Za-z_]+[._]?)?(\d+)[._](.+[._].+)$/;
/** Filters of the two kinds of blocks. */
const [BASIC, BOTTLENECK] = ["3,3", "1,3,1"];
const SHORTCUT = /^(?:shortcut|downsample|projection|skip|identity)/;

/** The residual network that a file's tensors are of; `null` if they are of none. */
export function recognise(shapes: TensorShapes): Recognised | null {
  const tensors = [...shapes].flatMap(([stored, shape]) => {
    const name = ownName(stored);
    if (name === null) return [];
    const [, stage, block, rest] = name.match(IN_BLOCK) ?? [];
    const place = rest === undefined ? null : { stage: Number(stage), block: Number(block) };
    return [{ name, shape, place, isShortcut: place !== null && SHORTCUT.test(rest) }];
  });
  const convolutions = tensors.filter(({ shape }) => shape.length === 4);
  const stages = [...grouped(convolutions.filter(({ place }) => place), ({ place }) => place!.stage).values()]
    .map((stage) => [...grouped(stage, ({ place }) => place!.block).values()]);
  const first = convolutions.find(({ place }) => !place);
  // Heights of the filters along a block, the same for all blocks.
  const mains = stages.flat().map((block) => block.filter(({ isShortcut }) => !isShortcut));
  const [kernels, ...others] = new Set(mains.map((block) => block.map(({ shape }) => shape[2]).join()));
  if (!first || stages.length < 3 || stages.length > 4 || others.length > 0) return null;
  if (kernels !== BASIC && kernels !== BOTTLENECK) return null;

  const [width, , kernel] = first.shape;
  const [blocks, bottleneck] = [stages.map(({ length }) => length), kernels === BOTTLENECK];
  const [inside] = mains[0];
  const isGrouped = mains.some((block) => block.some(({ shape }, at) => at > 0 && shape[1] !== block[at - 1].shape[0]));
  const shortcut = convolutions.find(({ isShortcut }) => isShortcut);
  const oddity: Recognised["oddity"] = isGrouped ? "grouped" : inside.shape[0] === width ? null : "wide";
  const depth = oddity === null ? depthOf(blocks, bottleneck) : null;
  const seen = { depth, oddity, width, kernel, blocks, bottleneck, hasShortcuts: shortcut !== undefined };
  if (depth === null) return { ...seen, readable: false, otherNames: [] };

  const stem = kernel === 7 ? "imagenet" : "cifar";
  const own = new Set(parametersOf(layOut({ depth, width, stem }), 1, 1).map(({ name }) => name));
  const ofShortcut = [...own].find((name) => name.endsWith(".downsample.0.weight"))!;
  const head = tensors.find(({ place, shape }) => !place && shape.length === 2);
  const roles = [[first, "conv1.weight"], [inside, "layer1.0.conv1.weight"], [shortcut, ofShortcut], [
    head,
    "fc.weight",
  ]];
  const otherNames = (roles as [typeof head, string][])
    .flatMap(([tensor, name]) => tensor && !own.has(tensor.name) ? [[tensor.name, name] as const] : []);
  const readable = tensors.length === own.size && tensors.every(({ name }) => own.has(name));
  return { ...seen, readable, otherNames };
}

/** Items by a number of theirs, from the smallest on. */
function grouped<Item>(items: readonly Item[], key: (item: Item) => number): Map<number, Item[]> {
  return new Map([...groupBy(items, key)].sort(([a], [b]) => a - b));
}

const ODDITIES = { none: "", grouped: " in groups (ResNeXt)", wide: " wider than its stem (Wide ResNet)" };

/**
 * What weights are of, with them as the subject: `fit a ResNet-18: ...`.
 *
 * @param wanted the network that they do not fit
 * @returns `null` where they are of no residual network, or nothing can be told but that
 */
export function explain(
  shapes: TensorShapes,
  wanted: { readonly depth: number | null; readonly width: number | null },
): string | null {
  const found = recognise(shapes);
  if (!found) return null;
  const { depth, oddity, width, blocks, bottleneck, readable, otherNames, hasShortcuts } = found;
  if (depth === null) {
    const kind = `blocks of ${bottleneck ? "three" : "two"} convolutions${ODDITIES[oddity ?? "none"]}`;
    return `look like those of a ResNet with ${listWords(blocks.map(String), "and")} ${kind}, which cannot be built: ` +
      `expected ${DEPTHS}`;
  }
  const what = `a ${blocks.length === 3 ? "CIFAR " : ""}ResNet-${depth}`;
  const isWanted = wanted.depth === depth && wanted.width === width;
  if (readable) return isWanted ? null : `fit ${what}: depth: ${depth}, width: ${width}`;
  const examples = otherNames.map(([name, own]) => `${name} for ${own}`);
  const reasons = [
    ...(hasShortcuts ? [] : ["its shortcuts have no weights (option A), with which none can be built"]),
    ...(examples.length > 0 ? [`only torchvision's names are read, and these have ${listWords(examples, "and")}`] : []),
  ];
  if (reasons.length === 0 && isWanted) return null;
  return [`look like those of ${what} of width ${width}`, ...reasons].join("; ");
}
