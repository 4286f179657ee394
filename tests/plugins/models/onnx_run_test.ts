import assert from "node:assert/strict";
import { join } from "node:path";
import { silent } from "../../../core/distill/progress.ts";
import { testBackends } from "../../support/backends.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { recorder } from "../../support/run_observers.ts";
import { textRecipe, writeTinyTexts } from "../../support/tiny_texts.ts";
import { FIXTURES, onnxBytes } from "./onnx_fixture.ts";

/** scikit-learn's model of the tiny data's classes, which takes pixels from 0 to 1. */
const teacher = "use: onnx, weights: rows.onnx, outputs: { probabilities: output_probability }, " +
  "normalise: { mean: [0], std: [1] }";

function recipe(settings: string, losses = "[{ use: kd, temperature: 2 }]"): string {
  return tinyRecipe.replace("losses: [{ use: cross-entropy }]", `teacher: { ${settings} }\nlosses: ${losses}`);
}

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    await Deno.copyFile(join(FIXTURES, "rows.onnx"), join(folder, "rows.onnx"));
    await body(folder);
  });
}

testBackends(
  "a model of scikit-learn is distilled into a ResNet of chains, in steps that are replayed",
  async (backend) => {
    await withTeacher(async (folder) => {
      const whole = backend.name === "cpu";
      // A few steps are enough where a software GPU computes: that the numbers are right, other tests say.
      const overrides = whole ? [] : ["train.maxSteps=3"];
      const { teacher: taught, student, steps } = await tinyRun(folder, { text: recipe(teacher), overrides, backend });
      assert.equal(taught!.accuracy, 1);
      assert.equal(taught!.parameters, 64 * 3 + 3);
      assert.equal(steps, whole ? 25 : 3);
      if (whole) assert.ok(student.accuracy! > 0.9, `the student is right in ${student.accuracy}, with no labels`);
      assert.equal(backend.memory().storages, 0);
    });
  },
);

Deno.test("a cache, a replay and neither give the same student", async () => {
  await withTeacher(async (folder) => {
    const short = ["train.maxSteps=6"];
    const losses: number[][] = [];
    for (const overrides of [[], ["train.replay=false"], ["teacher.cache=cache"], ["teacher.cache=cache"]]) {
      const run = await tinyRun(folder, { text: recipe(teacher), overrides: [...short, ...overrides] });
      losses.push([run.student.loss!, run.student.accuracy!]);
    }
    losses.forEach((loss) => assert.deepEqual(loss, losses[0]));
  });
});

Deno.test("mixed images are refused, of which it would see the first alone", () =>
  withTeacher(async (folder) => {
    for (const way of ["mixup", "cutmix"]) {
      await assert.rejects(tinyRun(folder, { text: recipe(teacher), overrides: [`augment={ ${way}: 0.2 }`] }), {
        name: "UserError",
        message: new RegExp(
          `Cannot mix images for a teacher that another library computes, .* alone; set ${way} to 0$`,
        ),
      });
    }
  }));

Deno.test("what was cached of another model is not used, and a run does not go on with another", async () => {
  await withTeacher(async (folder) => {
    const lines: string[] = [];
    const reporter = { ...silent, line: (line: string) => void lines.push(line) };
    const run = { text: recipe(teacher), overrides: ["teacher.cache=cache", "train.maxSteps=2"], reporter };
    const file = join(folder, "rows.onnx");
    await tinyRun(folder, run);
    await tinyRun(folder, run);
    // A field that the format does not know changes the file alone.
    await Deno.writeFile(file, Uint8Array.of(0xf8, 0x3f, 1), { append: true });
    await tinyRun(folder, run);
    const told = lines.filter((line) => line.startsWith("teacher: outputs")).map((line) => line.includes("written"));
    assert.deepEqual(told, [true, false, true]);
    await Deno.writeFile(file, Uint8Array.of(0xf8, 0x3f, 2), { append: true });
    await assert.rejects(tinyRun(folder, { ...run, resume: true }), /the teacher has changed since/);
  });
});

