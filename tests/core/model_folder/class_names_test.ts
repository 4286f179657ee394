import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { readClassNames } from "../../../core/model_folder/class_names.ts";
import { areSameClasses, orderOfClasses } from "../../../core/plugin/class_names.ts";
import { matchClasses } from "../../../core/distill/teacher/match_classes.ts";

const names = (text: string) => text.split(" ");

/** What becomes of a teacher's classes and a data set's, and the lines that say so. */
function match(own: string[], given: string[], change: { listed?: boolean; movable?: boolean } = {}) {
  const lines: string[] = [];
  const listed = change.listed ?? false;
  const order = matchClasses({
    who: "teacher",
    own,
    given,
    listed,
    movable: change.movable ?? !listed,
    remedies: { order: "ORDER", names: "NAMES" },
    report: (line) => void lines.push(line),
  });
  return { order, lines };
}

Deno.test("classes are the same without case, with spaces, hyphens or underscores, and as LABEL_n or n", () => {
  assert.ok(areSameClasses(names("CONTRADICTION Neutral"), names("contradiction neutral")));
  assert.ok(areSameClasses(names("not_entailment"), ["Not Entailment"]));
  assert.ok(areSameClasses(names("LABEL_0 LABEL_10"), names("0 10")));
  assert.ok(areSameClasses(names("class_1 label-2"), names("1.0 2")));
  assert.ok(areSameClasses(names("NEG POS"), names("negative positive")));
  assert.ok(!areSameClasses(names("a b"), names("b a")));
  assert.ok(!areSameClasses(names("0 1"), names("negative positive")));
});

Deno.test("names that differ by their spelling alone are different where one list has both", () => {
  assert.ok(areSameClasses(names("us US"), names("us US")));
  assert.deepEqual(orderOfClasses(names("US us"), names("us US")), [1, 0]);
  assert.equal(orderOfClasses(names("US us"), names("us Us")), null);
});

Deno.test("an order says the number of the data set's class for each of the model's", () => {
  assert.deepEqual(
    orderOfClasses(names("CONTRADICTION NEUTRAL ENTAILMENT"), names("contradiction entailment neutral")),
    [0, 2, 1],
  );
  assert.equal(orderOfClasses(names("a b"), names("a b c")), null);
  assert.equal(orderOfClasses(names("a b"), names("a c")), null);
});

Deno.test("the same classes in another order are put in the teacher's, and a line says so", () => {
  assert.deepEqual(match(names("C N E"), names("c e n")), {
    order: [0, 2, 1],
    lines: ["the classes are in the teacher's order: c, n and e"],
  });
  assert.deepEqual(match(names("C E N"), names("c e n")), { order: null, lines: [] });
  assert.throws(() => match(names("C N E"), names("c e n"), { listed: true }), {
    name: "UserError",
    message: "Cannot run a teacher whose classes are C, N and E in this order, on a data set in which they are c, e " +
      "and n: expected ORDER",
  });
});

Deno.test("classes that cannot be told apart by their names are asked for", () => {
  const asked = (own: string[], given: string[], theirs: string, ours: string) =>
    assert.throws(() => match(own, given), {
      name: "UserError",
      message: "Cannot tell which class of the data set is which of the teacher's: the teacher has " +
        `${theirs}, the data set ${ours}; NAMES`,
    });
  asked(names("LABEL_0 LABEL_1"), names("ham spam"), "LABEL_0 and LABEL_1", "ham and spam");
  asked(names("NEGATIVE POSITIVE"), names("0 1"), "NEGATIVE and POSITIVE", "0 and 1");
  asked(names("LABEL_0 LABEL_1"), names("1 2"), "LABEL_0 and LABEL_1", "1 and 2");
  asked(names("good bad"), names("good worse"), "good and bad", "good and worse");
  asked([], names("ham spam"), "no names for them", "ham and spam");
  assert.deepEqual(match([], names("0 1")), { order: null, lines: [] });
  assert.deepEqual(match(names("LABEL_0 LABEL_1"), names("0 1")), { order: null, lines: [] });
});

Deno.test("classes that the recipe lists are the answer where names say nothing, and a line says so", () => {
  assert.deepEqual(match(names("LABEL_0 LABEL_1"), names("spam ham"), { listed: true }), {
    order: null,
    lines: ["the teacher's classes LABEL_0 and LABEL_1 are taken for spam and ham, in this order"],
  });
  assert.deepEqual(match(names("LABEL_0 LABEL_1"), names("1 0"), { listed: true }).order, null);
  // Names that both have are names.
  assert.throws(() => match(names("LABEL_0 LABEL_1"), names("LABEL_1 LABEL_0"), { listed: true }), /expected ORDER/);
  assert.throws(() => match(["class 0", "class 1"], ["class 1", "class 0"], { listed: true }), /expected ORDER/);
});

Deno.test("another number of classes is refused before any tensor is read, listed or not", () => {
  for (const listed of [false, true]) {
    assert.throws(() => match(names("c n e"), names("c e"), { listed }), {
      message:
        "Cannot run a teacher of 3 classes, c, n and e, on a data set of 2, c and e, which lacks n: expected the same 3 in " +
        "dataset.classes, in the order of the teacher's logits",
    });
  }
});

Deno.test("names are read from config.json, by their numbers; several classes at once are refused", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "config.json");
    const read = async (config: unknown) => {
      await Deno.writeTextFile(file, JSON.stringify(config));
      return await readClassNames(folder);
    };
    assert.equal(await readClassNames(folder), null);
    assert.deepEqual(await read({ id2label: { 2: "k", 1: "c", 0: "a" } }), ["a", "c", "k"]);
    await assert.rejects(() => read({ id2label: { 0: "a", 2: "c" } }), {
      name: "UserError",
      message:
        `Cannot build the model in "${file}": Cannot read id2label of the config: expected a name for each number ` +
        'from 0 on, got {"0":"a","2":"c"}',
    });
    await assert.rejects(() => read({ architecture: "resnet", labels: "ab" }), {
      message: `Cannot read labels in "${file}": expected a list of names, got "ab"`,
    });
    await Deno.writeTextFile(file, "{");
    await assert.rejects(readClassNames(folder), {
      message: `Cannot read "${file}" as it is no JSON: it ends too early`,
    });
    assert.deepEqual(await read({ architecture: "resnet", labels: ["x", "y"] }), ["x", "y"]);
    assert.deepEqual(await read({ model_type: "bert" }), []);
    assert.deepEqual(await readClassNames(join(folder, "model.safetensors")), []);
    await assert.rejects(() => read({ problem_type: "multi_label_classification", id2label: { 0: "a" } }), {
      name: "UserError",
      message: `Cannot take the model in "${file}" for one class an example: its problem_type is ` +
        "multi_label_classification, expected single_label_classification",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a Hugging Face config of images or texts says by problem_type that there are several labels", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const kind of ["vit/vit", "bert/bert"]) {
      const config = JSON.parse(await Deno.readTextFile(new URL(`../../fixtures/${kind}.json`, import.meta.url)));
      for (
        const [problem_type, task] of [
          ["multi_label_classification", "multi-label"],
          ["single_label_classification", "classification"],
          [undefined, "classification"],
        ]
      ) {
        await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...config, problem_type }));
        assert.equal((await readDescribedModel(folder, builtins.model)).input.task, task);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
