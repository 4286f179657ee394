import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import type { AssessSection } from "../../../tasks/assess/report.ts";
import type { NamedFolder } from "../../../tasks/assess/open_subjects.ts";
import { saveTemperatures } from "../../../tasks/assess/save_temperature.ts";

Deno.test("an export beside the model gets its temperature if it is of the same weights, and else a line says so", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const model = join(folder, "student"), beside = join(folder, "student-onnx");
    const config = { architecture: "resnet" };
    for (const [place, content] of [[model, config], [beside, { ...config, exportedFrom: "of these" }]] as const) {
      await Deno.mkdir(place);
      await Deno.writeTextFile(join(place, "config.json"), JSON.stringify(content));
    }
    const named = { name: "run", folder: model } as NamedFolder;
    const result = { subjects: [{ subject: "run", temperature: 1.5 }] };
    const save = (hash: string) =>
      saveTemperatures(
        [named],
        [{ name: "calibration", result } as unknown as AssessSection],
        new Map([["run", hash]]),
      );
    const stated = async (place: string) => JSON.parse(await Deno.readTextFile(join(place, "config.json"))).temperature;
    const own = `Written: ${model}/config.json, temperature 1.5000`;
    assert.deepEqual(await save("of others"), [
      own,
      `${beside} is an export of other weights, and does not get the temperature: export the model anew`,
    ]);
    assert.deepEqual([await stated(model), await stated(beside)], [1.5, undefined]);
    assert.equal((await save("of these")).length, 2);
    assert.equal(await stated(beside), 1.5);
    await Deno.remove(beside, { recursive: true });
    assert.deepEqual(await save("of these"), [own]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
