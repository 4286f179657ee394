import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import type { FileTensors, Model } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { listWords } from "../../recipe/words.ts";
import { showShape } from "../../tensor.ts";
import { readRecipeWeights } from "../recipe_models.ts";
import { freshWeights, headOf } from "../../plugin/parameters.ts";
import { chooseLayers, type Layers, layersOfFile } from "./choose_layers.ts";

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

/**
 * The student's weights before training: those that `student.weights` names or some layers of them, layers of the
 * teacher as `student.initialise` says, or fresh ones.
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
  const { weights, initialise, head } = recipe.value.student;
  const fresh = head === "fresh" ? freshHead(recipe, model) : [];
  if (weights !== null && initialise?.from === "teacher") {
    throw recipe.error(["student", "initialise"], "Cannot start the student from weights as well as from its teacher");
  }
  if (weights === null && initialise?.from === "weights") {
    throw recipe.error(["student", "initialise"], "Cannot start from layers of weights: student.weights names none");
  }
  if (weights !== null) {
    const numbers = await fromWeights(recipe, model, { name: weights, fresh, random }, report);
    return { numbers, startsFrom: FROM_NOWHERE };
  }
  if (initialise === null) return { numbers: freshWeights(model, random), startsFrom: FROM_NOWHERE };
  return recipe.within(["student", "initialise"], () => {
    if (!teacher) throw new UserError("Cannot start the student from its teacher: there is none");
    return fromTeacher(model, teacher, { layers: initialise.layers, fresh, random }, report);
  });
}

/** Names of the head's tensors, which are to be fresh. @throws UserError if that says nothing, or they are not known */
function freshHead(recipe: Checked<Recipe>, model: Model): readonly string[] {
  const { weights, initialise } = recipe.value.student;
  const refuse = (reason: string) =>
    recipe.error(["student", "head"], `Cannot give the student a fresh head: ${reason}`);
  if (weights === null && initialise === null) {
    throw refuse("it starts from nothing, so that all of it is fresh; expected weights or initialise beside it");
  }
  const names = headOf(model);
  if (names === null || names.length === 0) throw refuse("its model does not say which of its tensors that is");
  return names;
}

interface WeightsStart {
  /** What the recipe names. */
  readonly name: string;
  /** Tensors that are not taken from it. */
  readonly fresh: readonly string[];
  readonly random: Random;
}

async function fromWeights(
  recipe: Checked<Recipe>,
  model: Model,
  { name: weights, fresh, random }: WeightsStart,
  report: (line: string) => void,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { initialise } = recipe.value.student;
  const select = (stored: FileTensors) => {
    if (!initialise) return stored;
    const { chosen, offered, tensors } = layersOfFile(model, stored, initialise.layers);
    report(`the student's layers start as ${chosen.join(", ")} of the ${offered} in "${weights}"`);
    return tensors;
  };
  const optional = model.head ?? [];
  const read = await readRecipeWeights(recipe, "student", weights, model, { optional, without: fresh, select, report });
  const lacking = optional.filter((name) => !read.has(name) && !fresh.includes(name));
  if (lacking.length > 0) {
    report(`the student starts with a fresh ${listWords(lacking, "and")}, which "${weights}" lacks`);
  }
  if (fresh.length > 0) report(`the student starts with a fresh ${listWords(fresh, "and")}, as head: fresh says`);
  return withFresh(read, model, random);
}

/** Weights that were found, and fresh ones for the others. */
function withFresh(
  found: ReadonlyMap<string, Float32Array>,
  model: Model,
  random: Random,
): ReadonlyMap<string, Float32Array> {
  const others = model.parameters.filter(({ name }) => !found.has(name));
  return new Map([...found, ...freshWeights({ ...model, parameters: others }, random)]);
}

interface TeacherStart {
  readonly layers: Layers;
  /** Tensors that are not taken from the teacher. */
  readonly fresh: readonly string[];
  readonly random: Random;
}

function fromTeacher(
  model: Model,
  teacher: TaughtModel,
  { layers, fresh, random }: TeacherStart,
  report: (line: string) => void,
): InitialWeights {
  const [count, offered] = [model, teacher.model].map(({ layerPrefixes }) => layerPrefixes?.length ?? 0);
  const listed = chooseLayers(count, offered, layers);
  const chosen = layers === "mapped" ? fittingLayers(model, teacher.model, listed) : listed;
  const sources = sourceNames(model, teacher.model, chosen);
  const own = layersOf(model, teacher, chosen);
  const source = { config: teacher.model.config, report: (line: string) => report(`student: ${line}`) };
  const tensors = model.fromFile?.(own, source) ?? own;
  const taken = model.parameters.filter(({ name }) => !fresh.includes(name));
  for (const { name, shape } of taken) checkSource(name, shape, sources.get(name)!, tensors);
  report(`the student's layers start as the teacher's ${chosen.join(", ")}`);
  if (fresh.length > 0) report(`the student starts with a fresh ${listWords(fresh, "and")}, as head: fresh says`);
  const numbers = withFresh(new Map(taken.map(({ name }) => [name, tensors.get(name)!.numbers()])), model, random);
  // What the student's family brought into another form is no copy.
  const startsFrom = new Map(
    [...sources].filter(([name]) => !fresh.includes(name) && tensors.get(name) === own.get(name)),
  );
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
