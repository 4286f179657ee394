import { shownMetrics } from "../../evaluate/metrics/show.ts";
import { code, codeBlock, inline, table } from "../../model_folder/card_file.ts";
import type { OnnxFile } from "../../onnx/export_model.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { OnnxPrecision } from "../../recipe/recipe_type.ts";

/** What transformers.js calls the precisions. */
const DTYPES: Readonly<Record<OnnxPrecision, string>> = { fp32: "fp32", fp16: "fp16", int8: "q8" };

/** The files of an ONNX export, and how far each is from the student, in the Markdown of a card. */
export function onnxFilesTable(files: readonly OnnxFile[], task: InputDescription["task"]): string[] {
  const what = task === "embedding" ? "vectors" : "logits";
  return table([
    ["file", "precision", "bytes", `largest difference of ${what}`, "measured"],
    ...files.map(({ file, precision, bytes, check, metrics }) => [
      code(file),
      precision,
      bytes.toLocaleString("en"),
      `${check.maxAbsLogitDifference.toPrecision(2)} of ${check.largestLogit.toPrecision(3)}`,
      inline(metrics ? shownMetrics({ metrics: metrics.onnx }).map((pair) => pair.join(" ")).join(", ") || "-" : "-"),
    ]),
  ], false);
}

/** How an ONNX export is loaded, in the Markdown of a card. */
export function onnxLoading(files: readonly OnnxFile[], { task, text }: InputDescription): string[] {
  const dtype = DTYPES[files[0].precision];
  return [
    "With [transformers.js](https://huggingface.co/docs/transformers.js), where this folder is `models/student`:",
    "",
    ...codeBlock("js", transformersJs(task, text !== undefined, dtype)),
    "",
    `With ONNX Runtime, the file ${code(files[0].file)} by itself: what it takes and gives has its names in it.`,
    "",
    task === "embedding"
      ? "The same student for PyTorch, and for the program that made it, is in the folder `student` beside this one."
      : "With the program that made it: `deno task evaluate FILE.onnx --recipe RECIPE`. The same student for PyTorch is " +
        "in the folder `student` beside this one.",
  ];
}

/** Its pipelines make probabilities of logits by softmax, except of several labels of texts. */
function transformersJs(task: InputDescription["task"], isText: boolean, dtype: string): string {
  const pipeline = task === "tagging"
    ? "token-classification"
    : task === "classification"
    ? isText ? "text-classification" : "image-classification"
    : task === "multi-label" && isText
    ? "text-classification"
    : null;
  if (pipeline !== null) {
    return 'import { env, pipeline } from "@huggingface/transformers";\n\nenv.localModelPath = "models";\n' +
      `const run = await pipeline("${pipeline}", "student", { dtype: "${dtype}" });`;
  }
  const kind = task === "embedding"
    ? "AutoModel"
    : isText
    ? "AutoModelForSequenceClassification"
    : "AutoModelForImageClassification";
  const former = isText ? "AutoTokenizer" : "AutoProcessor";
  const form = isText ? "tokenizer" : "processor";
  const inputs = isText ? 'tokenizer(["a text"], { padding: true, truncation: true })' : "await processor(image)";
  const answer = task === "embedding"
    ? "const { sentence_embedding } = "
    : task === "multi-label"
    ? "const { logits } = /* sigmoid(logits) are the probabilities */ "
    : "const { logits } = /* the numbers themselves */ ";
  return `import { ${former}, ${kind}, env } from "@huggingface/transformers";\n\nenv.localModelPath = "models";\n` +
    `const ${form} = await ${former}.from_pretrained("student");\n` +
    `const model = await ${kind}.from_pretrained("student", { dtype: "${dtype}" });\n` +
    `${answer}await model(${inputs});`;
}
