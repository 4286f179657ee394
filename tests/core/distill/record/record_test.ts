import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFiles } from "../../../../core/deno/deno_files.ts";
import { type AnsweredBatch } from "../../../../core/evaluate/answers.ts";
import { calibrationOf } from "../../../../core/evaluate/metrics/calibration.ts";
import { entriesOf } from "../../../../core/distill/record/entries.ts";
import type { RunRecord } from "../../../../core/distill/record/record.ts";
import { severalAnswers } from "../../../../core/distill/record/several_labels.ts";
import { silent } from "../../../../core/distill/progress.ts";
import { useFiles } from "../../../../core/files/current.ts";
import { openJson } from "../../../../core/sealed_json.ts";
import { classNumbers } from "../../../../tasks/report/class_numbers.ts";
import { isThere, namesIn } from "../../../support/run_files.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const tensor = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });

async function recordIn(...path: string[]): Promise<RunRecord> {
  const { value, isWhole } = await openJson(JSON.parse(await Deno.readTextFile(join(...path, "record.json"))));
  assert.equal(isWhole, true);
  return value as RunRecord;
}

Deno.test("calibration is the mean distance of certainty and part right, bin by bin", () => {
  assert.equal(calibrationOf([]), null);
  const answers = [{ p: 1, right: true }, { p: 0.98, right: false }, { p: 0.5, right: true }, { p: 0.5, right: true }];
  const { bins, error } = calibrationOf(answers)!;
  assert.equal(bins.length, 15);
  assert.deepEqual([bins[14].count, bins[14].certainty, bins[14].right], [2, 0.99, 0.5]);
  assert.deepEqual(bins[7], { count: 2, certainty: 0.5, right: 1 });
  assert.ok(Math.abs(error - (2 * 0.49 + 2 * 0.5) / 4) < 1e-12);
});

Deno.test("answers are told apart by example and token, those without a label included", () => {
  const tags: AnsweredBatch = {
    indices: Uint32Array.of(7, 8),
    label: { data: Float32Array.of(-1, 2, 1, -1), shape: [2, 2] },
    labelled: null,
    decided: [0, 2, 0, 0],
    certainty: null,
  };
  const entries = entriesOf([tags], false);
  assert.deepEqual(entries.map(({ example, place, label }) => [example, place, label]), [
    [7, 0, null],
    [7, 1, 2],
    [8, 0, 1],
    [8, 1, null],
  ]);
  const numbers = { indices: Uint32Array.of(0, 1), label: tensor(-3, 0), labelled: tensor(1, 0), decided: [-2, 5] };
  const [known, unknown] = entriesOf([{ ...numbers, certainty: null }], true);
  assert.deepEqual([known.label, known.decided, unknown.label], [-3, -2, null]);
});

Deno.test("of several labels each class is decided by itself, at the threshold of the recipe", () => {
  const batch = {
    indices: Uint32Array.of(3, 4, 5),
    label: { data: Float32Array.of(1, 0, 1, 1, 1, 1), shape: [3, 2] },
    labelled: tensor(1, 1, 0),
    decided: [2, 0.1, -1, 3, 9, 9],
    certainty: null,
  };
  const { wrong, probabilities, decisions } = severalAnswers([batch], 2, 0.5);
  assert.deepEqual(wrong.map(({ truth, decided, example }) => [truth, decided, example]), [[null, 1, 3], [0, null, 4]]);
  assert.equal(probabilities.length, 4);
  assert.deepEqual(decisions.map(({ label, decided }) => [label, decided]), [
    [1, 1],
    [0, 1],
    [1, 0],
    [1, 1],
    [null, 1],
    [null, 1],
  ]);
  const strict = severalAnswers([batch], 2, 0.9).wrong.filter(({ truth }) => truth === 0);
  assert.deepEqual(strict.map(({ example }) => example), [3, 4]);
});

