import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFiles } from "../../../core/deno/deno_files.ts";
import "../../../core/deno/install.ts";
import { useFiles } from "../../../core/files/current.ts";
import { lockFolder } from "../../../core/lock.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { doPart } from "../../../tasks/queue/do_part.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { keptPart, type Part } from "../../../tasks/queue/parts.ts";
import { RecipeMistake } from "../../../tasks/queue/recipe_mistake.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { listener, tinyRow, workplace } from "./rig.ts";

const signal = new AbortController().signal;

/** Runs `body` with a worker's place, and what gives a part of a run that is sent to its store. */
const withPlace = (
  body: (place: ReturnType<typeof workplace>, sent: (set?: readonly string[]) => Promise<Part>) => Promise<void>,
) =>
  withTinyData(async (folder) => {
    const place = workplace(folder, "a");
    const sender = new Sender({
      store: place.store,
      builtins,
      reporter: listener().reporter,
      begin: () => Promise.resolve(),
    });
    await body(place, async (set = []) => {
      const recipe = tinyRow(folder, "tiny", set).recipe([{
        path: ["output"],
        value: join(folder, "out"),
        label: "test",
      }]);
      const { id } = await sender.plan({ recipe, title: "a trial" });
      return { run: id, epochs: 1, own: false };
    });
  });

Deno.test("what a worker's machine fails at loses no trial: nothing is kept, and the next try trains it", () =>
  withPlace(async (place, sent) => {
    const part = await sent();
    const failsOnce = async (message: RegExp) => {
      await assert.rejects(doPart(place, part, signal), { name: "UserError", message });
      assert.equal(await keptPart(place.store, part), null);
    };
    const work = join(place.folder, "work", part.run);
    await Deno.mkdir(work, { recursive: true });
    const lock = await lockFolder(work, "another run writes to it");
    await failsOnce(/another run writes to it/);
    lock[Symbol.dispose]();

    const broken = Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
    let reads = 0;
    // The first look is at what is laid out for the run.
    const fails = (path: string) => path.endsWith("train-labels") && ++reads > 1;
    useFiles({ ...denoFiles, read: (path) => fails(path) ? Promise.reject(broken) : denoFiles.read(path) });
    await failsOnce(/recipe\.yaml:\d+:\d+: .*train-labels.* the disk reports an error/).finally(() =>
      useFiles(denoFiles)
    );

    assert.equal(await doPart(place, part, signal), true);
    assert.ok((await keptPart(place.store, part))!.trained!.score > 0);
  }));

Deno.test("what a trial's settings make impossible is lost, wherever it is tried", () =>
  withPlace(async (place, sent) => {
    const part = await sent(["losses=[{ use: kd }]"]);
    assert.equal(await doPart(place, part, signal), true);
    assert.match((await keptPart(place.store, part))!.lost!, /teacher/);
  }));

Deno.test("a worker without float16 leaves runs that want it to others, and says why; one for the cpu is nobody's", () =>
  withPlace(async (place, sent) => {
    const refused = {
      name: "Refused",
      message: "its train.precision is f16, and the cpu backend computes in float32",
    };
    const part = await sent(["backend=auto", "train.precision=f16"]);
    const onCpu = { ...place, backend: "cpu" };
    await assert.rejects(doPart(onCpu, part, signal), refused);
    assert.equal(await keptPart(place.store, part), null);
    await assert.rejects(doRun(onCpu, part.run, signal), refused);
    const { run } = await sent(["train.precision=f16"]);
    await assert.rejects(doRun(place, run, signal), (error) => error instanceof RecipeMistake);
  }));
