import assert from "node:assert/strict";
import { join } from "node:path";
import type { DecompositionReport } from "../../core/mpo/report.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../core/safetensors.ts";
import { pseudoRandom } from "../support/numbers.ts";
import { runTask } from "../support/task.ts";

Deno.test("decompose takes the gauge, cuts as asked, and what it writes merges to the matrix that it reported", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const at = (name: string) => join(folder, name);
    const data = Float32Array.from(pseudoRandom(3, 16 * 36));
    await writeSafetensors(at("m.safetensors"), new Map([["conv.weight", { shape: [16, 4, 3, 3], data }]]));
    const decompose = (...args: string[]) =>
      runTask("decompose", [at("m.safetensors"), "--tensor", "conv.weight", ...args]);
    const [cut, tolerant, shown] = await Promise.all([
      decompose("--increase-rate", "2", "--gauge", "left", "--max-rank", "5", "--json"),
      decompose("--cores", "4", "--tolerance", "0.2", "--json", "--out", at("chain.safetensors")),
      decompose("--rows", "4,1,4", "--cols", "6,1,6"),
    ]);
    for (const { code, stderr } of [cut, tolerant, shown]) assert.deepEqual([code, stderr], [0, ""]);

    const first: DecompositionReport = JSON.parse(cut.stdout);
    assert.equal(first.gauge, "left-canonical");
    assert.equal(Math.max(...first.bonds), 5);
    assert.ok(first.relativeError > 0.1 && first.discarded[0] > 0);

    const second: DecompositionReport = JSON.parse(tolerant.stdout);
    assert.deepEqual([second.gauge, second.rows, second.cols], ["balanced", [4, 1, 1, 4], [6, 1, 1, 6]]);
    assert.ok(second.relativeError > 0.05 && second.relativeError <= 0.2, `${second.relativeError}`);
    assert.equal((await runTask("merge", [at("chain.safetensors"), "--out", at("back.safetensors")])).code, 0);
    const back = (await readSafetensors(at("back.safetensors"))).tensors.get("conv.weight")!;
    assert.deepEqual(back.shape, [16, 4, 3, 3]);
    const merged = toFloat32(back);
    const error = Math.hypot(...data.map((value, i) => value - merged[i])) / Math.hypot(...data);
    assert.ok(Math.abs(error - second.relativeError) < 1e-6, `${error}, reported ${second.relativeError}`);

    assert.match(shown.stdout, /^tensor +conv\.weight \[16, 4, 3, 3\]\nmatrix +16 x 36, 576 parameters, norm /);
    assert.match(shown.stdout, /\nbonds +\[1, 24, 24, 1\], balanced\n/);
    assert.match(shown.stdout, /\nparameters +1,728, 3 times those of the matrix\n/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
