import { UserError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";
import { listWords } from "../../../core/recipe/words.ts";
import { showShape } from "../../../core/tensor.ts";
import type { Network, NetworkInput } from "./network.ts";
import type { BatchEntry, TfjsOptions } from "./options.ts";

/** How a model is connected: the sources of its inputs, and the nodes of its outputs. */
export interface Wiring {
  readonly inputs: ReadonlyMap<NetworkInput, BatchEntry>;
  readonly logits: string;
}

/** Names in a list for a message, the first few of many. */
const FEW = 6;

/**
 * Finds the nodes that the options name.
 *
 * @param file the model's file, for messages
 * @throws UserError if there is none of a name, or one must be chosen
 */
export function wire(file: string, { inputs: known, outputs, nodes }: Network, options: TfjsOptions): Wiring {
  const find = (what: string, name: string, names: readonly string[]) => {
    if (names.includes(name)) return name;
    const near = nearest(name, names);
    throw new UserError(
      `Cannot find the ${what} "${name}" in "${file}": ${near ? `did you mean "${near}"?` : `it has ${someOf(names)}`}`,
    );
  };
  if (options.logits === null && outputs.length !== 1) {
    throw new UserError(
      `Cannot choose an output of "${file}" as it has ${outputs.length}: set logits to one of ${someOf(outputs)}`,
    );
  }
  for (const name of [options.pooled, ...Object.values(options.features), ...options.hidden]) {
    if (name !== null) find("node", name, nodes);
  }
  const names = known.map(({ name }) => name);
  const chosen = options.inputs ?? { [names.length === 1 ? names[0] : ""]: "image" as const };
  const unnamed = names.find((name) => !Object.hasOwn(chosen, name));
  if (options.inputs === null && unnamed !== undefined) {
    throw new UserError(
      `Cannot choose an input of "${file}" as it has ${names.length}: set inputs to what each is given of a batch, ` +
        `${listWords(names, "and")}`,
    );
  }
  for (const name of Object.keys(chosen)) find("input", name, names);
  if (unnamed !== undefined) {
    throw new UserError(`Cannot run "${file}" without its input "${unnamed}": inputs must say what it is given`);
  }
  return {
    inputs: new Map(known.map((input) => [input, chosen[input.name]])),
    logits: options.logits === null ? outputs[0] : find("node", options.logits, nodes),
  };
}

/**
 * Compares what an input takes with what it is to be given.
 *
 * @param given the shape of one example's part of a batch, batch dimension included; `null` where it may be of any size
 * @throws UserError if they differ
 */
export function checkInput(file: string, input: NetworkInput, given: readonly (number | null)[]): void {
  const { name, shape } = input;
  if (!shape) return;
  if (!shape.every((extent) => extent === null || Number.isInteger(extent))) {
    throw new UserError(`Cannot load "${file}" as the shape of its input "${name}" is damaged`);
  }
  const takes = `Cannot run "${file}" on this data set: its input "${name}" takes ${showSizes(shape)}`;
  const differs = shape.length !== given.length ||
    shape.slice(1).some((extent, axis) => extent !== null && extent !== given[axis + 1]);
  if (differs) {
    const [, height, width, channels] = given;
    const first = given.length === 4 && shape.slice(1).join() === [channels, height, width].join();
    const advice = first ? ": convert the model with the channels last, as TensorFlow.js computes" : "";
    throw new UserError(`${takes}, and the data set gives ${showSizes(given)}${advice}`);
  }
  if (shape[0] !== null) {
    throw new UserError(`${takes}, batches of ${shape[0]} alone: convert the model with a batch dimension of any size`);
  }
}

function showSizes(shape: readonly (number | null)[]): string {
  return `[${shape.map((extent) => extent ?? "any").join(", ")}]`;
}

/** @throws UserError if the logits of one example are not one number for each class */
export function checkLogits(file: string, node: string, shape: readonly number[], expected: readonly number[]): void {
  if (shape.join() === expected.join()) return;
  throw new UserError(
    `Cannot use "${node}" of "${file}" as logits: it gives ${
      showShape(shape)
    } for one example, and the data set needs ` +
      `${showShape(expected)}`,
  );
}

/** That a node seems to give probabilities, and the recipe does not say so. */
export function probabilitiesUnsaid(file: string, node: string): UserError {
  return new UserError(
    `Cannot tell whether the output "${node}" of "${file}" gives probabilities, as it gives numbers that sum to 1: say ` +
      "probabilities: true, or probabilities: false if it gives logits",
  );
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, FEW).map((name) => `"${name}"`);
  return listWords(names.length > FEW ? [...shown, `${names.length - FEW} more`] : shown, "and");
}
