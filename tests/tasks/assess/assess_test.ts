import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { SubjectCalibration } from "../../../core/assess/calibration/calibration.ts";
import type { SubjectRobustness } from "../../../core/assess/robustness/robustness.ts";
import { openSubject, type SubjectSetup } from "../../../core/assess/subject.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { sealJson } from "../../../core/sealed_json.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { carryOut } from "../../../tasks/assess/carry_out.ts";
import type { AssessFlags } from "../../../tasks/assess/flags.ts";
import { differencesOf, readManifest } from "../../../tasks/assess/manifest.ts";
import { type Plan, planOf, planOfManifest } from "../../../tasks/assess/plan.ts";
import { saveTemperatures } from "../../../tasks/assess/save_temperature.ts";
import { writeReport } from "../../../tasks/report/write_report.ts";
import { runTask } from "../../support/task.ts";
import { textRecipe, writeTinyTexts } from "../../support/tiny_texts.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../support/tiny_run.ts";
import { runHere } from "../../support/run_here.ts";
import { expectPlace } from "../../../tasks/assess/write_report.ts";

const assess = (...args: string[]) => runTask("assess", [...args, "--backend", "cpu"]);

const USUAL = { set: [], steps: "20", restarts: "1" };

/** What a model folder answers about images. */
async function answersOf(folder: string, images: Uint8Array) {
  const backend = await CpuBackend.create();
  const model = await openModel(folder, { backend });
  const answers = await model.predict({ images });
  model[Symbol.dispose]();
  await backend.close();
  return answers;
}

/** A plan, carried out in this process. */
async function carriedOut(plan: Plan, manifest = false, tell: (line: string) => void = () => {}) {
  const backend = await CpuBackend.create();
  const done = await carryOut(plan, { backend, builtins, tell, manifest });
  assert.equal(backend.memory().bytes, 0);
  await backend.close();
  return done;
}

Deno.test("a recipe's teacher that other programs have written is left out, with the reason, and the run is assessed", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    await tinyRun(folder, { output: "teacher", overrides: ["train.epochs=1", "student.overParameterise=[]"] });
    const taught = "teacher={ use: resnet, depth: 8, width: 4, weights: teacher/student }";
    await tinyRun(folder, { overrides: ["train.epochs=1", taught, "losses=[{ use: kd }]"] });
    const plan = await planOf([at("run")], { ...USUAL, only: "calibration" });
    assert.equal((await carriedOut(plan)).report.teacher, "teacher/student");
    await Deno.writeTextFile(
      at("teacher", "student", "config.json"),
      '{ "architecture": "resnet8", "num_classes": 3 }',
    );
    const told: string[] = [];
    const { report: { teacher, subjects } } = await carriedOut(plan, false, (line) => void told.push(line));
    assert.deepEqual([teacher, subjects.map(({ name }) => name)], [null, [at("run")]]);
    assert.match(told.join("\n"), /^teacher\/student: the recipe's teacher does not stand beside the others: /m);
  }));

