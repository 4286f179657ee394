import assert from "node:assert/strict";
import { join } from "node:path";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { readSafetensors, toFloat32 } from "../../../../core/safetensors.ts";
import { recorder, stopAt } from "../../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const theseusRun = (depth: number) => [
  "student.initialise={ from: teacher, layers: [0, 2, 4] }",
  `teacher={ use: resnet, depth: ${depth}, width: 4, weights: taught/student }`,
  "train.layerRates=[{ layers: ['*', '!layer*'], scale: 0 }]",
  "train.theseus={ replacingRate: { from: 0.7, to: 0.9 } }",
  "train.batchSize=8",
  "train.epochs=3",
  "train.optimiser.learningRate=0.02",
];

Deno.test("a run with replaced layers: replayed, run anew, and resumed it gives the same student", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "taught", overrides: ["student.depth=14", "train.epochs=2"] });
    const { lines, reporter } = recorder();
    const overrides = theseusRun(14);
    const { studentSha256: whole } = await tinyRun(folder, { overrides, output: "whole", reporter });
    assert.ok(
      lines.includes("the student's layers stand for the teacher's layers 0 to 1, 2 to 3, 4 to 5"),
      lines.join("\n"),
    );
    const anew = await tinyRun(folder, { overrides: [...overrides, "train.replay=false"], output: "anew" });
    assert.equal(anew.studentSha256, whole);
    await assert.rejects(tinyRun(folder, { overrides, output: "halves", signal: stopAt(7) }), Interrupted);
    assert.equal((await tinyRun(folder, { overrides, output: "halves", resume: true })).studentSha256, whole);
    const off = await tinyRun(folder, { overrides: [...overrides, "train.theseus=null"], output: "off" });
    assert.notEqual(off.studentSha256, whole);

    const read = async (run: string) => (await readSafetensors(join(folder, run, "student/model.safetensors"))).tensors;
    const [taught, student] = [await read("taught"), await read("whole")];
    for (const name of ["conv1.weight", "bn1.bias", "fc.weight", "fc.bias"]) {
      assert.deepEqual(toFloat32(student.get(name)!), toFloat32(taught.get(name)!), `${name} is frozen`);
    }
    assert.notDeepEqual(toFloat32(student.get("layer1.0.bn1.weight")!), toFloat32(taught.get("layer1.0.bn1.weight")!));
  }));

Deno.test("layers whose turn is still to come are not called unlearned", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "taught", overrides: ["student.depth=14", "train.epochs=2"] });
    const { warnings, reporter } = recorder();
    const never = ["train.theseus={ replacingRate: 0 }", "train.epochs=1"];
    await tinyRun(folder, { overrides: [...theseusRun(14), ...never], output: "never", reporter });
    assert.deepEqual(warnings, []);
  }));

Deno.test("a recipe whose layers cannot be replaced is refused with its place", () =>
  withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { overrides: ["train.theseus={}"] }), {
      name: "UserError",
      message:
        "--set train.theseus={}: Cannot replace layers: there is no teacher whose layers stand in for the student's",
    });
    await assert.rejects(tinyRun(folder, { overrides: ["train.theseus={ replacingRate: 1.5 }"] }), {
      name: "UserError",
      message: /train\.theseus.*1\.5/,
    });
    await assert.rejects(tinyRun(folder, { overrides: ["train.layerRates=[{ layers: 'layer1*', scale: 0 }]"] }), {
      name: "UserError",
      message: /Cannot freeze layer1\.0\.conv1\.weight: it is over-parameterised, so as to be trained/,
    });
  }));
