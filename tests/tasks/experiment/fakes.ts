import { parseChecked } from "../../../core/recipe/checked.ts";
import type { RunSummary } from "../../../core/distill/summary/summary.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { UserError } from "../../../core/errors.ts";
import type { Row, Scalar, Tuning } from "../../../tasks/experiment/experiment.ts";
import type { FinishedRun } from "../../../tasks/experiment/outcome.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

const PATH = ["train", "optimiser", "learningRate"];

/** Two learning rates, tried with one seed. */
export const fakeTuning: Tuning = {
  key: PATH.join("."),
  values: [0.1, 0.2],
  seeds: [1],
  common: null,
  change: (value: Scalar) => ({ path: PATH, value, label: "values" }),
};

/** A row that sets the width, so that rows are different recipes. */
export function fakeRow(name: string, width: number, more: Partial<Row> = {}): Row {
  return {
    name,
    folder: name,
    equalSeconds: null,
    recipe: (changes) =>
      parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, { overrides: [`student.width=${width}`, ...changes] }),
    error: (sentence) => new UserError(sentence),
    ...more,
  };
}

/** What a run may have come to. */
export interface FakeNumbers {
  readonly test: number;
  readonly validation?: number;
  readonly train?: number;
  readonly seconds?: number;
  readonly epochs?: number;
  readonly rate?: number;
  readonly device?: string;
}

/** A finished run of 1,000 parameters at inference. */
export function fakeRun(
  seed: number,
  { test, validation, train, seconds = 10, epochs = 5, rate = 1, device }: FakeNumbers,
) {
  const metrics = (accuracy: number | undefined) => accuracy === undefined ? null : { accuracy };
  const summary = {
    student: {
      accuracy: test,
      metrics: { accuracy: test },
      validationAccuracy: validation ?? null,
      validationMetrics: metrics(validation),
      trainMetrics: metrics(train),
      parametersTraining: 1000 * rate,
      parametersInference: 1000,
      parameterIncreaseRate: rate,
    },
    seconds: { train: seconds, total: seconds + 1 },
    epochs,
    device,
    peakBytes: 1_500_000 + seed,
  } as unknown as RunSummary;
  return { folder: `run-${seed}-of-${seconds}-s`, seed, summary, diagnostics: [] } satisfies FinishedRun;
}
