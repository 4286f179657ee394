import { UserError } from "../../errors.ts";
import { join } from "../../paths.ts";
import { cacheFilesIn, type CachePlace, keptOtherwise, type Shard } from "./cache_files.ts";
import type { KeptOutput, NumbersKind } from "./collected_outputs.ts";
import { readOutputs, type StoredOutputs } from "./stored_outputs.ts";

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

/** The file of a part of the outputs at this place. */
export function shardFile({ folder, stem }: CachePlace, { index, of }: Shard): string {
  return join(folder, `${stem}.${index}-of-${of}.safetensors`);
}

/** What a part says of itself: a file of another part, or of all, under its name is none of it. */
export function shardFingerprint({ fingerprint }: CachePlace, shard: Shard): string {
  return `${fingerprint} ${showShard(shard)}`;
}

/**
 * Reads outputs that were computed part by part, and puts them together.
 *
 * @returns `null` where there is no part of them
 * @throws UserError naming the parts that are missing or damaged
 */
export async function readShards(
  place: CachePlace,
  report: (line: string) => void,
): Promise<StoredOutputs | null> {
  const { folder, stem } = place;
  const files = await cacheFilesIn(folder);
  const found = files.flatMap(({ stem, shard }) => shard ? [{ stem, ...shard }] : []);
  const own = found.filter((shard) => shard.stem === stem && shard.index <= shard.of);
  if (own.length === 0) {
    const otherwise = keptOtherwise(place, files);
    if (otherwise !== null) report(otherwise);
    else if (found.length > 0) {
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
    const shard = { index, of };
    const read = there.has(index) ? await readOutputs(shardFile(place, shard), shardFingerprint(place, shard)) : null;
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
    ...(damaged.length > 0 ? [`has something else, or a damaged file, as ${listed(damaged)}`] : []),
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
      const Numbers = first.data.constructor as NumbersKind;
      const data = new Numbers(all.reduce((sum, { length }) => sum + length, 0));
      all.reduce((at, part) => (data.set(part, at), at + part.length), 0);
      return [name, { ...first, data }];
    })),
  };
}
