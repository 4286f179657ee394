import type { FileSource, FileTensors, TensorShapes } from "../../../core/plugin/model.ts";
import { listWords } from "../../../core/recipe/words.ts";
import { depthOf, type Layout, layOut } from "./architecture.ts";
import { torchvisionNames } from "./names.ts";
import { parametersOf } from "./parameters.ts";
import { type Module, type Structure, structureOf } from "./structure.ts";

/** A residual network as the shapes of its tensors show it, whatever their names. */
export interface Recognised {
  /** `null` for one that only `blocks` and `bottleneck` describe. */
  readonly depth: number | null;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Whether a block has three convolutions, not two. */
  readonly bottleneck: boolean;
  /** Channels of the first convolution. */
  readonly width: number;
  /** Channels between the convolutions of its blocks; `null` where each has its stage's width. */
  readonly inner: readonly number[] | null;
  /** Height and width of its filters. */
  readonly kernel: number;
  /** Why it cannot be built: grouped convolutions, blocks whose width is not the stem's, or a stem of several. */
  readonly oddity: "grouped" | "wide" | "deep" | null;
  /** Whether a block whose sizes change has weights for its shortcut. */
  readonly hasShortcuts: boolean;
  /** torchvision's names by those of the file; `null` if it cannot be read. */
  readonly names: ReadonlyMap<string, string> | null;
  /** Some of its names that are not torchvision's, with torchvision's for the same tensors. */
  readonly otherNames: readonly (readonly [name: string, own: string])[];
}

/** Filters of the two kinds of blocks. */
const [BASIC, BOTTLENECK] = ["3,3", "1,3,1"];

/** The most stages of any network that there is. */
const MOST_STAGES = 5;

const filterOf = ({ tensors }: Module) => tensors.get("weight")!;

/** The residual network that a file's tensors are of; `null` if they are of none. */
export function recognise(shapes: TensorShapes): Recognised | null {
  const structure = structureOf(shapes);
  const { stem, stages } = structure;
  const mains = stages.flat().map(({ main }) => main.convolutions.map(filterOf));
  // Heights of the filters along a block, the same for all blocks.
  const [kernels, ...others] = new Set(mains.map((block) => block.map(({ shape }) => shape[2]).join()));
  const [first] = stem.convolutions.map(filterOf);
  if (!first || stages.length < 2 || stages.length > MOST_STAGES || others.length > 0) return null;
  if (kernels !== BASIC && kernels !== BOTTLENECK) return null;

  const [width, , kernel] = first.shape;
  const [blocks, bottleneck] = [stages.map(({ length }) => length), kernels === BOTTLENECK];
  const isGrouped = mains.some((block) => block.some(({ shape }, at) => at > 0 && shape[1] !== block[at - 1].shape[0]));
  const between = stages.map((blocks) =>
    blocks.flatMap(({ main }) => main.convolutions.slice(0, -1).map((convolution) => filterOf(convolution).shape[0]))
  );
  const isWide = between.some((channels, stage) => channels.some((count) => count > width * 2 ** stage));
  const isEven = between.every((channels, stage) => channels.every((count) => count === width * 2 ** stage));
  const isDeep = stem.convolutions.length > 1;
  const oddity: Recognised["oddity"] = isDeep ? "deep" : isGrouped ? "grouped" : isWide ? "wide" : null;
  const hasShortcuts = stages.flat().some(({ shortcut }) => shortcut.convolutions.length > 0);
  const depth = depthOf(blocks, bottleneck);
  const inner = isEven ? null : between.flat();
  const seen = { depth, oddity, width, inner, kernel, blocks, bottleneck, hasShortcuts };
  const names = oddity === null ? torchvisionNames(structure) : null;
  const isWhole = names !== null && hasTensors(seen, names);
  return { ...seen, names: isWhole ? names : null, otherNames: isWhole ? [] : examples(structure) };
}

/** The options that lay a recognised network out, as far as its weights show them. */
export function layoutOf(
  { depth, blocks, bottleneck, width, inner, kernel, hasShortcuts }: Omit<Recognised, "names" | "otherNames">,
): Layout {
  return {
    ...(depth === null ? { depth, blocks, bottleneck } : { depth, blocks: null, bottleneck: null }),
    width,
    inner,
    stem: kernel === 7 ? "imagenet" : "cifar",
    shortcut: hasShortcuts ? "projection" : "padded",
  };
}

