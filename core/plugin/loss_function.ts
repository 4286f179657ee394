import { UserError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Progress } from "../nn/schedules.ts";
import { weightsFrom } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import { explain } from "../recipe/explain.ts";
import { valueAt } from "../recipe/scheduled.ts";
import { listWords } from "../recipe/words.ts";
import { showShape, Tensor } from "../tensor.ts";
import type { Batch, InputDescription, Task } from "./dataset.ts";
import { optionKit } from "./kit.ts";
import type { Loss, LossDefinition, LossSetup } from "./loss.ts";
import type { Model, ModelOutputs } from "./model.ts";
import { mapOutputs, type OutputShapes } from "./output_tree.ts";
import { requiredOutputs } from "./outputs.ts";

/** A model's outputs as far as they are there: its logits at least. */
export type GivenOutputs = Pick<ModelOutputs, "logits"> & Partial<ModelOutputs>;

/** What a loss is computed from when it is called by itself. */
export interface LossInputs {
  /** What it computes with. */
  readonly ops: Ops;
  /**
   * The logits of the model that learns, or all that it gives: `[batch, classes]`, `[batch, 1]` for a regression,
   * `[batch, length, classes]` for tagging. Gradients go through them.
   */
  readonly student: Tensor | GivenOutputs;
  /** The same of the model that it learns from; for losses that have one. */
  readonly teacher?: Tensor | GivenOutputs;
  /** What is asked; by default what the shape of the logits says, which is the same for one class and for several. */
  readonly task?: Task;
  /**
   * Class numbers or, for a regression, numbers; for tagging one for each token, -1 where it does not count; for
   * several labels a 0 or a 1 for each class, `[batch, classes]`.
   */
  readonly labels?: Tensor | ArrayLike<number>;
  /** Further tensors of the batch, such as the `mask` of texts. */
  readonly batch?: Batch<Tensor>;
  /** How far training is, for options that follow a schedule; at its start by default. */
  readonly progress?: Progress;
}

/**
 * A loss as a function of logits.
 *
 * @returns a scalar
 * @throws UserError if something that the loss reads is not given
 */
export type LossFunction = (inputs: LossInputs) => Tensor;

/** The definition of a name. @throws UserError if there is none, with the name that was probably meant */
export function findLoss(name: string, known: readonly LossDefinition[]): LossDefinition {
  const found = known.find((definition) => definition.name === name);
  if (found) return found;
  const names = known.map((definition) => definition.name);
  const near = nearest(name, names);
  throw new UserError(
    `Unknown loss "${name}": ${near ? `did you mean "${near}"?` : `expected ${listWords(names, "or")}`}`,
  );
}

/**
 * A loss that is called by itself, without recipe, models and run.
 *
 * @throws UserError for a wrong option
 */
export function lossFunction(
  definition: LossDefinition,
  options: Readonly<Record<string, unknown>> = {},
): LossFunction {
  const { name } = definition;
  const schema = definition.options(optionKit);
  const checked = schema.safeParse(options);
  if (!checked.success) {
    const mistakes = explain(checked.error, schema, { value: options, path: [name], otherKeys: [] });
    throw new UserError(mistakes.map(({ sentence }) => sentence).join("\n"));
  }
  const wanting = (what: string) => (): never => {
    throw new UserError(`Cannot compute the loss "${name}" without ${what}`);
  };
  const more = (who: string, output: string) =>
    wanting(`the ${who}'s ${output}: give its outputs, not its logits alone`);
  return ({ ops, student, teacher, task, labels, batch, progress = { step: 0, totalSteps: 1, stepsPerEpoch: 1 } }) => {
    const given = { student: outputsOf(student), teacher: teacher === undefined ? null : outputsOf(teacher) };
    const { logits } = given.student;
    const ofOther = given.teacher?.logits.shape ?? logits.shape;
    if (showShape(ofOther) !== showShape(logits.shape)) {
      throw new UserError(
        `Cannot compare logits ${showShape(logits.shape)} of the student with ${showShape(ofOther)} of the teacher: ` +
          "they must be of one shape",
      );
    }
    const data = dataOf(logits, task);
    const ofStudent = complete(given.student, more("student", "pooled"));
    const ofTeacher = given.teacher && complete(given.teacher, more("teacher", "pooled"));
    const loss = createAlone(definition, checked.data, {
      ops,
      data,
      student: UNKNOWN_MODEL,
      teacher: ofTeacher && UNKNOWN_MODEL,
      trainingExamples: logits.shape[0],
      labelledExamples: logits.shape[0],
      chains: {
        student: new Map(),
        others: new Map(),
        shapes: { student: new Map(), teacher: new Map() },
        decomposeTeacher: noChains,
      },
      shapes: {
        student: complete(shapesOf(given.student), more("student", "pooled")),
        teacher: given.teacher && complete(shapesOf(given.teacher), more("teacher", "pooled")),
      },
      startsFrom: new Map(),
      sameTokens: true,
      report: () => {},
    });
    if (loss.teacherOutputs.length > 0 && !ofTeacher) wanting("a teacher: give the teacher's logits or outputs")();
    const lacking = loss.teacherOutputs.find((key) => requiredOutputs.includes(key) && !given.teacher![key]);
    if (lacking) more("teacher", lacking)();
    const none = weightsFrom(new Map());
    return loss.compute({
      ops,
      student: ofStudent,
      // The types promise a teacher to every loss; only those that say they need it may look.
      teacher: ofTeacher as ModelOutputs,
      batch: { label: labelsOf(ops, labels, logits, data.task, wanting("labels")), ...batch },
      weights: none,
      parameters: none,
      state: none,
      at: (value) => valueAt(value, progress),
    });
  };
}

