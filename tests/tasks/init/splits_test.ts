import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { splitsAmong } from "../../../tasks/init/splits.ts";
import { inFolder, recipeText, refusal } from "../../support/init_recipe.ts";
import { writeTinyData } from "../../support/tiny_run.ts";

const table = (rows: number, label: (index: number) => string = (index) => index % 2 ? "good" : "bad") =>
  [
    "text,label",
    ...Array.from({ length: rows }, (_, index) => `guest ${index} of ${rows} wrote this,${label(index)}`),
    "",
  ].join("\n");
const jsonl = (rows: number) =>
  Array.from(
    { length: rows },
    (_, index) => JSON.stringify({ text: `guest ${index} of ${rows} wrote this`, label: index % 2 }) + "\n",
  ).join("");
const tsv = (text: string) => text.replaceAll(",", "\t");
const bare = (rows: number) => tsv(table(rows)).replaceAll(/\t.*/g, "");

Deno.test("files are of the split that their names say, those that say nothing else first; of both is of neither", () => {
  const files = [
    "a_train.csv",
    "dev.csv",
    "reviews_train_dev.csv",
    "test-ids.csv",
    "test.csv",
    "train.csv",
    "train_test.csv",
  ];
  assert.deepEqual(splitsAmong(files), {
    train: ["train.csv", "a_train.csv"],
    test: ["test.csv", "test-ids.csv", "dev.csv"],
  });
});

Deno.test("a test file that is named is the test set, in a folder with another, too", () =>
  inFolder(
    { "two/train.csv": table(24), "two/test.csv": table(9), "held.txt": "?", "held.csv": table(7) },
    async (folder) => {
      const data = join(folder, "two");
      assert.match(
        await recipeText(folder, { data }),
        /24 training and 9 test examples\n[^]*^ +test: two\/test\.csv$/m,
      );
      assert.match(
        await recipeText(folder, { data, test: join(folder, "held.csv") }),
        /24 training and 7 test examples\n[^]*^ +test: held\.csv$/m,
      );
      assert.equal(
        await refusal(folder, { data, test: join(folder, "held.txt") }),
        '--test held.txt: Expected a table (CSV, TSV, JSONL), as "two/train.csv" is',
      );
      await writeTinyData(folder);
      assert.match(
        await refusal(folder, { data: folder, test: join(folder, "held.csv") }),
        /^--test held\.csv: Expected a table or a CoNLL file as data: ".*" is IDX files of images$/,
      );
    },
  ));

Deno.test("what is no table beside tables is no test set", () =>
  inFolder({ "train.csv": table(24), "test.csv": table(9), "test-ids.txt": "1\n2\n" }, async (folder) => {
    assert.match(
      await recipeText(folder, { data: folder }),
      /24 training and 9 test examples\n[^]*^ +test: test\.csv$/m,
    );
  }));

Deno.test("a test table without labels gives way to the next, or to a part of the training table, and that is said", () =>
  inFolder({ "train.tsv": tsv(table(24)), "dev.tsv": tsv(table(9)), "test.tsv": bare(12) }, async (folder) => {
    const has = /^ +test: dev\.tsv # test\.tsv has no such labels$/m;
    assert.match(await recipeText(folder, { data: folder }), has);
    // Hugging Face's copies of the same benchmarks have a -1 in place of each.
    await Deno.writeTextFile(join(folder, "test.tsv"), tsv(table(12, () => "-1")));
    assert.match(await recipeText(folder, { data: folder }), has);
    assert.equal(
      await refusal(folder, { data: folder, test: join(folder, "test.tsv") }),
      '--test test.tsv: Cannot measure on it as it has none of the labels in "label" of "train.tsv"',
    );
    await Deno.remove(join(folder, "dev.tsv"));
    assert.match(
      await recipeText(folder, { data: folder }),
      /^ +testPart: 0\.2 # a fifth of the rows is the test set, as test\.tsv has no such labels; or test: another table$/m,
    );
    await Deno.writeTextFile(join(folder, "test.tsv"), tsv(table(12, (index) => index < 4 ? "good" : "")));
    assert.match(
      await recipeText(folder, { data: folder }),
      /24 training and 12 test examples, 4 of these with a label$/m,
    );
  }));

Deno.test("a split in several files is refused, as a recipe would use one of them", () =>
  inFolder({
    "train-00000-of-00002.jsonl": jsonl(20),
    "train-00001-of-00002.jsonl": jsonl(22),
    "test-00000-of-00001.jsonl": jsonl(9),
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(
      await refusal(folder, { data: folder }),
      "Cannot use train-00000-of-00002.jsonl and train-00001-of-00002.jsonl together, as a recipe takes one file for each " +
        "split: join them to one, or use one alone with --data FILE",
    );
    await Deno.remove(at("train-00001-of-00002.jsonl"));
    assert.match(await recipeText(folder, { data: folder }), /20 training and 9 test examples$/m);
    await Deno.writeTextFile(at("test-00001-of-00001.jsonl"), jsonl(8));
    assert.match(await refusal(folder, { data: folder }), /^Cannot use test-00000.* with --test FILE$/);
    await Deno.writeTextFile(at("other_train.jsonl"), jsonl(8));
    assert.match(
      await refusal(folder, { data: folder }),
      /^--data .*: Cannot tell which table has the training examples/,
    );
  }));

Deno.test("a table whose name says both splits is the one table of its folder, and no test set of another", () =>
  inFolder({ "train_test.csv": table(20) }, async (folder) => {
    assert.match(
      await recipeText(folder, { data: folder }),
      /16 training and 4 test examples\n[^]*^ +testPart: 0\.2 /m,
    );
    await Deno.writeTextFile(join(folder, "train.csv"), table(15));
    assert.match(
      await recipeText(folder, { data: folder }),
      /12 training and 3 test examples\n[^]*^ +testPart: 0\.2 /m,
    );
  }));
