import assert from "node:assert/strict";
import { join } from "node:path";
import { runTask } from "../../support/task.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const assess = (...args: string[]) => runTask("assess", [...args, "--backend", "cpu"]);

Deno.test("assess holds runs against each other, writes its files, and saves a temperature that predict uses", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    await tinyRun(folder, { overrides: ["train.epochs=2"] });
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
    const again = JSON.parse((await assess(at("run"), at("other"), "--teacher", at("other"), ...flags)).stdout);
    assert.deepEqual(again, report);

    const saved = await assess(at("run"), "--only", "calibration", "--save-temperature", "--out", at("run"));
    assert.equal(saved.code, 0, saved.stderr);
    const config = JSON.parse(await Deno.readTextFile(at("run", "student", "config.json")));
    assert.equal(config.temperature, own.temperature);
    const written = JSON.parse(await Deno.readTextFile(at("run", "assess.json")));
    assert.deepEqual(written.sections[0].result.subjects[0].own, own.own);
    assert.match(await Deno.readTextFile(at("run", "assess.md")), /^## Calibration$/m);
    assert.match(await Deno.readTextFile(at("run", "assess.html")), /<h2>Calibration<\/h2>.*<svg/s);
    const drawn = await runTask("report", [at("run")]);
    assert.equal(drawn.code, 0, drawn.stderr);
    assert.match(await Deno.readTextFile(at("run", "report.html")), /<h2>Calibration<\/h2>/);
    const scaled = JSON.parse((await assess(at("run"), "--only", "calibration", "--json")).stdout);
    const [{ own: now, statedTemperature }] = scaled.sections[0].result.subjects;
    assert.deepEqual([statedTemperature, now], [own.temperature, own.fitted]);
  }));

Deno.test("what cannot be assessed is refused with a sentence", () =>
  withTinyData(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    await tinyRun(folder, { overrides: ["train.epochs=1", "train.maxSteps=1", "validation=null"] });
    await Deno.writeTextFile(at("tiny.yaml"), tinyRecipe);
    const refused = async (says: RegExp, ...args: string[]) => {
      const { code, stderr } = await assess(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr.trim().split("\n").at(-1)!, says);
    };
    await refused(
      /^Cannot assess ".*" as it is no model folder: there is no config\.json in it, nor in student\//,
      folder,
    );
    const run = at("run");
    await refused(/^--only calibrations: Expected calibration, .*/, run, "--only", "calibrations");
    await refused(/^--eps -1: Expected numbers from 0 in rising order, as in /, run, "--eps=-1");
    await refused(/^--eps-l2 2,1: Expected numbers from 0 in rising order/, run, "--eps-l2", "2,1");
    await refused(/^--examples 0: Expected a whole number from 1$/, run, "--examples", "0");
    await refused(/^--seed 4294967296: Expected a whole number from 0 to 4294967295$/, run, "--seed", "4294967296");
    await refused(/^Cannot assess ".*run" twice: name other models beside it$/, run, run);
    await refused(/^--only robustness: Cannot save a temperature without calibration$/, ...[
      run,
      "--only",
      "robustness",
      "--save-temperature",
    ]);
    await refused(
      /^--save-temperature: ".*run": Cannot fit a temperature: the recipe has no validation examples with a label /,
      ...[run, "--only", "calibration", "--save-temperature"],
    );
    const config = JSON.parse(await Deno.readTextFile(at("run", "student", "config.json")));
    await Deno.writeTextFile(at("run", "student", "config.json"), JSON.stringify({ ...config, temperature: 0 }));
    await refused(/temperature/, run, "--only", "calibration");
  }));
