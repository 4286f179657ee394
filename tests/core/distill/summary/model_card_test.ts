import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { withoutEnvironment } from "../../../../core/recipe/without_environment.ts";
import { cardMetadata, lastPart } from "../../../../core/distill/summary/card_metadata.ts";
import type { CardFacts } from "../../../../core/distill/summary/card_facts.ts";
import { cardText } from "../../../../core/distill/summary/model_card.ts";
import type { RunSummary } from "../../../../core/distill/summary/summary.ts";
import { labelScores } from "../../../../core/evaluate/metrics/class_scores.ts";
import { CARD_FILE } from "../../../../core/model_folder/card_file.ts";
import type { OnnxFile } from "../../../../core/onnx/export_model.ts";
import { PRECISIONS } from "../../../../core/onnx/precisions.ts";
import type { InputDescription } from "../../../../core/plugin/dataset.ts";
import type { OnnxPrecision } from "../../../../core/recipe/recipe_type.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { textData } from "../../../support/inputs.ts";
import { studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** A card in its two parts. */
async function readCard(file: string) {
  const [, yaml, text] = /^---\n([^]*?)\n---\n([^]*)$/.exec(await Deno.readTextFile(file))!;
  return { yaml, metadata: withoutEnvironment(() => parse(yaml, { version: "1.1" })), text };
}

Deno.test("a student's folder has a card with what was measured, of the student that is there", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.epochs=1"];
    const bare = await tinyRun(folder, { overrides });
    const bytes = await studentBytes(folder);
    const file = join(folder, "run", "student", CARD_FILE);
    const first = await readCard(file);
    assert.equal(first.yaml.split("\n", 1)[0], `# run ${bare.run}`);
    assert.deepEqual(Object.keys(first.metadata), ["pipeline_tag", "tags", "metrics", "model-index"]);
    assert.equal(first.metadata.pipeline_tag, "image-classification");
    assert.ok(first.text.includes(bare.studentSha256));
    assert.ok(first.text.includes("The plug-in `resnet` says of itself: Residual networks, torchvision's names."));
    assert.ok(!first.text.includes("transformers import") && !first.text.includes("transformers.js"));
    const said = ["card={license: MIT, baseModel: owner/base, dataset: owner/data}"];
    const { student, dataSha256 } = await tinyRun(folder, { overrides: [...overrides, ...said] });
    assert.deepEqual(await studentBytes(folder), bytes, "what the card says changes no weight");
    const { metadata, text } = await readCard(file);
    const { license, base_model, datasets, "model-index": [{ name, results: [result] }] } = metadata;
    assert.deepEqual([license, base_model, datasets, name], ["mit", "owner/base", ["owner/data"], "tiny"]);
    assert.deepEqual(result.task, { type: "image-classification", name: "classification" });
    assert.equal(result.dataset.split, "test");
    const hashes = result.dataset.args.files.map(({ sha256 }: { sha256: string }) => sha256);
    assert.deepEqual(hashes, Object.values(dataSha256));
    assert.deepEqual(result.metrics[0], { type: "accuracy", value: student.accuracy, name: "accuracy" });
    assert.deepEqual(result.metrics.at(-1), { type: "loss", value: student.loss, name: "loss" });
    assert.ok(text.includes(`| accuracy | ${(100 * student.accuracy!).toFixed(2)} % |`), text);
    assert.match(text, /- Fewer than 30 examples of the test are of 0, 1 and 2: /);
    // The card of the run before is where its student is.
    assert.equal((await readCard(join(folder, "run", "previous", "student", CARD_FILE))).text, first.text);
  }));

