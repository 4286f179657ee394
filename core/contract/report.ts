import { showShape } from "../tensor.ts";
import type { ContractionPlan } from "./plan.ts";
import type { Step } from "./steps.ts";

/**
 * A plan as a table, one line for each step. Operands are `#0`, `#1` and so on: the inputs, then the results of the
 * steps. After a matrix product stand its flags: `T` for an operand that is read transposed, `P` for one that is
 * permuted first.
 */
export function showPlan(plan: ContractionPlan): string {
  const first = plan.shapes.length;
  const rows = plan.steps.map((step, place) => [
    `#${first + place}`,
    step.operands.map((operand) => `#${operand}`).join(" "),
    step.pattern,
    showMethod(step),
    grouped(step.multiplyAdds),
    showShape(step.shape),
  ]);
  const header = ["result", "of", "pattern", "method", "multiply-adds", "shape"];
  const saving = plan.naiveMultiplyAdds / Math.max(1, plan.multiplyAdds);
  return [
    `contraction           ${plan.notation.pattern}`,
    `shapes                ${plan.shapes.map(showShape).join(" ")}`,
    `order                 ${
      plan.search === "optimal" ? "the best of all" : "the cheapest pair first, as there are many operands"
    }`,
    `multiply-adds         ${grouped(plan.multiplyAdds)}`,
    `  in one loop nest    ${grouped(plan.naiveMultiplyAdds)} (${
      grouped(Number(saving.toPrecision(3)))
    } times as many)`,
    `largest intermediate  ${grouped(plan.largestIntermediate)} numbers`,
    ...(rows.length > 0 ? ["", ...table([header, ...rows])] : []),
  ].join("\n");
}

function showMethod({ method }: Step): string {
  switch (method.name) {
    case "matmul":
    case "multiply": {
      const transposed = method.name === "matmul" ? [method.transposeFirst, method.transposeSecond] : [false, false];
      const marks = [method.first, method.second].map(({ order }, place) =>
        order ? "P" : transposed[place] ? "T" : "-"
      );
      const summed = method.name === "multiply" && method.sumAxes.length > 0 ? " + sum" : "";
      return `${method.name}${summed}${marks.some((mark) => mark !== "-") ? ` ${marks.join("")}` : ""}`;
    }
    default:
      return method.name;
  }
}

/** Digits in groups of three, as long as all of them are right. */
function grouped(value: number): string {
  return value < 1e15 ? value.toLocaleString("en-US") : value.toExponential(2);
}

/** Columns padded to their widest cell; multiply-adds to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => column === 4 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])).join("  ");
  return rows.map((row) => line(row).trimEnd());
}
