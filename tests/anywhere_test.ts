import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKOUT, runDeno } from "./support/task.ts";
import { tinyRecipe, withTinyData } from "./support/tiny_run.ts";

/** Trains a teacher, distils it, and asks the student, on the files that are in use when it begins. */
const RUN = `
  const { backend } = await openBackend("cpu");
  for (const name of ["teacher", "student"]) {
    const recipe = await readRecipe(\`\${name}.yaml\`, { overrides: [\`output=\${name}\`, "train.epochs=1"] });
    const { merge, student } = await distill(recipe, { backend, builtins });
    console.log(name, merge.maxAbsLogitDifference <= merge.tolerance ? "verified" : "unverified", student.accuracy);
  }
  const files = currentFiles();
  for (const folder of ["student", "student/student"]) {
    console.log((await files.list(folder)).map(({ name }) => name).sort().join(" "));
  }
  const weights = await files.read("student/student/model.safetensors");
  console.log(new Uint8Array(await crypto.subtle.digest("SHA-256", weights)).toHex());
  using model = await openModel("student/student", { backend });
  console.log(JSON.stringify(await model.predict({ images: new Uint8Array(64).fill(100) })));
  for (const path of ["nowhere/a.yaml", "student", "student.yaml/a"]) {
    console.log(await readRecipe(path).catch((error) => \`\${error.name}: \${error.message}\`));
  }
`;

/** The same on files in memory, of a program that has no permission at all. */
const ANYWHERE = `
  import { currentFiles, distill, memoryFiles, openBackend, readRecipe, useFiles } from "@opdf/opdf/core";
  import { builtins, openModel } from "@opdf/opdf/plugins";
  import content from "./content.json" with { type: "json" };

  const files = Object.entries(content).map(([path, text]) => [path, Uint8Array.fromBase64(text)]);
  useFiles(memoryFiles(Object.fromEntries(files)));
  {${RUN}}
`;

/** The same on a disk. */
const IN_DENO = `
  import { builtins, currentFiles, distill, openBackend, openModel, readRecipe } from "@opdf/opdf";
  {${RUN}}
`;

const FLAGS = ["run", "--no-check", "--no-prompt", "--no-lock", "--config", join(CHECKOUT, "deno.json")];

Deno.test("core and plug-ins distil on files in memory, without any permission, and give what they give on a disk", () =>
  withTinyData(async (folder) => {
    const teacher = "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\n";
    await Deno.writeTextFile(join(folder, "teacher.yaml"), tinyRecipe);
    await Deno.writeTextFile(join(folder, "student.yaml"), tinyRecipe.replace("student:", `${teacher}student:`));
    const content: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(folder)) {
      content[name] = (await Deno.readFile(join(folder, name))).toBase64();
    }
    await Deno.writeTextFile(join(folder, "content.json"), JSON.stringify(content));
    const run = async (name: string, program: string, permissions: readonly string[]): Promise<string> => {
      await Deno.writeTextFile(join(folder, name), program);
      const { code, stdout, stderr } = await runDeno([...FLAGS, ...permissions, join(folder, name)], {}, folder);
      assert.deepEqual([code, stderr], [0, ""]);
      return stdout;
    };
    const inMemory = await run("anywhere.ts", ANYWHERE, []);
    assert.match(inMemory, /^teacher verified .*\nstudent verified .*\n/);
    assert.match(inMemory, /\ncheckpoint metrics\.json metrics\.jsonl recipe\.yaml student\n/);
    assert.equal(inMemory, await run("in_deno.ts", IN_DENO, ["--allow-read", "--allow-write"]));
  }));

Deno.test("a program that has not said which files it uses is told to, and keeps those that it said", () =>
  withTinyData(async (folder) => {
    const program = `
      import { currentFiles, memoryFiles, readRecipe, useFiles } from "@opdf/opdf/core";
      console.log(await readRecipe("a.yaml").catch((error) => \`\${error.name}: \${error.message}\`));
      const files = memoryFiles();
      useFiles(files);
      await import("@opdf/opdf");
      console.log(currentFiles() === files);
    `;
    await Deno.writeTextFile(join(folder, "program.ts"), program);
    const { stdout, stderr } = await runDeno([...FLAGS, join(folder, "program.ts")], {}, folder);
    assert.deepEqual([stdout, stderr], [
      "UserError: Cannot use files before it is said which: import the package's main entry, or call " +
      "useFiles(memoryFiles())\ntrue\n",
      "",
    ]);
  }));
