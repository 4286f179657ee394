import assert from "node:assert/strict";
import { join } from "node:path";
import type { DecompositionReport } from "../../core/mpo/report.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../core/safetensors.ts";
import { pseudoRandom } from "../support/numbers.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runTask } from "../support/task.ts";

Deno.test("decompose takes the gauge, cuts as asked, and what it writes merges to the matrix that it reported", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const at = (name: string) => join(folder, name);
    const data = Float32Array.from(pseudoRandom(3, 16 * 36));
    await writeSafetensors(at("m.safetensors"), new Map([["conv.weight", { shape: [16, 4, 3, 3], data }]]));
    const of = [at("m.safetensors"), "--tensor", "conv.weight"];
    const decompose = (...args: string[]) => runHere("decompose", [...of, ...args]);
    const [cut, tolerant, shown] = await Promise.all([
      decompose("--increase-rate", "2", "--gauge", "left", "--max-rank", "5", "--json"),
      runTask("decompose", [
        ...[...of, "--cores", "4", "--tolerance", "0.2", "--json"],
        ...["--out", at("chain.safetensors")],
      ]),
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
    assert.equal((await runHere("merge", [at("chain.safetensors"), "--out", at("back.safetensors")])).code, 0);
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

/** BERT-base cut to six layers, for a task of two classes. */
const BERT_6 = {
  architectures: ["BertForSequenceClassification"],
  model_type: "bert",
  hidden_size: 768,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 30522,
  max_position_embeddings: 512,
  type_vocab_size: 2,
};

Deno.test("decompose --model gives the parameter increase rates of a whole student from its config.json alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(BERT_6));
    const [all, one, resnet, wrong, both, neither] = await Promise.all([
      runHere("decompose", ["--model", folder, "--json"]),
      runHere("decompose", ["--model", join(folder, "config.json"), "--cores", "5"]),
      runHere("decompose", ["--model", join(CHECKOUT, "plugins/models/data/fashion-resnet20"), "--cores", "1"]),
      runHere("decompose", ["--model", folder, "--max-rank", "4"]),
      runHere("decompose", ["w.safetensors", "--model", folder]),
      runHere("decompose", ["--model", join(folder, "nothing")]),
    ]);
    const { architecture, sizes } = JSON.parse(all.stdout);
    assert.equal(architecture, "bert");
    // The parameters of BertForSequenceClassification, and the places of the paper's points in figure 2a.
    assert.deepEqual([...new Set(sizes.map(({ inference }: { inference: number }) => inference))], [66_956_546]);
    const column = (key: string) => sizes.slice(0, 6).map((size: Record<string, number>) => size[key]);
    assert.deepEqual(column("cores"), [2, 3, 4, 5, 6, 7]);
    assert.deepEqual(column("matrices"), [36, 36, 36, 36, 36, 36]);
    assert.deepEqual(
      column("parameterIncreaseRate").map((factor: number) => factor.toFixed(3)),
      ["1.357", "1.714", "2.070", "2.427", "2.784", "3.141"],
    );
    assert.deepEqual(
      column("training").map((count: number) => (count / 1e6).toFixed(1)),
      ["90.8", "114.7", "138.6", "162.5", "186.4", "210.3"],
    );
    assert.match(one.stdout, /^model +bert, .*config\.json\nparameters +66,956,546 at inference\n\n/);
    assert.match(one.stdout, /^ *cores +chains +trained +parameter increase rate$/m);
    assert.match(one.stdout, /\n +5 +36 +162,508,034 +2\.427\n$/);
    assert.match(resnet.stdout, /\n +1 +0 +68,642 +1\.000\n$/);
    assert.match(wrong.stderr, /--max-rank 4: Expected a safetensors file/);
    assert.match(both.stderr, /Expected a safetensors file, or --model/);
    assert.match(neither.stderr, /Cannot read the model's description ".*nothing.*config\.json"/);
    assert.deepEqual([wrong, both, neither].map(({ code }) => code), [2, 2, 2]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
