import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import type { Recipe } from "../recipe/schema.ts";
import { readSafetensors, type TensorToStore, toFloat32, writeSafetensors } from "../safetensors.ts";
import type { Tensor } from "../tensor.ts";

/** The file of a run's checkpoint, in the run folder. */
export const CHECKPOINT_FILE = join("checkpoint", "state.safetensors");

/** What two runs must have in common for one to continue the other: everything but where they write and compute. */
export function fingerprintOf({ output: _output, backend: _backend, base: _base, ...rest }: Recipe): string {
  return JSON.stringify(rest);
}

/** Where training stands. Everything random follows from the recipe's seed and the step, so a step is all of it. */
export interface Position {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** The best value of the monitored metric and the epoch, from 1, it was found in; epochs since then without a better one. */
  readonly best: { readonly value: number; readonly epoch: number; readonly waited: number } | null;
  /** Frobenius norms at the start, by weight. */
  readonly initialNorms: Readonly<Record<string, number>>;
  /** What the run must have in common with the one that continues it. */
  readonly fingerprint: string;
}

/** Reads tensors of the device and stores them with the position; the file is replaced whole or not at all. */
export async function writeCheckpoint(
  ops: Ops,
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  position: Position,
): Promise<void> {
  const names = [...tensors.keys()];
  const numbers = await ops.read([...tensors.values()]);
  const stored = new Map(names.map((name, index): [string, TensorToStore] => [
    name,
    { shape: tensors.get(name)!.shape, data: Float32Array.from(numbers[index]) },
  ]));
  await Deno.mkdir(join(file, ".."), { recursive: true });
  await writeSafetensors(file, stored, { position: JSON.stringify(position) });
}

/**
 * Puts a checkpoint back into the tensors it was made of.
 *
 * @throws UserError if there is none, or it is another run's
 */
export async function readCheckpoint(
  ops: Ops,
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  fingerprint: string,
): Promise<Position> {
  const { tensors: stored, metadata } = await readSafetensors(file);
  const position: Position | null = metadata.position ? JSON.parse(metadata.position) : null;
  const differs = [...tensors].find(([name, { shape }]) => stored.get(name)?.shape.join() !== shape.join());
  if (!position || position.fingerprint !== fingerprint || differs || stored.size !== tensors.size) {
    throw new UserError(
      `Cannot resume from "${file}" as it was made by another recipe: use the run folder's recipe.yaml, or start anew without --resume`,
    );
  }
  for (const [name, tensor] of tensors) ops.backend.write(tensor.view, toFloat32(stored.get(name)!));
  return position;
}
