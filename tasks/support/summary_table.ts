import { join } from "node:path";
import { CONFIG_FILE } from "../../core/model_folder/config_file.ts";
import { WEIGHTS_FILE } from "../../core/model_folder/stored_tensors.ts";
import { measuredNotes } from "../../core/evaluate/metrics/class_scores.ts";
import { labelNote, shownMetrics } from "../../core/evaluate/metrics/show.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { counted, grouped, scientific } from "./format.ts";
import type { Styles } from "./output.ts";
import { alignColumns } from "./table.ts";

/**
 * A run's result as lines for people.
 *
 * @param folder the run folder
 * @param report the page that was drawn of it, if it was
 */
export function showSummary(
  summary: RunSummary,
  folder: string,
  { strong }: Styles,
  report: string | null = null,
): string[] {
  const { merge, seconds, examples, labelled } = summary;
  const [header, ...rows] = alignColumns(resultRows(summary), ["left", "right"]);
  const { total, ...stages } = seconds;
  const time = Object.entries({ ...stages, total }).map(([stage, value]) => `${stage} ${value.toFixed(1)}`).join(", ");
  const difference = `${scientific(merge.maxAbsLogitDifference)} between factored and merged student on ` +
    `${counted(merge.probe, "test example")} (tolerance ${scientific(merge.tolerance)})`;
  const { train, validation, test } = examples;
  const skipped = summary.skipped.reduce((sum, { count }) => sum + count, 0);
  return [
    strong(header),
    ...rows,
    "",
    ...alignColumns([
      ["logit difference", difference],
      [
        "examples",
        [
          countOf("training", train, labelled.train),
          countOf("validation", validation, labelled.validation),
          countOf("test", test, labelled.test),
        ].join(", ") +
        (skipped > 0 ? `; ${grouped(skipped)} skipped` : ""),
      ],
      ...measuredNotes(summary.student.classes, summary.student.spans).map((note) => ["scores", note]),
      ["seconds", time],
      ["student", join(folder, "student", `{${CONFIG_FILE},${WEIGHTS_FILE}}`)],
      ["record", join(folder, "{metrics.json,metrics.jsonl,recipe.yaml}")],
      ...(report === null ? [] : [["report", report]]),
    ], ["left"]),
  ];
}

/** `240 training (labels for 12)` */
function countOf(name: string, examples: number, labelled: number): string {
  const note = labelNote({ examples, labelled }).map((words) => ` (${words})`).join("");
  return `${grouped(examples)} ${name}${note}`;
}

/** One column for the student, and one before it for the teacher if there is one. */
function resultRows(summary: RunSummary): string[][] {
  const { recipe, positiveClass, teacher, student } = summary;
  const row = (name: string, taught: string, own: string) => teacher ? [name, taught, own] : [name, own];
  const taught = new Map(teacher ? shownMetrics({ ...teacher, positiveClass }) : []);
  return [
    row(recipe, "teacher", "student"),
    ...shownMetrics({ ...student, positiveClass }).map(([name, value]) =>
      row(`test ${name}`, taught.get(name) ?? "-", value)
    ),
    ...(student.loss === null ? [] : [row("test loss", teacher?.loss?.toFixed(4) ?? "-", student.loss.toFixed(4))]),
    row("parameters in training", "-", grouped(student.parametersTraining)),
    // A file of outputs has none.
    row(
      "parameters at inference",
      teacher?.parameters ? grouped(teacher.parameters) : "-",
      grouped(student.parametersInference),
    ),
    row("parameter increase rate", "-", student.parameterIncreaseRate.toFixed(2)),
    ...lessened(summary).map(([name, own]) => row(name, "-", own)),
  ];
}

/** What pruning and factors left of the student. */
function lessened({ pruning, factors }: RunSummary): [name: string, own: string][] {
  const rows: [string, string][] = [];
  if (pruning?.structure === "channels") {
    const [before, after] = [0, 1].map((side) =>
      Object.values(pruning.widths).reduce((sum, sizes) => sum + sizes[side], 0)
    );
    rows.push([`channels left by ${pruning.method}`, `${grouped(after)} of ${grouped(before)}`]);
  } else if (pruning) {
    rows.push([`not zero, ${pruning.structure} by ${pruning.method}`, grouped(pruning.nonZeros)]);
  }
  if (factors) {
    const errors = Object.values(factors.weights).map(({ error }) => error);
    rows.push(["weights kept as factors", grouped(errors.length)]);
    rows.push(["largest error of a cut", `${(100 * Math.max(...errors)).toFixed(1)} %`]);
  }
  return rows;
}
