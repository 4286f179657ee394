import { type LabelScores, measuredNotes } from "../../evaluate/metrics/class_scores.ts";
import { labelNote, shownMetrics } from "../../evaluate/metrics/show.ts";
import { describeTags } from "../../evaluate/metrics/spans.ts";
import { code, inline, table } from "../../model_folder/card_file.ts";
import type { OnnxFile } from "../../onnx/export_model.ts";
import type { CardFacts } from "./card_facts.ts";
import { datasetName, lastPart } from "./card_metadata.ts";
import { onnxFilesTable } from "./card_onnx.ts";
import { counted, grouped } from "./card_words.ts";

/** A table of more classes is read by nobody. */
const MOST_CLASSES = 40;

/**
 * What was measured of a student, in the Markdown of a card.
 *
 * @param onnx the files of the folder's ONNX export; `null` for the student itself
 */
export function whatWasMeasured(
  { recipe, input, summary, overParameterised }: CardFacts,
  onnx: readonly OnnxFile[] | null,
): string[] {
  const { student, teacher, positiveClass, examples, labelled, dataSha256, merge } = summary;
  const note = labelNote({ examples: examples.test, labelled: labelled.test }).map((words) => ` (${words})`).join("");
  const on = `On the ${counted(examples.test, "test example")}${note} of ${inline(datasetName(recipe))}, ${
    onnx ? "of the student that was exported, in float32:" : "with the weights as they are in this folder:"
  }`;
  const all = (metrics: Readonly<Record<string, number>>, loss: number | null) =>
    new Map([
      ...shownMetrics({ metrics, positiveClass }, Object.keys(metrics)),
      ...(loss === null ? [] : [["loss", loss.toFixed(4)] as const]),
    ]);
  const own = all(student.metrics, student.loss);
  const taught = teacher && all(teacher.metrics, teacher.loss);
  const validation = student.validationMetrics && all(student.validationMetrics, null);
  const row = (cells: readonly (string | false)[]) => cells.filter((cell) => cell !== false);
  const numbers = table([
    row(["", "student", taught !== null && "teacher", validation !== null && "student, validation"]),
    ...[...own].map(([name, value]) =>
      row([
        inline(name),
        value,
        taught !== null && (taught.get(name) ?? "-"),
        validation !== null && (validation.get(name) ?? "-"),
      ])
    ),
  ]);
  const files = Object.entries(dataSha256).map(([name, hash]) => [code(lastPart(name)), code(hash)]);
  const scores = student.spans?.map(({ type, spans, ...own }) => ({ ...own, label: type, examples: spans })) ??
    student.classes;
  const notes = measuredNotes(student.classes, student.spans).map((note) => `- ${inline(note)}.`);
  const isShort = scores !== null && scores.length > 0 && scores.length <= MOST_CLASSES;
  return [
    ...(own.size === 0 ? ["No test example has a label, so nothing was measured."] : [on, "", ...numbers]),
    ...(input.task === "tagging" ? ["", inline(`${describeTags(input.classes)}.`)] : []),
    ...(isShort ? ["", ...classTable(scores, student.spans ? "span" : "class")] : []),
    ...(notes.length > 0 ? ["", ...notes] : []),
    ...(onnx ? ["", ...onnxFilesTable(onnx, input.task)] : []),
    "",
    ...(overParameterised.size === 0 ? [] : [
      `The student gives the ${input.task === "embedding" ? "vectors" : "logits"} of ${
        [...overParameterised.values()].every(({ chain }) => chain !== null) ? "its chains" : "what it was trained as"
      } within ${merge.maxAbsLogitDifference.toPrecision(2)} on ` +
      `${counted(merge.probe, "test example")} (tolerance ${merge.tolerance}).`,
    ]),
    ...(validation && (recipe.train.restoreBest || recipe.train.earlyStopping)
      ? [
        `The ${
          counted(examples.validation, "validation example")
        } chose the epoch, so that their column is a little too ` +
        "good.",
      ]
      : []),
    ...(files.length > 0 ? ["", ...table([["data file", "SHA-256"], ...files], false)] : []),
  ];
}

function classTable(classes: readonly ClassRow[], what: string): string[] {
  const shown = (value: number | null) => value === null ? "-" : value.toFixed(4);
  return table([
    [what, "number", "precision", "recall", "f1"],
    ...classes.map(({ label, examples, precision, recall, f1 }) => [
      inline(label),
      grouped(examples),
      ...[precision, recall, f1].map(shown),
    ]),
  ]);
}

/** A class, or a type of spans. */
type ClassRow = Omit<LabelScores, "correct" | "predicted">;