/** Whether the tensors are all that the network has. */
function hasTensors(seen: Omit<Recognised, "names" | "otherNames">, names: ReadonlyMap<string, string>): boolean {
  const own = new Set(parametersOf(layOut(layoutOf(seen)), 1, 1).map(({ name }) => name));
  const given = new Set(names.values());
  return given.size === names.size && given.size === own.size && [...given].every((name) => own.has(name));
}

/** Names of tensors of a file that cannot be read, which say what it is; nothing for torchvision's. */
function examples({ stem, stages }: Structure): Recognised["otherNames"] {
  const projected = stages.map((blocks) => blocks[0].shortcut.convolutions[0]);
  const stage = projected.findIndex((convolution) => convolution !== undefined);
  const roles: readonly (readonly [Module | undefined, string])[] = [
    [stem.convolutions[0], "conv1"],
    [stages[0][0].main.convolutions[0], "layer1.0.conv1"],
    [projected[stage], `layer${stage + 1}.0.downsample.0`],
    [stem.others.find(({ tensors }) => tensors.get("weight")?.shape.length === 2), "fc"],
  ];
  return roles.flatMap(([module, own]) => {
    return module && module.path !== own ? [[`${module.path}.weight`, `${own}.weight`] as const] : [];
  });
}

/** A file's tensors under torchvision's names, if they are of a residual network whose other names can be told. */
export function renamed(tensors: FileTensors, { report }: Pick<FileSource, "report">): FileTensors {
  const names = recognise(new Map([...tensors].map(([name, { shape }]) => [name, shape])))?.names;
  if (!names) return tensors;
  const other = [...names].filter(([name, own]) => name !== own);
  if (other.length > 0) {
    const shown = other.filter(([name]) => name.endsWith(".weight")).slice(0, 2);
    report(
      `${other.length} of ${names.size} tensors are read by their places, as ` +
        listWords(shown.map(([name, own]) => `${name} for ${own}`), "and"),
    );
  }
  return new Map([...tensors].map(([name, tensor]) => [names.get(name) ?? name, tensor]));
}

const ODDITIES = {
  none: "",
  grouped: " in groups (ResNeXt)",
  wide: " wider than its stem (Wide ResNet)",
  deep: " behind a stem of several convolutions (ResNet-D)",
};

/**
 * What weights are of, with them as the subject: `fit a ResNet-18: ...`.
 *
 * @param wanted the network that they do not fit
 * @returns `null` where they are of no residual network, or nothing can be told but that
 */
export function explain(
  shapes: TensorShapes,
  wanted: Pick<Layout, "depth" | "blocks" | "bottleneck" | "width" | "inner">,
): string | null {
  const found = recognise(shapes);
  if (!found) return null;
  const { depth, oddity, width, inner, blocks, bottleneck, names, otherNames } = found;
  const kind = `blocks of ${bottleneck ? "three" : "two"} convolutions`;
  const counts = listWords(blocks.map(String), "and");
  if (oddity !== null) {
    return `look like those of a ResNet with ${counts} ${kind}${ODDITIES[oddity]}, which cannot be built`;
  }
  const what = depth === null
    ? `a ResNet with ${counts} ${kind}`
    : `a ${blocks.length === 3 ? "CIFAR " : ""}ResNet-${depth}`;
  const sizes = depth === null
    ? `blocks: [${blocks.join(", ")}]${bottleneck ? ", bottleneck: true" : ""}`
    : `depth: ${depth}`;
  const same = depth === null
    ? wanted.blocks?.join() === blocks.join() && (wanted.bottleneck ?? false) === bottleneck
    : wanted.depth === depth;
  const isWanted = same && wanted.width === width && (wanted.inner ?? null)?.join() === inner?.join();
  const narrowed = inner === null ? "" : `, inner: [${inner.join(", ")}]`;
  if (names) return isWanted ? null : `fit ${what}: ${sizes}, width: ${width}${narrowed}`;
  if (otherNames.length === 0 && isWanted) return null;
  const reason = otherNames.length > 0
    ? `, but not all of its tensors have a place there; it has ${
      listWords(otherNames.map(([name, own]) => `${name} for ${own}`), "and")
    }`
    : "";
  return `look like those of ${what} of width ${width}${reason}`;
}
