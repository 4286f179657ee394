import assert from "node:assert/strict";
import { join } from "node:path";
import { FolderHeld } from "../../../core/lock.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { keepOutcome, keptOutcome } from "../../../tasks/queue/kept_files.ts";
import { expectWithin, type Manifest, Manifests } from "../../../tasks/queue/manifest.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { keepBlob, readBlob } from "../../../tasks/queue/store.ts";
import { stopAt } from "../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { listener, tinyRow, workplace } from "./rig.ts";

/** Sends a run of the tiny recipe. Gives its id, and what fetches its outcome. */
async function send(folder: string, overrides: readonly string[] = [], output = "fetched") {
  const { reporter } = listener();
  const store = new FolderStore(join(folder, "store"));
  const sender = new Sender({ store, builtins, reporter, begin: () => Promise.resolve() });
  const out = { path: ["output"], value: join(folder, output), label: "test" };
  const recipe = () => tinyRow(folder, "a", overrides).recipe([out]);
  const id = await sender.send(recipe(), "a");
  assert.ok(typeof id === "string", "it is not done");
  return { id, fetch: () => sender.fetch(recipe(), id) };
}

const student = (folder: string, run: string) => Deno.readFile(join(folder, run, "student", "model.safetensors"));

Deno.test("a run that one worker left goes on with another one, bit for bit, also its log", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.epochs=3", "train.diagnostics={ layers: '*conv*' }"];
    const whole = await send(folder, [...overrides, "name=whole"], "whole");
    await doRun(workplace(folder, "alone"), whole.id, new AbortController().signal);
    await whole.fetch();
    const { id, fetch } = await send(folder, overrides);
    await assert.rejects(doRun(workplace(folder, "a"), id, stopAt(8)), Interrupted);
    assert.equal(await fetch(), null);
    // The folder of the first one is on another machine.
    await Deno.remove(join(folder, "a"), { recursive: true });
    const { lines, reporter } = listener();
    await doRun(workplace(folder, "b", { reporter }), id, new AbortController().signal);
    assert.equal(lines[0], "a: goes on from what a left");
    const outcome = await fetch();
    assert.ok(outcome && "summary" in outcome);
    assert.equal(outcome.diagnostics.length, 3);
    assert.deepEqual(await student(folder, "fetched"), await student(folder, "whole"));
    // What it would have gone on from is gone, and what all runs share is there.
    const kept = (await Array.fromAsync(Deno.readDir(join(folder, "store", "runs", id)))).map(({ name }) => name)
      .sort();
    assert.deepEqual(kept, ["outcome.json", "run.json", "state"]);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(join(folder, "store", "runs", id, "state"))), []);
  }));

Deno.test("a run whose checkpoint in the store is damaged begins anew, and says so", () =>
  withTinyData(async (folder) => {
    const { id, fetch } = await send(folder, ["train.epochs=3"]);
    await assert.rejects(doRun(workplace(folder, "a"), id, stopAt(8)), Interrupted);
    const state = join(folder, "store", "runs", id, "state");
    for await (const { name } of Deno.readDir(state)) await Deno.writeTextFile(join(state, name), "damaged");
    const { warnings, reporter } = listener();
    await doRun(workplace(folder, "b", { reporter }), id, new AbortController().signal);
    assert.match(warnings[0], /was damaged: it was removed; the run begins anew$/);
    assert.ok(await fetch());
  }));

Deno.test("a run that a worker still does is no other's with the same folder, which leaves it as it is", () =>
  withTinyData(async (folder) => {
    const { id, fetch } = await send(folder, ["train.epochs=3"]);
    const { signal } = new AbortController();
    await assert.rejects(doRun(workplace(folder, "a"), id, stopAt(8)), Interrupted);
    const others: Promise<unknown>[] = [];
    const second = () => assert.rejects(doRun(workplace(folder, "a", { name: "b" }), id, signal), FolderHeld);
    const progress = () => void (others.length === 0 && others.push(second()));
    const { reporter, warnings } = listener();
    // It has the checkpoint of the store, as the other one would.
    await doRun(workplace(folder, "a", { reporter: { ...reporter, progress } }), id, signal);
    assert.equal(others.length, 1);
    await others[0];
    assert.deepEqual(warnings, []);
    const outcome = await fetch();
    assert.ok(outcome && "summary" in outcome);
    // And who comes later finds it done.
    assert.equal(await doRun(workplace(folder, "a"), id, signal), false);
  }));

