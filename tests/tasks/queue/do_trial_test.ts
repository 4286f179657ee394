import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFiles } from "../../../core/deno/deno_files.ts";
import "../../../core/deno/install.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { useFiles } from "../../../core/files/current.ts";
import { lockFolder } from "../../../core/lock.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { doTrial } from "../../../tasks/queue/do_trial.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { keptTrial, type Trial } from "../../../tasks/queue/trials.ts";
import { RecipeMistake } from "../../../tasks/queue/recipe_mistake.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { stopAt } from "../../support/run_observers.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { listener, tinyRow, workplace } from "./rig.ts";

const signal = new AbortController().signal;

/** Runs `body` with a worker's place, and what gives a trial that is sent to its store. */
const withPlace = (
  body: (place: ReturnType<typeof workplace>, sent: (set?: readonly string[]) => Promise<Trial>) => Promise<void>,
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
      return { run: id, own: false };
    });
  });

Deno.test("what a worker's machine fails at loses no trial: nothing is kept, and the next try trains it", () =>
  withPlace(async (place, sent) => {
    const trial = await sent();
    const failsOnce = async (message: RegExp) => {
      await assert.rejects(doTrial(place, trial, signal), { name: "UserError", message });
      assert.equal(await keptTrial(place.store, trial), null);
    };
    const work = join(place.folder, "work", trial.run, "run");
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

    assert.equal(await doTrial(place, trial, signal), true);
    assert.ok((await keptTrial(place.store, trial))!.trained!.score > 0);
  }));

Deno.test("what a trial's settings make impossible is lost, wherever it is tried", () =>
  withPlace(async (place, sent) => {
    const trial = await sent(["losses=[{ use: kd }]"]);
    assert.equal(await doTrial(place, trial, signal), true);
    assert.match((await keptTrial(place.store, trial))!.lost!, /teacher/);
  }));

Deno.test("a worker without float16 leaves runs that want it to others, and says why; one for the cpu is nobody's", () =>
  withPlace(async (place, sent) => {
    const refused = {
      name: "Refused",
      message: "its train.precision is f16, and the cpu backend computes in float32",
    };
    const trial = await sent(["backend=auto", "train.precision=f16"]);
    const onCpu = { ...place, backend: "cpu" };
    await assert.rejects(doTrial(onCpu, trial, signal), refused);
    assert.equal(await keptTrial(place.store, trial), null);
    await assert.rejects(doRun(onCpu, trial.run, signal), refused);
    const { run } = await sent(["train.precision=f16"]);
    await assert.rejects(doRun(place, run, signal), (error) => error instanceof RecipeMistake);
  }));

Deno.test("a trial that one worker was stopped in goes on at another, to the score of one that was not", () =>
  withPlace(async (place, sent) => {
    const trial = await sent();
    await assert.rejects(doTrial(place, trial, stopAt(3)), Interrupted);
    assert.equal(await keptTrial(place.store, trial), null);
    const { reporter, lines } = listener();
    const other = { ...place, folder: `${place.folder}-other`, name: "b", reporter };
    assert.equal(await doTrial(other, trial, signal), true);
    assert.match(lines.join("\n"), /goes on from what a left/);
    const whole = await sent(["name=another"]);
    assert.equal(await doTrial(place, whole, signal), true);
    const [{ by, trained }, { trained: expected }] = await Promise.all(
      [trial, whole].map(async (own) => (await keptTrial(place.store, own))!),
    );
    assert.deepEqual([by, trained], ["b", expected]);
  }));
