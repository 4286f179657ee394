import { layerIndex } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import type { LossSetup } from "../../core/plugin/loss.ts";
import type { OutputShapes } from "../../core/plugin/output_tree.ts";
import type { OptionKit } from "../../core/plugin/kit.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import type { Schema } from "../../core/recipe/zod_schema.ts";
import type { Tensor } from "../../core/tensor.ts";

/** A layer by name, a hidden state by index (negative ones from the end), or `pooled` for what the last layer sees. */
export type Place = string | number;

/** A layer of the student and the teacher's that it is compared with. */
export interface LayerPair {
  readonly student: Place;
  readonly teacher: Place;
}

const POOLED = "pooled";

/** Schema of the option `pairs` of losses that compare layers. */
export function pairsOption(z: OptionKit["z"]): Schema<LayerPair[]> {
  const place = z.union([z.string().min(1), layerIndex]);
  return z.array(z.strictObject({
    student: place.describe("Layer of the student: a feature's name, the index of a hidden state, or pooled"),
    teacher: place.describe("Layer of the teacher"),
  })).min(1).describe("Layers to compare");
}

function shapeAt(shapes: OutputShapes, place: Place, who: string): readonly number[] {
  const named = (name: string) => shapes.features[name] ?? (name === POOLED ? shapes.pooled : undefined);
  const shape = typeof place === "number" ? shapes.hidden.at(place) : named(place);
  if (shape) return shape;
  const known = typeof place === "number"
    ? `it has ${shapes.hidden.length} hidden states`
    : `it has ${[...Object.keys(shapes.features), POOLED].join(", ")}`;
  throw new UserError(`Cannot compare layer "${place}" of the ${who}: ${known}`);
}

/**
 * The shapes of both layers for one example, batch dimension included as 1.
 *
 * @throws UserError if there is no teacher, or a model has no such layer
 */
export function pairShapes(
  { student, teacher }: LayerPair,
  { shapes }: Pick<LossSetup, "shapes">,
): { student: readonly number[]; teacher: readonly number[] } {
  if (!shapes.teacher) throw new UserError(`Cannot compare layer "${student}" with a teacher's: there is no teacher`);
  return {
    student: shapeAt(shapes.student, student, "student"),
    teacher: shapeAt(shapes.teacher, teacher, "teacher"),
  };
}

/** For error messages: `"layer1" [1,8,8,16] with "layer2" [1,4,4,32]`. */
export function showPair(pair: LayerPair, shapes: { student: readonly number[]; teacher: readonly number[] }): string {
  return `"${pair.student}" [${shapes.student}] with "${pair.teacher}" [${shapes.teacher}]`;
}

/** A layer's output. */
export function outputAt(outputs: ModelOutputs, place: Place): Tensor {
  if (typeof place === "number") return outputs.hidden.at(place)!;
  // Of the teacher only what is asked for is there: without features no feature has this name.
  const features = "features" in outputs ? outputs.features : {};
  return features[place] ?? outputs.pooled;
}

/** Which of the teacher's outputs the pairs are read from. */
export function outputsOf(pairs: readonly LayerPair[], { shapes }: Pick<LossSetup, "shapes">): (keyof ModelOutputs)[] {
  const kinds = pairs.map(({ teacher }) => {
    if (typeof teacher === "number") return "hidden";
    return shapes.teacher?.features[teacher] ? "features" : "pooled";
  });
  return [...new Set<keyof ModelOutputs>(kinds)];
}
