import type { AnsweredBatch } from "../../evaluate/answers.ts";
import type { Evaluation } from "../../evaluate/evaluate.ts";
import type { ClassCounts } from "../../evaluate/metrics/class_scores.ts";
import { type Confusion, confusionOf } from "../../evaluate/metrics/confusion.ts";
import type { TypeScores } from "../../evaluate/metrics/spans.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, InputDescription, Task } from "../../plugin/dataset.ts";
import type { Student } from "../student/student.ts";
import { type Calibration, calibrationOf } from "../../evaluate/metrics/calibration.ts";
import { entriesOf, type Entry } from "./entries.ts";
import { matricesOf, type MatrixRecord } from "./matrices.ts";
import { type Mistake, mistakesOf, wrongAnswers } from "./mistakes.ts";
import { severalAnswers } from "./several_labels.ts";

/** On how many answers two models are alike, and right; without labels nothing is known of the latter. */
export interface AgreementRecord {
  readonly answers: number;
  readonly alike: number;
  readonly labelled: number;
  readonly bothRight: number;
  readonly onlyStudentRight: number;
  readonly onlyTeacherRight: number;
}

/** What a run's report shows beside its log and summary: the content of `record.json`. */
export interface RunRecord {
  /** The run's id. */
  readonly run: string;
  readonly task: Task;
  readonly classes: readonly string[];
  /** What the run warned of. */
  readonly warnings: readonly string[];
  /** How many matrices are over-parameterised. */
  readonly overParameterised: number;
  /** All of these, or if they are many and large some. */
  readonly matrices: readonly MatrixRecord[];
  /** What the student is held against: the labels of the test set, or where it has none the teacher's decisions. */
  readonly truth: "labels" | "teacher" | null;
  /** How often the first class was taken for the second; what never happened is left out. */
  readonly confusion: readonly (readonly [truth: number, decided: number, count: number])[] | null;
  /** Of several labels, by class; `null` where no example has a label. */
  readonly labels: readonly ClassCounts[] | null;
  /** Where tags mark spans, by their types. */
  readonly spans: readonly TypeScores[] | null;
  readonly mistakes: readonly Mistake[];
  /** Of a regression: some of the numbers that are right, with the student's. */
  readonly points: readonly (readonly [label: number, decided: number])[] | null;
  readonly calibration: { readonly student: Calibration | null; readonly teacher: Calibration | null };
  readonly agreement: AgreementRecord | null;
}

/** The parts of a finished run that are looked at. */
export interface RecordSetup {
  readonly run: string;
  readonly ops: Ops;
  readonly input: InputDescription;
  readonly test: Examples;
  readonly student: Student;
  /** The exported student's weights. */
  readonly merged: Weights;
  /** On the test set, with answers. */
  readonly evaluation: Evaluation;
  /** The teacher's, with answers; `null` without a teacher, or where it has nothing to say about the test set. */
  readonly taught: Evaluation | null;
  /** The probability from which an example is of a class, where it may be of several. */
  readonly threshold: number;
  readonly warnings: readonly string[];
}

/** The most points of a regression. */
const MOST_POINTS = 600;

/** Looks at what a finished run came to. */
export async function recordRun(setup: RecordSetup): Promise<RunRecord> {
  const { run, ops, input, student, merged, evaluation, warnings } = setup;
  return {
    run,
    task: input.task,
    classes: input.classes,
    warnings,
    overParameterised: student.overParameterised.size,
    matrices: await matricesOf(ops, student, merged),
    spans: evaluation.spans,
    ...await (input.task === "multi-label" ? severalLabels(setup) : oneAnswer(setup)),
  };
}

type Looked = Omit<RunRecord, "run" | "task" | "classes" | "warnings" | "overParameterised" | "matrices" | "spans">;

const NOTHING = { confusion: null, labels: null, points: null, agreement: null } as const;

