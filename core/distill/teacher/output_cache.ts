import { UserError } from "../../errors.ts";
import { makeFolder } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import { batchFor } from "../../plugin/batch.ts";
import type { Augmentation, Examples } from "../../plugin/dataset.ts";
import { nameOutputs, type OutputTree } from "../../plugin/output_tree.ts";
import { sha256 } from "../../sha256.ts";
import { showBytes } from "../../show_bytes.ts";
import { collectOutputs, offsetsOf, padOutput, tokensOf } from "./collected_outputs.ts";
import { readShards, type Shard, shardFile, shardRange, showShard } from "./shards.ts";
import { readOutputs, type StoredOutputs, writeOutputs } from "./stored_outputs.ts";
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
export interface CachedOutputs extends StoredOutputs {
  /** How many tokens each example has; `null` where there are no texts. */
  readonly tokens: Uint32Array | null;
}

/**
 * Reads the teacher's outputs from the folder if they are there and whole, in one file or in parts; otherwise computes
 * and writes them. The file's name and content say what they were computed from, and its content is checked by a hash.
 * Of texts each example's numbers are kept without padding.
 *
 * @throws UserError if the outputs cannot be collected, if some of their parts are missing or damaged, or if the file
 * cannot be written
 */
export async function cachedOutputs(ops: Ops, setup: CacheSetup): Promise<CachedOutputs> {
  const { folder, train, report } = setup;
  const { tokens, fingerprint } = await placeOf(setup);
  const file = join(folder, `teacher-${fingerprint.slice(0, 16)}.safetensors`);
  const stored = await readOutputs(file, fingerprint);
  if (stored !== null && stored !== "damaged") {
    report(`teacher: outputs read from "${file}"`);
    return { ...stored, tokens };
  }
  if (stored) report(`teacher: "${file}" is damaged and not used: its outputs are computed again`);
  const parts = await readShards({ folder, fingerprint, report });
  if (parts) return { ...parts, tokens };
  const outputs = await compute(ops, setup, tokens, 0, train.length);
  await makeFolder(folder, "the folder");
  const bytes = await writeOutputs(file, outputs, { fingerprint, examples: train.length });
  report(`teacher: outputs of ${train.length} examples written to "${file}", ${showBytes(bytes)}`);
  return { ...outputs, tokens };
}

/**
 * Computes one part of the outputs and writes it to the folder, unless it is there.
 *
 * @throws UserError as {@link cachedOutputs} has it, and for more parts than there are examples
 */
export async function writeShard(ops: Ops, setup: CacheSetup, shard: Shard): Promise<void> {
  const { folder, train, report } = setup;
  const [begin, end] = shardRange(train.length, shard);
  const { tokens, fingerprint } = await placeOf(setup);
  const file = shardFile(folder, fingerprint, shard);
  const stored = await readOutputs(file, fingerprint);
  if (stored !== null && stored !== "damaged") {
    return report(`teacher: part ${showShard(shard)} is there already, in "${file}"`);
  }
  const outputs = await compute(ops, setup, tokens, begin, end);
  await makeFolder(folder, "the folder");
  const bytes = await writeOutputs(file, outputs, { fingerprint, examples: end - begin });
  report(
    `teacher: outputs of the examples ${begin + 1} to ${end} of ${train.length}, part ${
      showShard(shard)
    }, written to ` +
      `"${file}", ${showBytes(bytes)}`,
  );
}

/** What a cache's files are named by. */
async function placeOf({ wanted, origin, train, batchSize }: CacheSetup) {
  const tokens = await tokensOf(train, batchSize);
  const text = JSON.stringify([FORMAT, [...wanted].sort(), origin, tokens?.join()]);
  return { tokens, fingerprint: await sha256(new TextEncoder().encode(text)) };
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
  begin: number,
  end: number,
): Promise<StoredOutputs> {
  let tree: OutputTree = {};
  const seed = () => {
    throw new UserError("Cannot cache the teacher's outputs: it draws random numbers");
  };
  const collection = { examples: train, tokens, batchSize, begin, end };
  const outputs = await collectOutputs(ops, collection, (batch) => {
    const named = nameOutputs(someOutputs(ops, teacher, wanted, batch, seed));
    tree = named.tree;
    return named.tensors;
  }, (batch) => batchFor(teacher.model, batch, wanted));
  return { tree, outputs, device: ops.backend.description };
}
