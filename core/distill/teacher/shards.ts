import { UserError } from "../../errors.ts";
import { kindOfPath } from "../../files.ts";
import { currentFiles } from "../../files/current.ts";
import { join } from "../../paths.ts";
import type { KeptOutput } from "./collected_outputs.ts";
import { readOutputs, type StoredOutputs } from "./stored_outputs.ts";

/** One part of the training examples: the first of 16 has `index` 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** As it is said and asked for: `3/16`. */
export function showShard({ index, of }: Shard): string {
  return `${index}/${of}`;
}

/**
 * The examples of a part: as many in each, or one more.
 *
 * @throws UserError if there are fewer examples than parts
 */
export function shardRange(examples: number, { index, of }: Shard): readonly [begin: number, end: number] {
  if (of > examples) throw new UserError(`Cannot divide ${examples} training examples into ${of} parts`);
  return [Math.floor((index - 1) * examples / of), Math.floor(index * examples / of)];
}

/** The file of a part of the outputs with this fingerprint. */
export function shardFile(folder: string, fingerprint: string, { index, of }: Shard): string {
  return join(folder, `${stemOf(fingerprint)}.${index}-of-${of}.safetensors`);
}

const stemOf = (fingerprint: string) => `teacher-${fingerprint.slice(0, 16)}`;

const NAME = /^(teacher-[0-9a-f]{16})\.([1-9]\d*)-of-([1-9]\d*)\.safetensors$/;

/** Where parts are looked for. */
export interface ShardsCall {
  readonly folder: string;
  readonly fingerprint: string;
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/**
 * Reads outputs that were computed part by part, and puts them together.
 *
 * @returns `null` where there is no part of them
 * @throws UserError naming the parts that are missing or damaged
 */
export async function readShards({ folder, fingerprint, report }: ShardsCall): Promise<StoredOutputs | null> {
  const found = (await namesIn(folder)).flatMap((name) => {
    const [, stem, index, of] = NAME.exec(name) ?? [];
    return stem ? [{ stem, index: Number(index), of: Number(of) }] : [];
  });
  const own = found.filter(({ stem, index, of }) => stem === stemOf(fingerprint) && index <= of);
  if (own.length === 0) {
    if (found.length > 0) {
      report(
        `teacher: "${folder}" has parts of outputs (${
          found[0].stem
        }.*) of another teacher, of other data, or of what ` +
          "other losses want: they are not used",
      );
    }
    return null;
  }
  const of = mostWhole(own);
  const there = new Set(own.filter((shard) => shard.of === of).map(({ index }) => index));
  const parts: StoredOutputs[] = [];
  const lacking: number[] = [];
  for (let index = 1; index <= of; index++) {
    const read = there.has(index)
      ? await readOutputs(shardFile(folder, fingerprint, { index, of }), fingerprint)
      : null;
    if (read === null || read === "damaged") lacking.push(index);
    else parts.push(read);
  }
  if (lacking.length > 0) throw new UserError(lackingSentence(folder, of, there, lacking));
  report(`teacher: outputs read from ${of} parts in "${folder}"`);
  const devices = [...new Set(parts.map(({ device }) => device ?? "an older version"))];
  if (devices.length > 1) {
    report(`teacher: the parts were computed by ${devices.join("; ")}: their last digits may differ as those do`);
  }
  return joined(parts);
}

async function namesIn(folder: string): Promise<string[]> {
  if (await kindOfPath(folder) !== "folder") return [];
  return (await currentFiles().list(folder)).map(({ name }) => name);
}

/** Of several divisions that of which the largest share is there. */
function mostWhole(shards: readonly Shard[]): number {
  const share = (of: number) => shards.filter((shard) => shard.of === of).length / of;
  return [...new Set(shards.map(({ of }) => of))].reduce((best, of) => share(of) > share(best) ? of : best);
}

function lackingSentence(folder: string, of: number, there: ReadonlySet<number>, lacking: readonly number[]): string {
  const listed = (indices: readonly number[]) => indices.map((index) => showShard({ index, of })).join(", ");
  const [missing, damaged] = [
    lacking.filter((index) => !there.has(index)),
    lacking.filter((index) => there.has(index)),
  ];
  const what = [
    ...(missing.length > 0 ? [`lacks ${listed(missing)}`] : []),
    ...(damaged.length > 0 ? [`has damaged ${listed(damaged)}`] : []),
  ].join(", and ");
  return `Cannot use the parts of the teacher's outputs in "${folder}", which ${what}: make each by ` +
    `deno task teach RECIPE --shard ${showShard({ index: lacking[0], of })}, or remove the others to have all computed`;
}

/** Parts one behind the other. @throws UserError if what is the same for all examples is not so in all parts */
function joined(parts: readonly StoredOutputs[]): StoredOutputs {
  const [{ tree, outputs, device }] = parts;
  return {
    tree,
    device,
    outputs: new Map([...outputs].map(([name, first]): [string, KeptOutput] => {
      const all = parts.map(({ outputs }) => outputs.get(name)!.data);
      if (first.shared) {
        if (all.some((data) => data.some((number, at) => number !== first.data[at]))) {
          throw new UserError(
            `Cannot join the parts of the teacher's outputs as its ${name} is another in each: have all computed by one device`,
          );
        }
        return [name, first];
      }
      const data = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
      all.reduce((at, part) => (data.set(part, at), at + part.length), 0);
      return [name, { ...first, data }];
    })),
  };
}
