import { kindOfPath } from "../../files.ts";
import { currentFiles } from "../../files/current.ts";
import type { TopLogitsSetup } from "./top_logits.ts";

/** Where a cache's files are, what their names begin with, and what they say of where their outputs come from. */
export interface CachePlace {
  readonly folder: string;
  readonly stem: string;
  readonly fingerprint: string;
}

/** One part of the training examples: the first of 16 has `index` 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** A file of outputs, by its name. */
export interface CacheFile {
  readonly name: string;
  readonly stem: string;
  /** What it is of, whatever is kept of that. */
  readonly origin: string;
  /** `null`: all examples. */
  readonly shard: Shard | null;
}

/**
 * What the names of outputs of one origin begin with: `teacher-0123456789abcdef`, and where the largest logits are kept
 * also how many and for which temperatures, `-top64-T4`.
 */
export function stemOf(origin: string, topLogits: Omit<TopLogitsSetup, "classes"> | null): string {
  const kept = topLogits ? `-top${topLogits.count}${topLogits.temperatures.map((t) => `-T${t}`).join("")}` : "";
  return `teacher-${origin.slice(0, 16)}${kept}`;
}

const NAME =
  /^(?<stem>(?<origin>teacher-[0-9a-f]{16})(?:-top\d+(?:-T[\d.]+)*)?)(?:\.(?<index>[1-9]\d*)-of-(?<of>[1-9]\d*))?\.safetensors$/;

/** The files of outputs in a folder, which need not be there. */
export async function cacheFilesIn(folder: string): Promise<CacheFile[]> {
  if (await kindOfPath(folder) !== "folder") return [];
  return (await currentFiles().list(folder)).flatMap(({ name }) => {
    const { stem, origin, index, of } = NAME.exec(name)?.groups ?? {};
    return stem ? [{ name, stem, origin, shard: index ? { index: Number(index), of: Number(of) } : null }] : [];
  });
}

/** Says that outputs of the same origin are there of which something else is kept; `null` where none are. */
export function keptOtherwise({ folder, stem }: CachePlace, files: readonly CacheFile[]): string | null {
  const origin = stem.slice(0, "teacher-".length + 16);
  const other = files.find((file) => file.origin === origin && file.stem !== stem);
  if (!other) return null;
  return `teacher: "${folder}" has these outputs with ${keptIn(other.stem)} ("${other.name}"), and the recipe wants ` +
    `${keptIn(stem)}: that file is not used`;
}

/** What is kept by the end of a stem. */
function keptIn(stem: string): string {
  const [, count, temperatures] = /-top(\d+)(.*)$/.exec(stem) ?? [];
  if (count === undefined) return "all logits";
  const listed = temperatures.split("-T").slice(1);
  if (listed.length === 0) return `the ${count} largest logits`;
  return `the ${count} largest logits and the rest at temperature ${listed.join(" and ")}`;
}
