import type { Evaluation } from "../../evaluate/evaluate.ts";
import { removePath } from "../../files.ts";
import { readModelWeights } from "../../model_folder/read_weights.ts";
import { checkExportable } from "../../onnx/check_exportable.ts";
import { exportModel, type OnnxFile } from "../../onnx/export_model.ts";
import { importOnnxruntime } from "../../onnx/runtime/library.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { OnnxPrecision } from "../../recipe/recipe_type.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunData } from "../load_data.ts";
import { STUDENT } from "./export_student.ts";

/** The folder of the student as ONNX, in the run folder. */
export const STUDENT_ONNX = `${STUDENT}-onnx`;

/** In what precisions a recipe wants the student as ONNX. */
function precisionsOf({ export: { onnx } }: Recipe): readonly OnnxPrecision[] {
  if (typeof onnx === "boolean") return onnx ? ["fp32"] : [];
  return [...new Set([onnx.precision].flat() as OnnxPrecision[])];
}

/**
 * Before anything is trained: that a student can be exported as the recipe asks for, and that onnxruntime is there.
 *
 * @throws UserError with the recipe's line
 */
export async function expectExportable(recipe: Checked<Recipe>, model: Model, input: InputDescription): Promise<void> {
  if (precisionsOf(recipe.value).length === 0) return;
  await recipe.within(["export", "onnx"], async () => {
    checkExportable(model, input);
    await importOnnxruntime();
  });
}

/**
 * Exports the student of a run folder to ONNX, beside it, if the recipe asks for that.
 *
 * @param test of the student, with the weights of the folder
 * @throws UserError if the export gives other logits; then there is none
 */
export async function exportOnnx(
  { ops, model, data, recipe, test }: {
    readonly ops: Ops;
    readonly model: Model;
    readonly data: RunData;
    readonly recipe: Recipe;
    readonly test: Evaluation;
  },
): Promise<OnnxFile[] | null> {
  const precisions = precisionsOf(recipe);
  const [source, out] = [STUDENT, STUDENT_ONNX].map((name) => join(recipe.output, name));
  // Of the student that this run exported before.
  await removePath(out);
  if (precisions.length === 0) return null;
  const weights = await readModelWeights(source, model, "student");
  const { dataset: { input } } = data;
  const { evaluate } = recipe;
  // With a teacher nothing is compared there.
  const { agreement: _, ...measured } = test.metrics;
  const called = { ops, model, weights, input, saysNormalisation: true, source, out, precisions, data, evaluate };
  return await exportModel({ ...called, measured });
}
