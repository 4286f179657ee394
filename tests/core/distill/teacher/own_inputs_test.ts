import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { firstIndices } from "../../../../core/data/loader.ts";
import { openRun } from "../../../../core/distill/open_run.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { recorder, stopAt } from "../../../support/run_observers.ts";
import { runHere } from "../../../support/run_here.ts";
import { taughtTexts, textRecipe, withTextTeacher } from "../../../support/tiny_texts.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** Runs a recipe and keeps what it says. */
async function told(folder: string, text: string, overrides: readonly string[] = [], output = "run") {
  const { reporter, lines, warnings } = recorder();
  const { teacher } = await tinyRun(folder, { text, overrides, output, reporter });
  return { teacher, said: lines.join("\n"), warned: warnings.join("\n") };
}

/** Numbers the words of a vocabulary in another order. */
async function shuffledTokenizer(folder: string): Promise<void> {
  const source = join(folder, "teacher", "student");
  const target = join(folder, "shuffled");
  await Deno.mkdir(target);
  const tokenizer = JSON.parse(await Deno.readTextFile(join(source, "tokenizer.json")));
  const { vocab } = tokenizer.model;
  const words = Object.keys(vocab).filter((word) => !word.startsWith("["));
  const numbers = words.map((word) => vocab[word]);
  words.forEach((word, index) => vocab[word] = numbers[(index + 1) % numbers.length]);
  await Deno.writeTextFile(join(target, "tokenizer.json"), JSON.stringify(tokenizer));
  await Deno.copyFile(join(source, "tokenizer_config.json"), join(target, "tokenizer_config.json"));
}

Deno.test("a teacher reads texts by its own tokenizer, and a student by the data set's", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    const same = await told(folder, taughtTexts());
    assert.doesNotMatch(same.said + same.warned, /tokenizer/);
    const apart = await told(folder, taughtTexts(", tokenizer: shuffled"));
    assert.deepEqual(apart.teacher, same.teacher);
    assert.match(apart.said, /^the teacher reads texts by the tokenizer in "teacher\/student", and the student by/m);
    // The tiny texts are few, and the same in both splits.
    assert.match(apart.warned, /^30 of the 30 texts of the split "test" are training texts, too.*$/);
    const saved = await Deno.readTextFile(join(folder, "run", "student", "tokenizer.json"));
    const [ours, theirs] = await Promise.all(
      ["shuffled", "teacher/student"].map((from) => Deno.readTextFile(join(folder, from, "tokenizer.json"))),
    );
    assert.deepEqual(JSON.parse(saved).model.vocab, JSON.parse(ours).model.vocab);
    assert.notDeepEqual(JSON.parse(saved).model.vocab, JSON.parse(theirs).model.vocab);

    // The recipe's word counts, and contradicts the folder's: told, and the teacher is wrong.
    const named = await told(folder, taughtTexts(", tokenizer: shuffled", ", tokenizer: shuffled"));
    assert.match(named.warned, /teacher\.tokenizer is used, and not the tokenizer in "teacher\/student"/);
    assert.ok(named.teacher!.accuracy! < 0.9);
    await assert.rejects(
      tinyRun(folder, { text: taughtTexts("", ", tokenizer: nowhere") }),
      /tiny\.yaml:\d+:\d+: Cannot find a tokenizer in "nowhere": expected a folder with tokenizer\.json, vocab\.txt, or/,
    );
  }));

Deno.test("a teacher with its own tokenizer reads the student's texts, also where its classes have another order", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    for (const ground of ["validation: { fraction: 0.25 }", "validation: null\nsubset: { fraction: 0.6 }"]) {
      const recipe = parseChecked(
        taughtTexts(", tokenizer: shuffled").replace("validation: null", ground),
        join(folder, "tiny.yaml"),
        recipeSchema,
        { overrides: [{ path: ["output"], value: join(folder, "run"), label: "test" }] },
      );
      const backend = await CpuBackend.create();
      const { owned, data: { train, validation } } = await openRun(recipe, { backend, builtins });
      for (const examples of validation ? [train, validation] : [train]) {
        const batch = examples.batch(firstIndices(examples.length));
        const length = (name: string) => batch[name].shape[1];
        const words = Array.from(
          { length: examples.length },
          (_, row) =>
            ["tokens", "teacher 1 takes: tokens"].map((name) => batch[name].data[row * length(name) + 1]).join(" "),
        );
        // A word says the class: it has one number here, and one there.
        assert.equal(new Set(words).size, new Set(batch.label.data).size, ground);
      }
      owned[Symbol.dispose]();
      await backend.close();
    }
  }));

