import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { openSession } from "../../../tasks/bench/pipeline/measure.ts";
import { pipelineTable } from "../../../tasks/bench/pipeline/table.ts";
import { type PipelineCase, pipelineCases } from "../../../tasks/bench/pipeline/variants.ts";

Deno.test("every variant of every case is a recipe", () => {
  for (const { recipe, variants } of Object.values<PipelineCase>(pipelineCases)) {
    for (const { overrides } of variants) parseChecked(recipe, "bench.yaml", recipeSchema, { overrides });
  }
});

Deno.test("a session trains with a teacher of random weights, and tells its memory", async () => {
  const small: PipelineCase = {
    ...pipelineCases["opdf-bert"],
    recipe: pipelineCases["opdf-bert"].recipe.replaceAll("768", "8").replaceAll("3072", "16").replaceAll("12", "2")
      .replace("5087", "20").replace("batchSize: 32", "batchSize: 4"),
  };
  const [plain, chains] = [
    await openSession(small, small.variants[0], "cpu"),
    await openSession(small, small.variants[2], "cpu"),
  ];
  assert.ok(await plain.sample() > 0 && await chains.sample() > 0);
  assert.ok(chains.parameters > plain.parameters);
  const { peakBytes, liveBytes, liveBytesBefore } = await chains.close();
  assert.ok(peakBytes >= liveBytes);
  assert.equal(liveBytes, liveBytesBefore);
  await plain.close();
});

Deno.test("the shipped data and teacher of images fit together, as a run wants them", async () => {
  const { recipe, ...own } = pipelineCases["opdf-resnet"];
  const small = { ...own, recipe: recipe.replace("batchSize: 128", "batchSize: 2") };
  const session = await openSession(small, small.variants[0], "cpu");
  assert.equal(session.parameters, 19_810);
  await session.close();
});

Deno.test("the table has times and memory beside those of the first variant", () => {
  const row = { first: 1, images: 2, parameters: 1234, peakBytes: 3e6, liveBytes: 1e6, liveBytesBefore: 1e6 };
  const rows = [
    { ...row, variant: "plain", seconds: [0.1, 0.2, 0.3], timesFirst: 1, memoryTimesFirst: 1 },
    { ...row, variant: "chain", seconds: [0.25], timesFirst: 1.254, memoryTimesFirst: 2, liveBytes: 2e6 },
  ];
  assert.deepEqual(
    pipelineTable([{ case: "scale", backend: "cpu", rows }, { case: "x", backend: "cpu", reason: "gone" }]),
    [
      "case   backend  variant  seconds      min-max  times first  peak MB  times first       live MB  trained",
      "scale  cpu      plain      0.200  0.100-0.300         1.00     3.00         1.00          1.00    1,234",
      "scale  cpu      chain      0.250  0.250-0.250         1.25     3.00         2.00  1.00 to 2.00    1,234",
      "x      cpu      gone           -            -            -        -            -             -        -",
    ],
  );
});
