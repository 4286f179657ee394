import { UserError } from "../../../core/errors.ts";
import { showJson } from "../../../core/json.ts";
import type { StoredModel } from "../../../core/plugin/model.ts";
import { depthOf, DEPTHS, type Layout, layOut, type ResnetOptions } from "./architecture.ts";
import { explain, layoutOf, recognise, type Recognised } from "./recognise.ts";

type Sizes = Pick<Layout, "depth" | "blocks" | "bottleneck">;

/** Options that were left open, as the weights have them. @throws UserError where they contradict what is stated */
export function followWeights({ shapes, config }: StoredModel, options: ResnetOptions): ResnetOptions {
  const found = recognise(shapes);
  if (!found?.names) {
    if (options.depth !== null || options.blocks !== null) return options;
    const reason = explain(shapes, options) ?? "are of no residual network whose names can be read";
    throw new UserError(
      `Cannot tell the depth of the ResNet by its weights as they ${reason}; say depth: ${DEPTHS}, or blocks`,
    );
  }
  checkConfig(config ?? {});
  const own = layoutOf(found);
  const saved: Partial<Layout> = config?.architecture === "resnet" ? config : {};
  // A first filter of 3x3, and a shortcut without weights, leave two: this program's config.json alone says which.
  const stem = own.stem === "imagenet" ? own.stem : saved.stem ?? null;
  const shortcut = own.shortcut === "projection" ? own.shortcut : saved.shortcut ?? null;
  const sizes = sizesOf(found, own, options);
  if (options.inner !== null && options.inner.join() !== own.inner?.join()) {
    throw contradiction("inner", showList(options.inner), "inner", own.inner ? showList(own.inner) : "null");
  }
  for (const [key, shown] of Object.entries({ width: own.width, stem, shortcut })) {
    const stated = options[key as "width" | "stem" | "shortcut"];
    if (stated !== null && shown !== null && stated !== shown) throw contradiction(key, stated, key, shown);
  }
  if (!found.hasShortcuts && options.shortcut === "projection") {
    throw contradiction("shortcut", "projection", "shortcut", "padded or padded-behind");
  }
  if (shortcut === null && options.shortcut === null) {
    throw new UserError(
      "Cannot tell how the shortcuts of the ResNet fit, which have no weights (option A): say shortcut: padded if zeros " +
        "are put before and behind the channels that there are, or shortcut: padded-behind",
    );
  }
  return {
    ...options,
    ...sizes,
    width: own.width,
    inner: own.inner ?? null,
    stem: options.stem ?? stem ?? "cifar",
    shortcut: options.shortcut ?? shortcut,
  };
}

/** Names of what is computed here: `resnet`, `resnet20`, `tv_resnet50`, `wide_resnet50_2`; not `resnetblur50`. */
const PLAIN = /^(?:\w+_)?resnet\d*(?:_\d)?$/i;

/** What a config.json says of a network with the same tensors. @throws UserError for what cannot be built */
function checkConfig(config: NonNullable<StoredModel["config"]>): void {
  const { model_type, hidden_act = "relu", architecture, global_pool = "avg", ...flags } = config;
  // A low-pass filter and another pooling have no weights, so that these are told by names alone.
  if (typeof architecture === "string" && !PLAIN.test(architecture)) {
    throw new UserError(
      `Cannot build a ResNet of the architecture ${showJson(architecture)}: expected a plain one, such as "resnet50"`,
    );
  }
  if (global_pool !== "avg") {
    throw new UserError(`Cannot build a ResNet with global_pool: ${showJson(global_pool)}: expected "avg"`);
  }
  if (model_type !== "resnet") return;
  if (hidden_act !== "relu") {
    throw new UserError(`Cannot build a ResNet with hidden_act: ${showJson(hidden_act)}: expected "relu"`);
  }
  for (const key of ["downsample_in_first_stage", "downsample_in_bottleneck"]) {
    if (flags[key]) throw new UserError(`Cannot build a ResNet with ${key}: ${showJson(flags[key])}: expected false`);
  }
}

/** How many blocks of which kind there are. @throws UserError where the options say something else */
function sizesOf({ blocks, bottleneck }: Recognised, own: Layout, options: ResnetOptions): Sizes {
  const [key, shown] = own.depth === null ? ["blocks", `[${blocks.join(", ")}]`] : ["depth", own.depth];
  if (options.depth !== null && options.depth !== own.depth) throw contradiction("depth", options.depth, key, shown);
  if (options.blocks !== null && options.blocks.join() !== blocks.join()) {
    throw contradiction("blocks", `[${options.blocks.join(", ")}]`, "blocks", `[${blocks.join(", ")}]`);
  }
  if (options.bottleneck !== null && options.bottleneck !== bottleneck) {
    throw contradiction("bottleneck", options.bottleneck, "bottleneck", bottleneck);
  }
  if (options.blocks !== null) return { depth: options.depth, blocks, bottleneck };
  return { depth: own.depth, blocks: own.blocks, bottleneck: options.bottleneck ?? own.bottleneck };
}

const showList = (numbers: readonly number[]) => `[${numbers.join(", ")}]`;

function contradiction(key: string, stated: unknown, ownKey: string, own: unknown): UserError {
  return new UserError(
    `Cannot build a ResNet with ${key}: ${stated} for these weights, which are of one with ${ownKey}: ${own}: leave ` +
      `${key} out, or name other weights`,
  );
}

/** Options of a student that were left open, by those of the teacher whose layers it starts from. */
export function followTeacher(options: ResnetOptions, teacher: ResnetOptions, layers: number | null): ResnetOptions {
  const { stages, stem, stemWidth, shortcut } = layOut(teacher);
  const { bottleneck } = stages[0].blocks[0];
  const filled = {
    ...options,
    width: options.width ?? stemWidth,
    stem: options.stem ?? stem,
    shortcut: options.shortcut ?? shortcut,
  };
  if (options.depth !== null) return { ...filled, inner: innerOf(filled, teacher) };
  if (options.blocks !== null) return { ...filled, bottleneck: options.bottleneck ?? bottleneck };
  const depth = depthByLayers(layers, stages.length, bottleneck);
  if (depth === null) {
    throw new UserError(
      `Cannot tell the student's depth by its teacher's, ${
        teacher.depth ?? `blocks: [${teacher.blocks}]`
      }: say depth, or list the layers that it starts from`,
    );
  }
  return { ...filled, depth };
}

/** Of a student of its teacher's depth, what is left of the teacher's channels. */
function innerOf({ depth, inner }: ResnetOptions, teacher: ResnetOptions): ResnetOptions["inner"] {
  return inner ?? (depth === teacher.depth ? teacher.inner : null);
}

/** The depth of a network of so many blocks in stages of equal numbers; `null` if there is none. */
function depthByLayers(layers: number | null, stages: number, bottleneck: boolean): number | null {
  if (layers === null || layers % stages !== 0) return null;
  return depthOf(Array<number>(stages).fill(layers / stages), bottleneck);
}
