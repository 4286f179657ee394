import { z } from "zod";
import { UserError } from "../../errors.ts";
import { makeFolderWithin } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import { dirname, join } from "../../paths.ts";
import type { Recipe } from "../../recipe/schema.ts";
import {
  readSafetensors,
  type StoredTensor,
  type TensorToStore,
  toFloat32,
  verifyChecksum,
  writeWithChecksum,
} from "../../safetensors.ts";
import type { Tensor } from "../../tensor.ts";
import type { CutWidths } from "../student/pruning/cut_channels.ts";
import type { Position } from "./position.ts";

/** The file of a run's checkpoint, in the run folder. */
export const CHECKPOINT_FILE: string = join("checkpoint", "state.safetensors");

/** The parts of a run that must be equal in two for one to continue the other. */
export interface Fingerprint {
  /** The recipe, save where it writes and computes. */
  readonly recipe: Readonly<Record<string, unknown>>;
  /** SHA-256 of the data files and of the teacher's weights, by name. */
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * The part of a fingerprint that a recipe alone gives: where and how it runs, and in what formats the student is
 * written, changes nothing. The usual precision, one batch to a step, a frozen teacher of which all is kept, a student
 * that is not pruned, labels without noise and what is said of weights that are chains by default are left out, as
 * there were checkpoints before there was anything else.
 */
export function comparable(recipe: Recipe): Fingerprint["recipe"] {
  const { output: _output, backend: _backend, base: _base, export: _export, card: _card, log: _log, ...computed } =
    recipe;
  const { train, student, labelNoise, ...rest } = computed;
  const { replay: _replay, precision, accumulate, lgtm, ...always } = train;
  const unusual = {
    ...precision !== "f32" && { precision },
    ...accumulate !== 1 && { accumulate },
    ...lgtm && { lgtm },
  };
  const { prune, ...model } = student;
  const noise = labelNoise && { labelNoise };
  const { keep, ...taught } = rest.teacher ?? { keep: null };
  const overParameterise = model.overParameterise.map(({ use, kernels, ...entry }) => {
    return { ...entry, ...use !== "mpo" && { use, kernels } };
  });
  return {
    ...{
      ...rest,
      ...noise,
      teacher: rest.teacher && { ...taught, ...keep && { keep } },
      student: { ...model, overParameterise, ...prune && { prune } },
    },
    train: { ...always, ...unusual },
  };
}

/** A checkpoint is whole, and of something else than is to be continued: the run begins anew without it. */
export class CheckpointRefused extends UserError {
  static {
    this.prototype.name = "UserError"; // to people it is one
  }
}

/** What a checkpoint is of: the run, and what that is made from. */
export interface Origin {
  /** The run's id, which its other files have too. */
  readonly run: string;
  /** What its numbers were computed by, on which their bits depend: `Backend.description`. */
  readonly device: string;
  readonly fingerprint: Fingerprint;
  /** The student's inner widths where channels were taken away, which its recipe alone does not tell. */
  readonly widths: CutWidths | null;
}

/** A checkpoint's position with what it was made from; that of an older version says less. */
interface StoredPosition extends Position, Omit<Origin, "run" | "device"> {
  readonly run: string | null;
  readonly device: string | null;
}

const record = z.record(z.string(), z.unknown());

/** The parts of a stored position that a program reads; a checkpoint of an older version has no checksum. */
const storedPosition = z.looseObject({
  run: z.string().nullable().default(null),
  device: z.string().nullable().default(null),
  step: z.int().min(0),
  seconds: z.number().min(0),
  best: z.looseObject({ epoch: z.int(), waited: z.int() }).nullable(),
  losses: z.array(z.number().nullable()),
  lossMetrics: record,
  lossScale: z.looseObject({ scale: z.number(), skippedSteps: z.int() }).nullable().default(null),
  widths: z.record(z.string(), z.tuple([z.int(), z.int()])).nullable().default(null),
  fingerprint: z.looseObject({ recipe: record, inputs: z.record(z.string(), z.string()) }),
});

/** The format's name in the metadata. */
const FORMAT = "opdf-checkpoint";

/** Reads tensors of the device and stores them with the position; the file is replaced whole or not at all. */
export async function writeCheckpoint(
  ops: Ops,
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  position: Position,
  origin: Origin,
): Promise<void> {
  const names = [...tensors.keys()];
  const numbers = await ops.read([...tensors.values()]);
  const stored = new Map(names.map((name, index): [string, TensorToStore] => {
    const data = numbers[index];
    return [name, {
      shape: tensors.get(name)!.shape,
      data: data instanceof Float32Array ? data : Float32Array.from(data),
    }];
  }));
  await makeFolderWithin(dirname(file));
  const content: StoredPosition = { ...position, ...origin };
  await writeWithChecksum(file, stored, { format: FORMAT, position: JSON.stringify(content) });
}

/** A checkpoint as it was read. */
export interface Checkpoint extends StoredPosition {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Whether it has a checksum, which was right. */
  readonly checked: boolean;
}

/**
 * Reads a checkpoint. One of an older version has no checksum, and is taken if it can be read.
 *
 * @throws UserError if there is none, it is damaged, or the file is something else
 */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(file);
  if (!metadata.position) {
    throw new UserError(`Cannot use "${file}" as a checkpoint: it does not say where training stood`);
  }
  // Nothing but the position: a bit that turns in a newer one does not make it look like that.
  const checked = Object.keys(metadata).length > 1;
  const remedy = "start anew without --resume";
  if (checked) await verifyChecksum(file, { tensors, metadata }, "the checkpoint", remedy);
  return { ...positionIn(metadata.position, file, remedy), file, tensors, checked };
}

