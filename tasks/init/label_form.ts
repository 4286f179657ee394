import { UserError } from "../../core/errors.ts";
import type { Asking } from "./asking.ts";
import { areMeasures, type Column, SEVERAL } from "./columns.ts";
import type { DataFlags } from "./found.ts";
import type { SeveralForm } from "./several.ts";

/** What labels are: one class, a number, or several classes in a form. */
export type LabelForm = "classification" | "regression" | SeveralForm;

/** What a column of labels says. @throws UserError where it cannot be told, and nobody is there to be asked */
export function formOf(label: Column, { task }: DataFlags, asking: Asking, file: string): LabelForm {
  const { name, several, hasLists } = label;
  if (task !== undefined && task !== "classification" && task !== "regression" && task !== "multi-label") {
    throw new UserError(`--task ${task}: Expected classification, regression or multi-label`);
  }
  if (task === "multi-label" && several === null) {
    throw new UserError(
      `--task multi-label: Cannot find several classes in "${name}" of "${file}": expected lists of JSON, or names with ` +
        '"|", ";" or "," between them',
    );
  }
  if (hasLists && (several === null || task === "classification" || task === "regression")) {
    throw new UserError(
      `Cannot take the lists in "${name}" of "${file}" for one label each: expected lists of names, or of a 0 or a 1 for ` +
        "each class, and --task multi-label",
    );
  }
  if (task === "regression" && !label.areNumbers) {
    throw new UserError(`--task regression: Cannot predict numbers as the labels in "${name}" are none`);
  }
  if (task === "multi-label") return several!;
  if (task !== undefined) return task;
  if (several?.kind === "separated") return severalUnlessOne(name, several, asking, file);
  return several ?? formOfNumbers(label, asking, file);
}

function formOfNumbers(label: Column, asking: Asking, file: string): LabelForm {
  const areNumbers = areMeasures(label);
  if (areNumbers !== null) return areNumbers ? "regression" : "classification";
  const classes = `${label.different} classes by their numbers`;
  const chosen = asking.choose({
    question: `What are the numbers in the column ${label.name} of ${file}?`,
    cannot: `Cannot tell what the numbers in the column "${label.name}" of "${file}" are`,
    flag: "--task classification or --task regression",
    choices: [classes, "amounts to be predicted"],
  });
  return chosen === classes ? "classification" : "regression";
}

/** Names with commas may be those of classes. */
function severalUnlessOne(name: string, form: SeveralForm & { kind: "separated" }, asking: Asking, file: string) {
  if (SEVERAL.test(name)) return form;
  const several = `several classes, "${form.separator}" between them`;
  const chosen = asking.choose({
    question: `What does the column ${name} of ${file} say?`,
    cannot: `Cannot tell what the column "${name}" of "${file}" says`,
    flag: "--task multi-label or --task classification",
    choices: [several, `one class, whose name may have "${form.separator}" in it`],
  });
  return chosen === several ? form : "classification";
}