Deno.test("assess holds runs against each other, writes its files, and saves a temperature that predict uses", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    // Labels that cannot all be learned: a model that is right about everything has no best temperature.
    await writeTinyData(folder, 96, 24, { label: (value, i) => i % 6 === 0 ? (value + 1) % 3 : value });
    await tinyRun(folder, { overrides: ["train.epochs=2", "export.onnx=true"] });
    await tinyRun(folder, { output: "other", overrides: ["train.epochs=1", "seed=4"] });
    const flags = ["--steps", "2", "--examples", "20", "--eps", "0,4/255", "--eps-l2", "0.5", "--json"];
    const { code, stdout, stderr } = await assess(at("run"), at("other"), "--teacher", at("other"), ...flags);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual(report.sections.map(({ name }: { name: string }) => name).slice(0, 2), [
      "calibration",
      "robustness",
    ]);
    assert.deepEqual([report.examples, report.teacher, report.settings.eps], [24, at("other"), [0, 4 / 255]]);
    const [calibration, robustness] = report.sections;
    const [own, taught] = calibration.result.subjects;
    assert.deepEqual([own.subject, taught.subject, own.statedTemperature], [at("run"), at("other"), 1]);
    const [first] = robustness.result.subjects;
    const [none] = first.attacks;
    assert.deepEqual([none.eps, none.fgsm, none.pgd], [0, first.accuracy, first.accuracy]);
    assert.equal(robustness.result.subjects[1].agreement, null, "the teacher is not held against itself");
    assert.ok(first.attacks.every(({ agreement }: { agreement: number }) => agreement >= 0 && agreement <= 1));
    assert.deepEqual(
      [...new Set(first.sweeps.map(({ change }: { change: string }) => change))],
      ["noise", "blur", "contrast", "shift"],
    );
    const saved = await assess(at("run"), "--only", "calibration", "--save-temperature", "--out", at("run"));
    assert.equal(saved.code, 0, saved.stderr);
    const config = JSON.parse(await Deno.readTextFile(at("run", "student", "config.json")));
    assert.equal(config.temperature, own.temperature);
    const beside = JSON.parse(await Deno.readTextFile(at("run", "student-onnx", "config.json")));
    assert.equal(beside.temperature, own.temperature, "the export of the same weights has it, too");
    assert.match(saved.stdout, /student-onnx\/config\.json, temperature \d\.\d{4}; .*, export the model anew$/m);
    const written = JSON.parse(await Deno.readTextFile(at("run", "assess.json")));
    assert.deepEqual(written.sections[0].result.subjects[0].own, own.own);
    assert.match(await Deno.readTextFile(at("run", "assess.md")), /^## Calibration$/m);
    assert.match(await Deno.readTextFile(at("run", "assess.html")), /<h2>Calibration<\/h2>.*<svg/s);
    await writeReport(at("run"));
    assert.match(await Deno.readTextFile(at("run", "report.html")), /<h2>Calibration<\/h2>/);
    const plan = await planOf([at("run")], { ...USUAL, only: "calibration" });
    const { report: { sections: [scaled] } } = await carriedOut(plan);
    const [{ own: now, statedTemperature }] = (scaled.result as { subjects: SubjectCalibration[] }).subjects;
    assert.deepEqual([statedTemperature, now], [own.temperature, own.fitted]);

    // A comparison stands for a run of each row that came to its end.
    const row = (name: string, ...runs: object[]) => ({ name, runs });
    await Deno.mkdir(at("comparison"));
    await Deno.writeTextFile(
      at("comparison", "results.json"),
      JSON.stringify({
        ...{ experiment: "study", version: "0.1.0", seeds: [1], baseline: "a", tuning: null, lines: [] },
        results: [
          row("a", { folder: at("lost"), seed: 1, failure: "NaN" }, { folder: at("run"), seed: 2, summary: {} }),
          row("b", { folder: at("other"), seed: 1, summary: {} }),
          row("c", { folder: at("lost"), seed: 1, failure: "NaN" }),
        ],
      }),
    );
    const { folders } = await planOf([at("comparison")], USUAL);
    assert.deepEqual(
      folders.map(({ name, overParameterised }) => [name, overParameterised]),
      [[at("run"), true], [at("other"), true]],
    );

    // What is answered is divided by it, and decided as before.
    const images = Uint8Array.from({ length: 3 * 64 }, (_, at) => at % 251);
    const student = at("run", "student");
    const divided = await answersOf(student, images);
    await Deno.writeTextFile(at("run", "student", "config.json"), JSON.stringify({ ...config, temperature: 1 }));
    const plain = await answersOf(student, images);
    assert.deepEqual(divided.classes, plain.classes);
    plain.logits.forEach((row, example) =>
      row.forEach((logit, c) => assert.equal(divided.logits[example][c], Math.fround(logit / own.temperature)))
    );
  }));

