import assert from "node:assert/strict";
import { recordedOutputs } from "../../../plugins/models/outputs/outputs.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { FileTensors } from "../../../core/plugin/model.ts";
import { UserError } from "../../../core/errors.ts";
import { textData } from "../../support/inputs.ts";
import { assertClose } from "../../support/numbers.ts";

const three = textData(["a", "b", "c"]);

/** Reads outputs of the training examples from files that are these texts. */
async function read(
  options: Record<string, unknown>,
  files: Record<string, string | FileTensors>,
  data = three,
) {
  const [file] = Object.keys(files);
  const checked = recordedOutputs.options(optionKit).parse({ file, key: "row", values: "probabilities", ...options });
  const get = (name: unknown) => {
    const content = files[name as string];
    if (content === undefined) throw new UserError(`Cannot read "${name}"`);
    return content;
  };
  return await recordedOutputs.record!(checked, data, {
    readFile: async (name) => await Promise.resolve(new TextEncoder().encode(get(name) as string)),
    readTensors: async (name) => await Promise.resolve(get(name) as FileTensors),
  });
}

const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n") + "\n";
const log = (...values: number[]) => values.map(Math.log);

Deno.test("probabilities of a list, a map and columns are the logits T log p in the data's order", async () => {
  const expected = log(0.5, 0.2, 0.3);
  const list = (await read({}, { "t.jsonl": lines({ probabilities: [0.5, 0.2, 0.3] }) })).train;
  assertClose(list.logits, expected, 1e-6);
  assert.deepEqual([list.named, list.ids, list.width, list.place(0)], [false, null, 3, "line 1"]);
  const map = (await read({}, { "t.jsonl": lines({ probabilities: { c: 0.3, a: 0.5, b: 0.2 } }) })).train;
  assertClose(map.logits, expected, 1e-6);
  const columns = (await read({ temperature: 2 }, { "t.csv": "c,x,a,b\n0.3,9,0.5,0.2\n" })).train;
  assertClose(columns.logits, expected.map((value) => 2 * value), 1e-6);
  const named = (await read({ columns: ["p1", "p2", "p3"] }, { "t.tsv": "p1\tp2\tp3\n0.5\t0.2\t0.3\n" })).train;
  assertClose(named.logits, expected, 1e-6);
  assert.deepEqual([map.named, columns.named, named.named], [true, true, true]);
});

Deno.test("what the first few classes leave of 1 is spread over the others, and 0 counts as the least", async () => {
  const top = lines({ probabilities: { b: 0.9 } }, { probabilities: [0.999999999, 0.000000001, 0] });
  const { train } = await read({ rest: "spread", least: 1e-4 }, { "t.jsonl": top });
  assertClose(train.logits, [...log(0.05, 0.9, 0.05), ...log(1, 1e-4, 1e-4)], 1e-6);
});

Deno.test("logits are taken as they are, of tables and tensors, and numbers of a regression", async () => {
  const { train } = await read({ values: "logits" }, { "t.jsonl": lines({ logits: [-3, 40, 0.5] }) });
  assert.deepEqual([...train.logits], [-3, 40, 0.5]);
  const tensor = { shape: [2, 3], numbers: () => Float32Array.of(1, 2, 3, 4, 5, 6) };
  const tensors = await read({ values: "logits" }, { "t.safetensors": new Map([["logits", tensor]]) });
  assert.deepEqual([[...tensors.train.logits], tensors.train.place(1)], [[1, 2, 3, 4, 5, 6], "row 2"]);
  const regression = textData([], {}, "regression");
  const scores = await read({ values: "logits", column: "score" }, { "t.csv": "score\n1.5\n-2\n" }, regression);
  assert.deepEqual([...scores.train.logits], [1.5, -2]);
});

Deno.test("decisions are the logarithms of their shares, of a class, a list, a map and columns of counts", async () => {
  const decisions = { values: "decisions", least: 1e-4 };
  const rows = [{ decisions: "b" }, { decisions: ["a", "c", " a", "a"] }, { decisions: { c: 3, a: 1 } }];
  const expected = [...log(1e-4, 1, 1e-4), ...log(0.75, 1e-4, 0.25), ...log(0.25, 1e-4, 0.75)];
  const { train } = await read(decisions, { "t.jsonl": lines(...rows) });
  assertClose(train.logits, expected, 1e-6);
  assert.deepEqual([train.named, train.decisions], [true, true]);
  assertClose((await read(decisions, { "t.csv": "decisions\nb\n" })).train.logits, expected.slice(0, 3), 1e-6);
  const counts = await read(decisions, { "t.csv": "c,a,b\n1,3,0\n" });
  assertClose(counts.train.logits, expected.slice(3, 6), 1e-6);
  assert.equal((await read({}, { "t.jsonl": lines({ probabilities: [1, 0, 0] }) })).train.decisions, false);
  const refused = (row: object, reason: string, options: object = {}) =>
    assert.rejects(() => read({ ...decisions, ...options }, { "t.jsonl": lines(row) }), {
      message: `Cannot use line 1 of "t.jsonl" as ${reason}`,
    });
  await refused({ decisions: ["a", "d"] }, '"d" is no class: the classes are a, b and c');
  await refused({ decisions: "" }, '"" is no class: the classes are a, b and c');
  await refused({ decisions: {} }, "it has no decision");
  await refused({ decisions: { a: -1 } }, "-1 is no number of decisions: expected 0 or more");
  // Counts, or the numbers of classes: who is to know?
  await refused(
    { decisions: [1, 0, 2] },
    "its decisions are [1,0,2]: expected a list of classes, as texts, or a map from class to number",
  );
  await refused({ decisions: "a" }, "decisions have no temperature: set temperature to 1, not 2", { temperature: 2 });
  await refused(
    { other: "a" },
    "it has no decisions: expected a class, a list of classes or a map from class to number in the column " +
      '"decisions", or a column for each class; there are other',
  );
});

