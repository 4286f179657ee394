import * as Plot from "@observablehq/plot";
import { showBytes } from "../../core/show_bytes.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { grouped, percent } from "../support/format.ts";
import { type Child, grid, section, table } from "./elements.ts";
import { draw, figure, seriesColour } from "./plots.ts";
import type { RunFiles } from "./read_run.ts";

/** Parameters, bytes and seconds. */
export function cost({ summary, bytes }: RunFiles): Child {
  if (!summary) return null;
  const { student, teacher, seconds: { total, ...stages }, peakBytes } = summary;
  const share = (count: number) => teacher ? ` (1/${(teacher.parameters / count).toFixed(1)} of the teacher's)` : "";
  const rows = [
    ...(teacher ? [["the teacher's parameters", grouped(teacher.parameters)]] : []),
    [
      "the student's parameters in training",
      `${grouped(student.parametersTraining)} (× ${student.parameterIncreaseRate.toFixed(2)})`,
    ],
    [
      "the student's parameters at inference",
      grouped(student.parametersInference) + share(student.parametersInference),
    ],
    ...prunedRows(summary),
    ...factorRows(summary),
    ...(bytes === null ? [] : [["bytes of the student's weights", `${grouped(bytes)} (${showBytes(bytes)})`]]),
    ["most memory that the run took on the device", showBytes(peakBytes)],
    ["steps", grouped(summary.steps)],
    ["logits of the merged student differ by up to", summary.merge.maxAbsLogitDifference.toExponential(1)],
  ];
  const times = Object.entries(stages).map(([stage, seconds]) => ({ stage, seconds }));
  return section(
    "What it takes",
    withoutHead(table(["", ""], rows)),
    grid(
      "charts",
      figure(
        `Seconds of each stage, ${total.toFixed(1)} in all`,
        null,
        draw(
          `Seconds of each stage: ${times.map(({ stage, seconds }) => `${stage} ${seconds.toFixed(1)}`).join(", ")}`,
          {
            width: 460,
            height: 46 + 26 * times.length,
            marginLeft: 84,
            marginRight: 56,
            marginTop: 4,
            marginBottom: 36,
            style: { fontSize: "12px" },
            x: { label: "seconds", labelAnchor: "center", labelArrow: "none", ticks: 5, zero: true },
            y: { label: null, domain: times.map(({ stage }) => stage), tickSize: 0 },
            marks: [
              Plot.barX(times, { x: "seconds", y: "stage", fill: seriesColour(0), insetTop: 3, insetBottom: 3 }),
              Plot.text(times, {
                x: "seconds",
                y: "stage",
                text: ({ seconds }: { seconds: number }) => seconds.toFixed(1),
                textAnchor: "start",
                dx: 4,
              }),
            ],
          },
        ),
      ),
    ),
  );
}

/** What pruning left of the student. */
function prunedRows({ pruning, student: { parametersInference: all } }: RunSummary): string[][] {
  if (!pruning) return [];
  const { structure, method, nonZeros, weights, widths } = pruning;
  const what = `pruned by ${method}`;
  if (structure === "channels") {
    const shown = Object.entries(widths).filter(([, [before, after]]) => after < before)
      .map(([name, sizes]) => `${name} ${sizes.join(" → ")}`);
    return [[`${what}: channels that are left`, shown.length > 0 ? shown.join(", ") : "all"]];
  }
  const zeros = Object.entries(weights).map(([name, { numbers, nonZeros }]) =>
    `${name} ${percent(1 - nonZeros / numbers)}`
  );
  return [
    [`${what}, ${structure}: parameters that are not zero`, `${grouped(nonZeros)} (${percent(nonZeros / all)})`],
    ["zeros of each pruned weight", zeros.slice(0, 40).join(", ") + (zeros.length > 40 ? ", ..." : "")],
  ];
}

/** Weights that were cut to two factors. */
function factorRows({ factors }: RunSummary): string[][] {
  if (!factors) return [];
  const cuts = Object.entries(factors.weights).map(([name, { rank, fullRank, error }]) =>
    `${name} ${rank} of ${fullRank} (${percent(error)})`
  );
  const shown = cuts.slice(0, 40).join(", ") + (cuts.length > 40 ? ", ..." : "");
  return [["kept as factors: singular values that are left (relative error)", shown]];
}

function withoutHead(whole: HTMLElement | null): HTMLElement | null {
  whole?.querySelector("thead")?.remove();
  return whole;
}