Deno.test("it teaches together with one of ours and with another ONNX model, each on its own inputs", async () => {
  await withTeacher(async (folder) => {
    const ours = "use: resnet, depth: 8, width: 4, weights: ours/student";
    const unsure = teacher.replace("std: [1]", "std: [9]");
    await tinyRun(folder, { text: tinyRecipe, output: "ours", overrides: ["train.maxSteps=6"] });
    const lossOf = async (main: string, other: string | null, cache: string[] = []) => {
      const others = other === null ? "" : `, others: [{ ${other} }]`;
      const run = { text: recipe(main + others, "[{ use: kd }]"), overrides: ["train.maxSteps=2", ...cache] };
      const { teacher, student } = await tinyRun(folder, run);
      return [teacher!.loss!, student.loss!] as const;
    };
    const [alone] = await lossOf(teacher, null);
    const [both, taught] = await lossOf(teacher, ours);
    assert.notEqual(both, alone);
    assert.deepEqual(await lossOf(teacher, ours, ["teacher.cache=cache"]), [both, taught]);
    assert.ok(Math.abs((await lossOf(ours, teacher))[0] - both) < 1e-5);
    // Two of a kind find their own numbers in the batch.
    const [mixed] = await lossOf(teacher, unsure);
    assert.ok(Math.abs(mixed - alone) > 1e-3);
    assert.ok(Math.abs((await lossOf(unsure, teacher))[0] - mixed) < 1e-5);
  });
});

Deno.test("its images are normalised as the file beside it says, which needs no config.json", async () => {
  await withTeacher(async (folder) => {
    const own = join(folder, "model", "onnx");
    await Deno.mkdir(own, { recursive: true });
    await Deno.copyFile(join(folder, "rows.onnx"), join(own, "model.onnx"));
    const processor = { do_resize: false, do_rescale: true, do_normalize: true, image_mean: [0], image_std: [1] };
    const text = recipe("use: onnx, weights: model/onnx, outputs: { probabilities: output_probability }");
    const overrides = ["train.maxSteps=1"];
    const { reporter, lines } = recorder();
    await Deno.writeTextFile(join(own, "preprocessor_config.json"), JSON.stringify(processor));
    const { teacher } = await tinyRun(folder, { text, overrides, reporter });
    assert.equal(teacher!.accuracy, 1);
    assert.ok(
      lines.some((line) => /^the teacher's images are 8 x 8, .* as ".*preprocessor_config.json" says$/.test(line)),
    );
    // Hugging Face's folders have the model in one of its own.
    const whole = text.replace("model/onnx", "model, normalise: { mean: [0], std: [1] }");
    assert.equal((await tinyRun(folder, { text: whole, overrides })).teacher!.loss, teacher!.loss);
  });
});

Deno.test("its texts are read by the tokenizer beside it, and classes in another order are told", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "alpha", "beta", "gamma", "a", "b"];
    const values = words.flatMap((word) => ["beta", "alpha", "gamma"].map((own) => word === own ? 40 : 0));
    await Deno.writeFile(
      join(folder, "model.onnx"),
      onnxBytes({
        nodes: [["Gather", ["words", "input_ids"], "states"], ["ReduceMean", ["states", "axis"], "logits"]],
        inputs: [{ name: "input_ids", shape: ["n", "length"], type: 7 }],
        outputs: [{ name: "logits", shape: ["n", 1, 3] }],
        constants: [
          { name: "words", shape: [words.length, 3], values },
          { name: "axis", shape: [1], values: [1], type: 7 },
        ],
        opset: 18,
      }),
    );
    await Deno.writeTextFile(join(folder, "vocab.txt"), words.join("\n") + "\n");
    await writeTinyTexts(folder);
    const taught = (settings: string) =>
      textRecipe("", `teacher: { use: onnx, weights: model.onnx${settings} }\nlosses: [{ use: kd }]`, 1);
    const { reporter, lines } = recorder();
    const { teacher } = await tinyRun(folder, {
      text: taught(", classes: [neutral, contradiction, entailment]"),
      reporter,
    });
    assert.equal(teacher!.accuracy, 1);
    assert.ok(
      lines.some((line) => line.startsWith('the teacher reads texts by the tokenizer in "."')),
      lines.join("\n"),
    );
    const { reporter: other, warnings } = recorder();
    await tinyRun(folder, { text: taught(""), reporter: other });
    assert.match(warnings.join("\n"), /would be on 100\.0 % if its answers were taken in another order/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an ONNX student is refused at its place in the recipe", async () => {
  await withTeacher(async (folder) => {
    const text = recipe(teacher).replace(/student:\n( {2}.*\n)+/, "student: { use: onnx }\n");
    await assert.rejects(tinyRun(folder, { text }), /tiny\.yaml.*: Cannot train the model "onnx"/s);
  });
});
