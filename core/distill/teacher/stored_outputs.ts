import { UserError } from "../../errors.ts";
import { lookAt } from "../../files.ts";
import { isJsonObject, parseJson } from "../../json.ts";
import type { OutputTree } from "../../plugin/output_tree.ts";
import {
  readSafetensors,
  type StoredTensor,
  type TensorToStore,
  toFloat32,
  toUnsigned,
  writeSafetensors,
} from "../../safetensors.ts";
import { sha256 } from "../../sha256.ts";
import type { KeptNumbers } from "./blocks.ts";
import { type KeptOutput, type Layout, shapeOf } from "./collected_outputs.ts";

/** A teacher's outputs over examples. */
export interface StoredOutputs {
  readonly tree: OutputTree;
  readonly outputs: ReadonlyMap<string, KeptOutput>;
  /** What computed them: a backend's description; `null` where a file of an older version does not say. */
  readonly device: string | null;
}

/**
 * Writes outputs with what they were computed from, and a hash of all of it.
 *
 * @param examples how many they are of
 * @returns bytes of the outputs
 */
export async function writeOutputs(
  file: string,
  { tree, outputs, device }: StoredOutputs,
  { fingerprint, examples }: { readonly fingerprint: string; readonly examples: number },
): Promise<number> {
  const layouts = Object.fromEntries([...outputs].map(([name, { extents, shared }]) => [name, { extents, shared }]));
  await writeSafetensors(file, tensorsOf(outputs, examples), {
    fingerprint,
    ...(device !== null && { device }),
    tree: JSON.stringify(tree),
    layouts: JSON.stringify(layouts),
    sha256: await contentHash(tree, outputs),
  });
  return [...outputs.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Reads outputs; "damaged": what is there is not what was written with this fingerprint, `null`: there is no file. */
export async function readOutputs(file: string, fingerprint: string): Promise<StoredOutputs | "damaged" | null> {
  if (await lookAt(file) === null) return null;
  try {
    const { tensors, metadata } = await readSafetensors(file);
    if (metadata.fingerprint === fingerprint) {
      const layouts = mapIn<Layout>(metadata.layouts);
      const outputs = new Map(
        [...tensors].map(([name, tensor]) => [name, { ...layouts[name], data: numbersOf(tensor) }]),
      );
      const tree = mapIn(metadata.tree) as OutputTree;
      if (metadata.sha256 === await contentHash(tree, outputs)) {
        return { tree, outputs, device: metadata.device ?? null };
      }
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return "damaged";
}

/** Whole numbers as such. */
function numbersOf(tensor: StoredTensor): KeptNumbers {
  return ["U16", "U32"].includes(tensor.dtype) ? toUnsigned(tensor) : toFloat32(tensor);
}

/** Outputs as they are stored: with a dimension of examples where these are of one shape, else in a row. */
function tensorsOf(outputs: ReadonlyMap<string, KeptOutput>, examples: number): Map<string, TensorToStore> {
  return new Map([...outputs].map(([name, output]) => {
    const { data, extents, shared } = output;
    const even = extents.includes("tokens") ? [data.length] : [examples, ...shapeOf(output, 0)];
    return [name, { shape: shared ? shapeOf(output, 0) : even, data }];
  }));
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
  // The same bytes are other numbers in a file that calls them so.
  const kindOf = (data: KeptNumbers) => data instanceof Float32Array ? [] : [data.BYTES_PER_ELEMENT];
  const described = JSON.stringify([
    tree,
    sorted.map(([name, { extents, shared, data }]) => [name, extents, shared, ...kindOf(data)]),
  ]);
  const parts = [described, ...sorted.map(([, { data }]) => data as KeptNumbers & ArrayBufferView<ArrayBuffer>)];
  return await sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}
