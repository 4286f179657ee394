import { type FinishedRun, metricName, scoreOf } from "../experiment/outcome.ts";
import { type Table, wrongLabelsNote } from "../experiment/tables.ts";
import { grouped } from "../support/format.ts";
import type { PlannedStage } from "./read_stages.ts";

/** What each stage's student came to, after the first one's teacher. */
export function stagesTable(name: string, planned: readonly PlannedStage[], runs: readonly FinishedRun[]): Table {
  const [{ summary: first }] = runs;
  const metric = metricName(first);
  const percent = (metrics: Readonly<Record<string, number>> | null) => {
    const score = scoreOf(metrics, metric);
    return Number.isNaN(score) ? "-" : (100 * score).toFixed(2);
  };
  const { teacher } = first;
  const taughtBy = (stage: number) => stage > 0 ? planned[stage - 1].name : teacher ? "teacher" : "labels alone";
  const rows = runs.map(({ summary: { student, seconds, epochs } }, stage) => [
    planned[stage].name,
    taughtBy(stage),
    percent(student.metrics),
    percent(student.validationMetrics),
    grouped(student.parametersInference),
    `${Number(epochs.toFixed(2))}`,
    seconds.train.toFixed(1),
  ]);
  const given = teacher ? [["teacher", "-", percent(teacher.metrics), "-", grouped(teacher.parameters), "-", "-"]] : [];
  return {
    title: name,
    header: [
      "stage",
      "taught by",
      `test ${metric} %`,
      `validation ${metric} %`,
      "parameters",
      "epochs",
      "seconds",
    ],
    rows: [...given, ...rows],
    notes: runs.flatMap(({ summary: { wrongLabels, labelled } }, stage) =>
      wrongLabels === undefined
        ? []
        : [wrongLabelsNote(planned[stage].name, { wrong: wrongLabels, labelled: labelled.train })]
    ),
  };
}
