import assert from "node:assert/strict";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import type { LossDefinition, LossSetup } from "../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import type { Tensor } from "../../core/tensor.ts";
import { buildLoss, lossCall, outputs } from "./losses.ts";
import { assertClose } from "./numbers.ts";
import { imageData } from "./inputs.ts";

/** What a loss compares. */
export interface Models {
  readonly student: ModelOutputs;
  readonly teacher: ModelOutputs;
}

/** What a check of a loss may vary. */
export interface LossVariation {
  readonly labels?: readonly number[];
  /** Tensors of the batch: labels of tokens, a mask. */
  readonly batch?: Readonly<Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>>;
  readonly setup?: Partial<LossSetup>;
}

/** Builds a loss as the pipeline does, hands it only the teacher's outputs that it asks for, and computes it. */
export async function lossTensor(
  ops: Ops,
  definition: LossDefinition,
  options: Record<string, unknown>,
  models: Models,
  { labels, setup, batch: others = {} }: LossVariation = {},
): Promise<() => Tensor> {
  const loss = await buildLoss(ops, definition, options, models, setup);
  const asked = Object.entries(models.teacher).filter(([key]) => loss.teacherOutputs.includes(key as "logits"));
  const teacher = Object.fromEntries(asked) as unknown as ModelOutputs;
  const batch: Record<string, Tensor> = labels ? { label: ops.tensor(labels) } : {};
  for (const [name, { data, shape }] of Object.entries(others)) batch[name] = ops.tensor(data, shape);
  return () => loss.compute(lossCall(ops, models.student, teacher, { batch }));
}

/** The value of a loss. */
export async function lossValue(...call: Parameters<typeof lossTensor>): Promise<number> {
  return (await (await lossTensor(...call))().read())[0];
}

/** d loss / d student, by the tape. */
export async function lossGradient(
  backend: Backend,
  definition: LossDefinition,
  options: Record<string, unknown>,
  shape: readonly number[],
  values: ArrayLike<number>,
  modelsOf: (ops: Ops, student: Tensor) => Models,
  variation?: LossVariation,
) {
  const ops = createOps(backend);
  const student = ops.tensor(values, shape);
  const compute = await lossTensor(ops, definition, options, modelsOf(ops, student), variation);
  return await ops.differentiate(compute, [student]).gradients[0]!.read();
}

/** Asserts that the gradient by the student's tensor agrees with central differences; for float64. */
export async function assertLossGradient(...call: Parameters<typeof lossGradient>): Promise<void> {
  const [backend, definition, options, shape, values, modelsOf, variation] = call;
  const analytic = await lossGradient(...call);
  const ops = createOps(backend);
  const step = 1e-5;
  const numeric = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const at = (x: number) => {
      const models = modelsOf(ops, ops.tensor(Float64Array.from(values).with(i, x), shape));
      return lossValue(ops, definition, options, models, variation);
    };
    numeric[i] = (await at(values[i] + step) - await at(values[i] - step)) / (2 * step);
  }
  const largest = Math.max(...numeric.map(Math.abs));
  assert.ok(largest > 1e-3, `the gradient is there: ${largest}`);
  assertClose([...analytic].map((x) => x / largest), numeric.map((x) => x / largest), 1e-7, "gradient");
}

/** Models of which only the logits `[rows, columns]` matter. */
export function logitModels(ops: Ops, student: ArrayLike<number>, teacher: ArrayLike<number>, columns: number): Models {
  const of = (data: ArrayLike<number>) => outputs(ops.tensor(data, [data.length / columns, columns]));
  return { student: of(student), teacher: of(teacher) };
}

/** A set-up with so many classes that collects what the loss reports. */
export function setupOf(classes: number): { setup: Partial<LossSetup>; lines: string[] } {
  const lines: string[] = [];
  const data = imageData([1, 1, 1], Array.from({ length: classes }, (_, index) => `class ${index}`));
  return { setup: { data, report: (line) => void lines.push(line) }, lines };
}

/** Asserts what a user reads who writes these options, as YAML, in a recipe. */
export function assertRefusal(definition: LossDefinition, yaml: string, message: string): void {
  assert.throws(() => parseChecked(yaml, "recipe.yaml", definition.options(optionKit)), { message });
}
