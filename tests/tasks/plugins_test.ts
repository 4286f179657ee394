import assert from "node:assert/strict";
import { z } from "zod";
import { acceptedBy } from "../../core/recipe/expected.ts";
import { builtins } from "../../plugins/builtins.ts";
import { optionRows } from "../../tasks/support/option_rows.ts";
import { runHere } from "../support/run_here.ts";
import { runTask } from "../support/task.ts";

Deno.test("plugins lists every built-in plug-in in one line under its kind", async () => {
  const { code, stdout, stderr } = await runTask("plugins", []);
  assert.equal(code, 0, stderr);
  const [datasets, models, losses] = stdout.split(/^(?:data sets|models|losses)\n/m).slice(1).map((text) =>
    text.trimEnd().split("\n")
  );
  const namesOf = (lines: string[]) => lines.map((line) => line.trim().split(" ")[0]);
  assert.deepEqual(namesOf(datasets), builtins.dataset.map(({ name }) => name));
  assert.deepEqual(namesOf(models), builtins.model.map(({ name }) => name));
  assert.deepEqual(namesOf(losses), builtins.loss.map(({ name }) => name));
  assert.match(losses.find((line) => line.startsWith("  kd "))!, /Hinton's distillation: .* {2}Hinton.*1503\.02531$/);
});

Deno.test("plugins show has source, equation and options with ranges and defaults", async () => {
  const { code, stdout, stderr } = await runHere("plugins", ["show", "kd"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^kd \(loss\)\n {2}what {6}Hinton/);
  assert.match(stdout, /^ {2}equation {2}T\^2 KL/m);
  assert.match(stdout, /^ {2}source {4}Hinton, .*arXiv 1503\.02531$/m);
  assert.match(stdout, /^ {2}file {6}plugins.losses.kd\.ts$/m);
  assert.match(
    stdout,
    /^ {2}temperature {2}default 4 +a number >= 0\.001 and <= 10000 or a map with from and to {2}Temperature T/m,
  );
});

Deno.test("plugins show tells an unknown name", async () => {
  const { code, stderr } = await runHere("plugins", ["show", "kdd"]);
  assert.deepEqual([code, stderr], [2, 'Unknown plug-in "kdd": did you mean "kd"?\n']);
});

Deno.test("options of maps and of lists of maps stand under them, with the defaults that are filled in", () => {
  const schema = z.strictObject({
    width: z.int().min(1).describe("Width"),
    files: z.strictObject({ images: z.string().default("a b").describe("File") }).prefault({}).describe("Files"),
    pairs: z.array(z.strictObject({ left: z.string().describe("Left") })).default([]).describe("Pairs"),
    size: z.int().nullable().default(null).describe("Size"),
  });
  const rows = optionRows(acceptedBy(schema), schema.safeParse({ width: 1 }).data);
  assert.deepEqual(rows.map(({ name, value }) => [name, value]), [
    ["width", "default 1"],
    ["files", ""],
    ["files.images", 'default "a b"'],
    ["pairs", "default []"],
    ["pairs[].left", "required"],
    ["size", "default null"],
  ]);
  assert.equal(optionRows(acceptedBy(schema), undefined)[0].value, "required");
});

Deno.test("plugins schema prints a JSON schema that describes the keys of a recipe", async () => {
  const { code, stdout, stderr } = await runHere("plugins", ["schema"]);
  assert.equal(code, 0, stderr);
  const { $schema, title, required, properties } = JSON.parse(stdout);
  assert.match($schema, /json-schema\.org\/draft-07/);
  assert.equal(title, "OPDF recipe");
  assert.ok(required.includes("dataset") && required.includes("student"));
  assert.match(properties.student.properties.overParameterise.description, /chains of cores/);
});