Deno.test("a run records what its report shows; the student is the same with and without", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["train.epochs=1", "student.width=6"] });
    const text = tinyRecipe
      .replace("student:", "teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }\nstudent:")
      .replace("cross-entropy }", "cross-entropy }, { use: kd }");
    const overrides = ["train.epochs=2"];
    const warnings: string[] = [];
    const reporter = { ...silent, warning: (line: string) => void warnings.push(line) };
    const summary = await tinyRun(folder, { text, overrides, output: "seen", record: true, reporter });
    const unseen = await tinyRun(folder, { text, overrides, output: "unseen" });
    assert.equal(summary.studentSha256, unseen.studentSha256);
    assert.ok(!await isThere(folder, "unseen", "record.json"));

    const record = await recordIn(folder, "seen");
    assert.deepEqual([record.run, record.task, record.truth], [summary.run, "classification", "labels"]);
    assert.deepEqual(record.warnings, warnings);
    assert.deepEqual(
      classNumbers(record),
      summary.student.classes,
      "what the report makes of the pairs is what was measured",
    );
    const right = record.confusion!.reduce((sum, [truth, decided, count]) => truth === decided ? sum + count : sum, 0);
    assert.equal(right / 24, summary.student.accuracy);
    assert.equal(record.confusion!.reduce((sum, [, , count]) => sum + count, 0), 24);
    const { answers, alike, bothRight, onlyStudentRight, onlyTeacherRight } = record.agreement!;
    assert.deepEqual([answers, bothRight + onlyStudentRight], [24, right]);
    assert.equal((bothRight + onlyTeacherRight) / 24, summary.teacher!.accuracy);
    assert.ok(alike >= bothRight && alike <= 24);
    const { student, teacher } = record.calibration;
    assert.equal(student!.bins.reduce((sum, { count }) => sum + count, 0), 24);
    // What is decided is the likeliest of three.
    assert.ok([...student!.bins.slice(0, 4), ...teacher!.bins.slice(0, 4)].every(({ count }) => count === 0));

    assert.deepEqual(record.matrices.map(({ name }) => name), Object.keys(summary.norms));
    for (const { name, shape, norms, singularValues: [start, end], effectiveRanks, relativeStep } of record.matrices) {
      assert.ok(Math.abs(norms[1] - summary.norms[name]) < 1e-6);
      for (const [values, norm] of [[start, norms[0]], [end, norms[1]]] as const) {
        assert.equal(values.length, Math.min(...shape));
        assert.ok(Math.abs(Math.hypot(...values) - norm) < 1e-4 * norm, name);
      }
      assert.ok(effectiveRanks.every((rank) => rank >= 1 && rank <= Math.min(...shape)));
      assert.ok(relativeStep > 0 && relativeStep < 10);
    }
    for (const { truth, decided, count, examples } of record.mistakes) {
      assert.ok(truth !== decided && count >= examples.length);
      for (const { picture, tokens, certainty } of examples) {
        assert.deepEqual([picture!.height, picture!.width, picture!.channels, tokens], [8, 8, 1, null]);
        assert.equal(atob(picture!.pixels).length, 64);
        assert.ok(certainty! > 1 / 3);
      }
    }
  }));

Deno.test("matrices begin where they began, also in a run that was resumed", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "whole", overrides: ["train.epochs=1"], record: true });
    const controller = new AbortController();
    const reporter = { ...silent, progress: () => controller.abort() };
    const stopped = tinyRun(folder, {
      overrides: ["train.epochs=1", "train.logEvery=2"],
      signal: controller.signal,
      reporter,
    });
    await assert.rejects(stopped, { name: "Interrupted" });
    await tinyRun(folder, { overrides: ["train.epochs=1", "train.logEvery=2"], record: true, resume: true });
    const [whole, resumed] = [await recordIn(folder, "whole"), await recordIn(folder, "run")];
    assert.deepEqual(resumed.matrices, whole.matrices);
    assert.deepEqual(resumed.confusion, whole.confusion);
  }));

Deno.test("without labels the student is held against the teacher; without both nothing is said to be right", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["train.epochs=1", "student.width=6"] });
    const bare = tinyRecipe.replace("test-images, labels: test-labels", "test-images, labels: null");
    const text = bare
      .replace("student:", "teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }\nstudent:")
      .replace("cross-entropy }", "cross-entropy }, { use: kd }");
    const overrides = ["train.epochs=1"];
    const { student } = await tinyRun(folder, { text, overrides, record: true });
    const record = await recordIn(folder, "run");
    assert.deepEqual([record.truth, record.agreement!.labelled, record.calibration], ["teacher", 0, {
      student: null,
      teacher: null,
    }]);
    assert.equal(record.agreement!.alike / 24, student.metrics.agreement);
    const alike = record.confusion!.reduce((sum, [truth, decided, count]) => truth === decided ? sum + count : sum, 0);
    assert.equal(alike, record.agreement!.alike);
  }));

Deno.test("a disk that is full when all is done costs the record alone, and says so", () =>
  withTinyData(async (folder) => {
    const warnings: string[] = [];
    const full = new Deno.errors.WriteZero("no space");
    useFiles({
      ...denoFiles,
      write: (path, bytes) => path.endsWith("record.json") ? Promise.reject(full) : denoFiles.write(path, bytes),
      failureOf: (error) => error === full ? { code: "ENOSPC" } : denoFiles.failureOf(error),
    });
    try {
      const reporter = { ...silent, warning: (line: string) => void warnings.push(line) };
      await tinyRun(folder, { overrides: ["train.epochs=1"], record: true, reporter });
    } finally {
      useFiles(denoFiles);
    }
    assert.match(warnings.join(), /record\.json".*; the student and metrics\.json are there, a report is not$/);
    assert.deepEqual(namesIn(join(folder, "run")), [
      "checkpoint",
      "metrics.json",
      "metrics.jsonl",
      "recipe.yaml",
      "student",
    ]);
  }));

Deno.test("a new run in the same folder takes record and report of the one before out of the way", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=1"], record: true });
    await Deno.writeTextFile(join(folder, "run", "report.html"), "old");
    await tinyRun(folder, { overrides: ["train.epochs=1"] });
    assert.ok(!await isThere(folder, "run", "record.json") && !await isThere(folder, "run", "report.html"));
    assert.equal(await Deno.readTextFile(join(folder, "run", "previous", "report.html")), "old");
    assert.ok(await isThere(folder, "run", "previous", "record.json"));
  }));
