import { UserError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";
import type { ImageInput, InputDescription } from "../../../core/plugin/dataset.ts";
import { TEXT_INPUTS } from "../../../core/plugin/model.ts";
import { listWords } from "../../../core/recipe/words.ts";
import { sizeOf } from "../../../core/tensor.ts";
import type { OnnxFileGraph } from "../../../core/onnx/read_graph.ts";
import type { BatchEntry, Layout, OnnxOptions } from "./options.ts";
import { normalisationToUndo } from "./whole_pixels.ts";
import type { ValueInfo } from "../../../core/onnx/runtime/session.ts";

/** An input, and what it is given. */
export interface WiredInput {
  readonly name: string;
  readonly entry: BatchEntry;
  /** Images in either order, or `flat`: their numbers in a row. `null` for texts. */
  readonly form: Layout | "flat" | null;
  /** Examples in a batch; `null` for any number. */
  readonly batch: number | null;
  /** Tokens of each text; `null` for any number. */
  readonly length: number | null;
  /** The dimensions behind the batch's, for images. */
  readonly shape: readonly number[];
  /** How pixels were normalised that the input takes as bytes; `null` for what it takes as it is. */
  readonly undo: ImageInput["normalise"] | null;
}

/** How a model gives what it says about an example. */
export interface WiredOutput {
  readonly name: string;
  /** Whether it gives probabilities. */
  readonly probabilities: boolean;
  /** Whether the recipe says which of both it is. */
  readonly stated: boolean;
}

/** Names in a list for a message, the first few of many. */
const FEW = 6;

const quote = (name: string) => JSON.stringify(name);

/** A list of names for a message. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, FEW).map(quote);
  return listWords(names.length > FEW ? [...shown, `${names.length - FEW} more`] : shown, "and");
}

/** @throws UserError for a name that is none of those */
function expectNamed(file: string, what: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  const near = nearest(name, names);
  throw new UserError(
    `Cannot find the ${what} ${quote(name)} in "${file}": ${
      near ? `did you mean ${quote(near)}?` : `it has ${someOf(names)}`
    }`,
  );
}

/**
 * Finds what each input is given, by the options or by names and shapes.
 *
 * @param file the model's file, for messages
 * @throws UserError if an input is unknown, or takes other shapes or numbers
 */
export function wireInputs(
  file: string,
  known: readonly ValueInfo[],
  options: OnnxOptions,
  data: InputDescription,
): WiredInput[] {
  const names = known.map(({ name }) => name);
  for (const name of Object.keys(options.inputs ?? {})) expectNamed(file, "input", name, names);
  const entries: readonly BatchEntry[] = data.image ? ["image"] : ["tokens", "types", "mask"];
  const wired = known.map((input) => {
    const { name, type } = input;
    const entry = options.inputs ? options.inputs[name] : recognised(input, known.length, data);
    if (entry === undefined) {
      throw new UserError(
        `Cannot run "${file}" without its input ${quote(name)}: inputs must say for each of ${someOf(names)} what it ` +
          `is given, of ${listWords(entries, "or")}`,
      );
    }
    if (!entries.includes(entry)) {
      throw new UserError(
        `Cannot give the input ${quote(name)} of "${file}" the batch's ${entry}: the data set has ` +
          `${listWords(entries, "and")}`,
      );
    }
    if (!type) throw new UserError(`Cannot run "${file}": its input ${quote(name)} takes no numbers`);
    return entry === "image"
      ? {
        ...imageInput(file, input, options.layout, data.image!.size),
        undo: normalisationToUndo(file, name, type, data.image!.normalise),
      }
      : textInput(file, input, entry, data.text!.maxLength);
  });
  if (!wired.some(({ entry }) => entry === "image" || entry === "tokens")) {
    throw new UserError(`Cannot run "${file}": none of its inputs is given the ${data.image ? "image" : "tokens"}`);
  }
  for (const key of ["batch", "length"] as const) {
    const sizes = [...new Set(wired.flatMap((input) => input[key] ?? []))];
    if (sizes.length <= 1) continue;
    const what = key === "batch" ? "examples" : "tokens";
    throw new UserError(
      `Cannot run "${file}": its inputs take different numbers of ${what}, ${listWords(sizes.map(String), "and")}`,
    );
  }
  return wired;
}

/** What an input is given by its name, or as the only one. */
function recognised({ name }: ValueInfo, count: number, data: InputDescription): BatchEntry | undefined {
  if (data.image) return count === 1 ? "image" : undefined;
  const own = Object.entries(TEXT_INPUTS).find(([, foreign]) => foreign === name)?.[0] as BatchEntry | undefined;
  return own ?? (count === 1 ? "tokens" : undefined);
}

function textInput(file: string, { name, shape }: ValueInfo, entry: BatchEntry, maxLength: number): WiredInput {
  if (shape.length !== 2) {
    throw new UserError(
      `Cannot run "${file}" on texts: its input ${quote(name)} takes ${showSizes(shape)}, expected [batch, length]`,
    );
  }
  const [batch, length] = shape.map(fixed);
  if (length !== null && length < maxLength) {
    throw new UserError(
      `Cannot run "${file}" on this data set: its input ${quote(name)} takes texts of ${length} tokens, and the data ` +
        `set's are of up to ${maxLength}: say dataset.maxLength: ${length}, or export the model for any length`,
    );
  }
  return { name, entry, form: null, batch, length, shape: [], undo: null };
}

function imageInput(
  file: string,
  { name, shape }: ValueInfo,
  layout: Layout | null,
  size: readonly [height: number, width: number, channels: number],
): Omit<WiredInput, "undo"> {
  const [height, width, channels] = size;
  const own = shape.slice(1).map(fixed);
  const forms: Readonly<Record<Layout, readonly number[]>> = {
    nchw: [channels, height, width],
    nhwc: [height, width, channels],
  };
  const input = (form: Layout | "flat", dimensions: readonly number[]): Omit<WiredInput, "undo"> => {
    return { name, entry: "image", form, batch: fixed(shape[0]), length: null, shape: dimensions };
  };
  const takes = `Cannot run "${file}" on this data set: its input ${quote(name)} takes ${showSizes(shape)}`;
  const gives = `the data set gives images of ${height}x${width} with ${channels} channel${channels === 1 ? "" : "s"}`;
  const refuse = (advice: string) => new UserError(`${takes}, and ${gives}${advice}`);
  if (own.length === 2 && channels === 1 && fits(own, [height, width])) return input("nhwc", [height, width]);
  if (own.length === 1 && fits(own, [sizeOf(size)])) {
    if (channels === 1) return input("flat", [sizeOf(size)]);
    if (layout) return input(layout, [sizeOf(size)]);
    throw refuse(`, whose order in a row is not known: say layout: nchw or layout: nhwc`);
  }
  if (own.length !== 3) throw refuse("");
  const possible = layout ? [layout] : (["nchw", "nhwc"] as const).filter((form) => fits(own, forms[form]));
  const form = possible.length > 1 ? byName(name, shape) : possible[0] ?? null;
  if (possible.length > 1 && form === null) {
    throw refuse(": whether channels come first cannot be told; say layout: nchw or layout: nhwc");
  }
  if (form && fits(own, forms[form])) return input(form, forms[form]);
  const other = form === "nchw" ? "nhwc" : "nchw";
  if (layout && fits(own, forms[other])) throw refuse(`: say layout: ${other}, or leave it out`);
  const first = form === "nchw" || !form && own[0] === channels;
  const wanted = first ? own.slice(1) : own.slice(0, 2);
  if ((first ? own[0] : own[2]) !== channels || wanted.includes(null)) throw refuse("");
  const [tall, wide] = wanted;
  throw refuse(`: say imageSize: ${tall === wide ? tall : `[${tall}, ${wide}]`} for the teacher`);
}

/** The layout by how PyTorch's and Hugging Face's exporters name an input or its dimensions. */
function byName(name: string, shape: ValueInfo["shape"]): Layout | null {
  const isChannel = (extent: number | string) => typeof extent === "string" && /channel/i.test(extent);
  if (isChannel(shape[1]) || name === "pixel_values") return "nchw";
  return isChannel(shape[3]) ? "nhwc" : null;
}

const fixed = (extent: number | string): number | null => typeof extent === "number" ? extent : null;

function fits(own: readonly (number | null)[], given: readonly number[]): boolean {
  return own.length === given.length && own.every((extent, axis) => extent === null || extent === given[axis]);
}

/** A shape with `any` for what is of any size. */
function showSizes(shape: ValueInfo["shape"]): string {
  return `[${shape.map((extent) => typeof extent === "number" ? extent : "any").join(", ")}]`;
}

/** Operators that give probabilities, or what is made of them. */
const OF_PROBABILITIES = ["Softmax", "Sigmoid", "ZipMap", "Normalizer", "LinearClassifier", "SVMClassifier"];
const TREES = /^TreeEnsemble/;

/** Operators that give the numbers that they take, of another type or shape. */
const SAME_NUMBERS = ["Cast", "Identity", "Reshape", "Squeeze", "Flatten", "Unsqueeze"];

/**
 * Finds the output that the logits are made of.
 *
 * @param outputs what the model gives
 * @throws UserError if there is none, or it must be said
 */
export function wireOutput(
  file: string,
  outputs: readonly ValueInfo[],
  { makers }: OnnxFileGraph,
  { outputs: stated }: OnnxOptions,
): WiredOutput {
  if (stated) {
    const probabilities = "probabilities" in stated;
    const name = probabilities ? stated.probabilities : stated.logits;
    expectNamed(file, "output", name, [...new Set([...outputs.map(({ name }) => name), ...makers.keys()])]);
    return { name: unzipped(name, makers), probabilities, stated: true };
  }
  // scikit-learn's first output is the class itself.
  const possible = outputs.filter(({ name, type }) => type?.name.startsWith("float") || isMap(name, makers));
  const chosen = possible.find(({ name }) => name === "logits") ?? (possible.length === 1 ? possible[0] : null);
  if (!chosen) {
    throw new UserError(
      possible.length === 0
        ? `Cannot use "${file}" as a teacher: none of its outputs, ${someOf(outputs.map(({ name }) => name))}, gives ` +
          "numbers that are not whole"
        : `Cannot choose an output of "${file}" as it has ${possible.length}: say outputs: { logits: NAME } or ` +
          `outputs: { probabilities: NAME } with one of ${someOf(possible.map(({ name }) => name))}`,
    );
  }
  const { probabilities, why } = answersBy(chosen.name, { makers });
  if (probabilities) throw probabilitiesUnsaid(file, chosen.name, why);
  return { name: chosen.name, probabilities: false, stated: false };
}

/** Whether an output seems to give probabilities by what makes it, and the reason: `comes of Softmax`. */
export function answersBy(
  name: string,
  { makers }: Pick<OnnxFileGraph, "makers">,
): { readonly probabilities: boolean; readonly why: string } {
  const operator = operatorOf(name, makers);
  const probabilities = OF_PROBABILITIES.includes(operator) || TREES.test(operator) || /prob/i.test(name);
  return { probabilities, why: operator ? `comes of ${operator}` : "is named so" };
}

/** What makes the numbers of a value, whatever their type and shape became; empty where nothing does. */
export function operatorOf(name: string, makers: OnnxFileGraph["makers"]): string {
  let maker = makers.get(name);
  // A damaged graph may go in a circle.
  for (let steps = 0; maker && SAME_NUMBERS.includes(maker.operator) && steps < makers.size; steps++) {
    const before = makers.get(maker.inputs[0]);
    if (!before) break;
    maker = before;
  }
  return maker?.operator ?? "";
}

/** That an output seems to give probabilities, and the recipe does not say so. */
export function probabilitiesUnsaid(file: string, name: string, reason: string): UserError {
  return new UserError(
    `Cannot tell whether the output ${quote(name)} of "${file}" gives probabilities, as it ${reason}: say ` +
      `outputs: { probabilities: ${quote(name)} }, or outputs: { logits: ${quote(name)} } if it gives logits`,
  );
}

const isMap = (name: string, makers: OnnxFileGraph["makers"]) => makers.get(name)?.operator === "ZipMap";

/** scikit-learn's probabilities as a list of maps, which nobody needs: the tensor that they are made of. */
export function unzipped(name: string, makers: OnnxFileGraph["makers"]): string {
  return isMap(name, makers) ? makers.get(name)!.inputs[0] ?? name : name;
}

/** Checks that the values that the options name can be computed. @throws UserError */
export function checkValues(file: string, { pooled, features, hidden }: OnnxOptions, { makers }: OnnxFileGraph): void {
  for (const name of [pooled, ...Object.values(features), ...hidden]) {
    if (name !== null) expectNamed(file, "value", name, [...makers.keys()]);
  }
}
