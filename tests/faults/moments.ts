import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { checkWhole, isThere, treeOf } from "../support/run_files.ts";
import type { Campaign, Ending } from "./campaign.ts";
import { chainLife, experimentLife, mergeLife, runLife } from "./lives.ts";
import { onLives } from "./on_lives.ts";
import { checkEnding, checkFine, type Death, ended, kill, momentIn, run, start, started } from "./process.ts";
import type { Workshop } from "./workshop.ts";

const wait = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

const system = (command: string, ...args: string[]) =>
  new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;

/** Whether a folder can be made such that nothing can be written into it, also by root. */
const CAN_FREEZE = (() => {
  const folder = Deno.makeTempDirSync();
  try {
    return system("chattr", "+i", folder) && system("chattr", "-i", folder);
  } catch {
    return false;
  } finally {
    Deno.removeSync(folder);
  }
})();

/** What happens to a folder, or a file in it, while a command writes there. */
const MISHAPS: Readonly<Record<string, (folder: string, aside: string) => Promise<void>>> = {
  async removed(folder) {
    // Again where the command has just written another file.
    for (let tries = 0; tries < 1000; tries++) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      if (!await isThere(folder)) return;
    }
  },
  moved: (folder, aside) => Deno.rename(folder, aside),
  async "replaced by a folder"(folder, aside) {
    await Deno.rename(folder, aside);
    await Deno.mkdir(folder);
  },
  async "replaced by a file"(folder, aside) {
    await Deno.rename(folder, aside);
    await Deno.writeTextFile(folder, "a file\n");
  },
  async "replaced by a link to nowhere"(folder, aside) {
    await Deno.rename(folder, aside);
    await Deno.symlink(`${folder}.nowhere`, folder);
  },
  ...(CAN_FREEZE && { "made read-only": (folder: string) => Promise.resolve(void system("chattr", "+i", folder)) }),
  "bereft of a part": async (folder) => {
    const parts = [...Deno.readDirSync(folder)].filter(({ name }) => name !== ".lock");
    if (parts[0]) await Deno.remove(join(folder, parts[0].name), { recursive: true });
  },
};

/**
 * What took a folder's place does not get a part of the results, said to be all: it was there before the command began
 * to write, or after it was done.
 */
function checkAllOrNothing(folder: string): void {
  const there = treeOf(folder);
  const recipes = there.filter((path) => path.endsWith("recipe.yaml"));
  assert.equal(recipes.length === 0, there.length === 0, `a part of the results: ${there}`);
  for (const recipe of recipes) {
    const metrics = recipe.replace(/recipe\.yaml$/, "metrics.json");
    assert.ok(there.includes(metrics), `a part of the results: ${there}`);
  }
  const isExperiment = folder.endsWith("experiment") && there.length > 0;
  assert.ok(!isExperiment || there.includes("experiment.json"), `a part of the results: ${there}`);
}

const met = new Map<string, number>();

export const hurtFolder: Campaign = onLives({
  name: "hurt folder",
  quick: 0,
  told: () => [...met].map(([name, count]) => `${name} ${count}`).join(", "),
  lives: (shop) => [
    runLife(shop, "train", "fresh"),
    runLife(shop, "train", "half in old"),
    experimentLife(shop, "compare", "old"),
    runLife(shop, "distill", "old"),
    mergeLife(shop, "old"),
    experimentLife(shop, "sweep", "fresh"),
  ],
  async hurt(life, random, shop) {
    const names = Object.keys(MISHAPS);
    const name = names[random.below(names.length)];
    const child = start(life.command);
    const dying = ended(child);
    await wait(momentIn(life.command, random));
    const [folder] = [...Deno.readDirSync(shop.place)].filter(({ name }) => /^(run|experiment|model)$/.test(name));
    const path = join(shop.place, folder?.name ?? "run"), aside = join(shop.place, "aside");
    const happened = await MISHAPS[name](path, aside).then(() => true, () => false);
    const death = await dying.finally(() => CAN_FREEZE && system("chattr", "-i", path));
    const ending = checkEnding(death);
    if (ending === "refused") {
      assert.ok(death.stderr.includes(shop.place), `no path: ${death.stderr}`);
      met.set(name, (met.get(name) ?? 0) + 1);
    }
    if (!happened || name === "made read-only") {
      await life.check();
      await life.recover(random);
    } else if (await isThere(aside)) {
      await checkWhole(aside);
      if (ending === "fine" && name === "replaced by a folder") checkAllOrNothing(path);
      await Deno.remove(path, { recursive: true }).catch(() => {});
      await Deno.rename(aside, path);
      await life.check();
      await life.recover(random);
    } else if (name === "removed" && !life.name.startsWith("merge")) {
      // An experiment that is about to begin a run may make its folders once more.
      if (path.endsWith("experiment")) await Deno.remove(path, { recursive: true }).catch(() => {});
      else if (ending === "refused" && await isThere(path)) assert.fail(`"${path}" came back: ${treeOf(path)}`);
      if (!life.name.includes("half")) checkFine(await run(life.command));
    }
    return ending;
  },
});

