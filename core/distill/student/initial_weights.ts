import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { layerShare } from "../../nn/layer_share.ts";
import type { FileTensors, Model } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { listWords } from "../../recipe/words.ts";
import { showShape } from "../../tensor.ts";
import { readRecipeWeights } from "../recipe_models.ts";
import { freshWeights } from "../../plugin/parameters.ts";

/** A teacher to start from. */
export interface TaughtModel {
  /** The model. */
  readonly model: Model;
  /** Its weights on the host. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
}

/** The student before training. */
export interface InitialWeights {
  /** By name, as the model's list of parameters has them. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** The teacher's tensor that each of the student's is a copy of, where it is one, by the student's name. */
  readonly startsFrom: ReadonlyMap<string, string>;
}

const FROM_NOWHERE: ReadonlyMap<string, string> = new Map();

type Layers = NonNullable<Recipe["student"]["initialise"]>["layers"];

/**
 * The student's weights before training: those that `student.weights` names, layers of the teacher as
 * `student.initialise` says, or fresh ones.
 *
 * @param report takes lines for the user
 * @throws UserError with line and column if a file does not fit, or the student cannot start from its teacher
 */
export async function initialWeights(
  recipe: Checked<Recipe>,
  model: Model,
  teacher: TaughtModel | null,
  random: Random,
  report: (line: string) => void,
): Promise<InitialWeights> {
  const { weights, initialise } = recipe.value.student;
  if (weights !== null && initialise !== null) {
    throw recipe.error(["student", "initialise"], "Cannot start the student from weights as well as from its teacher");
  }
  if (weights !== null) {
    const optional = model.head ?? [];
    const read = await readRecipeWeights(recipe, "student", weights, model, { optional, report });
    const fresh = optional.filter((name) => !read.has(name));
    if (fresh.length === 0) return { numbers: read, startsFrom: FROM_NOWHERE };
    report(`the student starts with a fresh ${listWords(fresh, "and")}, which "${weights}" lacks`);
    return { numbers: new Map([...freshWeights(model, random), ...read]), startsFrom: FROM_NOWHERE };
  }
  if (initialise === null) return { numbers: freshWeights(model, random), startsFrom: FROM_NOWHERE };
  return recipe.within(["student", "initialise"], () => {
    if (!teacher) throw new UserError("Cannot start the student from its teacher: there is none");
    return fromTeacher(model, teacher, initialise.layers, report);
  });
}

function fromTeacher(
  model: Model,
  teacher: TaughtModel,
  layers: Layers,
  report: (line: string) => void,
): InitialWeights {
  const [count, offered] = [model, teacher.model].map(({ layerPrefixes }) => layerPrefixes?.length ?? 0);
  const listed = chooseLayers(count, offered, layers);
  const chosen = layers === "mapped" ? fittingLayers(model, teacher.model, listed) : listed;
  const sources = sourceNames(model, teacher.model, chosen);
  const own = layersOf(model, teacher, chosen);
  const source = { config: teacher.model.config, report: (line: string) => report(`student: ${line}`) };
  const tensors = model.fromFile?.(own, source) ?? own;
  for (const { name, shape } of model.parameters) checkSource(name, shape, sources.get(name)!, tensors);
  report(`the student's layers start as the teacher's ${chosen.join(", ")}`);
  const numbers = new Map(model.parameters.map(({ name }) => [name, tensors.get(name)!.numbers()]));
  // What the student's family brought into another form is no copy.
  const startsFrom = new Map([...sources].filter(([name]) => tensors.get(name) === own.get(name)));
  return { numbers, startsFrom };
}

/** The teacher's tensors as a file of the student's would hold them: of the chosen layers, and outside of layers. */
function layersOf(student: Model, { model, numbers }: TaughtModel, chosen: readonly number[]): FileTensors {
  return new Map(model.parameters.flatMap(({ name, shape }) => {
    const tensor = { shape, numbers: () => numbers.get(name)!.slice() };
    const layer = model.layerPrefixes!.findIndex((prefix) => name.startsWith(prefix));
    if (layer < 0) return [[name, tensor] as const];
    const rest = name.slice(model.layerPrefixes![layer].length);
    return chosen.flatMap((from, to) => from === layer ? [[student.layerPrefixes![to] + rest, tensor] as const] : []);
  }));
}

/**
 * The teacher's layer that each layer of the student starts from, numbered from 0. `mapped` takes the last of each
 * layer's share, `i` of `n` getting `(i + 1) N / n - 1` of `N` (1, 3, 5, .. where the teacher has twice as many): those
 * that OPDF aligns it with.
 *
 * @param count the student's layers
 * @param offered the teacher's layers
 * @throws UserError if there are none, or the list does not fit
 */
export function chooseLayers(count: number, offered: number, layers: Layers): number[] {
  if (count === 0 || offered === 0) {
    throw new UserError("Cannot start the student from its teacher's layers: both must be models of repeated layers");
  }
  if (typeof layers === "object") {
    if (layers.length !== count) {
      throw new UserError(
        `Cannot start ${count} layers from ${showShape(layers)}: expected ${count} numbers of the teacher's layers`,
      );
    }
    const wrong = layers.find((layer) => layer >= offered);
    if (wrong !== undefined) {
      throw new UserError(`Cannot start from the teacher's layer ${wrong}: it has the layers 0 to ${offered - 1}`);
    }
    return [...layers];
  }
  if (count > offered) {
    throw new UserError(`Cannot start ${count} layers from the teacher's ${offered}: list the layers to be repeated`);
  }
  return Array.from({ length: count }, (_, layer) => {
    if (layers === "mapped") return layerShare(layer, count, offered).end - 1;
    return layers === "first" ? layer : offered - count + layer;
  });
}

/**
 * Of each layer's share the last of the teacher's layers that has its tensors, where a share holds different ones, as a
 * residual network's stages do; the last of all where none has.
 */
function fittingLayers(student: Model, teacher: Model, lasts: readonly number[]): number[] {
  const tensorsOf = ({ parameters, layerPrefixes }: Model, layer: number) => {
    const prefix = layerPrefixes![layer];
    const own = parameters.filter(({ name }) => name.startsWith(prefix));
    return own.map(({ name, shape }) => `${name.slice(prefix.length)} ${showShape(shape)}`).join();
  };
  return lasts.map((last, layer) => {
    const wanted = tensorsOf(student, layer);
    const share = Array.from({ length: last - (lasts[layer - 1] ?? -1) }, (_, back) => last - back);
    return share.find((candidate) => tensorsOf(teacher, candidate) === wanted) ?? last;
  });
}

/** The teacher's tensor for each of the student's: of the chosen layer, or of the same name outside of layers. */
function sourceNames(student: Model, teacher: Model, chosen: readonly number[]): Map<string, string> {
  const prefixes = student.layerPrefixes!;
  return new Map(student.parameters.map(({ name }) => {
    const layer = prefixes.findIndex((prefix) => name.startsWith(prefix));
    if (layer < 0) return [name, name];
    return [name, teacher.layerPrefixes![chosen[layer]] + name.slice(prefixes[layer].length)];
  }));
}

function checkSource(
  name: string,
  shape: readonly number[],
  source: string,
  tensors: FileTensors,
): void {
  const found = tensors.get(name)?.shape;
  if (!found) throw new UserError(`Cannot start ${name} from the teacher: it has no ${source}`);
  if (found.join() === shape.join()) return;
  throw new UserError(
    `Cannot start ${name} of shape ${showShape(shape)} from the teacher's ${source} of shape ${showShape(found)}: ` +
      "they must be equal, by the student's width or by other layers of the teacher",
  );
}
