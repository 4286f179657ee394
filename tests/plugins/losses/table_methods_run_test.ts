import assert from "node:assert/strict";
import { join } from "node:path";
import { recorder } from "../../support/run_observers.ts";
import { textRecipe, withTextTeacher } from "../../support/tiny_texts.ts";
import { tinyRun } from "../../support/tiny_run.ts";

const taught = (teacher: string, losses: string, chains = false) => {
  const dataset = ", tokenizer: teacher/student, classes: [neutral, entailment, contradiction]";
  const text = textRecipe(dataset, `teacher: { ${teacher} }\nlosses: ${losses}`, 2).replace(
    "attentionDropout: 0 }",
    "attentionDropout: 0, initialise: { from: teacher } }",
  );
  return chains
    ? text.replace("from: teacher }", 'from: teacher }, overParameterise: [{ layers: "*", cores: 3 }]')
    : text;
};
const MODEL = "use: bert, weights: teacher/student";

Deno.test("students learn from attributions and from decisions alone, with chains and without", () =>
  withTextTeacher(async (folder) => {
    const adKd = "[{ use: kd }, { use: ad-kd, weight: 10 }]";
    const replayed = await tinyRun(folder, { text: taught(MODEL, adKd) });
    const computed = await tinyRun(folder, { text: taught(MODEL, adKd), overrides: ["train.replay=false"] });
    assert.equal(replayed.studentSha256, computed.studentSha256, "a replayed step gives the same numbers");
    assert.equal(replayed.student.accuracy, 1);
    const chains = await tinyRun(folder, {
      text: taught(MODEL, "[{ use: kd }, { use: ad-kd, weight: 10 }, { use: tensor-alignment }]", true),
    });
    assert.ok(chains.student.parameterIncreaseRate > 1.3 && chains.student.accuracy! > 0.9);

    const { lines, reporter } = recorder();
    const dbkd = "[{ use: dbkd, queries: 4 }]";
    const asked = await tinyRun(folder, { text: taught(MODEL, dbkd), reporter });
    // Of two words, one that is left out or moved turns many a decision.
    assert.ok(asked.student.accuracy! > 0.5);
    const [, alike] = /dbkd: the decisions on ([\d.]+) % of 96 examples are all alike/.exec(lines.join("\n"))!;
    assert.ok(Number(alike) < 90, `the teacher sees changed texts: ${alike} % are decided alike`);

    const rows = (await Deno.readTextFile(join(folder, "train.jsonl"))).split("\n").map((line) => JSON.parse(line));
    const answers = rows.map(({ label }) => JSON.stringify({ decisions: [label, label, label] })).join("\n");
    await Deno.writeTextFile(join(folder, "answers.jsonl"), answers);
    const file = "use: outputs, file: answers.jsonl, key: row, values: decisions";
    const fresh = (losses: string) => taught(file, losses).replace("initialise: { from: teacher }", "");
    const overrides = ["train.epochs=30", "train.schedule.warmupSteps=10"];
    assert.equal((await tinyRun(folder, { text: fresh("[{ use: dbkd }]"), overrides })).student.accuracy, 1);
    await assert.rejects(() => tinyRun(folder, { text: fresh(adKd) }), {
      message: /Cannot use the loss "ad-kd" with a teacher that is a file of outputs: it reads the teacher's features,/,
    });
  }));
