import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKOUT, runDeno } from "./support/task.ts";
import { tinyRecipe, withTinyData } from "./support/tiny_run.ts";

/** A user's program: it trains a teacher and distils it, and reads tables and mails, each package having its turn. */
const PROGRAM = `
  import { builtins, distill, openBackend, readRecipe } from "${new URL("../mod.ts", import.meta.url).href}";

  const { backend } = await openBackend("cpu");
  for (const name of ["teacher", "student", "table", "mail"]) {
    const recipe = await readRecipe(\`\${name}.yaml\`, { overrides: [\`output=\${name}\`, "train.epochs=1"] });
    const { merge } = await distill(recipe, { backend, builtins });
    console.log(name, merge.maxAbsLogitDifference <= merge.tolerance ? "verified" : "unverified");
  }
  await backend.close();
  const engine = await import(["npm:@tensorflow", "tfjs-core@4.22.0"].join("/"));
  console.log("tensorflow", typeof engine.tensor);
`;

const bert = "{ use: bert, layers: 1, width: 8, heads: 2 }";
const recipeOf = (dataset: string) =>
  `name: text\ndataset: ${dataset}\nstudent: ${bert}\nlosses: [{ use: cross-entropy }]\nvalidation: { count: 4 }\n` +
  "train: { epochs: 1, batchSize: 4, optimiser: { use: adamw, learningRate: 0.001 } }\n";

Deno.test("a program that uses the library needs --allow-read and --allow-write alone", () =>
  withTinyData(async (folder) => {
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    const words = ["good", "bad"];
    const rows = Array.from({ length: 24 }, (_, index) => ({ word: words[index % 2], index }));
    const table = ["text,label", ...rows.map(({ word, index }) => `"a ${word}, ${index}",${word}`)].join("\n");
    for (const name of ["table.csv", "test.csv"]) await write(name, table);
    for (const word of words) await Deno.mkdir(join(folder, "mails", word), { recursive: true });
    for (const { word, index } of rows) {
      await write(join("mails", word, `${index}.eml`), `Subject: ${word}\n\na ${word} mail, number ${index}\n`);
    }
    const text = "maxLength: 8, vocabularySize: 60";
    await write("teacher.yaml", tinyRecipe);
    await write(
      "student.yaml",
      tinyRecipe.replace(
        "student:",
        "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nstudent:",
      ),
    );
    await write("table.yaml", recipeOf(`{ use: text-table, train: table.csv, test: test.csv, ${text} }`));
    await write("mail.yaml", recipeOf(`{ use: mail, folder: mails, classes: { good: [good], bad: [bad] }, ${text} }`));
    await write("program.ts", PROGRAM);
    const { code, stdout, stderr } = await runDeno(
      [
        "run",
        "--no-check",
        "--config",
        join(CHECKOUT, "deno.json"),
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        join(folder, "program.ts"),
      ],
      {},
      folder,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      "teacher verified\nstudent verified\ntable verified\nmail verified\ntensorflow function\n",
    );
  }));
