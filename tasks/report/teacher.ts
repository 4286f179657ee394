import * as Plot from "@observablehq/plot";
import type { Calibration } from "../../core/evaluate/metrics/calibration.ts";
import type { RunRecord } from "../../core/distill/record/record.ts";
import { grouped, percent } from "../support/format.ts";
import { type Child, element, grid, section, table } from "./elements.ts";
import { draw, figure, seriesColour } from "./plots.ts";
import type { RunFiles } from "./read_run.ts";

/** What is decided about, by task. */
const WHAT = {
  classification: "test examples",
  tagging: "test tokens",
  "multi-label": "classes of test examples",
  regression: "test examples",
  embedding: "test texts",
} as const;

/** How the student's answers lie to the teacher's, and how far the probabilities of both are to be believed. */
export function besideTeacher({ record }: RunFiles): Child {
  if (!record) return null;
  const { calibration: { student, teacher }, agreement, task } = record;
  const parts = task === "multi-label" ? "each class of each test example" : "each test example";
  return section(
    teacher || agreement ? "Teacher and student" : "How sure it is",
    agreement && [
      element(
        "p",
        {},
        "They decide alike on ",
        element("b", {}, percent(agreement.alike / agreement.answers)),
        ` of ${grouped(agreement.answers)} ${WHAT[task]}.`,
      ),
      agreement.labelled > 0 ? rightAndWrong(agreement) : null,
    ],
    student || teacher
      ? [
        element("h3", {}, "Calibration"),
        element(
          "p",
          { class: "faint" },
          `How often answers of some certainty are right, for ${parts}: bars that reach the dashed line say as much as ` +
            "is true, lower ones too much. The paler a bar, the fewer answers are there. ECE, the expected calibration " +
            "error, is the mean distance.",
        ),
        grid(
          "charts",
          student && reliability("Student", student, seriesColour(0)),
          teacher && reliability("Teacher", teacher, "var(--series-3)"),
        ),
      ]
      : null,
  );
}

function rightAndWrong(agreement: NonNullable<RunRecord["agreement"]>): Child {
  const { labelled, bothRight, onlyStudentRight, onlyTeacherRight } = agreement;
  const bothWrong = labelled - bothRight - onlyStudentRight - onlyTeacherRight;
  const cell = (count: number) => `${grouped(count)} (${percent(count / labelled)})`;
  return table(["", "teacher right", "teacher wrong"], [
    ["student right", cell(bothRight), cell(onlyStudentRight)],
    ["student wrong", cell(onlyTeacherRight), cell(bothWrong)],
  ]);
}

/** The bars of how often answers of some certainty are right. */
export function reliability(who: string, { bins, error }: Calibration, colour: string): HTMLElement {
  const most = Math.max(...bins.map(({ count }) => count));
  const shown = bins.flatMap(({ count, certainty, right }, index) => {
    if (count === 0) return [];
    const title = `${grouped(count)} answers, sure by ${percent(certainty)}, right ${percent(right)}`;
    const opacity = 0.2 + 0.8 * Math.sqrt(count / most);
    return [{ x1: index / bins.length, x2: (index + 1) / bins.length, right, title, opacity }];
  });
  return figure(
    `${who}: ECE ${percent(error)}`,
    null,
    draw(`${who}: part of the answers that are right by certainty, expected calibration error ${percent(error)}`, {
      width: 460,
      height: 300,
      marginLeft: 48,
      marginBottom: 36,
      style: { fontSize: "12px" },
      x: { label: "certainty", labelAnchor: "center", labelArrow: "none", domain: [0, 1], tickFormat: ".0%" },
      y: { label: "right", labelArrow: "none", domain: [0, 1], grid: true, tickFormat: ".0%" },
      marks: [
        Plot.rect(shown, {
          x1: "x1",
          x2: "x2",
          y1: 0,
          y2: "right",
          fill: colour,
          fillOpacity: "opacity",
          title: "title",
          insetLeft: 0.5,
          insetRight: 0.5,
        }),
        Plot.line([[0, 0], [1, 1]], { stroke: "currentColor", strokeDasharray: "6 4" }),
      ],
      opacity: { type: "identity" },
    }),
  );
}