Deno.test("outputs are cached of a teacher with its own tokenizer as they are computed", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    const bytes = async (teacher: string, output: string) => {
      await tinyRun(folder, { text: taughtTexts(", tokenizer: shuffled", teacher), output });
      return await Deno.readFile(join(folder, output, "student", "model.safetensors"));
    };
    const computed = await bytes("", "computed");
    assert.deepEqual(await bytes(", cache: kept", "kept-run"), computed);
    assert.deepEqual(await bytes(", cache: kept", "again"), computed);
  }));

Deno.test("a mended config.json beside the weights makes another teacher, and another student", () =>
  withTextTeacher(async (folder) => {
    const heads = async (count: number) => {
      const file = join(folder, "teacher", "student", "config.json");
      const config = JSON.parse(await Deno.readTextFile(file));
      await Deno.writeTextFile(file, JSON.stringify({ ...config, heads: count, num_attention_heads: count }));
    };
    const text = taughtTexts("", ", cache: kept");
    assert.match((await told(folder, text)).said, /^teacher: outputs .* written/m);
    assert.match((await told(folder, text)).said, /^teacher: outputs read from/m);
    await heads(4);
    assert.match((await told(folder, text)).said, /^teacher: outputs .* written/m);
    const own = textRecipe(", classes: [neutral, entailment, contradiction]", "losses: [{ use: cross-entropy }]", 1)
      .replace(
        /student: .*/,
        "student: { use: bert, weights: teacher/student }",
      );
    await assert.rejects(tinyRun(folder, { text: own, output: "own", signal: stopAt(2) }), Interrupted);
    await heads(2);
    await assert.rejects(tinyRun(folder, { text: own, output: "own", resume: true }), {
      message: /as what files say of the student has changed since: start anew/,
    });
  }));

Deno.test("what compares token by token is refused between tokenizers, and what does not is not", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    const text = (losses: string) => taughtTexts(", tokenizer: shuffled").replace("losses: [{ use: kd }]", losses);
    for (
      const [losses, output] of [
        ["losses: [{ use: hidden-mse, pairs: [{ student: embeddings, teacher: embeddings }] }]", "features"],
        ["losses: [{ use: attention-mse }]", "scores"],
        ["losses: [{ use: minilm }]", "relations"],
      ]
    ) {
      await assert.rejects(tinyRun(folder, { text: text(losses) }), {
        name: "UserError",
        message: new RegExp(
          `tiny\\.yaml:\\d+:\\d+: Cannot use the loss ".*" as the teacher has another tokenizer: its ${output} of each`,
        ),
      });
    }
    await assert.rejects(tinyRun(folder, { text: text("losses: [{ use: ad-kd }]") }), {
      message: /as the teacher has another tokenizer: its attributions are of other tokens$/,
    });
    await assert.rejects(tinyRun(folder, { text: text("losses: [{ use: dbkd }]") }), {
      message: /Cannot show a teacher changed inputs that takes others than the student: it would see them unchanged$/,
    });
    await tinyRun(folder, {
      text: text("losses: [{ use: patient, pairs: [{ student: embeddings, teacher: embeddings }] }, { use: kd }]"),
    });
    await assert.rejects(
      tinyRun(folder, { text: text("losses: [{ use: kd }]"), overrides: ["train.theseus={ replacingRate: 0.5 }"] }),
      /Cannot put layers of a teacher with another tokenizer in the student's place/,
    );
  }));

Deno.test("a student that starts from a teacher has its tokenizer, unless the recipe names another", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    // On these training texts another vocabulary would be trained.
    const rows = ["neutral beta", "entailment gamma", "contradiction alpha"].flatMap((row) => {
      const [label, word] = row.split(" ");
      return ["zu", "ja", "nö", "ob"].map((other) => JSON.stringify({ text: `${other} ${word}`, label }));
    });
    await Deno.writeTextFile(join(folder, "few.jsonl"), rows.join("\n"));
    const start = (dataset: string) =>
      taughtTexts(dataset).replace("attentionDropout: 0 }", "attentionDropout: 0, initialise: { from: teacher } }")
        .replace("train: train.jsonl", "train: few.jsonl").replace("batchSize: 16", "batchSize: 6");
    const own = await told(folder, start(""));
    assert.equal(own.teacher!.accuracy, 1);
    assert.doesNotMatch(own.said + own.warned, /tokenizer/);
    const other = await told(folder, start(", tokenizer: shuffled"));
    assert.equal(other.teacher!.accuracy, 1);
    assert.match(
      other.warned,
      /the student starts from "teacher\/student", whose tokenizer numbers tokens otherwise .* set it to "teacher\/student"/,
    );
  }));

