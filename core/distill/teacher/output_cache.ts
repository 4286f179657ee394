import { UserError } from "../../errors.ts";
import { makeFolder } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import { batchFor } from "../../plugin/batch.ts";
import type { Augmentation, Examples } from "../../plugin/dataset.ts";
import { nameOutputs, type OutputTree } from "../../plugin/output_tree.ts";
import { sha256 } from "../../sha256.ts";
import { showBytes } from "../../show_bytes.ts";
import { collectOutputs, type NumbersKind, offsetsOf, padOutput, tokensOf } from "./collected_outputs.ts";
import { type CachePlace, type Shard, stemOf } from "./cache_files.ts";
import { describeTopLogits } from "./rest_bound.ts";
import { scoredTokens } from "./scored_tokens.ts";
import { readShards, shardFile, shardFingerprint, shardRange, showShard } from "./shards.ts";
import { readOutputs, type StoredOutputs, writeOutputs } from "./stored_outputs.ts";
import { cachedName, someOutputs, type Teacher } from "./teacher_outputs.ts";
import { condensing, type TopLogitsSetup, topLogitsTree } from "./top_logits.ts";

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
  /** What is kept of the logits, of which the losses want `topLogits`; left out or `null`: all. */
  readonly topLogits?: TopLogitsSetup | null;
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
  const { tokens, place } = await placeOf(setup);
  const { fingerprint } = place;
  const file = join(folder, `${place.stem}.safetensors`);
  const stored = await readOutputs(file, fingerprint);
  if (stored !== null && stored !== "damaged") {
    report(`teacher: outputs read from "${file}"`);
    await tellRest(setup, stored, tokens);
    return { ...stored, tokens };
  }
  if (stored) report(`teacher: "${file}" is damaged and not used: its outputs are computed again`);
  const parts = await readShards(place, report);
  if (parts) {
    await tellRest(setup, parts, tokens);
    return { ...parts, tokens };
  }
  const outputs = await compute(ops, setup, tokens, 0, train.length);
  await makeFolder(folder, "the folder");
  const bytes = await writeOutputs(file, outputs, { fingerprint, examples: train.length });
  report(`teacher: outputs of ${train.length} examples written to "${file}", ${showBytes(bytes)}`);
  await tellRest(setup, outputs, tokens);
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
  const { tokens, place } = await placeOf(setup);
  const fingerprint = shardFingerprint(place, shard);
  const file = shardFile(place, shard);
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
  await tellRest(setup, outputs, tokens, begin, end);
}

/**
 * Outputs of all training examples in the form of those that are cached, every number 0: for a look at what a run would
 * be, without computing them.
 */
export async function blankOutputs(ops: Ops, setup: CacheSetup): Promise<CachedOutputs> {
  const { train: { length } } = setup;
  const tokens = await tokensOf(setup.train, setup.batchSize);
  const none = await compute(ops, setup, tokens, 0, 0);
  const blank = [...none.outputs].map(([name, output]) => {
    const Numbers = output.data.constructor as NumbersKind;
    const data = output.shared ? output.data : new Numbers(offsetsOf(output, length, tokens).at(-1)!);
    return [name, { ...output, data }] as const;
  });
  return { ...none, outputs: new Map(blank), tokens };
}

/** Says what is lost where the largest logits alone are kept, of the examples from `begin` to `end`. */
async function tellRest(
  { topLogits, train, batchSize, report }: CacheSetup,
  { outputs }: StoredOutputs,
  tokens: Uint32Array | null,
  begin = 0,
  end = train.length,
): Promise<void> {
  if (!topLogits) return;
  const scored = await scoredTokens(train, tokens, batchSize, begin, end);
  describeTopLogits(outputs, topLogits, scored).forEach((line) => report(line));
}

/** The outputs that the teacher is asked for, of which the losses want what is kept. */
function askedOf({ wanted, topLogits }: CacheSetup): ReadonlySet<string> {
  return topLogits ? new Set([...wanted].map((name) => name === "topLogits" ? "logits" : name)) : wanted;
}

/** What a cache's files are named by. */
async function placeOf(
  setup: CacheSetup,
): Promise<{ readonly tokens: Uint32Array | null; readonly place: CachePlace }> {
  const { folder, origin, train, batchSize, topLogits = null } = setup;
  const tokens = await tokensOf(train, batchSize);
  const hash = (parts: unknown) => sha256(new TextEncoder().encode(JSON.stringify(parts)));
  const ofAll = await hash([FORMAT, [...askedOf(setup)].sort(), origin, tokens?.join()]);
  const fingerprint = topLogits ? await hash([ofAll, topLogits.count, topLogits.temperatures]) : ofAll;
  return { tokens, place: { folder, stem: stemOf(ofAll, topLogits), fingerprint } };
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
  setup: CacheSetup,
  tokens: Uint32Array | null,
  begin: number,
  end: number,
): Promise<StoredOutputs> {
  const { teacher, train, batchSize, topLogits } = setup;
  const asked = askedOf(setup);
  let tree: OutputTree = {};
  const seed = () => {
    throw new UserError("Cannot cache the teacher's outputs: it draws random numbers");
  };
  const collection = { examples: train, tokens, batchSize, begin, end };
  const outputs = await collectOutputs(
    ops,
    collection,
    (batch) => {
      const named = nameOutputs(someOutputs(ops, teacher, asked, batch, seed));
      tree = named.tree;
      return named.tensors;
    },
    (batch) => batchFor(teacher.model, batch, asked),
    topLogits ? condensing(topLogits) : undefined,
  );
  if (topLogits) {
    const { logits: _logits, ...others } = tree as Readonly<Record<string, OutputTree>>;
    tree = { ...others, topLogits: topLogitsTree(topLogits) };
  }
  return { tree, outputs, device: ops.backend.description };
}