/** Signals that a person, a shell or a system sends, in their order. */
const SIGNALS: readonly (readonly Deno.Signal[])[] = [
  ["SIGINT"],
  ["SIGTERM"],
  ["SIGHUP"],
  ["SIGINT", "SIGINT"],
  ["SIGTERM", "SIGTERM"],
  ["SIGHUP", "SIGHUP", "SIGTERM"],
  ["SIGINT", "SIGTERM"],
];

let stopped = 0;

export const signalled: Campaign = onLives({
  name: "signals",
  quick: 0,
  missing: () => Deno.build.os === "windows" ? "it has no signals" : null,
  told: () => `${stopped} processes were stopped`,
  async hurt(life, random) {
    const child = start(life.command);
    const dying = ended(child);
    await wait(momentIn(life.command, random));
    for (const signal of SIGNALS[random.below(SIGNALS.length)]) {
      kill(child, signal);
      if (random.below(2) === 0) await wait(random.below(60));
    }
    const death = await dying;
    const ending = checkStopped(death);
    await life.check();
    await life.recover(random);
    return ending;
  },
});

/** It came to its end before, or was stopped: by itself with a sentence, or before it could listen. */
function checkStopped(death: Death): Ending {
  if (death.code === 0) return "fine";
  stopped++;
  assert.doesNotMatch(death.stderr, /Internal error|Uncaught|panicked/);
  // It listens before it says this.
  if (/parameters in training/.test(death.stdout)) assert.equal(death.code, 130, JSON.stringify(death));
  assert.ok(death.code === 130 || ["SIGINT", "SIGTERM", "SIGHUP"].includes(death.signal!), JSON.stringify(death));
  return "refused";
}

export const closedPipe: Campaign = onLives({
  name: "closed pipe",
  quick: 0,
  async hurt(life, random) {
    const child = start(life.command);
    const closes = random.below(3);
    const [out, err] = [child.stdout.getReader(), child.stderr.getReader()];
    const drained = async (reader: ReadableStreamDefaultReader<Uint8Array>, close: boolean) => {
      const end = close ? performance.now() + momentIn(life.command, random) : Infinity;
      while (performance.now() < end) if ((await reader.read()).done) return;
      await reader.cancel();
    };
    await Promise.all([drained(out, closes !== 1), drained(err, closes !== 0)]);
    // Who reads may have seen enough: the work is done all the same.
    const { code } = await child.status;
    assert.equal(code, 0);
    await life.check();
    await life.recover(random);
    return "fine";
  },
});

let refusals = 0;

export const twoProcesses: Campaign = onLives({
  name: "two processes in a folder",
  quick: 0,
  told: () => `${refusals} second processes were refused`,
  lives: (shop) => [
    runLife(shop, "train", "fresh"),
    runLife(shop, "train", "old"),
    experimentLife(shop, "compare", "fresh"),
    mergeLife(shop, "old"),
    runLife(shop, "distill", "old"),
    experimentLife(shop, "sweep", "old"),
    chainLife(shop, "decompose", "old"),
    mergeLife(shop, "its own"),
  ],
  async hurt(life, random) {
    const first = start(life.command);
    const firstDying = ended(first);
    await wait(momentIn(life.command, random) * (random.below(2) === 0 ? 0.1 : 1));
    const second = ended(start(life.again[random.below(life.again.length)]));
    // The lock of a dead owner must not hold the second one.
    if (random.below(3) === 0) kill(first, "SIGKILL");
    const deaths = await Promise.all([firstDying, second]);
    const endings = deaths.map((death) => {
      if (death.signal === "SIGKILL") return "killed";
      const ending = checkEnding(death);
      if (ending === "fine") return ending;
      assert.match(death.stderr, /as (?:another (?:run|experiment|merge)|a run) |Cannot resume/);
      return ending;
    });
    if (endings.includes("refused")) refusals++;
    assert.ok(endings.includes("fine") || endings.includes("killed"), JSON.stringify(deaths));
    await life.check();
    await life.recover(random);
    return endings.includes("refused") ? "refused" : "fine";
  },
});

