/** The text of a program that distils the tiny recipe with the package, on the backend that `open` opens. */
export const distilling = (name: string, open: string) => `
import { builtins, currentFiles, distill, openBackend, openModel, readRecipe } from "@opdf/opdf";

const { backend } = await ${open};
console.log(backend.description);
for (const role of ["teacher", "student"]) {
  const overrides = ["output=${name}/" + role, "train.epochs=1"];
  if (role === "student") overrides.push("teacher.weights=${name}/teacher/student");
  const { merge, student } = await distill(await readRecipe(role + ".yaml", { overrides }), { backend, builtins });
  console.log(role, merge.maxAbsLogitDifference <= merge.tolerance ? "verified" : "unverified", student.accuracy);
}
const weights = await currentFiles().read("${name}/student/student/model.safetensors");
const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", weights));
console.log(Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""));
const model = await openModel("${name}/student/student", { backend });
console.log(JSON.stringify(await model.predict({ images: new Uint8Array(64).fill(100) })));
console.log(await readRecipe("nowhere.yaml").catch((error) => error.name + ": " + error.message));
`;

/** The text of a program whose recipe asks for a package that is not there. */
export const WITHOUT_PACKAGE = `
import { builtins, distill, memoryFiles, openBackend, readRecipe, useFiles } from "@opdf/opdf";

const dataset = "{ use: mail, package: npm:@stdlib/nowhere-to-be-found@1.0.0, classes: { a: [a], b: [b] } }";
const student = "{ use: bert, layers: 1, width: 8, heads: 1, ffn: 8 }";
const recipe = "name: a\\nseed: 0\\ndataset: " + dataset + "\\nstudent: " + student +
  "\\nlosses: [{ use: cross-entropy }]\\ntrain: { epochs: 1, batchSize: 2 }\\n";
useFiles(memoryFiles({ "recipe.yaml": recipe }));
const { backend } = await openBackend("cpu", { threads: 2 });
await distill(await readRecipe("recipe.yaml"), { backend, builtins }).catch((error) => console.log(error.message));
`;

/** A program whose types are the package's. */
export const TYPED = `
import { createOps, distill, type Files, nodeFiles, openBackend, readRecipe, useFiles } from "@opdf/opdf";
import { decomposeMatrix, memoryFiles, Run } from "@opdf/opdf/core";
import { builtins, openModel } from "@opdf/opdf/plugins";

const files: Files = nodeFiles;
useFiles(files);
const recipe = await readRecipe("recipe.yaml");
const { backend } = await openBackend("auto", { threads: 2 });
const { student } = await distill(recipe, { backend, builtins });
const accuracy: number | null | undefined = student.accuracy;
const ops = createOps(backend);
const x = ops.matmul(ops.tensor([1, 2], [1, 2]), ops.tensor([1, 2], [2, 1]));
ops.scale(ops.add(x, x), 2);
// @ts-expect-error: scale takes a number
ops.scale(x);
// @ts-expect-error: there is no such operation
ops.nonsense(x);
// @ts-expect-error: a text is no number
const wrong: number = backend.name;
// @ts-expect-error: nor is this a backend
await openBackend("gpu");
console.log(accuracy, wrong, x.shape, decomposeMatrix, memoryFiles, Run, openModel);
`;
