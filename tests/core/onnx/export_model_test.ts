import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { type ExportCall, exportModel, type OnnxFile } from "../../../core/onnx/export_model.ts";
import { readGraph } from "../../../core/onnx/read_graph.ts";
import { showExport } from "../../../core/onnx/show_export.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { CHECKOUT } from "../../support/task.ts";
import { built, texts } from "./onnx_models.ts";
import { openFile } from "../../plugins/models/onnx_fixture.ts";

const saved = (name: string) => join(CHECKOUT, "plugins", "models", "data", name);

/** Runs `body` with a folder, and what exports a model of another folder into it. */
async function exporting(
  body: (
    folder: string,
    exported: (call: Partial<ExportCall> & { source: string }) => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  try {
    await body(folder, async ({ source, ...others }) => {
      const { model, input, saysNormalisation } = await readDescribedModel(source, builtins.model);
      const weights = await readModelWeights(source, model, "model", { report: () => {} });
      const evaluate = { batchSize: 8, positiveClass: null, threshold: 0.5 };
      const out = join(folder, "out");
      const call = { ops, model, weights, input, saysNormalisation, source, out, data: null, evaluate };
      return await exportModel({ ...call, precisions: ["fp32"], ...others });
    });
    assert.equal(backend.memory().storages, 0);
  } finally {
    await backend.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** A model that computes something else where only sizes are looked at: as if its graph were written wrongly. */
function twoFaced(model: Model, factor: number): Model {
  return {
    ...model,
    forward: (call) => {
      const outputs = model.forward(call);
      const isTraced = call.ops.backend.description === "sizes only";
      return { ...outputs, logits: call.ops.scale(outputs.logits, isTraced ? 1 : factor) };
    },
  };
}

Deno.test("an export whose logits are others than the model's own fails, and leaves nothing", async () => {
  await exporting(async (folder, exported) => {
    const source = saved("fashion-resnet20");
    const { model } = await readDescribedModel(source, builtins.model);
    const precisions = ["fp32", "fp16"] as const;
    const near = { source, model: twoFaced(model, 1.0005), out: join(folder, "close"), precisions };
    const [exact, half] = await exported(near) as [OnnxFile, OnnxFile];
    assert.ok(half.bytes < 0.6 * exact.bytes && exact.foldedBatchNorms === 21);
    await assert.rejects(() => exported({ source, model: twoFaced(model, 1.002) }), {
      name: "Error",
      message: /precision fp32 as onnxruntime's logits of up to \d\.\d+ differ from the model's own by up to 0\.0/,
    });
    const coarse = { source, model: twoFaced(model, 1.03), precisions: ["fp16"] as const };
    await assert.rejects(() => exported(coarse), {
      name: "UserError",
      message: /, more than 0\.02 of them; fp32 is exact$/,
    });
    await assert.rejects(() => exported({ source, model: twoFaced(model, NaN) }), /differ from .* by up to NaN/);
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    assert.deepEqual(names, ["close"]);
  });
});

Deno.test("what lacks something for an export is refused: a tokenizer, or images by which int8 is scaled", async () => {
  await exporting(async (folder, exported) => {
    await assert.rejects(() => exported({ source: saved("fashion-resnet20"), precisions: ["int8"] }), {
      name: "UserError",
      message: /^Cannot export with precision int8 without data, as convolutions .* name a recipe that has them with /,
    });
    const bare = join(folder, "bare");
    await Deno.mkdir(bare);
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(saved("mail-bert4"), name), join(bare, name));
    }
    await assert.rejects(() => exported({ source: bare }), {
      name: "UserError",
      message: /^Cannot export ".*bare" as there is no tokenizer in it, .*: expected tokenizer\.json, vocab\.txt, or /,
    });
    for (
      const [model, name, text, says] of [
        ["mail-bert4", "tokenizer.json", "{", 'json" as it is no JSON: it ends too early'],
        ["fashion-resnet20", "preprocessor_config.json", "[]", 'json": expected a JSON object'],
        ["fashion-resnet20", "preprocessor_config.json", "x", 'json" as it is no JSON: its line 1, column 1 is wrong'],
      ]
    ) {
      await Deno.copyFile(join(saved(model), "config.json"), join(bare, "config.json"));
      await Deno.copyFile(join(saved(model), "model.safetensors"), join(bare, "model.safetensors"));
      await Deno.writeTextFile(join(bare, name), text);
      const message = `Cannot export "${join(bare, name.replace(/json$/, ""))}${says}`;
      await assert.rejects(() => exported({ source: bare }), { name: "UserError", message });
    }
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["bare"]);
  });
});

Deno.test("a temperature stands in the file's metadata, and a line says what other programs must do", async () => {
  await exporting(async (folder, exported) => {
    const source = join(folder, "source");
    await Deno.mkdir(source);
    const shipped = saved("fashion-resnet20");
    await Deno.copyFile(join(shipped, "model.safetensors"), join(source, "model.safetensors"));
    const config = JSON.parse(await Deno.readTextFile(join(shipped, "config.json")));
    for (const temperature of [1.75, undefined]) {
      await Deno.writeTextFile(join(source, "config.json"), JSON.stringify({ ...config, temperature }));
      const files = await exported({ source }) as OnnxFile[];
      const { metadata } = readGraph(await Deno.readFile(join(folder, "out", files[0].file)));
      assert.deepEqual([metadata.get("temperature"), files[0].temperature], [
        temperature?.toString(),
        temperature ?? 1,
      ]);
      const last = showExport("out", files).at(-1)!;
      assert.equal(
        /^Before the softmax the logits are to be divided by the temperature 1\.75: /.test(last),
        !!temperature,
      );
    }
  });
});

Deno.test("the transitions of a CRF stand in the file's metadata, as its logits are emissions", async () => {
  await exporting(async (folder, exported) => {
    const { model, input, weights } = built("bert", { layers: 1, width: 8, heads: 2, crf: true }, texts("tagging"));
    const [file] = await exported({ source: saved("phrases-bert"), model, input, weights }) as [{ file: string }];
    const text = new TextDecoder("latin1").decode(await Deno.readFile(join(folder, "out", file.file)));
    const [, found] = /crf_transitions.{2,4}?(\{"shape":\[3,3\],"from_to":\[[^\]]*\]\})/s.exec(text)!;
    assert.deepEqual(JSON.parse(found).from_to, Array.from(weights.get("crf.transitions")!));
    // Who takes the file for a teacher, or measures it, is told that it has more than is used.
    const lines: string[] = [];
    using _opened = await openFile(join(folder, "out", file.file), {}, input, (line) => lines.push(line));
    assert.match(lines.join("\n"), /^".*model\.onnx" is of a tagger with a CRF, whose transitions are not used here: /);
  });
});
