import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import { type Chain, coreShape } from "../../core/mpo/chain.ts";
import type { Gauge } from "../../core/mpo/gauge.ts";
import {
  readSafetensors,
  type TensorToStore,
  toFloat32,
  verifyChecksum,
  writeWithChecksum,
} from "../../core/safetensors.ts";
import { showShape, sizeOf } from "../../core/tensor.ts";
import { parseOwnJson } from "./own_json.ts";

/** A chain and the tensor that it was made of. */
export interface StoredChain {
  /** The tensor's name. */
  readonly tensor: string;
  /** The tensor's shape: `[outputs, ...]`, a matrix of outputs by everything else. */
  readonly shape: readonly number[];
  readonly chain: Chain;
}

/** The format's name in the metadata of such a file. */
const FORMAT = "opdf-chain-2";

/** Files of this format, which older versions wrote, have no checksum. They are read if what they say makes sense. */
const OLD_FORMAT = "opdf-chain";

const sizes = z.array(z.int().min(1)).min(1);
const descriptionSchema = z.looseObject({ tensor: z.string(), shape: sizes, rows: sizes, cols: sizes });

const coreName = (index: number) => `core${index + 1}`;

/**
 * Writes a chain as a safetensors file: the cores as `core1`, `core2`, ... in float32, and what they are of in the
 * metadata.
 */
export async function writeChain(file: string, { tensor, shape, chain }: StoredChain, gauge: Gauge): Promise<void> {
  const tensors = chain.cores.map((core, index): [string, TensorToStore] => [
    coreName(index),
    { shape: coreShape(chain, index), data: Float32Array.from(core) },
  ]);
  const { rows, cols } = chain;
  const description = { tensor, shape, rows, cols, gauge };
  await writeWithChecksum(file, new Map(tensors), { format: FORMAT, chain: JSON.stringify(description) });
}

/**
 * Reads what {@link writeChain} wrote.
 *
 * @throws UserError if the file cannot be read, is of another kind, or its cores do not fit one another
 */
export async function readChain(file: string): Promise<StoredChain> {
  const read = await readSafetensors(file);
  const { tensors, metadata } = read;
  const refuse = (reason: string) => new UserError(`Cannot read a chain from "${file}": ${reason}`);
  if (metadata.format !== FORMAT && metadata.format !== OLD_FORMAT) {
    throw refuse(`it is no file written by decompose --out`);
  }
  const remedy = "decompose the matrix again";
  if (metadata.format === FORMAT) await verifyChecksum(file, read, "the chain", remedy);
  const description = parseOwnJson(metadata.chain ?? "", file, "the chain", descriptionSchema, remedy);
  const { tensor, shape, rows, cols } = description;
  if (rows.length !== cols.length) throw refuse(`it has ${rows.length} row factors and ${cols.length} column factors`);
  const bonds = [1];
  const cores = rows.map((row, index) => {
    const core = tensors.get(coreName(index));
    if (!core) throw refuse(`it lacks ${coreName(index)} of ${rows.length}`);
    if (core.shape.length !== 4) {
      throw refuse(`${coreName(index)} is ${showShape(core.shape)}, expected four dimensions`);
    }
    const expected = [bonds[index], row, cols[index], index === rows.length - 1 ? 1 : core.shape[3]];
    if (core.shape.join() !== expected.join()) {
      throw refuse(`${coreName(index)} is ${showShape(core.shape)}, expected ${showShape(expected)}`);
    }
    bonds.push(core.shape[3]);
    return Float64Array.from(toFloat32(core));
  });
  if (sizeOf(rows) * sizeOf(cols) !== sizeOf(shape)) throw refuse(`its cores are not those of ${showShape(shape)}`);
  return { tensor, shape, chain: { rows, cols, bonds, cores } };
}
