import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../core/data/random.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { silent } from "../../../core/distill/progress.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { readSafetensors } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { vit } from "../../../plugins/models/vit/vit.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { images } from "./vit_fixture.ts";

const optimiser = "{ use: adamw, learningRate: 0.004 }";

/** The tiny recipe with a vision transformer as its student. */
const recipe = (student: string, rest = "", epochs = 6) =>
  tinyRecipe.slice(0, tinyRecipe.indexOf("student:")) + `
student: ${student}
${rest}
train: { epochs: ${epochs}, batchSize: 16, logEvery: 5, optimiser: ${optimiser} }
`;

const teacher = recipe(
  "{ use: vit, layers: 4, width: 16, heads: 2, ffn: 32, patch: 4 }",
  "losses: [{ use: cross-entropy }]",
);

const student = recipe(
  "{ use: vit, config: teacher/student, layers: 2, initialise: { from: teacher, layers: mapped }, " +
    'overParameterise: [{ layers: ["vit.encoder.*", "*.projection.weight"], cores: 3 }] }',
  `teacher: { use: vit, weights: teacher/student }
losses:
  - { use: kd, temperature: 2 }
  - { use: tensor-alignment, weight: 0.1 }
  - { use: minilm, student: 1, teacher: 3 }
  - { use: attention-mse, weight: 0.1 }`,
  1,
);

Deno.test("a ViT is trained, and a smaller one distilled from its folder in chains, merged and saved", () =>
  withTinyData(async (folder) => {
    const first = await tinyRun(folder, { text: teacher, output: "teacher" });
    assert.ok(first.student.accuracy! > 0.9, `the teacher is right in ${first.student.accuracy}`);

    const lines: string[] = [];
    const reporter = { ...silent, line: (line: string) => void lines.push(line) };
    const run = await tinyRun(folder, { text: student, output: "student", reporter });
    assert.ok(lines.some((line) => line.startsWith("the student's layers start as the teacher's")), lines.join("\n"));
    assert.equal(run.teacher!.accuracy, first.student.accuracy);
    assert.ok(run.student.accuracy! > 0.9, `the student is right in ${run.student.accuracy}`);
    assert.equal(Object.keys(run.norms).length, 13, "the matrices of both layers and the patches' were chains");
    assert.ok(run.student.parameterIncreaseRate > 1.3);

    const saved = join(folder, "student", "student");
    const { architecture, model } = await readDescribedModel(saved, builtins.model);
    assert.equal(architecture, "vit");
    assert.deepEqual(model.layerPrefixes, ["vit.encoder.layer.0.", "vit.encoder.layer.1."]);
    const { tensors } = await readSafetensors(join(saved, "model.safetensors"));
    assert.deepEqual([...tensors.keys()].sort(), model.parameters.map(({ name }) => name).sort());
  }));

Deno.test("a DeiT with fused queries, keys and values learns labels and a residual network's decisions by heads", () =>
  withTinyData(async (folder) => {
    const first = await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]"] });
    const deit = recipe(
      "{ use: vit, variant: deit, qkv: fused, layers: 2, width: 16, heads: 2, ffn: 32, patch: 4, dropout: 0.1, " +
        'overParameterise: [{ layers: "*.qkv.weight", cores: 3 }] }',
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses:
  - { use: cross-entropy, weight: 0.5, head: class }
  - { use: hard-distillation, weight: 0.5, head: distillation }`,
    );
    const run = await tinyRun(folder, { text: deit, output: "student" });
    assert.equal(run.teacher!.accuracy, first.student.accuracy);
    assert.ok(run.student.accuracy! > 0.9, `the student is right in ${run.student.accuracy}`);
    assert.deepEqual(
      Object.keys(run.norms),
      [0, 1].map((i) => `deit.encoder.layer.${i}.attention.attention.qkv.weight`),
    );
    const { tensors } = await readSafetensors(join(folder, "student", "student", "model.safetensors"));
    assert.deepEqual([...tensors.keys()].filter((name) => name.includes("qkv")), [], "saved apart");

    // And again as a teacher, of a student of the other form that starts from it.
    const next = recipe(
      "{ use: vit, config: student/student, qkv: split, initialise: { from: teacher, layers: first } }",
      `teacher: { use: vit, weights: student/student }
losses: [{ use: kd, head: distillation, temperature: 2 }]`,
      1,
    );
    const again = await tinyRun(folder, { text: next, output: "next" });
    assert.equal(again.teacher!.accuracy, run.student.accuracy);
    assert.ok(again.student.accuracy! > 0.9, `the next student is right in ${again.student.accuracy}`);
  }));

Deno.test("a ViT trained on images of another size is continued and distilled, and the run says so", () =>
  withTinyData(async (folder) => {
    const saved = join(folder, "large");
    const config = { model_type: "vit", num_hidden_layers: 2, hidden_size: 16, num_attention_heads: 2, patch_size: 4 };
    const large = vit.build(vit.fromConfig!(config, vit.options(optionKit).parse({})), images([12, 8, 1], 3));
    await writeModelFolder(saved, "vit", large, images([12, 8, 1], 3), freshWeights(large, new Random(1)));
    const distilled = async (teacher: string) => {
      const losses = "losses: [{ use: cross-entropy }, { use: kd, weight: 0 }]";
      const text = recipe("{ use: vit, weights: large }", `teacher: { use: vit, weights: large${teacher} }\n${losses}`);
      const lines: string[] = [];
      const reporter = { ...silent, line: (line: string) => void lines.push(line) };
      const run = await tinyRun(folder, { text, output: "run", reporter });
      return { run, lines: lines.filter((line) => /position|images/.test(line)) };
    };
    const said = "position embeddings of 3 x 2 patches are interpolated to 2 x 2";
    // The teacher takes images of its own size, unless the recipe says otherwise.
    const { run, lines } = await distilled("");
    assert.match(lines[0], /^the teacher's images are 12 x 8, normalised by mean/);
    assert.deepEqual(lines.slice(1), [`student: ${said}`]);
    const small = await distilled(", imageSize: 8, normalise: { mean: [0], std: [1] }");
    assert.match(small.lines[0], /^the teacher's images are 8 x 8, normalised by mean 0 and deviation 1$/);
    assert.deepEqual(small.lines.slice(1), [`teacher: ${said}`, `student: ${said}`]);
    assert.ok(run.student.accuracy! > 0.9, `the student is right in ${run.student.accuracy}`);
    const { model } = await readDescribedModel(join(folder, "run", "student"), builtins.model);
    assert.equal(model.config.image_size, 8);
  }));
