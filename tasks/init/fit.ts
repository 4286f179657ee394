import { UserError } from "../../core/errors.ts";
import { areSameClasses, orderOfClasses, sayNothing, showClasses } from "../../core/plugin/class_names.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Asking } from "./asking.ts";
import type { FoundTeacher } from "./teacher.ts";

/** Which classes a recipe has to name so that the teacher's are the data set's. */
export interface ClassFit {
  /** For `dataset.classes`: names for what files only number; `null`: as the data set has them. */
  readonly dataset: readonly string[] | null;
  /** For `teacher.classes`; `null`: as its config.json has them. */
  readonly teacher: readonly string[] | null;
}

/** By what classes are told apart. */
export interface ClassFacts {
  /** The flag `--teacher-classes`: the data set's classes in the order of the teacher's logits. */
  readonly given: readonly string[] | null;
  /** Whether the data set's files number its classes, and nothing names them. */
  readonly isNumbered: boolean;
  /** Whether no example has a label: the classes are the teacher's then. */
  readonly isUnlabelled: boolean;
  readonly asking: Asking;
}

/** Words for what a model answers. */
const ANSWERS = {
  classification: "classes",
  regression: "a number",
  tagging: "a tag for each word",
  "multi-label": "several classes",
  embedding: "vectors of sentences",
} as const;

/**
 * Holds a teacher against a data set.
 *
 * @throws UserError if the teacher is of other data, or it cannot be told which class is which
 */
export function fitClasses(
  teacher: FoundTeacher,
  data: InputDescription,
  { given, isNumbered, isUnlabelled, asking }: ClassFacts,
): ClassFit {
  const { path, images, texts, task, outputs, classes } = teacher;
  const refuse = (reason: string) => new UserError(`--teacher ${path}: ${reason}`);
  if (data.image ? texts : images) {
    const [theirs, ours] = data.image ? ["texts", "images"] : ["images", "texts"];
    throw refuse(
      `Cannot teach by a model of ${theirs}, as the data are ${ours}: expected another teacher or other data`,
    );
  }
  if (task !== null && task !== data.task) {
    throw refuse(
      `Cannot teach by a model that answers ${ANSWERS[task]}, as the labels are ${ANSWERS[data.task]}`,
    );
  }
  if (data.task === "regression" || isUnlabelled) return { dataset: null, teacher: null };
  // Of the columns of a file of outputs those of the classes count.
  const isRecord = teacher.use === "outputs";
  const isNamedRecord = isRecord && classes.length > 0 &&
    (given !== null || data.classes.every((name) => classes.includes(name)));
  const count = classes.length > 0 ? classes.length : outputs;
  if (!isNamedRecord && count !== null && count !== data.classes.length) {
    throw refuse(
      `Cannot teach ${data.classes.length} classes, ${showClasses(data.classes)}, by a model of ${count}` +
        `${classes.length > 0 ? `, ${showClasses(classes)}` : ""}`,
    );
  }
  if (given) {
    if (!orderOfClasses(given, data.classes)) {
      throw new UserError(
        `--teacher-classes ${given.join(",")}: Expected the data's classes, ${
          showClasses(data.classes)
        }, each once, in the order of the teacher's logits`,
      );
    }
    return { dataset: null, teacher: given };
  }
  if (isNamedRecord) {
    return { dataset: null, teacher: null };
  }
  const saysNothing = classes.length === 0 || sayNothing(classes, data.classes);
  const isTold = classes.length > 0 &&
    (areSameClasses(classes, data.classes) || !saysNothing && orderOfClasses(classes, data.classes) !== null);
  if (isTold) return { dataset: null, teacher: null };
  if (isNumbered) {
    return { dataset: saysNothing ? null : classes, teacher: null };
  }
  const names = asking.say({
    question: `The data's classes in the order of the teacher's logits (${
      classes.join(", ") || "it does not name them"
    }):`,
    cannot:
      `--teacher ${path}: Cannot tell which of its classes, ${showClasses(classes) || "without names"}, is which ` +
      `of the data's, ${showClasses(data.classes)}`,
    flag: "--teacher-classes NAME,NAME,..., the data's in the order of its logits",
  }, null);
  return fitClasses(teacher, data, { given: listOf(names), isNumbered, isUnlabelled, asking });
}

/** Names between commas. */
export function listOf(text: string): string[] {
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