/** Changes between a run and its going on, with what is said about them; `null`: they change nothing. */
const EDITS: readonly (readonly [name: string, edit: (shop: Workshop) => Promise<void>, says: RegExp | null])[] = [
  ["a comment", recipeEdit(/^/, "# mine\n"), null],
  ["the order of keys", recipeEdit(/^seed: 3\n([^]*)$/m, "$1seed: 3\n"), null],
  ["epochs", recipeEdit("epochs: 3", "epochs: 4"), /another recipe: train\.epochs differs/],
  ["a rate", recipeEdit("learningRate: 0.05", "learningRate: 0.06"), /another recipe: train\.optimiser.* differs/],
  ["the batch", recipeEdit("batchSize: 16", "batchSize: 12"), /another recipe: train\.batchSize differs/],
  ["the name", recipeEdit("name: tiny", "name: other"), /another recipe: name differs/],
  ["a loss", recipeEdit("cross-entropy }", "cross-entropy, weight: 2 }"), /another recipe: losses\.0\.weight differs/],
  ["cores", recipeEdit("cores: 3", "cores: 2"), /another recipe: student\.overParameterise.* differs/],
  ["an unknown key", recipeEdit("name: tiny", "nam: tiny"), /nam/],
  ["half a recipe", recipeEdit(/student:[^]*$/, "student: {"), /train\.yaml:\d+:\d+: /],
  ["an empty recipe", recipeEdit(/[^]*/, ""), /train\.yaml/],
  ["a pixel", dataEdit("train-images", (bytes) => bytes.with(400, bytes[400] ^ 1)), /train-images has changed since/],
  ["a label", dataEdit("train-labels", (bytes) => bytes.with(20, (bytes[20] + 1) % 3)), /train-labels has changed/],
  ["a test label", dataEdit("test-labels", (bytes) => bytes.with(20, (bytes[20] + 1) % 3)), /test-labels has changed/],
  ["half the images", dataEdit("train-images", (bytes) => bytes.subarray(0, bytes.length / 2)), /train-images/],
  ["no images", dataEdit("train-images", () => new Uint8Array()), /train-images/],
  ["a class more", dataEdit("train-labels", (bytes) => bytes.with(20, 7)), /train-labels|class|labels/],
];

function recipeEdit(from: string | RegExp, to: string) {
  return async (shop: Workshop) => {
    const file = shop.recipe("train");
    const text = await Deno.readTextFile(file);
    const edited = text.replace(from, to);
    assert.notEqual(edited, text);
    await Deno.writeTextFile(file, edited);
  };
}

function dataEdit(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array) {
  return async ({ folder }: Workshop) => {
    const file = join(folder, name);
    await Deno.writeFile(file, change(await Deno.readFile(file)));
  };
}

export const editedBetween: Campaign = onLives({
  name: "edited between",
  quick: 1,
  lives: (shop) => [runLife(shop, "train", "half"), runLife(shop, "train", "half in old")],
  async hurt(life, random, shop) {
    const [name, edit, says] = EDITS[random.below(EDITS.length)];
    const kept = join(shop.folder, "kept");
    const inputs = ["train.yaml", "train-images", "train-labels", "test-images", "test-labels"];
    for (const input of inputs) await copyFile(join(shop.folder, input), join(kept, input));
    const checkpoint = join(shop.place, "run", CHECKPOINT_FILE);
    const before = await Deno.readFile(checkpoint);
    let death: Death;
    try {
      await edit(shop);
      death = await run(life.command);
    } finally {
      for (const input of inputs) await copyFile(join(kept, input), join(shop.folder, input));
    }
    const ending = checkEnding(death);
    assert.equal(ending, says ? "refused" : "fine", `${name}: ${death.stderr}`);
    if (says) {
      assert.match(death.stderr, says);
      assert.deepEqual(await Deno.readFile(checkpoint), before, `${name}: the checkpoint is another`);
    }
    await life.check();
    await life.recover(random);
    return ending;
  },
});

async function copyFile(from: string, to: string): Promise<void> {
  await Deno.mkdir(join(to, ".."), { recursive: true });
  await Deno.copyFile(from, to);
}

let busy = 0;

/** A thread of the cpu backend that fails, as one did once under load, ends a process with an internal error. */
export const busyMachine: Campaign = onLives({
  name: "busy machine",
  quick: 0,
  told: () => `${busy} processes; ${started.count} of all campaigns so far`,
  lives: (shop) => [runLife(shop, "train", "fresh"), experimentLife(shop, "sweep", "fresh")],
  async hurt(life, random) {
    const source = URL.createObjectURL(new Blob(["for (;;);"]));
    const workers = Array.from({ length: navigator.hardwareConcurrency }, () => new Worker(source, { type: "module" }));
    try {
      for (let time = 0; time < 4; time++, busy++) {
        await life.before();
        checkFine(await run(life.command));
      }
    } finally {
      workers.forEach((worker) => worker.terminate());
      URL.revokeObjectURL(source);
    }
    await life.recover(random);
    return "fine";
  },
});
