import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { mergeOnHost } from "../../../core/mpo/merge_chain.ts";
import { readSafetensors, writeSafetensors } from "../../../core/safetensors.ts";
import { readChain, writeChain } from "../../../tasks/support/chain_file.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const matrix = pseudoRandom(1, 12 * 18);
const { chain } = await decomposeMatrix(matrix, 12, 18, { rows: [4, 1, 3], cols: [3, 2, 3] });
const stored = { tensor: "conv.weight", shape: [12, 2, 3, 3], chain };

Deno.test("a chain that was written is read as it was, and merges to its matrix", () =>
  withFolder(async (folder) => {
    const file = join(folder, "chain.safetensors");
    await writeChain(file, stored, "balanced");
    const read = await readChain(file);
    assert.deepEqual([read.tensor, read.shape, read.chain.bonds], ["conv.weight", [12, 2, 3, 3], chain.bonds]);
    assertClose(mergeOnHost(read.chain), matrix, 1e-6);
  }));

Deno.test("files of another kind, and chains with a core missing or of another shape, are refused", () =>
  withFolder(async (folder) => {
    const file = join(folder, "chain.safetensors");
    const refused = (message: RegExp) => assert.rejects(() => readChain(file), { name: "UserError", message });
    const core = { shape: [2, 2], data: new Float32Array(4) };
    await writeSafetensors(file, new Map([["core1", core]]));
    await refused(/^Cannot read a chain from ".*": it is no file written by decompose --out$/);

    await writeChain(file, stored, "balanced");
    const { tensors, metadata: { chain: description } } = await readSafetensors(file);
    const metadata = { format: "opdf-chain", chain: description }; // of an older version, without a checksum
    const cores = [...tensors].map(([name, { shape, bytes }]) => {
      return [name, { shape, data: new Float32Array(bytes.slice().buffer) }] as const;
    });
    await writeSafetensors(file, new Map(cores.filter(([name]) => name !== "core2")), metadata);
    await refused(/: it lacks core2 of 3$/);
    await writeSafetensors(file, new Map([...cores, ["core2", core]]), metadata);
    await refused(/: core2 is \[2, 2\], expected four dimensions/);
  }));
