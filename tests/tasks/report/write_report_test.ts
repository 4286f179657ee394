import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFiles } from "../../../core/deno/deno_files.ts";
import { useFiles } from "../../../core/files/current.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { drawReport } from "../../../tasks/support/draw_report.ts";
import { encodePng } from "../../../tasks/report/png.ts";
import { readRun } from "../../../tasks/report/read_run.ts";
import { writeReport } from "../../../tasks/report/write_report.ts";
import { decodePicture } from "../../../plugins/datasets/pictures/decode_picture.ts";
import { runHere } from "../../support/run_here.ts";
import { runTask } from "../../support/task.ts";
import { madeUpRun } from "./made_up_run.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";

Deno.test("a picture is the same after it was written as PNG", async () => {
  for (const channels of [1, 3] as const) {
    const pixels = Uint8Array.from({ length: 5 * 7 * channels }, (_, index) => index * 37 % 256);
    const file = encodePng({ height: 5, width: 7, channels, pixels });
    const decoded = await decodePicture(file, { channels, background: null, orient: false });
    assert.deepEqual(decoded, { height: 5, width: 7, channels, pixels });
  }
});

Deno.test("train leaves a report, --no-report none; the verb draws it anew, also of a run without a record", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const train = (...flags: string[]) =>
      runHere("train", [recipe, "--set", "train.maxSteps=1", "--backend", "cpu", "--quiet", ...flags]);
    const [seen, bare] = [join(folder, "seen"), join(folder, "bare")];
    const [first, second] = await Promise.all([train("--out", seen), train("--out", bare, "--no-report")]);
    assert.deepEqual([first.code, first.stderr], [0, ""]);
    const page = await Deno.readTextFile(join(seen, "report.html"));
    assert.match(page, /<h1>tiny<\/h1>/);
    assert.match(page, /src="data:image\/png;base64,/);
    await Deno.remove(join(seen, "report.html"));
    const anew = await runTask("report", [seen]);
    assert.deepEqual([anew.code, anew.stdout], [0, `Written: ${join(seen, "report.html")}\n`]);
    assert.equal(await Deno.readTextFile(join(seen, "report.html")), page);

    assert.equal(second.code, 0);
    await Deno.copyFile(join(seen, "record.json"), join(bare, "record.json"));
    assert.equal((await readRun(bare)).record, null, "it is of another run");
    await Deno.remove(join(bare, "record.json"));
    const names = [...Deno.readDirSync(bare)].map(({ name }) => name);
    assert.ok(!names.includes("report.html") && !names.includes("record.json"), names.join());
    await writeReport(bare);
    assert.match(await Deno.readTextFile(join(bare, "report.html")), /<h2>How it learned<\/h2>/);
  }));

Deno.test("a tokenizer that is no JSON is a sentence", async () => {
  const student = "/run/student/tokenizer.json";
  useFiles(memoryFiles({ "/run/recipe.yaml": JSON.stringify(madeUpRun().settings), [student]: '{"model": {"vocab"' }));
  try {
    await assert.rejects(readRun("/run"), {
      name: "UserError",
      message: `Cannot read the tokenizer "${student}" as it is no JSON: it ends too early; ` +
        "the report does without it if it is removed, and the model does not",
    });
  } finally {
    useFiles(denoFiles);
  }
});

Deno.test("a page that cannot be written costs nothing but the page", async () => {
  const warnings: string[] = [];
  const full = new Error("no space");
  const files = memoryFiles({ "/run/recipe.yaml": JSON.stringify(madeUpRun().settings) });
  const failureOf = files.failureOf.bind(files);
  useFiles(Object.assign(files, {
    write: () => Promise.reject(full),
    failureOf: (error: unknown) => error === full ? { code: "ENOSPC" } : failureOf(error),
  }));
  try {
    assert.equal(await drawReport("/run", (line) => void warnings.push(line)), null);
    assert.match(
      warnings.join(),
      /^Cannot write "\/run\/report\.html" .*; the results are there, their report is not$/,
    );
  } finally {
    useFiles(denoFiles);
  }
});

Deno.test("what is no run folder, or is damaged, is said in a sentence", () =>
  withTinyData(async (folder) => {
    const { code, stderr } = await runHere("report", [folder]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot report on ".*" as it is no run folder: there is no recipe\.yaml in it\n$/);
    await Deno.writeTextFile(join(folder, "recipe.yaml"), "name: a\n");
    await Deno.writeTextFile(join(folder, "metrics.json"), '{"run": "a", "checksum": "b"}');
    await assert.rejects(writeReport(folder), {
      message: /is damaged: its checksum is another's; remove ".*metrics\.json"/,
    });
  }));
