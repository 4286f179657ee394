import { UserError } from "../../../core/errors.ts";
import type { StoredModel } from "../../../core/plugin/model.ts";
import { depthOf, DEPTHS, layOut, type ResnetOptions } from "./architecture.ts";
import { explain, recognise } from "./recognise.ts";

type Sizes = Pick<ResnetOptions, "depth" | "width" | "stem">;

/** What weights that can be read show; the stem is stated by this program's config.json alone, as 3x3 leaves two. */
function shown({ shapes, config }: StoredModel): Partial<Sizes> {
  const found = recognise(shapes);
  if (!found?.readable) return {};
  const { depth, width, kernel } = found;
  const saved = config?.architecture === "resnet" ? config.stem as Sizes["stem"] : undefined;
  return { depth, width, stem: kernel === 7 ? "imagenet" : saved ?? undefined };
}

/** Options that were left open, as the weights have them. @throws UserError where they contradict what is stated */
export function followWeights(stored: StoredModel, options: ResnetOptions): ResnetOptions {
  const { depth, width, stem } = shown(stored);
  for (const [key, found] of Object.entries({ depth, width, stem })) {
    const stated = options[key as keyof Sizes];
    if (stated === null || found === undefined || stated === found) continue;
    throw new UserError(
      `Cannot build a ResNet with ${key}: ${stated} for these weights, which are of one with ${key}: ${found}: leave ` +
        `${key} out, or name other weights`,
    );
  }
  const filled = { depth: options.depth ?? depth ?? null, width: options.width ?? width ?? null };
  if (filled.depth === null) {
    const reason = explain(stored.shapes, options) ?? "are of no residual network whose names are torchvision's";
    throw new UserError(`Cannot tell the depth of the ResNet by its weights as they ${reason}; say depth: ${DEPTHS}`);
  }
  // A first filter of 3x3 is no imagenet's, whatever the depth.
  const threeByThree = depth !== undefined && stem === undefined ? "cifar" : null;
  return { ...options, ...filled, stem: options.stem ?? stem ?? threeByThree };
}

/** Options of a student that were left open, by those of the teacher whose layers it starts from. */
export function followTeacher(options: ResnetOptions, teacher: ResnetOptions, layers: number | null): ResnetOptions {
  const { stages, stem, stemWidth } = layOut(teacher);
  const depth = options.depth ?? depthByLayers(layers, stages.length, stages[0].blocks[0].bottleneck);
  if (depth === null) {
    throw new UserError(
      `Cannot tell the student's depth by its teacher's, ${teacher.depth}: say depth, or list the layers that it ` +
        "starts from",
    );
  }
  return { ...options, depth, width: options.width ?? stemWidth, stem: options.stem ?? stem };
}

/** The depth of a network of so many blocks in stages of equal numbers; `null` if there is none. */
function depthByLayers(layers: number | null, stages: number, bottleneck: boolean): number | null {
  if (layers === null || layers % stages !== 0) return null;
  return depthOf(Array<number>(stages).fill(layers / stages), bottleneck);
}
