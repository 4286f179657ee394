import { UserError } from "../../errors.ts";
import { lookAt, makeFolder } from "../../files.ts";
import { isJsonObject, parseJson } from "../../json.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import type { Augmentation, Examples } from "../../plugin/dataset.ts";
import { readSafetensors, type TensorToStore, toFloat32, writeSafetensors } from "../../safetensors.ts";
import { sha256 } from "../../sha256.ts";
import { showBytes } from "../../show_bytes.ts";
import {
  collectOutputs,
  type KeptOutput,
  type Layout,
  offsetsOf,
  padOutput,
  shapeOf,
  tokensOf,
} from "./collected_outputs.ts";
import { batchFor } from "../../plugin/batch.ts";
import { nameOutputs, type OutputTree } from "../../plugin/output_tree.ts";
import { cachedName, someOutputs, type Teacher } from "./teacher_outputs.ts";

/** The form of the file; another one makes another fingerprint. */
const FORMAT = 2;

/** The teacher's outputs over the training examples that are kept, and all they depend on. */
export interface CacheSetup {
  /** The folder of the file. */
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
  readonly outputs: ReadonlyMap<string, KeptOutput>;
  /** How many tokens each example has; `null` where there are no texts. */
  readonly tokens: Uint32Array | null;
}

/**
 * Reads the teacher's outputs from the folder if they are there and whole; otherwise computes and writes them. The
 * file's name and content say what they were computed from, and its content is checked by a hash. Of texts each
 * example's numbers are kept without padding.
 *
 * @throws UserError if the outputs cannot be collected, or the file cannot be written
 */
export async function cachedOutputs(ops: Ops, setup: CacheSetup): Promise<CachedOutputs> {
  const { folder, wanted, origin, train, batchSize, report } = setup;
  const tokens = await tokensOf(train, batchSize);
  const fingerprint = await sha256OfText(JSON.stringify([FORMAT, [...wanted].sort(), origin, tokens?.join()]));
  const file = join(folder, `teacher-${fingerprint.slice(0, 16)}.safetensors`);
  const stored = await readCache(file, fingerprint, report);
  if (stored) {
    report(`teacher: outputs read from "${file}"`);
    return { ...stored, tokens };
  }
  const { tree, outputs } = await compute(ops, setup, tokens);
  await makeFolder(folder, "the folder");
  const layouts = Object.fromEntries([...outputs].map(([name, { extents, shared }]) => [name, { extents, shared }]));
  await writeSafetensors(file, tensorsOf(outputs, train.length), {
    fingerprint,
    tree: JSON.stringify(tree),
    layouts: JSON.stringify(layouts),
    sha256: await contentHash(tree, outputs),
  });
  const bytes = [...outputs.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  report(`teacher: outputs of ${train.length} examples written to "${file}", ${showBytes(bytes)}`);
  return { tree, outputs, tokens };
}

/** The training examples whose batches bring the teacher's outputs along, padded as the batch is. */
export function withOutputs(examples: Examples, { outputs, tokens }: CachedOutputs): Examples {
  const placed = [...outputs].map(([name, output]) => {
    return [cachedName(name), output, offsetsOf(output, output.shared ? 1 : examples.length, tokens)] as const;
  });
  return {
    ...examples,
    batch(indices: Uint32Array, augmentation?: Augmentation) {
      const batch = examples.batch(indices, augmentation);
      const length = batch.mask?.shape[1] ?? 0;
      const rows = placed.map(([name, output, offsets]) => {
        return [name, padOutput(output, offsets, indices, tokens, length)] as const;
      });
      return { ...batch, ...Object.fromEntries(rows) };
    },
  };
}

async function compute(
  ops: Ops,
  { teacher, wanted, train, batchSize }: CacheSetup,
  tokens: Uint32Array | null,
): Promise<Omit<CachedOutputs, "tokens">> {
  let tree: OutputTree = {};
  const seed = () => {
    throw new UserError("Cannot cache the teacher's outputs: it draws random numbers");
  };
  const outputs = await collectOutputs(ops, train, batchSize, tokens, (batch) => {
    const named = nameOutputs(someOutputs(ops, teacher, wanted, batch, seed));
    tree = named.tree;
    return named.tensors;
  }, (batch) => batchFor(teacher.model, batch, wanted));
  return { tree, outputs };
}

/** Outputs as they are stored: with a dimension of examples where these are of one shape, else in a row. */
function tensorsOf(outputs: ReadonlyMap<string, KeptOutput>, examples: number): Map<string, TensorToStore> {
  return new Map([...outputs].map(([name, output]) => {
    const { data, extents, shared } = output;
    const even = extents.includes("tokens") ? [data.length] : [examples, ...shapeOf(output, 0)];
    return [name, { shape: shared ? shapeOf(output, 0) : even, data }];
  }));
}

async function readCache(
  file: string,
  fingerprint: string,
  report: (line: string) => void,
): Promise<Omit<CachedOutputs, "tokens"> | null> {
  if (await lookAt(file) === null) return null;
  try {
    const { tensors, metadata } = await readSafetensors(file);
    if (metadata.fingerprint === fingerprint) {
      const layouts = mapIn<Layout>(metadata.layouts);
      const outputs = new Map(
        [...tensors].map(([name, tensor]) => [name, { ...layouts[name], data: toFloat32(tensor) }]),
      );
      const tree = mapIn(metadata.tree) as OutputTree;
      if (metadata.sha256 === await contentHash(tree, outputs)) return { tree, outputs };
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  report(`teacher: "${file}" is damaged and not used: its outputs are computed again`);
  return null;
}

/** A map that was written as JSON. @throws UserError if it is not there, or something else is */
function mapIn<Value>(text: string | undefined): Readonly<Record<string, Value>> {
  const refuse = (reason: string) => new UserError(`Cannot read the cache as ${reason}`);
  const value = parseJson(text ?? "", refuse);
  if (isJsonObject(value)) return value as Readonly<Record<string, Value>>;
  throw refuse("it lacks a map");
}

/** One hash over places, layouts and numbers. */
async function contentHash(tree: OutputTree, outputs: ReadonlyMap<string, KeptOutput>): Promise<string> {
  const sorted = [...outputs].sort(([a], [b]) => a < b ? -1 : 1);
  const described = JSON.stringify([tree, sorted.map(([name, { extents, shared }]) => [name, extents, shared])]);
  const parts = [described, ...sorted.map(([, { data }]) => data as Float32Array<ArrayBuffer>)];
  return await sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}

function sha256OfText(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}
