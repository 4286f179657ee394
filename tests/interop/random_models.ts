import { Random } from "../../core/data/random.ts";
import { exportStudent } from "../../core/distill/student/export_student.ts";
import type { SavedModel } from "../../core/model_folder/read_folder.ts";
import { Stopwatch } from "../../core/distill/stopwatch.ts";
import { Student } from "../../core/distill/student/student.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { OverParameterised } from "../../core/overparameterise/weight_provider.ts";
import { weightProviders } from "../../core/overparameterise/weight_providers.ts";
import type { Model, ParameterSpec } from "../../core/plugin/model.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { sizeOf } from "../../core/tensor.ts";
import type { Sample } from "./samples.ts";

/** What the export asks a recipe: how the matrices are over-parameterised, and what is verified. */
const recipe = parseChecked(
  `name: interop
dataset: { use: any }
student: { use: any, overParameterise: [{ layers: "*", cores: 3 }] }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 1, optimiser: { use: sgd, learningRate: 1 } }
`,
  "interop.yaml",
  recipeSchema,
);

/** Numbers of a size at which every part of a model counts. */
export function randomWeights(model: Model, random: Random): Map<string, Float32Array> {
  return new Map(model.parameters.map((spec) => [spec.name, randomTensor(spec, random.split(spec.name))]));
}

function randomTensor({ name, shape }: ParameterSpec, random: Random): Float32Array {
  const isTable = name.includes("embedding") && !name.includes("projection");
  const scale = shape.length === 1 ? 0.3 : isTable ? 1 : 1.5 / Math.sqrt(sizeOf(shape.slice(1)));
  const around = /norm.*weight$/i.test(name) ? 1 : 0;
  return Float32Array.from({ length: sizeOf(shape) }, () => around + scale * random.normal());
}

/**
 * Writes a student folder as a run does: every matrix that may be is a chain of three cores, merged for the export.
 *
 * @param folder gets the folder `student`
 */
export async function exportRandom(
  ops: Ops,
  folder: string,
  { architecture, model, weights }: SavedModel,
  { input, examples }: Sample,
): Promise<void> {
  const chains = new Map<string, OverParameterised>();
  const place = { device: ops.device, random: new Random(0) };
  for (const [name, provider] of weightProviders(recipe.part("student").part("overParameterise"), model)) {
    chains.set(name, { provider, start: await provider.start(weights.get(name)!, place) });
  }
  const student = new Student(ops, model, chains, weights);
  const dataset = { input, splits: { train: examples, test: examples } };
  const { verify } = recipe.value;
  const setup = {
    ops,
    student,
    verify,
    data: { dataset, test: examples },
    folder,
    run: "random",
    architecture,
    watch: new Stopwatch(),
  };
  const exported = await exportStudent(setup);
  exported.weights.dispose();
  student.dispose();
}
