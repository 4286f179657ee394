import { join } from "node:path";
import { UserError } from "../../errors.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Recipe } from "../../recipe/schema.ts";
import {
  readSafetensors,
  type StoredTensor,
  type TensorToStore,
  toFloat32,
  writeSafetensors,
} from "../../safetensors.ts";
import type { Tensor } from "../../tensor.ts";
import type { Position } from "./position.ts";

/** The file of a run's checkpoint, in the run folder. */
export const CHECKPOINT_FILE = join("checkpoint", "state.safetensors");

/** The parts of a run that must be equal in two for one to continue the other. */
export interface Fingerprint {
  /** The recipe, save where it writes and computes. */
  readonly recipe: Readonly<Record<string, unknown>>;
  /** SHA-256 of the data files and of the teacher's weights, by name. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** The part of a fingerprint that a recipe alone gives: where and how it runs changes nothing. */
export function comparable(
  { output: _output, backend: _backend, base: _base, train: { replay: _replay, ...train }, ...rest }: Recipe,
): Fingerprint["recipe"] {
  return { ...rest, train };
}

/** A checkpoint's position with what it was made from. */
interface StoredPosition extends Position {
  readonly fingerprint: Fingerprint;
}

/** Reads tensors of the device and stores them with the position; the file is replaced whole or not at all. */
export async function writeCheckpoint(
  ops: Ops,
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  position: Position,
  fingerprint: Fingerprint,
): Promise<void> {
  const names = [...tensors.keys()];
  const numbers = await ops.read([...tensors.values()]);
  const stored = new Map(names.map((name, index): [string, TensorToStore] => [
    name,
    { shape: tensors.get(name)!.shape, data: Float32Array.from(numbers[index]) },
  ]));
  await Deno.mkdir(join(file, ".."), { recursive: true });
  const content: StoredPosition = { ...position, fingerprint };
  await writeSafetensors(file, stored, { position: JSON.stringify(content) });
}

/** A checkpoint as it was read. */
export interface Checkpoint extends StoredPosition {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Reads a checkpoint. @throws UserError if there is none, or the file is something else */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(file);
  if (!metadata.position) {
    throw new UserError(`Cannot use "${file}" as a checkpoint: it does not say where training stood`);
  }
  return { ...JSON.parse(metadata.position) as StoredPosition, file, tensors };
}

/**
 * Checks that a checkpoint was made by the same recipe.
 *
 * @param verb what is to be done with it, for the message: "resume from"
 * @throws UserError naming the first entry that differs
 */
export function checkRecipe({ file, fingerprint }: Checkpoint, recipe: Recipe, verb: string): void {
  // Through JSON, as the stored one went.
  const path = difference(fingerprint.recipe, JSON.parse(JSON.stringify(comparable(recipe))));
  if (path === null) return;
  throw new UserError(
    `Cannot ${verb} "${file}" as it was made by another recipe: ${path} differs; the run folder's recipe.yaml is the ` +
      `one that fits`,
  );
}

/** Checks that data and teacher are those that a checkpoint was made with. @throws UserError naming the first that is not */
export function checkInputs({ file, fingerprint }: Checkpoint, inputs: Fingerprint["inputs"]): void {
  const path = difference(fingerprint.inputs, inputs);
  if (path === null) return;
  throw new UserError(`Cannot resume from "${file}" as ${path} has changed since: start anew without --resume`);
}

/** Puts a checkpoint's numbers back into the tensors it was made of. */
export function restore(ops: Ops, { file, tensors: stored }: Checkpoint, tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, tensor] of tensors) {
    const numbers = stored.get(name);
    if (numbers?.shape.join() !== tensor.shape.join()) {
      throw new UserError(`Cannot resume from "${file}" as its ${name} is not that of this program's version`);
    }
    ops.backend.write(tensor.view, toFloat32(numbers));
  }
}

/** The path of the first entry in which two JSON values differ, or `null`. */
function difference(a: unknown, b: unknown, path = ""): string | null {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b ? null : path;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(Reflect.get(a, key), Reflect.get(b, key), path === "" ? key : `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
