import type { AssessCall, Assessed, Assessment } from "../assessment.ts";
import { logitsOf } from "../logits.ts";
import { percentOf } from "../numbers.ts";
import type { Shown } from "../shown.ts";
import { type CalibrationScores, calibrationScores } from "./scores.ts";
import { fitTemperature, type NoTemperature } from "./temperature.ts";

/** The probabilities of one model. */
export interface SubjectCalibration {
  readonly subject: string;
  /** On the test examples, as the model answers. */
  readonly own: CalibrationScores;
  /** The temperature that its config.json states; 1 if it states none. */
  readonly statedTemperature: number;
  /** That which was fitted on the validation examples; `null`: see `reason`. */
  readonly temperature: number | null;
  /** On the test examples, at that temperature. */
  readonly fitted: CalibrationScores | null;
  /** Why there is none: a sentence. */
  readonly reason: string | null;
}

/** ECE, Brier score and NLL as the models answer, and after temperature scaling. */
export const calibration: Assessment = {
  name: "calibration",
  title: "Calibration",
  description: "how far the probabilities are to be believed, and at which temperature more so",
  usual: true,
  assess,
};

async function assess({ ops, subjects, settings: { batchSize } }: AssessCall): Promise<Assessed> {
  const all: SubjectCalibration[] = [];
  for (const subject of subjects) {
    const { name, examples, validation, otherData, temperature: stated } = subject;
    const test = await logitsOf(ops, subject, examples, { batchSize });
    const held = validation && await logitsOf(ops, subject, validation, { batchSize });
    const temperature = held ? fitTemperature(held) : "no validation";
    const isFitted = typeof temperature === "number";
    all.push({
      subject: name,
      own: calibrationScores(test, stated),
      statedTemperature: stated,
      temperature: isFitted ? temperature : null,
      fitted: isFitted ? calibrationScores(test, temperature) : null,
      reason: isFitted ? null : otherData === null ? reasonOf(temperature) : `Cannot fit a temperature: ${otherData}`,
    });
  }
  return { result: { subjects: all }, shown: shownOf(all) };
}

function reasonOf(reason: NoTemperature | "no validation"): string {
  switch (reason) {
    case "no validation":
      return "Cannot fit a temperature: the recipe has no validation examples with a label (validation)";
    case "always right":
      return "Cannot fit a temperature: the model is right about all validation examples, so that the colder the " +
        "better; more of them are needed";
    case "no better than chance":
      return "Cannot fit a temperature: on the validation examples the logits say no more than chance";
  }
}

function shownOf(all: readonly SubjectCalibration[]): Shown[] {
  const header = ["", "temperature", "accuracy", "ECE", "ECE, equal mass", "Brier", "NLL"];
  const row = (name: string, temperature: number, scores: CalibrationScores) => [
    name,
    temperature.toFixed(3),
    percentOf(scores.accuracy),
    percentOf(scores.equalWidth.error),
    percentOf(scores.equalMass.error),
    scores.brier.toFixed(4),
    scores.nll.toFixed(4),
  ];
  return [
    {
      kind: "table",
      title: "Test examples, as the model answers and after temperature scaling on the validation examples",
      header,
      rows: all.flatMap(({ subject, own, statedTemperature, temperature, fitted }) => [
        row(subject, statedTemperature, own),
        ...(fitted ? [row(`${subject}, scaled`, temperature!, fitted)] : []),
      ]),
    },
    ...all.flatMap(({ subject, reason }): Shown[] =>
      reason === null ? [] : [{ kind: "note", text: `${subject}: ${reason}.` }]
    ),
    ...all.flatMap(({ subject, own, fitted }): Shown[] => [
      { kind: "reliability", title: subject, calibration: own.equalWidth },
      ...(fitted
        ? [{ kind: "reliability", title: `${subject}, scaled`, calibration: fitted.equalWidth } as const]
        : []),
    ]),
  ];
}
