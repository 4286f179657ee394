import assert from "node:assert/strict";
import { join } from "node:path";
import { readDescribedModel } from "../../../core/distill/described_model.ts";
import { silent } from "../../../core/distill/progress.ts";
import { readSafetensors } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

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

Deno.test("a DeiT with fused queries, keys and values learns from a residual network", () =>
  withTinyData(async (folder) => {
    const first = await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]"] });
    const deit = recipe(
      "{ use: vit, variant: deit, qkv: fused, layers: 2, width: 16, heads: 2, ffn: 32, patch: 4, dropout: 0.1, " +
        'overParameterise: [{ layers: "*.qkv.weight", cores: 3 }] }',
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: [{ use: cross-entropy, weight: 0.5 }, { use: kd, weight: 0.5, temperature: 2 }]`,
    );
    const run = await tinyRun(folder, { text: deit, output: "student" });
    assert.equal(run.teacher!.accuracy, first.student.accuracy);
    assert.ok(run.student.accuracy! > 0.9, `the student is right in ${run.student.accuracy}`);
    assert.equal(Object.keys(run.norms).length, 2);
  }));