/** That a run goes on by something else than it was trained by before; `null` where it does not. */
export function otherDevice({ step, device }: Checkpoint, own: string): string | null {
  if (device === null || device === own) return null;
  return `the run was computed by "${device}" up to step ${step} and goes on by "${own}": its ` +
    "numbers will not be those of a run that was never interrupted, bit for bit";
}

function positionIn(text: string, file: string, remedy: string): StoredPosition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null; // which the schema refuses
  }
  const parsed = storedPosition.safeParse(value);
  if (parsed.success) return parsed.data as unknown as StoredPosition;
  const path = parsed.error.issues[0].path.join(".");
  throw new UserError(
    `Cannot use the checkpoint "${file}" as it is damaged: ${
      path || "what it says"
    } of its position is not readable; ` +
      remedy,
  );
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

/**
 * Checks that data and teacher are those that a checkpoint was made with.
 *
 * @throws UserError naming the first that is not
 */
export function checkInputs({ file, fingerprint }: Checkpoint, inputs: Fingerprint["inputs"]): void {
  const path = difference(fingerprint.inputs, inputs);
  if (path === null) return;
  throw new CheckpointRefused(`Cannot resume from "${file}" as ${path} has changed since: start anew without --resume`);
}

/**
 * Checks that channels were taken away of the same widths.
 *
 * @throws UserError naming the first that is not
 */
export function checkWidths({ file, widths }: Checkpoint, own: CutWidths | null): void {
  const path = difference(widths ?? {}, own ?? {});
  if (path === null) return;
  throw new CheckpointRefused(
    `Cannot resume from "${file}" as what the student starts from has changed since: other channels are left of ` +
      `${path.replace(/\.\d$/, "")}; start anew without --resume`,
  );
}

/**
 * Checks that data are those that a checkpoint was made with: names of classes, and a vocabulary, are theirs.
 *
 * @param data SHA-256 of each file, by its name
 * @throws UserError naming the first that is not
 */
export function checkData({ file, fingerprint: { inputs } }: Checkpoint, data: Fingerprint["inputs"]): void {
  const path = difference(Object.fromEntries(Object.keys(data).map((name) => [name, inputs[name]])), data);
  if (path === null) return;
  throw new UserError(`Cannot merge "${file}" as ${path} has changed since: bring back what the run was trained on`);
}

/** Puts a checkpoint's numbers back into the tensors it was made of. */
export function restore(ops: Ops, { file, tensors: stored }: Checkpoint, tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, tensor] of tensors) {
    const numbers = stored.get(name);
    if (numbers?.shape.join() !== tensor.shape.join()) {
      throw new CheckpointRefused(`Cannot resume from "${file}" as its ${name} is not that of this program's version`);
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
