import assert from "node:assert/strict";
import { join } from "node:path";
import type { Random } from "../../core/data/random.ts";
import { writeTinyData } from "../support/tiny_run.ts";
import { checkAsWhole, runLife } from "./lives.ts";
import { onLives } from "./on_lives.ts";
import { checkEnding, checkFine, type Command, type Death, run } from "./process.ts";
import { SEEDS, type Workshop } from "./workshop.ts";

/** Names that people give, and that programs get wrong. */
const NAMES = [
  "with spaces",
  " spaces around ",
  "new\nline",
  "tab\tand\rreturn",
  "Größe",
  "Gro\u0308\u00dfe", // the same umlaut in two parts
  "İstanbul ıi",
  "模型",
  "👩‍🔬 run",
  "-dash",
  "--out",
  "~",
  "$HOME",
  "`id`",
  "a'b\"c",
  "back\\slash",
  "100%",
  "%41",
  "what?",
  "part#2",
  "a&b=c;d",
  "[x]{y,z}*",
  "...",
  ".hidden",
  "nul",
  "http:",
  "file.yaml",
  "null",
  "1e5",
  "true",
  "key: value",
  "__proto__",
  "constructor",
  "run.tmp",
  "\u202egnp",
  "\x1b[31mred",
  "\x7f\x01",
  "x".repeat(200),
  "ü".repeat(127),
  "x".repeat(255),
  "x".repeat(256),
];

const LOCALES = ["C", "POSIX", "tr_TR.UTF-8", "de_DE.UTF-8", "ja_JP.eucJP", "none such", ""];

const EDITORS_ENVIRONMENT = { TZ: "Pacific/Apia", LANG: "tr_TR.UTF-8", COLUMNS: "1", TERM: "dumb" };

/** A plug-in beside the recipe: its address has the folder's name in it. */
const PLUGIN = `
const loss = {
  kind: "loss",
  name: "mine",
  description: "Squared mean of the student's outputs",
  options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.scale(ops.sum(ops.square(student.logits)), 0.001) }),
};
export default loss;
`;

/** The folder of a name, with data, a recipe and a plug-in in it; `null` if the file system refuses such a name. */
async function outfit(shop: Workshop, name: string): Promise<string | null> {
  const folder = join(shop.place, name);
  try {
    await Deno.mkdir(folder);
  } catch {
    return null;
  }
  await writeTinyData(folder);
  const recipe = await Deno.readTextFile(shop.recipe("train"));
  await Deno.writeTextFile(join(folder, "train.yaml"), recipe);
  await Deno.writeTextFile(join(folder, "plugged.yaml"), recipe.replace("use: cross-entropy", "use: ./mine.ts"));
  await Deno.writeTextFile(join(folder, "mine.ts"), PLUGIN);
  return folder;
}

let refusals = 0;

/** Nothing of the runtime's own words is told, whatever the code. */
function checkTold({ stdout, stderr }: Death): void {
  assert.doesNotMatch(stdout + stderr, /Internal error|os error|Uncaught|panicked/);
}

export const oddNames = onLives({
  name: "odd names",
  quick: 1,
  told: () => `${refusals} names were refused`,
  lives: (shop) => [runLife(shop, "train", "fresh")],
  async hurt(_life, random: Random, shop) {
    const name = NAMES[random.below(NAMES.length)];
    const env = {
      LC_ALL: LOCALES[random.below(LOCALES.length)],
      ...(random.below(2) === 0 ? EDITORS_ENVIRONMENT : {}),
    };
    const whole = await shop.whole("train", "new");
    const folder = await outfit(shop, name) ?? await outfit(shop, "short");
    assert.ok(folder);
    const out = join(folder, name);
    const flags = ["--backend", "cpu", "--set", `seed=${SEEDS.new}`];
    const train = (recipe: string, ...more: string[]): Command => ({
      verb: "train",
      args: [join(folder, recipe), ...flags, "--out", out, ...more],
    });
    const first = await run(train("train.yaml"), { env });
    checkTold(first);
    if (checkEnding(first) === "refused") {
      refusals++;
      assert.match(first.stderr, /the name is too long/);
      return "refused";
    }
    await checkAsWhole(out, whole);
    switch (random.below(4)) {
      case 0: {
        // From the run's own recipe, which names its data from there.
        const again: Command = { verb: "train", args: [join(out, "recipe.yaml"), "--out", join(folder, "again")] };
        checkFine(await run(again, { env }));
        await checkAsWhole(join(folder, "again"), whole);
        break;
      }
      case 1: {
        checkFine(
          await run({ verb: "merge", args: [out, "--out", join(folder, `${name.slice(0, 100)} merged`)] }, { env }),
        );
        const args = [join(out, "student"), "--recipe", join(out, "recipe.yaml"), "--backend", "cpu"];
        const evaluated = await run({ verb: "evaluate", args }, { env });
        checkTold(evaluated);
        checkFine(evaluated);
        break;
      }
      case 2: {
        const args = [join(folder, "train.yaml"), "--seeds", "3", "--output", join(folder, "many"), "--backend", "cpu"];
        checkFine(await run({ verb: "compare", args }, { env }));
        checkFine(await run({ verb: "compare", args }, { env }));
        break;
      }
      default:
        checkFine(await run(train("plugged.yaml"), { env }));
    }
    return "fine";
  },
});
