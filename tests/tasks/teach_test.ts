import assert from "node:assert/strict";
import { join } from "node:path";
import { runTask } from "../support/task.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

Deno.test("teach writes a part of the teacher's outputs to the folder that is asked for", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=3"] });
    const recipe = join(folder, "taught.yaml");
    await Deno.writeTextFile(
      recipe,
      tinyRecipe.replace(
        "losses: [{ use: cross-entropy }]",
        "teacher: { use: resnet, depth: 8, width: 4, weights: one/student }\nlosses: [{ use: kd }]",
      ),
    );
    const out = join(folder, "kept");
    const { code, stdout, stderr } = await runTask("teach", [
      recipe,
      "--shard",
      "2/3",
      "--out",
      out,
      "--backend",
      "cpu",
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^teacher: outputs of the examples 25 to 48 of 72, part 2\/3, written to /m);
    const names = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name);
    assert.equal(names.length, 1);
    assert.match(names[0], /^teacher-[0-9a-f]{16}\.2-of-3\.safetensors$/);
    const wrong: [string[], RegExp][] = [
      [["--shard", "4/3"], /^--shard 4\/3: Expected K\/N, the K-th of N parts, such as 1\/4\n$/],
      [["--shard", "1/3"], /taught\.yaml:\d+:\d+: Cannot keep the teacher's outputs as it is not said where/],
    ];
    for (const [flags, message] of wrong) {
      const refused = await runTask("teach", [recipe, ...flags]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, message);
    }
  }));
