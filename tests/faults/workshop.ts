import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { stopAt } from "../support/run_observers.ts";
import { isThere } from "../support/run_files.ts";
import { tinyRecipe, tinyRun, writeTinyData } from "../support/tiny_run.ts";

/** The seed of the run that is hurt, and that of the run whose results may be in its folder already. */
export const SEEDS = { new: 3, old: 4 } as const;

/** Which of the two. */
export type Age = keyof typeof SEEDS;

/** A verb that makes a run folder. */
export type RunVerb = "train" | "distill";

const trainRecipe = tinyRecipe.replace("epochs: 5", "epochs: 3").replace("logEvery: 5", "logEvery: 2");

const distillRecipe = trainRecipe.replace(
  "losses: [{ use: cross-entropy }]",
  `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student, cache: place/cache, onPoorTeacher: ignore }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }]`,
);

/** Steps after which the half done runs stand. */
const HALF = 7;

/**
 * What the trials of campaigns over whole processes share: data, recipes, a teacher, and the folders of undisturbed
 * runs. There is one place for the run that is hurt, as its checkpoint names the teacher's cache by its path.
 */
export class Workshop {
  readonly #made = new Map<string, Promise<string>>();

  private constructor(readonly folder: string) {}

  /** Writes data, recipes and the teacher to a temporary folder. */
  static async open(): Promise<Workshop> {
    const shop = new Workshop(await Deno.realPath(await Deno.makeTempDir()));
    await writeTinyData(shop.folder);
    await Deno.writeTextFile(join(shop.folder, "train.yaml"), trainRecipe);
    await Deno.writeTextFile(join(shop.folder, "distill.yaml"), distillRecipe);
    await tinyRun(shop.folder, {
      text: trainRecipe,
      output: "teacher",
      overrides: ["student.overParameterise=[]", "seed=9"],
    });
    return shop;
  }

  /** Where the run that is hurt writes. */
  get place(): string {
    return join(this.folder, "place");
  }

  recipe(verb: RunVerb): string {
    return join(this.folder, `${verb}.yaml`);
  }

  /** The place, empty. */
  async clear(): Promise<string> {
    await Deno.remove(this.place, { recursive: true }).catch(() => {});
    await Deno.mkdir(this.place);
    return this.place;
  }

  /** Makes something once, in a folder of its own, and copies it to wherever it is wanted. */
  async make(name: string, body: (folder: string) => Promise<void>): Promise<string> {
    const folder = join(this.folder, "made", name);
    const made = this.#made.get(name) ?? (async () => {
      await Deno.mkdir(folder, { recursive: true });
      await body(folder);
      return folder;
    })();
    this.#made.set(name, made);
    return await made;
  }

  /** The folder of an undisturbed run, as it is done in the place. */
  async whole(verb: RunVerb, age: Age): Promise<string> {
    return await this.make(`${verb}-${age}`, (to) => this.#run(verb, age, to));
  }

  /** The folder of a run that was stopped half way, in a fresh folder or that of an old run. */
  async half(verb: RunVerb, into: "fresh" | "old"): Promise<string> {
    return await this.make(`${verb}-half-${into}`, async (to) => {
      if (into === "old") await copy(await this.whole(verb, "old"), to);
      await assert.rejects(this.#run(verb, "new", to, HALF), { name: "Interrupted" });
    });
  }

  /** The student's weights after an undisturbed run. */
  async student(verb: RunVerb, age: Age): Promise<Uint8Array> {
    return await Deno.readFile(join(await this.whole(verb, age), "student", "model.safetensors"));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#made.values());
    await Deno.remove(this.folder, { recursive: true });
  }

  async #run(verb: RunVerb, age: Age, to: string, steps = Infinity): Promise<void> {
    const text = await Deno.readTextFile(this.recipe(verb));
    const overrides = [`seed=${SEEDS[age]}`, `output=${to}`];
    await tinyRun(this.folder, { text, overrides, signal: stopAt(steps) });
  }
}

/** Copies what is in a folder into another one, which is made if it is not there. */
export async function copy(from: string, to: string): Promise<void> {
  if (await isThere(from)) await cp(from, to, { recursive: true });
}