Deno.test("logits of a file have no temperature", async () => {
  const text = { "t.jsonl": lines({ logits: [1, 2, 3] }) };
  await assert.rejects(() => read({ values: "logits", temperature: 4 }, text), {
    name: "UserError",
    message:
      'Cannot use line 1 of "t.jsonl" as logits have no temperature: set temperature to 1, not 4, and multiply them by it yourself',
  });
});

Deno.test("records have ids where they are joined by them, and each split has its file", async () => {
  const files = { "a.jsonl": lines({ id: 7, logits: [1, 2, 3] }), "b.jsonl": lines({ id: "x ", logits: [3, 2, 1] }) };
  const options = { file: { train: "a.jsonl", test: "b.jsonl" }, key: "id", values: "logits" };
  const { train, test } = await read(options, files);
  assert.deepEqual([train.ids, test.ids], [["7"], ["x"]]);
});

Deno.test("an output that is wrong is named with its line", async () => {
  const refused = (text: string, reason: string | RegExp, options: Record<string, unknown> = {}, data = three) =>
    assert.rejects(() => read(options, { "t.jsonl": text }, data), { name: "UserError", message: reason });
  const at = (line: number, reason: string) => `Cannot use line ${line} of "t.jsonl" as ${reason}`;
  const good = { probabilities: [0.5, 0.2, 0.3] };
  const then = (row: unknown) => lines(good, row);
  await refused(then({ probabilities: [0.5, 0.2, 0.2] }), at(2, "its probabilities have the sum 0.9: expected 1"));
  await refused(then({ probabilities: [0.5, 0.6, 0.3] }), at(2, "its probabilities have the sum 1.4: expected 1"));
  await refused(
    then({ probabilities: { a: 0.7, b: 0.6 } }),
    at(2, "its probabilities have the sum 1.3: expected 1 at most"),
    { rest: "spread" },
  );
  await refused(then({ probabilities: [1.5, -0.5, 0] }), at(2, "1.5 is no probability: expected a number from 0 to 1"));
  await refused(
    then({ probabilities: [0.5, 0.5] }),
    at(2, "its probabilities are 2 numbers: expected 3, one for each class"),
  );
  await refused(then({ probabilities: [0.5, "x", 0.5] }), at(2, '"x" is not a number'));
  await refused(
    then({ probabilities: { a: 0.5, d: 0.5 } }),
    at(2, '"d" is no class: the classes are a, b and c'),
  );
  await refused(
    then({ probabilities: { a: 0.5, b: 0.5 } }),
    at(2, "it has no number for c: expected all, or rest: spread"),
  );
  await refused(lines({ logits: [1, null, 2] }), at(1, "it has no number for b: expected all"), {
    values: "logits",
    rest: "spread",
  });
  await refused(
    then({ p: 1 }),
    at(
      2,
      'it has no probabilities: expected a list of numbers or a map from class to number in the column "probabilities", or ' +
        "a column for each class; there are probabilities and p",
    ),
  );
  await refused(lines({ logits: [1, 2, 1e300] }), at(1, "one of its numbers is not finite"), { values: "logits" });
  await refused(
    lines({ probabilities: [1, 0, 0], id: "" }),
    at(1, 'its id is empty: expected one in the column "id"'),
    { key: "id" },
  );
  await refused(
    lines(good),
    'Cannot find the column "id" on line 1 of "t.jsonl": it has probabilities',
    { key: "id" },
  );
  await refused(
    lines(good),
    at(1, "its probabilities are 3 numbers: expected 1, one for each class"),
    {},
    textData([], {}, "regression"),
  );
  await refused("\n", 'Cannot use "t.jsonl" as it has no outputs');
  await refused('{"probabilities": [0.5, 0.5, 0]}\n{"probabilities": [0.5', /^Cannot read line 2 of "t\.jsonl" as /);
  await refused("\x89PNG\r\n\x1a\n", /^Cannot read line 1 of "t\.jsonl" as /);
  await refused("<!doctype html>\n", /^Cannot read line 1 of "t\.jsonl" as /);
  await refused(then({ probabilities: {} }), at(2, "it has no number for a, b and c: expected all, or rest: spread"));
  await refused(then({ probabilities: { a: 0.5, a2: 0.5 } }), at(2, '"a2" is no class: the classes are a, b and c'));
  await refused(lines(good), "Cannot use 2 columns of outputs for 3 classes: expected one for each", {
    columns: ["a", "b"],
  });
  const odd = new Map([["logits", { shape: [2, 2], numbers: () => new Float32Array(4) }]]);
  const tensor = (options: Record<string, unknown>) => read({ values: "logits", ...options }, { "t.safetensors": odd });
  await assert.rejects(() => tensor({}), {
    message: 'Cannot use the tensor "logits" of "t.safetensors" as its shape is [2,2]: expected [examples, 3]',
  });
  await assert.rejects(() => tensor({ column: "x" }), {
    message: 'Cannot find the tensor "x" in "t.safetensors": it has logits',
  });
  await assert.rejects(() => tensor({ key: "id" }), {
    message: 'Cannot join the outputs in "t.safetensors" by id: a safetensors file has no ids; use key: row',
  });
  await assert.rejects(() => read({}, { "t.parquet": "" }), {
    message: 'Cannot tell how "t.parquet" is written: set format to tsv, csv, jsonl or safetensors',
  });
  assert.throws(() => recordedOutputs.build({} as never, three), { message: /it can only be a teacher$/ });
});
