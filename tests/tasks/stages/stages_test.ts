import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { resolveFile } from "../../../core/recipe/recipe.ts";
import { parseOverride } from "../../../core/recipe/overrides.ts";
import { builtins } from "../../../plugins/builtins.ts";
import type { FinishedRun } from "../../../tasks/experiment/outcome.ts";
import { trainingRunner } from "../../../tasks/experiment/runner.ts";
import { isStages, planStages, stagesFrom } from "../../../tasks/stages/read_stages.ts";
import { carryOut, runStages } from "../../../tasks/stages/run_stages.ts";
import { stagesTable } from "../../../tasks/stages/stages_table.ts";
import { namesIn } from "../../support/run_files.ts";
import { runHere } from "../../support/run_here.ts";
import { recorder, stopAt } from "../../support/run_observers.ts";
import { DIVERGING, tinyRecipe, withTinyData } from "../../support/tiny_run.ts";

const three = `
base: tiny.yaml
stages:
  teacher:
    student: { width: 6, overParameterise: [] }
  assistant:
    student: { width: 5, overParameterise: [], dropout: 0.1 }
    losses: [{ use: kd }]
  student:
    losses: [{ use: kd }]
`;

const never = new AbortController().signal;

/** The stages of a text beside the tiny recipe, planned into the folder `out`. */
async function plan(folder: string, text = three, sets: readonly string[] = []) {
  await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
  const stages = await stagesFrom(join(folder, "stages.yaml"), text);
  return planStages(stages, join(folder, "out"), ["backend=cpu", "train.epochs=1", ...sets].map(parseOverride));
}

async function run(folder: string, text = three, sets: readonly string[] = [], signal = never) {
  const { reporter, lines } = recorder();
  const runner = trainingRunner(builtins, { ...reporter, end: () => {} }, signal);
  // Of each stage that came to its end whether it was done before.
  const told = () =>
    lines.filter((line) => /^stage .*: validation/.test(line)).map((
      line,
    ) => [line.split(":")[0], line.endsWith("(was done)")]);
  const planned = await plan(folder, text, sets);
  const done = { runs: [] as FinishedRun[], error: null as unknown };
  try {
    done.runs = await carryOut(planned, runner);
  } catch (error) {
    done.error = error;
  }
  return { ...done, planned, told: told(), lines };
}

Deno.test("each stage is taught by the student of the one before it, with that one's options", () =>
  withTinyData(async (folder) => {
    assert.ok(isStages(three) && !isStages(tinyRecipe));
    const [teacher, assistant, student] = (await plan(folder)).map(({ recipe }) => recipe);
    assert.equal(teacher.value.teacher, null);
    assert.deepEqual([teacher, assistant, student].map(({ value }) => value.output), [
      join(folder, "out", "teacher"),
      join(folder, "out", "assistant"),
      join(folder, "out", "student"),
    ]);
    const { use, depth, width, dropout, weights } = student.value.teacher as unknown as Record<string, unknown>;
    assert.deepEqual([use, depth, width, dropout, weights], ["resnet", 8, 5, 0.1, "./out/assistant/student"]);
    assert.equal(resolveFile(assistant, assistant.value.teacher!.weights!), join(folder, "out", "teacher", "student"));
    assert.equal(assistant.value.train.epochs, 1);
  }));

Deno.test("a file that a built-in model is described by is found from the next stage's recipe, too", () =>
  withTinyData(async (folder) => {
    for (const name of ["a", "b"]) {
      await Deno.mkdir(join(folder, name));
      const student = "student: { use: vit, config: described.json }";
      const text = tinyRecipe.replace(/student:\n( {2}.*\n)+/, `${student}\n`);
      await Deno.writeTextFile(join(folder, name, "tiny.yaml"), text);
    }
    const text = "stages: { first: a/tiny.yaml, second: b/tiny.yaml }";
    const stages = await stagesFrom(join(folder, "stages.yaml"), text);
    const [, { recipe }] = planStages(stages, join(folder, "out"), []);
    const { config } = recipe.value.teacher as unknown as { config: string };
    assert.equal(resolveFile(recipe, config), join(folder, "a", "described.json"));
  }));

Deno.test("the first stage may have a teacher of its own, and later ones say how theirs is looked at", () =>
  withTinyData(async (folder) => {
    const taught =
      `${tinyRecipe}teacher: { use: resnet, depth: 14, weights: given, onPoorTeacher: refuse, cache: kept }\n`;
    await Deno.writeTextFile(join(folder, "taught.yaml"), taught);
    const [first, second] = (await plan(folder, "stages: { a: taught.yaml, b: taught.yaml }")).map(({ recipe }) =>
      recipe
    );
    assert.equal(first.value.teacher!.weights, "given");
    const { onPoorTeacher, cache, weights, depth } = second.value.teacher as unknown as Record<string, unknown>;
    assert.deepEqual([onPoorTeacher, cache, weights, depth], ["refuse", "kept", "./out/a/student", 8]);
  }));