/** Facts of a text classifier whose names are what Markdown, YAML and HTML take for their own. */
function facts(changes: Partial<RunSummary["student"]> = {}, config: CardFacts["config"] = {}): CardFacts {
  const names = ["yes: | *no*", "<b>`---`</b>"];
  const recipe = parseChecked(
    tinyRecipe.replace("losses:", "card: { license: My Own Licence 1.0 }\nlosses:")
      .replace("use: idx", 'use: "/home/somebody/secret/plug|in.ts"'),
    "recipe.yaml",
    recipeSchema,
  ).value;
  const counts = [{ examples: 60, predicted: 70, correct: 50 }, { examples: 40, predicted: 30, correct: 20 }];
  const classes = counts.map((own, index) => labelScores(names[index], own));
  const metrics = { accuracy: 0.7, f1: classes[0].f1!, auc: 0.75, f1Macro: 0.6, agreement: 0.9 };
  const summary = {
    run: "1f0c5a3be1d2",
    version: "0.1.0",
    backend: "cpu",
    device: "a | machine",
    precision: "f32",
    positiveClass: names[0],
    examples: { train: 200, validation: 0, test: 100 },
    labelled: { train: 200, validation: 0, test: 100 },
    dataSha256: { "/home/somebody/secret/train|1.csv": "00ff" },
    teacher: null,
    student: {
      ...{ accuracy: 0.7, loss: 0.5, metrics, classes, spans: null, validationMetrics: null },
      ...{ parametersTraining: 200, parametersInference: 100 },
      ...changes,
    },
    merge: { maxAbsLogitDifference: 1e-6, tolerance: 1e-3, probe: 100 },
    steps: 10,
    epochs: 1,
    studentSha256: "abcd",
  } as unknown as RunSummary;
  const input = textData(names);
  return {
    recipe,
    input,
    summary,
    architecture: "bert",
    description: "Texts, | its names",
    config,
    overParameterised: new Map(),
    teacherSha256: null,
  };
}

Deno.test("names cannot break a card, and paths of the machine are not in it", () => {
  const { recipe, input, summary } = facts();
  const text = cardText(facts(), null).join("\n");
  const metadata = cardMetadata(recipe, input, summary, { transformers: false, onnx: null });
  assert.ok(!(text + JSON.stringify(metadata)).includes("somebody"));
  assert.ok(text.includes("| yes: \\| \\*no\\* | 60 |"), text);
  assert.ok(text.includes("| \\<b\\>\\`---\\`\\</b\\> | 40 |"));
  assert.ok(text.includes("| `train\\|1.csv` | `00ff` |"));
  // Every row of a table has as many cells as its head.
  for (const block of text.split("\n\n").filter((block) => block.startsWith("|"))) {
    const cells = block.split("\n").map((row) => row.replaceAll("\\|", "").split("|").length);
    assert.deepEqual(new Set(cells).size, 1, block);
  }
  assert.deepEqual([metadata.license, metadata.license_name], ["other", "My Own Licence 1.0"]);
  const [{ results: [{ metrics }] }] = metadata["model-index"] as { results: { metrics: unknown[] }[] }[];
  const score = 2 * 50 / 130;
  assert.deepEqual(metrics, [
    { type: "accuracy", value: 0.7, name: "accuracy" },
    { type: "f1", value: score, name: "f1 of yes: | *no*", args: { pos_label: "yes: | *no*" } },
    { type: "roc_auc", value: 0.75, name: "auc" },
    { type: "f1", value: 0.6, name: "f1, macro", args: { average: "macro" } },
    { type: "loss", value: 0.5, name: "loss" },
  ]);
});

Deno.test("a card says whether the test was trained on", () => {
  const own = facts();
  const limitsOf = (testCopies?: number) => {
    const text = cardText({ ...own, summary: { ...own.summary, ...testCopies !== undefined && { testCopies } } }, null);
    return text.filter((line) => line.includes("training"));
  };
  assert.ok(limitsOf().includes("- How many examples of the test are copies of training examples was not counted."));
  assert.ok(
    limitsOf(0).includes("- No test example is a copy of a training example; nearly equal ones were not looked for."),
  );
  assert.ok(limitsOf(1).some((line) => line.startsWith("- Measured: 1 of 100 test examples is a copy of training ")));
});

Deno.test("a card says what the numbers are worth", () => {
  const text = cardText(facts(), null).join("\n");
  assert.ok(
    text.includes(
      "of 100 test examples 70.00 % are right. Other examples of the same kind would give 60.42 % to 78.11 %",
    ),
  );
  assert.ok(text.includes("It takes 8 tokens at most"), text);
  const nothing = facts({ accuracy: null, loss: null, metrics: {}, classes: null });
  assert.ok(cardText(nothing, null).includes("No test example has a label, so nothing was measured."));
  assert.equal(
    "model-index" in cardMetadata(nothing.recipe, nothing.input, nothing.summary, { transformers: false, onnx: null }),
    false,
  );
});