Deno.test("texts lose tokens and get typing errors, and are attacked in their word vectors", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyTexts(folder);
    await tinyRun(folder, { text: textRecipe("", "", 25) });
    const flags = { ...USUAL, only: "robustness", steps: "2", eps: "0,4", epsL2: "0,9" };
    const { report: { sections: [{ result }] } } = await carriedOut(await planOf([join(folder, "run")], flags));
    const { subjects: [{ accuracy, attacks, sweeps, notes }] } = result as { subjects: SubjectRobustness[] };
    assert.deepEqual([accuracy, notes], [1, []]);
    const after = (change: string) =>
      sweeps.flatMap((point) => point.change === change ? [point.accuracy] : []).at(-1)!;
    // The word that says the class is missing in as many, and misspelt in as many.
    for (const change of ["token drop", "typing errors"]) assert.ok(after(change) < 0.95, `${change} ${after(change)}`);
    const at = (norm: string, eps: number) => attacks.find((point) => point.norm === norm && point.eps === eps)!.pgd;
    assert.deepEqual([at("linf", 0), at("l2", 0)], [1, 1]);
    assert.ok(at("linf", 4) < 0.5 && at("l2", 9) < 0.9, `${at("linf", 4)} ${at("l2", 9)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what is in the way of the files, and flags beside a manifest, are told before anything is computed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await expectPlace(join(folder, "new"));
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(expectPlace(join(folder, "file")), {
      name: "UserError",
      message: /there as it is no folder$/,
    });
    await Deno.mkdir(join(folder, "assess.html"));
    await assert.rejects(expectPlace(folder), { name: "UserError", message: /assess\.html" as it is a folder$/ });
    for (const flag of [["--only", "bounds"], ["--eps", "0.1"], ["--out", folder], ["--seed", "1"], ["--manifest"]]) {
      const { code, stderr } = await runHere("assess", ["--verify", "manifest.json", ...flag]);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^--verify manifest.json: Cannot take ${flag[0]} as well`));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what cannot be assessed is refused with a sentence", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    await tinyRun(folder, { overrides: ["train.epochs=1", "train.maxSteps=1", "validation=null"] });
    await Deno.writeTextFile(at("tiny.yaml"), tinyRecipe);
    const refused = (says: RegExp, paths: string[], flags: Partial<AssessFlags> = {}) =>
      assert.rejects(planOf(paths, { ...USUAL, ...flags }), { name: "UserError", message: says });
    await refused(/^Cannot assess ".*" as it is no model folder: there is no config\.json in it, nor in student\//, [
      folder,
    ]);
    await refused(/^Cannot assess nothing: name a model folder, or --verify MANIFEST$/, []);
    const run = [at("run")];
    await refused(/^--only calibrations: Expected calibration, .*/, run, { only: "calibrations" });
    await refused(/^--eps -1: Expected numbers from 0 in rising order, as in /, run, { eps: "-1" });
    await refused(/^--eps 1\/0: Expected numbers from 0 in rising order, as in /, run, { eps: "1/0" });
    await refused(/^--eps-l2 2,1: Expected numbers from 0 in rising order/, run, { epsL2: "2,1" });
    await refused(/^--examples 0: Expected a whole number from 1$/, run, { examples: "0" });
    await refused(/^--seed 4294967296: Expected a whole number from 0 to 4294967295$/, run, { seed: "4294967296" });
    await refused(/^--restarts 0: Expected a whole number from 1$/, run, { restarts: "0" });
    await refused(/^Cannot assess ".*run" twice: name other models beside it$/, [...run, ...run]);
    await refused(/^--only robustness: Cannot save a temperature without calibration$/, run, {
      only: "robustness",
      saveTemperature: true,
    });
    await refused(
      /^--manifest: Cannot write a manifest of 2 models at once: name one$/,
      [...run, at("run", "student")],
      {
        manifest: true,
      },
    );
    const plan = await planOf(run, { ...USUAL, only: "calibration" });
    assert.equal(plan.teacher, null);
    const { report: { sections }, weights } = await carriedOut(plan);
    await assert.rejects(saveTemperatures(plan.folders, sections, weights), {
      message:
        /^--save-temperature: ".*run": Cannot fit a temperature: the recipe has no validation examples with a label /,
    });
    const file = at("run", "student", "config.json");
    const config = JSON.parse(await Deno.readTextFile(file));
    await Deno.writeTextFile(file, JSON.stringify({ ...config, temperature: 0 }));
    await assert.rejects(carriedOut(plan), {
      name: "UserError",
      message: /^Cannot use the temperature in ".*config\.json": expected a number above 0, got 0$/,
    });
    for (const task of ["multi-label", "tagging", "embedding", "regression"] as const) {
      const setup = { name: "it", folder: at("run", "student"), input: { task } } as unknown as SubjectSetup;
      await assert.rejects(openSubject(null!, setup), {
        name: "UserError",
        message: `Cannot assess "it" as its task is ${task}: assess covers classification, one class for each example`,
      });
    }
  }));

Deno.test("a manifest is found again, and fails where a hash or a number of it is another", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: ["train.epochs=1", "export.manifest=true"] });
    const file = join(run, "student", "manifest.json");
    const own = JSON.parse(await Deno.readTextFile(file));
    const { studentSha256, merge, dataSha256, seed } = JSON.parse(await Deno.readTextFile(join(run, "metrics.json")));
    assert.deepEqual([own.student.sha256, own.merge, own.data, own.seed], [studentSha256, merge, dataSha256, seed]);
    assert.ok(own.matrices.length > 0);
    for (const { reconstructionError } of own.matrices) assert.ok(reconstructionError < 1e-6);
    const flags = ["--only", "calibration,robustness", "--examples", "10", "--steps", "1"];
    const made = await assess(run, "--manifest", ...flags);
    assert.equal(made.code, 0, made.stderr);
    const text = await Deno.readTextFile(file);
    const { checksum: _, ...manifest } = JSON.parse(text);
    assert.equal(manifest.assessments.results.calibration.subjects[0].subject, "student");
    const stated = await readManifest(file);
    const again = await carriedOut(await planOfManifest(dirname(file), stated, USUAL), true);
    assert.deepEqual(differencesOf(stated, again.manifest!), []);
    const { results } = manifest.assessments;
    results.calibration.subjects[0].own.brier += 0.001;
    await Deno.writeTextFile(file, await sealJson({ ...manifest, seed: 9 }));
    const other = await assess("--verify", file);
    assert.equal(other.code, 1);
    assert.match(other.stdout, /^seed: the manifest says 9, and it is 3$/m);
    assert.match(
      other.stdout,
      /^assessments\.calibration\.subjects\.0\.own\.brier: the manifest says 0\.\d+, and it is 0\.\d+$/m,
    );
    assert.match(other.stderr, /manifest\.json: what was found differs in 2 places\n$/);
    await Deno.writeTextFile(file, text.replace('"seed": 3', '"seed": 4'));
    await assert.rejects(readManifest(file), {
      message: /^Cannot read the manifest ".*" as it is damaged: its checksum /,
    });
    await assert.rejects(readManifest(join(folder, "none.json")), { message: /as there is no such file$/ });
  }));