Deno.test("a run folder that has no end any more is no outcome", () =>
  withTinyData(async (folder) => {
    const { store } = workplace(folder, "a");
    await Deno.writeTextFile(join(folder, "recipe.yaml"), "name: a\n");
    await assert.rejects(keepOutcome(store, "run-1", folder, "a"), {
      name: "UserError",
      message: `Cannot keep the run in "${folder}" as its failure.json or metrics.json is not there any more`,
    });
    assert.equal(await keptOutcome(store, "run-1"), null);
  }));

Deno.test("a training that fails is an outcome, which is not tried again", () =>
  withTinyData(async (folder) => {
    const { id, fetch } = await send(folder, ["train.optimiser={ use: sgd, learningRate: 1000, weightDecay: 100 }"]);
    await doRun(workplace(folder, "w"), id, new AbortController().signal);
    const outcome = await fetch();
    assert.ok(outcome && "failure" in outcome);
    assert.match(outcome.failure, /^Stopped at step \d+ as its loss is not finite/);
  }));

Deno.test("the id of a run is of its recipe and of what its files hold, wherever it writes", () =>
  withTinyData(async (folder) => {
    const { id } = await send(folder);
    assert.equal((await send(folder, [], "elsewhere")).id, id);
    assert.equal((await send(folder, ["base=."])).id, id);
    assert.notEqual((await send(folder, ["seed=4"])).id, id);
    const bytes = await Deno.readFile(join(folder, "train-images"));
    await Deno.writeFile(join(folder, "train-images"), bytes.with(99, bytes[99] ^ 1));
    assert.notEqual((await send(folder)).id, id);
  }));

Deno.test("what a run reads is found and laid out as its recipe names it, however far above", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.maxSteps=2"] });
    await Deno.mkdir(join(folder, "deep", "er"), { recursive: true });
    await Deno.writeTextFile(join(folder, "deep", "own.ts"), 'import "./more.ts";\n' + LOSS);
    await Deno.writeTextFile(join(folder, "deep", "more.ts"), "export {};\n");
    const recipe = tinyRow(folder, "a", [
      "base=deep/er",
      "dataset.train={ images: ../../train-images, labels: ../../train-labels }",
      "dataset.test={ images: ../../test-images, labels: ../../test-labels }",
      "teacher={ use: resnet, depth: 8, width: 4, weights: ../../teacher/student/model.safetensors }",
      "losses=[{ use: kd }, { use: ../own.ts, weight: 0.1 }]",
    ]).recipe([]);
    await resolvePlugins(recipe, builtins);
    const sent = new Map<string, string>();
    const manifest = await new Manifests((path, hash) => Promise.resolve(void sent.set(path, hash))).of(recipe);
    const model = ["config.json", "model.safetensors", "preprocessor_config.json"].map((name) =>
      `teacher/student/${name}`
    );
    const data = ["test-images", "test-labels", "train-images", "train-labels"];
    const code = [".base/more.ts", ".base/own.ts"];
    assert.deepEqual(Object.keys(manifest.files).sort(), [...code, ...model, ...data].sort());
    assert.deepEqual([manifest.above, manifest.elsewhere], [2, {}]);
    assert.equal(sent.size, 9);
  }));

const LOSS = `export default { kind: "loss", name: "own", description: "Small logits",
  options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(ops.square(student.logits)) }) };`;

Deno.test("a list of inputs that leads out of the worker's folder is refused", () => {
  const manifest = (path: string): Manifest => ({
    above: 0,
    files: { [path]: "0".repeat(64) },
    elsewhere: {},
  });
  for (const path of ["../x", "a/../../x", "/etc/passwd", "a//b", "c:/x", "a\\x", "", "./x"]) {
    assert.throws(() => expectWithin(manifest(path)), {
      name: "UserError",
      message: /leads out of the worker's folder$/,
    });
  }
  for (const path of ["x", ".base/x", "a/b.c"]) expectWithin(manifest(path));
});

Deno.test("a damaged file of the store is refused and removed, so that it is put there again", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const store = new FolderStore(folder);
    const bytes = new TextEncoder().encode("input");
    const hash = await keepBlob(store, bytes);
    await Deno.writeTextFile(join(folder, "blobs", hash), "inpux");
    await assert.rejects(readBlob(store, hash, "the input"), {
      name: "UserError",
      message: `Cannot use the input from the store "${folder}" as blobs/${hash} was damaged: it was removed`,
    });
    await keepBlob(store, bytes);
    assert.deepEqual(await readBlob(store, hash, "the input"), bytes);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