/** Creates a loss of outputs alone. @throws UserError if it is of another kind */
function createAlone(definition: LossDefinition, options: unknown, setup: LossSetup): Loss {
  const refuse = (reason: string) =>
    new UserError(`Cannot compute the loss "${definition.name}" by itself as it ${reason}: it is for a run`);
  const loss = definition.create(options, setup);
  if (loss instanceof Promise) {
    loss.catch(() => {});
    throw refuse("looks at the models' weights first");
  }
  if (loss.parameters && loss.parameters.length > 0) throw refuse("has weights of its own that are trained");
  if (loss.prepare) throw refuse("looks at the training data first");
  if (loss.inputs || (loss.state && loss.state.length > 0)) throw refuse("remembers examples from step to step");
  return loss;
}

/** Stands for models of which nothing is known but their outputs. */
const UNKNOWN_MODEL: Model = {
  parameters: [],
  config: {},
  fromForeign: () => null,
  forward() {
    throw new Error("A loss called by itself has no models to run");
  },
};

const noChains = () => Promise.reject(new UserError("There are no chains where a loss is called by itself"));

const outputsOf = (given: Tensor | GivenOutputs): GivenOutputs => given instanceof Tensor ? { logits: given } : given;

/** What the shape of logits says of the data. @throws UserError for another shape */
function dataOf({ shape }: Tensor, stated?: Task): InputDescription {
  if (shape.length !== 2 && shape.length !== 3) {
    throw new UserError(
      `Cannot compute a loss of logits ${showShape(shape)}: expected [batch, classes] or [batch, length, classes]`,
    );
  }
  const count = shape.at(-1)!;
  const shown = shape.length === 3 ? "tagging" : count === 1 ? "regression" : "classification";
  const task = stated ?? shown;
  // One class that an example is of or not is several labels, too.
  if (task !== shown && !(task === "multi-label" && shape.length === 2)) {
    throw new UserError(`Cannot compute a loss of logits ${showShape(shape)} for ${task}: they are those of ${shown}`);
  }
  const classes = task === "regression" ? [] : Array.from({ length: count }, (_, index) => String(index));
  return { task, classes, image: null, text: null };
}

type GivenShapes = Pick<OutputShapes, "logits"> & Partial<OutputShapes>;

/** Outputs, or their shapes, as every model has them; what is not given refuses to be read. */
function complete(given: GivenOutputs, missing: () => never): ModelOutputs;
function complete(given: GivenShapes, missing: () => never): OutputShapes;
function complete(given: { readonly pooled?: unknown }, missing: () => never): unknown {
  const whole = { features: {}, hidden: [], attention: [], ...given };
  return given.pooled ? whole : Object.defineProperty(whole, "pooled", { get: missing });
}

/** Shapes for one example. */
function shapesOf(given: GivenOutputs): GivenShapes {
  return mapOutputs(given, ({ shape }) => [1, ...shape.slice(1)]);
}

/** The labels as a tensor; those that are not given refuse to be computed with. */
function labelsOf(ops: Ops, labels: LossInputs["labels"], logits: Tensor, task: Task, missing: () => never): Tensor {
  if (labels instanceof Tensor) return labels;
  if (labels && task === "multi-label") {
    const wrong = Array.from(labels).find((label) => label !== 0 && label !== 1);
    if (wrong === undefined) return ops.tensor(labels, logits.shape);
    throw new UserError(`Cannot use ${wrong} as a label: expected a 0 or a 1 for each class`);
  }
  if (labels) {
    const classes = logits.shape.at(-1)!;
    const wrong = classes === 1 ? undefined : Array.from(labels).find((label) => {
      return !(Number.isInteger(label) && label >= (logits.shape.length === 3 ? -1 : 0) && label < classes);
    });
    if (wrong === undefined) return ops.tensor(labels, logits.shape.slice(0, -1));
    throw new UserError(`Cannot use ${wrong} as a label: the ${classes} classes are numbered from 0`);
  }
  return new Proxy(Object.create(Tensor.prototype), { get: missing });
}
