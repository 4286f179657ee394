import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import type { Augmentation, Examples } from "../plugin/dataset.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../safetensors.ts";
import { sha256 } from "../sha256.ts";
import { sizeOf } from "../tensor.ts";
import { nameOutputs, type OutputTree } from "./output_tree.ts";
import { type ExampleNumbers, overExamples } from "./over_examples.ts";
import { cachedName, someOutputs, type Teacher } from "./teacher_outputs.ts";

/** The form of the file; another one makes another fingerprint. */
const FORMAT = 1;

/** What a teacher's outputs over the training examples are kept for and follow from. */
export interface CacheSetup {
  /** Where the file is. */
  readonly folder: string;
  readonly teacher: Teacher;
  /** Names of the outputs that the losses want. */
  readonly wanted: ReadonlySet<string>;
  readonly train: Examples;
  /** Examples that the teacher sees at once. */
  readonly batchSize: number;
  /** Everything that the outputs follow from, as JSON: weights, options, data, split. */
  readonly origin: unknown;
  readonly report: (line: string) => void;
}

/** A teacher's outputs over the training examples. */
export interface CachedOutputs {
  readonly tree: OutputTree;
  readonly numbers: ReadonlyMap<string, ExampleNumbers>;
}

/**
 * Reads the teacher's outputs from the folder if they are there and whole; otherwise computes and writes them. The file's
 * name and content say what they were computed from, and its content is checked by a hash.
 *
 * @throws UserError if the outputs cannot be collected, or the file cannot be written
 */
export async function cachedOutputs(ops: Ops, setup: CacheSetup): Promise<CachedOutputs> {
  const { folder, wanted, origin, report } = setup;
  const fingerprint = await sha256OfText(JSON.stringify([FORMAT, [...wanted].sort(), origin]));
  const file = join(folder, `teacher-${fingerprint.slice(0, 16)}.safetensors`);
  const stored = await readCache(file, fingerprint, report);
  if (stored) {
    report(`teacher: outputs read from "${file}"`);
    return stored;
  }
  const computed = await compute(ops, setup);
  const tensors = new Map([...computed.numbers].map(([name, { shape, data }]) => [name, { shape, data }]));
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    throw new UserError(`Cannot make the folder "${folder}": ${error.message}`);
  });
  const metadata = { fingerprint, tree: JSON.stringify(computed.tree), sha256: await contentHash(computed.numbers) };
  await writeSafetensors(file, tensors, metadata);
  const bytes = [...computed.numbers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  report(`teacher: outputs of ${setup.train.length} examples written to "${file}", ${(bytes / 1e6).toFixed(1)} MB`);
  return computed;
}

/** The training examples whose batches bring the teacher's outputs along. */
export function withOutputs(examples: Examples, { numbers }: CachedOutputs): Examples {
  return {
    ...examples,
    batch(indices: Uint32Array, augmentation?: Augmentation) {
      const rows = [...numbers].map(([name, { shape, data }]) => {
        const width = sizeOf(shape.slice(1));
        const chosen = new Float32Array(indices.length * width);
        indices.forEach((from, to) => chosen.set(data.subarray(from * width, (from + 1) * width), to * width));
        return [cachedName(name), { data: chosen, shape: [indices.length, ...shape.slice(1)] }] as const;
      });
      return { ...examples.batch(indices, augmentation), ...Object.fromEntries(rows) };
    },
  };
}

async function compute(ops: Ops, { teacher, wanted, train, batchSize }: CacheSetup): Promise<CachedOutputs> {
  let tree: OutputTree = {};
  const seed = () => {
    throw new UserError("Cannot cache the teacher's outputs: it draws random numbers");
  };
  const numbers = await overExamples(ops, train, batchSize, (batch) => {
    const named = nameOutputs(someOutputs(ops, teacher, wanted, batch, seed));
    tree = named.tree;
    return named.tensors;
  });
  return { tree, numbers };
}

async function readCache(
  file: string,
  fingerprint: string,
  report: (line: string) => void,
): Promise<CachedOutputs | null> {
  if (!await Deno.stat(file).then(() => true, () => false)) return null;
  try {
    const { tensors, metadata } = await readSafetensors(file);
    const numbers = new Map(
      [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }]),
    );
    const whole = metadata.fingerprint === fingerprint && metadata.sha256 === await contentHash(numbers);
    if (whole) return { tree: JSON.parse(metadata.tree), numbers };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  report(`teacher: "${file}" is damaged and not used: its outputs are computed again`);
  return null;
}

/** One hash over names, shapes and numbers. */
async function contentHash(numbers: ReadonlyMap<string, ExampleNumbers>): Promise<string> {
  const sorted = [...numbers].sort(([a], [b]) => a < b ? -1 : 1);
  const described = JSON.stringify(sorted.map(([name, { shape }]) => [name, shape]));
  const parts = [described, ...sorted.map(([, { data }]) => data as Float32Array<ArrayBuffer>)];
  return await sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}

function sha256OfText(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}