const REFUSALS: [text: string, message: RegExp][] = [
  [
    "base: tiny.yaml\nstages: { a: }",
    /stages\.yaml:2:9: Expected at least two stages: got 1; one is a recipe by itself$/,
  ],
  [
    "base: tiny.yaml\nstages: { 20: , 8: }",
    /stages\.yaml:2:\d+: Expected a stage's name that is no number, as in assistant8: got "8"$/,
  ],
  ["stages: { a: , b: }", /stages\.yaml:1:11: Cannot change a recipe for "a": base names none$/],
  ["stages: { a: tiny.yaml, b: none.yaml }", /stages\.yaml:1:28: Cannot read the recipe ".*none\.yaml"/],
  [
    "base: tiny.yaml\nstages: { a: , b: { teacher: null } }",
    /stages\.yaml:2:21: Cannot name a teacher for "b": it is taught by the student of "a"; cache, keep and /,
  ],
  [
    "base: tiny.yaml\nstages: { a b: , a-b: }",
    /Cannot use the name "a-b" as "a b" has the same folder: name it otherwise$/,
  ],
  ["base: tiny.yaml\nstages: { a: , b: { train: { epoch: 2 } } }", /stages\.yaml:2:30: Unknown key "epoch"/],
  [
    "base: tiny.yaml\nstages: { a: { student: { prune: { structure: channels, amount: 0.5 } } }, b: }",
    /stages\.yaml:2:76: Cannot teach "b" by the student of "a", of which channels are pruned: /,
  ],
];

for (const [text, message] of REFUSALS) {
  Deno.test(`refused: ${JSON.stringify(text)}`, () =>
    withTinyData(async (folder) => {
      await assert.rejects(plan(folder, text), { name: "UserError", message });
    }));
}

Deno.test("stages have no dry run, and there must be something to resume", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    const stages = await stagesFrom(join(folder, "stages.yaml"), three);
    const out = join(folder, "nowhere");
    await assert.rejects(runStages(stages, { set: [], out, dryRun: true }), {
      name: "UserError",
      message:
        "Cannot look at stages in a dry run, as each needs the student of the one before: name the recipe of one",
    });
    await assert.rejects(runStages(stages, { set: [], out, resume: true }), {
      name: "UserError",
      message: `Cannot resume as there is no folder "${out}": start anew without --resume`,
    });
  }));

Deno.test("stages go on where they were stopped, and do again what depends on something that changed", () =>
  withTinyData(async (folder) => {
    // Validation and four steps of each stage.
    const stopped = await run(folder, three, [], stopAt(9));
    assert.ok(stopped.error instanceof Interrupted);
    assert.deepEqual(stopped.told, [['stage "teacher"', false]]);
    const whole = await run(folder);
    assert.deepEqual(whole.told, [['stage "teacher"', true], ['stage "assistant"', false], ['stage "student"', false]]);
    const table = stagesTable("tiny", whole.planned, whole.runs);
    assert.deepEqual(table.rows.map(([name, by]) => [name, by]), [
      ["teacher", "labels alone"],
      ["assistant", "teacher"],
      ["student", "assistant"],
    ]);
    assert.equal(table.rows[2][2], (100 * whole.runs[2].summary.student.accuracy!).toFixed(2));
    assert.deepEqual(table.notes, []);
    const { summary } = whole.runs[0];
    const noisy = {
      ...whole.runs[0],
      summary: { ...summary, wrongLabels: 3, labelled: { ...summary.labelled, train: 40 } },
    };
    assert.deepEqual(stagesTable("tiny", whole.planned, [noisy, ...whole.runs.slice(1)]).notes, [
      'Of the 40 training labels of "teacher" 3 are wrong on purpose.',
    ]);

    // The last stage alone, then the first: all that follow it.
    const reseeded = three.replace("  student:\n", "  student:\n    seed: 4\n");
    const last = await run(folder, reseeded);
    assert.deepEqual(last.told.map(([, done]) => done), [true, true, false]);
    const first = await run(folder, reseeded.replace("width: 6", "width: 7"));
    assert.deepEqual(first.told.map(([, done]) => done), [false, false, false]);
    assert.match(first.lines.join("\n"), /stage "student": ".*assistant\/student" \(weights\) has changed since/);
  }));

Deno.test("a stage whose training fails ends the stages, as those after it have no teacher", () =>
  withTinyData(async (folder) => {
    const { error, told } = await run(folder, three, [DIVERGING]);
    assert.ok(error instanceof Error && error.name === "TrainingFailure");
    assert.match(error.message, /^The stage "teacher" failed: Stopped at step \d+ as its loss is not finite/);
    assert.deepEqual(told, []);
  }));

Deno.test("what tells of stages is gone as soon as one of them is done anew", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    const file = join(folder, "stages.yaml");
    await Deno.writeTextFile(file, three);
    const args = [file, "--backend", "cpu", "--out", join(folder, "out"), "--set", "train.epochs=1"];
    const told = () => namesIn(join(folder, "out")).filter((name) => name.startsWith("stages."));
    assert.equal((await runHere("distill", args)).code, 0);
    assert.deepEqual(told(), ["stages.json", "stages.md"]);
    assert.equal((await runHere("distill", args)).code, 0);
    assert.deepEqual(told(), ["stages.json", "stages.md"]);
    assert.equal((await runHere("distill", [...args, "--set", DIVERGING])).code, 1);
    assert.deepEqual(told(), []);
  }));
