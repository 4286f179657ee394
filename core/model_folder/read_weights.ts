import { UserError } from "../errors.ts";
import { dirname, join } from "../paths.ts";
import { joinFactors } from "../plugin/factors.ts";
import { headOf } from "../plugin/parameters.ts";
import type { FileTensor, FileTensors, Model, ParameterSpec } from "../plugin/model.ts";
import { someOf } from "../recipe/words.ts";
import { toFloat32 } from "../safetensors.ts";
import { showShape } from "../tensor.ts";
import { CONFIG_FILE, readConfigIfThere } from "./config_file.ts";
import { readStoredTensors } from "./stored_tensors.ts";

/** Options of reading weights. */
export interface ReadingOptions {
  /** Names of tensors that may be missing. */
  readonly optional?: readonly string[];
  /** Names of tensors that are not taken, whatever the file has. */
  readonly without?: readonly string[];
  /** Takes some of the file's tensors, under the model's names, before the model brings them into its own form. */
  readonly select?: (stored: FileTensors) => FileTensors;
  /** Takes lines for the user. */
  readonly report?: (line: string) => void;
}

/**
 * Reads a model's weights from a folder, a safetensors file, or an index of several.
 *
 * @param who "teacher" or "student", for messages
 * @returns numbers by the model's own names
 * @throws UserError if the file cannot be read, or naming the tensors that are missing, too many, of another shape or
 * not of finite numbers
 */
export async function readModelWeights(
  path: string,
  model: Model,
  who: string,
  { optional = [], without = [], select = (stored) => stored, report = () => {} }: ReadingOptions = {},
): Promise<Map<string, Float32Array>> {
  const { file, tensors: read } = await readStoredTensors(path);
  // What is stored as two factors is one weight to a model that has it whole.
  const tensors = joinFactors(
    new Map([...read].map(([name, tensor]) => [name, { shape: tensor.shape, numbers: () => toFloat32(tensor) }])),
  );
  const refuse = (reason: string) => {
    const nearest = model.explain?.(new Map([...tensors].map(([name, { shape }]) => [name, shape]))) ?? null;
    const hint = nearest === null ? "" : `; its weights ${nearest}`;
    return new UserError(`Cannot load the ${who} from "${file}" as ${reason}${hint}`);
  };
  const stored = new Map<string, FileTensor>();
  for (const [name, tensor] of tensors) {
    const own = model.fromForeign(name);
    if (own === null) continue;
    if (stored.has(own)) throw refuse(`two of its tensors are ${own}: which is meant is not known`);
    stored.set(own, tensor);
  }
  const selected = select(stored);
  const formed = model.fromFile?.(selected, {
    config: await readConfigIfThere(join(dirname(file), CONFIG_FILE)),
    report: (line) => report(`${who}: ${line}`),
  }) ?? selected;
  const found = new Map([...formed].filter(([name]) => !without.includes(name)));
  const known = new Set(model.parameters.map(({ name }) => name));
  const unknown = [...found.keys()].filter((name) => !known.has(name));
  const isMissing = ({ name }: ParameterSpec) =>
    !found.has(name) && !optional.includes(name) && !without.includes(name);
  const missing = model.parameters.filter(isMissing).map(({ name }) => name);
  if (missing.length > 0) {
    const others = unknown.length > 0 ? `; it has ${someOf(unknown)}, with no place in this model` : "";
    const onlyHead = who === "teacher" && missing.every((name) => model.head?.includes(name));
    const advice = onlyHead ? "; it has no head yet: train it as a student first, with deno task train" : "";
    throw refuse(
      `it lacks ${missing.length} of ${model.parameters.length} tensors: ${someOf(missing)}${others}${advice}`,
    );
  }
  // A deeper network's file has every tensor of a shallower one, which would run with them and be wrong.
  if (unknown.length > 0) {
    const some = someOf(unknown);
    throw refuse(`it is of another model: ${unknown.length} of its tensors have no place in this one: ${some}`);
  }
  const there = model.parameters.filter(({ name }) => found.has(name));
  const wrong = there.filter(({ name, shape }) => found.get(name)!.shape.join() !== shape.join());
  if (wrong.length > 0) {
    const show = ({ name, shape }: ParameterSpec) =>
      `${name} is ${showShape(found.get(name)!.shape)}, expected ${showShape(shape)}`;
    const head = headOf(model) ?? [];
    const onlyHead = who === "student" && wrong.every(({ name }) => head.includes(name));
    const advice = onlyHead ? "; head: fresh gives the student a new one" : "";
    throw refuse(`shapes differ: ${someOf(wrong.map(show))}${advice}`);
  }
  try {
    const weights = new Map(there.map(({ name }) => [name, found.get(name)!.numbers()]));
    // A network can hide them: a ReLU, or an implementation of WebGPU that takes NaN for what never is.
    for (const [name, numbers] of weights) {
      const place = numbers.findIndex((number) => !Number.isFinite(number));
      if (place < 0) continue;
      throw new UserError(`number ${place} of ${name} is ${numbers[place]}: all weights must be finite`);
    }
    return weights;
  } catch (error) {
    throw error instanceof UserError
      ? new UserError(`Cannot load the ${who} from "${file}" as ${error.message}`)
      : error;
  }
}