Deno.test("a card says how to load what is there, and no more", () => {
  const config = { architectures: ["BertForSequenceClassification"], model_type: "bert" };
  const ours = cardText(facts(), null).join("\n");
  assert.ok(!ours.includes("from_pretrained") && !ours.includes("transformers.js"));
  assert.ok(ours.includes('load_file("model.safetensors")'));
  const layout = "The plug-in `bert` says of itself: Texts, \\| its names. The module is to be made by `config.json`";
  assert.ok(ours.includes(layout), ours);
  const silent = cardText({ ...facts(), description: null }, null).join("\n");
  assert.ok(!silent.includes("says of itself") && silent.includes("The module is to be made by `config.json`"));
  const theirs = cardText(facts({}, config), null).join("\n");
  assert.ok(!theirs.includes("says of itself"));
  assert.ok(theirs.includes('BertForSequenceClassification.from_pretrained(".")'));
  assert.ok(!theirs.includes("transformers.js"));
  const crf = cardText(facts({}, { ...config, crf: true, subclasses: 3 }), null).join("\n");
  assert.ok(crf.includes("It leaves out the conditional random field.") && crf.includes("a logit for each subclass"));
});

const onnxFile = (precision: OnnxPrecision): OnnxFile => ({
  ...{ file: `onnx/${PRECISIONS[precision].file}`, precision, opset: 21, bytes: 1234, operators: {} },
  ...{ foldedBatchNorms: 0, temperature: 1, milliseconds: { onnx: 1, own: 1 } },
  check: { maxAbsLogitDifference: 0.01, tolerance: 0.3, largestLogit: 2, examples: 100, of: "test" },
  metrics: precision === "fp32" ? null : { own: { accuracy: 0.7 }, onnx: { accuracy: 0.65 } },
});

Deno.test("an ONNX export's card is of the files that are there", () => {
  const bert = facts({}, { architectures: ["BertForSequenceClassification"], model_type: "bert" });
  const small = cardText(bert, [onnxFile("int8")]).join("\n");
  for (const absent of ["model.safetensors", 'from_pretrained(".")', "in this folder:", '"fp32"']) {
    assert.ok(!small.includes(absent), absent);
  }
  assert.ok(small.includes("| `onnx/model_quantized.onnx` | int8 | 1,234 | 0.010 of 2.00 | accuracy 65.00 % |"), small);
  assert.ok(small.includes('await pipeline("text-classification", "student", { dtype: "q8" });'));
  const metadata = (...onnx: OnnxFile[]) =>
    cardMetadata(bert.recipe, bert.input, bert.summary, { transformers: true, onnx });
  assert.equal(metadata(onnxFile("int8")).library_name, "transformers.js");
  assert.ok(!("model-index" in metadata(onnxFile("int8"))), "what was measured is not what is there");
  assert.ok("model-index" in metadata(onnxFile("int8"), onnxFile("fp32")));
  // Its pipelines would make a probability of 1 of every number.
  const told = (task: InputDescription["task"]) =>
    cardText({ ...bert, input: { ...bert.input, task } }, [onnxFile("fp32")]).join("\n");
  assert.ok(
    told("regression").includes("AutoModelForSequenceClassification") && !told("regression").includes("pipeline"),
  );
  assert.ok(told("embedding").includes("const { sentence_embedding } = await model("));
  assert.ok(!told("embedding").includes("SentenceTransformer"));
  assert.ok(told("multi-label").includes('pipeline("text-classification"'));
  assert.ok(told("tagging").includes('pipeline("token-classification"'));
});

Deno.test("of a path or an address its last part is told", () => {
  for (
    const [path, last] of [
      ["/home/me/data.csv", "data.csv"],
      ["C:\\Users\\me\\data.csv", "data.csv"],
      ["https://example.org/a/data.csv?token=secret#x", "data.csv"],
      ["folder/", "folder"],
      ["mail", "mail"],
    ]
  ) assert.equal(lastPart(path), last);
});