async function severalLabels({ input, test, evaluation, taught, threshold }: RecordSetup): Promise<Looked> {
  const counted = (batches: readonly AnsweredBatch[]) => severalAnswers(batches, input.classes.length, threshold);
  const own = counted(evaluation.answers!);
  const theirs = taught && counted(taught.answers!);
  return {
    ...NOTHING,
    truth: own.probabilities.length > 0 ? "labels" : null,
    labels: evaluation.classes && evaluation.classes.map(countsAlone),
    mistakes: await mistakesOf(own.wrong, input, test),
    calibration: {
      student: calibrationOf(own.probabilities),
      teacher: theirs && calibrationOf(theirs.probabilities),
    },
    agreement: theirs && agreementOf(own.decisions, theirs.decisions, input.task),
  };
}

async function oneAnswer({ input, test, evaluation, taught }: RecordSetup): Promise<Looked> {
  const isNumber = input.task === "regression";
  const own = entriesOf(evaluation.answers!, isNumber);
  const theirs = taught && entriesOf(taught.answers!, isNumber);
  // A teacher of taggers with other tokens answers about others.
  const comparable = theirs?.length === own.length ? theirs : null;
  const isLabelled = own.some(({ label }) => label !== null);
  const known = isLabelled || !comparable
    ? own
    : own.map((entry, at) => ({ ...entry, label: input.task === "tagging" ? null : comparable[at].decided }));
  const answered = known.filter(({ label }) => label !== null);
  const againstTeacher = () =>
    confusionOf(answered.map(({ label }) => label!), answered.map(({ decided }) => decided), input.classes.length);
  return {
    ...NOTHING,
    truth: answered.length === 0 ? null : isLabelled ? "labels" : "teacher",
    confusion: isNumber || answered.length === 0 ? null : cellsOf(evaluation.confusion ?? againstTeacher()),
    mistakes: await mistakesOf(wrongAnswers(answered, input), input, test),
    points: isNumber ? pointsOf(answered) : null,
    calibration: { student: calibrated(own), teacher: theirs && calibrated(theirs) },
    agreement: isNumber || !comparable ? null : agreementOf(own, comparable, input.task),
  };
}

const countsAlone = ({ examples, predicted, correct }: ClassCounts): ClassCounts => ({ examples, predicted, correct });

/** What happened, in order: of many classes most pairs never do. */
function cellsOf(confusion: Confusion): [number, number, number][] {
  return confusion.flatMap((row, truth) =>
    row.flatMap((count, decided): [number, number, number][] => count > 0 ? [[truth, decided, count]] : [])
  );
}

function calibrated(entries: readonly Entry[]): Calibration | null {
  return calibrationOf(entries.flatMap(({ label, decided, certainty }) => {
    return label === null || certainty === null ? [] : [{ p: certainty, right: label === decided }];
  }));
}

function pointsOf(entries: readonly Entry[]): [number, number][] {
  const every = Math.ceil(entries.length / MOST_POINTS);
  return entries.filter((_, at) => at % every === 0).map(({ label, decided }) => [label!, decided]);
}

type Decision = Pick<Entry, "label" | "decided">;

function agreementOf(own: readonly Decision[], theirs: readonly Decision[], task: Task): AgreementRecord {
  // Tokens that are not scored are decided about by nobody.
  const pairs = own.map((entry, at) => ({ ...entry, taught: theirs[at].decided }))
    .filter(({ label }) => task !== "tagging" || label !== null);
  const count = (is: (pair: typeof pairs[number]) => boolean) => pairs.filter(is).length;
  const [student, teacher] = [
    ({ label, decided }: typeof pairs[number]) => label === decided,
    ({ label, taught }: typeof pairs[number]) => label === taught,
  ];
  return {
    answers: pairs.length,
    alike: count(({ decided, taught }) => decided === taught),
    labelled: count(({ label }) => label !== null),
    bothRight: count((pair) => student(pair) && teacher(pair)),
    onlyStudentRight: count((pair) => student(pair) && !teacher(pair)),
    onlyTeacherRight: count((pair) => !student(pair) && teacher(pair)),
  };
}
