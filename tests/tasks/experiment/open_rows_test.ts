import assert from "node:assert/strict";
import { join } from "node:path";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import type { Row } from "../../../tasks/experiment/experiment.ts";
import { openRows } from "../../../tasks/experiment/open_rows.ts";
import { recorder } from "../../support/run_observers.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";
import { fakeRow } from "./fakes.ts";

const never = new AbortController().signal;

Deno.test("a mistake that only a row's data or losses show is told with its name before the first run, and nothing is written", () =>
  withTinyData(async (folder) => {
    const row = (name: string, ...overrides: string[]): Row => ({
      ...fakeRow(name, 4),
      recipe: (changes) =>
        parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
          overrides: ["backend=cpu", ...overrides, ...changes],
        }),
    });
    const there = () => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    const before = there();
    const open = async (...rows: Row[]) => {
      const { reporter, lines } = recorder();
      const experiment = { name: "e", rows, seeds: [1], baseline: "plain", tune: null, resample: null };
      await openRows(experiment, join(folder, "out"), builtins, reporter, never);
      return lines;
    };
    const far = row("far", "dataset.train.images=far.gz");
    const loss = row("loss", "losses=[{ use: attention-mse, weight: 1 }]");
    const [plain, wide] = [row("plain"), row("wide", "student.width=8")];

    await assert.rejects(open(plain, wide, far), { name: "UserError", message: /far\.gz" .*\(row "far"\)$/ });
    await assert.rejects(open(plain, loss), { name: "UserError", message: /"attention-mse" .*\(row "loss"\)$/ });
    assert.deepEqual(await open(plain, wide), ['Looking for mistakes before the first run: "wide"']);
    assert.deepEqual(there(), before);

    // A row whose time is another's comes last, wherever it stands.
    await assert.rejects(open({ ...far, equalSeconds: "plain" }, plain), { message: /\(row "far"\)$/ });
    // What a run of the experiment is to make is not there yet.
    const made = `teacher={ use: resnet, depth: 8, width: 4, weights: ${join(folder, "out/plain/seed-1/student")} }`;
    assert.deepEqual(await open(plain, row("later", made, "losses=[{ use: kd }]")), []);
    // No teacher is asked about all examples.
    await Deno.writeTextFile(
      join(folder, "asks.js"),
      `export default {
        kind: "loss",
        name: "asks",
        options: ({ z }) => z.strictObject({}),
        create: () => ({
          teacherOutputs: [],
          runsTeacher: true,
          prepare() { throw new Error("asked"); },
          compute: ({ ops, student }) => ops.mean(ops.square(student.logits)),
        }),
      };`,
    );
    const asks = row("asks", "losses=[{ use: ./asks.js }]");
    assert.deepEqual(await open(plain, asks), ['Looking for mistakes before the first run: "asks"']);

    // The first row opens next, and a row that has runs was opened before.
    assert.deepEqual(await open(far), []);
    await Deno.mkdir(join(folder, "out", "far"), { recursive: true });
    assert.deepEqual(await open(plain, far), []);
  }));