Deno.test("a saved model of texts is evaluated by its own tokenizer", () =>
  withTextTeacher(async (folder) => {
    await shuffledTokenizer(folder);
    const recipe = join(folder, "other.yaml");
    const order = "classes: [neutral, entailment, contradiction]";
    await Deno.writeTextFile(recipe, textRecipe(`, tokenizer: shuffled, ${order}`));
    const args = [join(folder, "teacher", "student"), "--recipe", recipe, "--backend", "cpu"];
    const { code, stdout, stderr } = await runHere("evaluate", args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /texts are read by the tokenizer in ".*", which makes other tokens than the data set's/);
    assert.match(stdout, /accuracy +100\.00 %/);
  }));

/** A recipe with a teacher of images; `mean` and `std` are the student's. */
const taughtImages = (teacher = "", dataset = "mean: [0.9], std: [0.1]") =>
  tinyRecipe
    .replace("  test: {", dataset === "" ? "  test: {" : `  ${dataset.replace(", ", "\n  ")}\n  test: {`)
    .replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student${teacher} }\nlosses: [{ use: kd }]`,
    );

Deno.test("a teacher's images are normalised as its folder says, and the student's as the data set's", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher" });
    const one = ["train.epochs=1"];
    // What config.json says comes before what another file says.
    const processor = join(folder, "teacher", "student", "preprocessor_config.json");
    const saidThere = await Deno.readTextFile(processor);
    await Deno.writeTextFile(processor, JSON.stringify({ ...JSON.parse(saidThere), image_mean: [7] }));
    const same = await told(folder, taughtImages("", ""), one);
    assert.doesNotMatch(same.said + same.warned, /normalised/);
    const apart = await told(folder, taughtImages(), one);
    assert.ok(Math.abs(apart.teacher!.loss! - same.teacher!.loss!) < 1e-5);
    assert.match(
      apart.said,
      /^the teacher's images are 8 x 8, normalised by mean 0\.\d+ and deviation 0\.\d+, as ".*config\.json" says$/m,
    );
    const own = await Deno.readTextFile(join(folder, "run", "student", "config.json"));
    assert.deepEqual(JSON.parse(own).input.normalise, { mean: [0.9], std: [0.1] });

    const contradicted = await told(folder, taughtImages(", normalise: { mean: [0.9], std: [0.1] }"), one);
    assert.match(
      contradicted.warned,
      /^teacher\.normalise is used, though ".*config\.json" says 8 x 8, normalised by/m,
    );
    assert.ok(Math.abs(contradicted.teacher!.loss! - same.teacher!.loss!) > 0.1);

    // A folder of Hugging Face's kind says it in another file.
    await Deno.writeTextFile(processor, saidThere);
    const saved = join(folder, "teacher", "student", "config.json");
    const { input: _, ...rest } = JSON.parse(await Deno.readTextFile(saved));
    await Deno.writeTextFile(saved, JSON.stringify(rest));
    const foreign = await told(folder, taughtImages(), one);
    assert.ok(Math.abs(foreign.teacher!.loss! - same.teacher!.loss!) < 1e-5);
    assert.match(foreign.said, /as ".*preprocessor_config\.json" says$/m);

    const starting = taughtImages().replace("  depth: 8", "  initialise: { from: teacher }\n  depth: 8");
    assert.match(
      (await told(folder, starting, one)).warned,
      /the student starts from "teacher\/student", whose images were normalised otherwise .* mean: \[0\.\d+\] and std/,
    );
  }));

Deno.test("one of several teachers takes images of another size, with the same flips and shifts", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher" });
    const others = `, others: [{ use: resnet, depth: 8, width: 4, weights: teacher/student, imageSize: 12 }]`;
    const overrides = ["train.epochs=1", "augment={ flip: true, shift: 2 }"];
    const { said, warned, teacher } = await told(folder, taughtImages(others, ""), overrides);
    assert.match(said, /^the teacher's images are 12 x 12, normalised by/m);
    assert.match(warned, /^teacher\.others\.0\.imageSize is used, though ".*" says 8 x 8/m);
    assert.ok(teacher!.accuracy! > 0.3);
    // Two of different sizes: each has its own images, whichever comes first.
    const sized = (first: number, second: number) => {
      const other = `{ use: resnet, depth: 8, width: 4, weights: teacher/student, imageSize: ${second} }`;
      return told(folder, taughtImages(`, imageSize: ${first}, others: [${other}]`, ""), overrides);
    };
    const [one, other, twice] = [await sized(6, 12), await sized(12, 6), await sized(6, 6)];
    assert.ok(Math.abs(one.teacher!.loss! - other.teacher!.loss!) < 1e-5);
    assert.ok(Math.abs(one.teacher!.loss! - twice.teacher!.loss!) > 1e-3);
    await assert.rejects(
      tinyRun(folder, { text: taughtImages(", normalise: { mean: [0, 0], std: [1, 1] }", "") }),
      /Cannot normalise 1 channels by 2 means and 2 deviations: one each is needed/,
    );
    await assert.rejects(
      tinyRun(folder, { text: taughtImages(", imageSize: 8192", "") }),
      /tiny\.yaml:\d+:\d+: Cannot give the teacher its images: batches of 500 images of 8192 x 8192 take 125\.0 GiB, and 2 are/,
    );
    await assert.rejects(
      tinyRun(folder, { text: taughtImages(", tokenizer: x", "") }),
      /tiny\.yaml:\d+:\d+: Cannot use a tokenizer for images/,
    );
  }));

Deno.test("outputs that were cached of pictures made otherwise are not used", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher" });
    const saved = (name: string) => join(folder, "teacher", "student", name);
    const { input: _, ...rest } = JSON.parse(await Deno.readTextFile(saved("config.json")));
    await Deno.writeTextFile(saved("config.json"), JSON.stringify(rest));
    const processor = JSON.parse(await Deno.readTextFile(saved("preprocessor_config.json")));
    const student = async (resample: number, cache: string) => {
      const own = { ...processor, size: { height: 5, width: 7 }, resample };
      await Deno.writeTextFile(saved("preprocessor_config.json"), JSON.stringify(own));
      await tinyRun(folder, { text: taughtImages(cache, ""), overrides: ["train.epochs=1"] });
      return await Deno.readFile(join(folder, "run", "student", "model.safetensors"));
    };
    const [nearest, bilinear] = [await student(0, ""), await student(2, "")];
    assert.notDeepEqual(nearest, bilinear);
    assert.deepEqual(await student(0, ", cache: kept"), nearest);
    assert.deepEqual(await student(2, ", cache: kept"), bilinear);
  }));

Deno.test("outputs of several teachers are not used once a file that says of images is another one's", () =>
  withTinyData(async (folder) => {
    const saved = (teacher: string, name: string) => join(folder, teacher, "student", name);
    for (const [index, teacher] of ["teacher", "other"].entries()) {
      await tinyRun(folder, { output: teacher, overrides: [`seed=${index}`] });
      const { input: _, ...rest } = JSON.parse(await Deno.readTextFile(saved(teacher, "config.json")));
      await Deno.writeTextFile(saved(teacher, "config.json"), JSON.stringify(rest));
    }
    const name = "preprocessor_config.json";
    const processor = JSON.parse(await Deno.readTextFile(saved("teacher", name)));
    await Deno.remove(saved("other", name));
    const resized = { ...processor, size: { height: 5, width: 7 } };
    await Deno.writeTextFile(saved("teacher", name), JSON.stringify(resized));
    const others = ", others: [{ use: resnet, depth: 8, width: 4, weights: other/student }]";
    const student = async (cache: string) => {
      await tinyRun(folder, { text: taughtImages(others + cache, ""), overrides: ["train.epochs=1"] });
      return await Deno.readFile(join(folder, "run", "student", "model.safetensors"));
    };
    const first = await student(", cache: kept");
    await Deno.rename(saved("teacher", name), saved("other", name));
    const second = await student("");
    assert.notDeepEqual(second, first);
    assert.deepEqual(await student(", cache: kept"), second);
  }));

Deno.test("a saved model of images is evaluated on images in its own form", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher" });
    const recipe = join(folder, "other.yaml");
    const run = async (text: string) => {
      await Deno.writeTextFile(recipe, text);
      const args = [join(folder, "teacher", "student"), "--recipe", recipe, "--backend", "cpu", "--json"];
      const { code, stdout, stderr } = await runHere("evaluate", args);
      assert.equal(code, 0, stderr);
      return { report: JSON.parse(stdout), stderr };
    };
    const same = await run(tinyRecipe);
    const apart = await run(tinyRecipe.replace("  test: {", "  mean: [0.9]\n  std: [0.1]\n  test: {"));
    assert.ok(Math.abs(apart.report.loss - same.report.loss) < 1e-5);
    assert.match(apart.stderr, /images are 8 x 8, normalised by mean .* as ".*config\.json" says/);
    assert.doesNotMatch(same.stderr, /normalised/);
  }));
