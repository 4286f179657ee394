import assert from "node:assert/strict";
import { areMeasures, describeColumns, rolesOf } from "../../../tasks/init/columns.ts";
import { parseTable } from "../../../plugins/datasets/text/columns.ts";

/** What each column of a table may be. */
function roles(header: string, row: (index: number) => string, rows = 40) {
  const text = [header, ...Array.from({ length: rows }, (_, index) => row(index))].join("\n");
  const columns = describeColumns(parseTable(text, "a.csv", { format: "csv", quotes: true, columns: null }));
  const { texts, pair, labels } = rolesOf(columns, rows);
  const names = (columns: readonly { name: string }[]) => columns.map(({ name }) => name).join();
  return { texts: names(texts), pair: pair && names(pair), labels: names(labels), columns };
}

const words = (index: number) => `the room was ${index % 7} and the bed ${index % 3}`;

Deno.test("of a table that is about one thing the columns are told apart by their content", () => {
  const found = roles("id,review,verdict", (index) => `${index},${words(index)},${index % 2 ? "good" : "bad"}`);
  assert.deepEqual([found.texts, found.pair, found.labels], ["review", null, "verdict"]);
});

Deno.test("usual names count before content, and two usual names are a question", () => {
  const found = roles("text,label,group", (index) => `word${index},${index % 3},${index % 2}`);
  assert.deepEqual([found.texts, found.labels], ["text", "label"]);
  const two = roles("text,sentiment,topic", (index) => `${words(index)},${index % 2},${index % 5}`);
  assert.equal(two.labels, "sentiment,topic");
});

Deno.test("two columns of texts are a question, but for the usual pairs", () => {
  const open = roles("title,abstract,label", (index) => `${words(index)},${words(index + 1)},${index % 2}`);
  assert.deepEqual([open.texts, open.pair], ["title,abstract", null]);
  for (const [first, second] of [["sentence1", "sentence2"], ["premise", "hypothesis"], ["question", "sentence"]]) {
    const pair = roles(`${first},${second},label`, (index) => `${words(index)},${words(index + 1)},${index % 2}`);
    assert.equal(pair.pair, `${first},${second}`);
  }
});

Deno.test("numbers with a point, and many whole ones, are to be predicted; few are classes", () => {
  const measures = (value: (index: number) => string) =>
    areMeasures(roles("text,label", (index) => `${words(index)},${value(index)}`).columns[1]);
  assert.deepEqual(
    [(i: number) => `${i / 8}`, (i: number) => `${i}`, (i: number) => `${i % 5}`, () => "yes"].map(measures),
    [true, true, false, false],
  );
  assert.deepEqual([(i: number) => `${i % 5}.5`, (i: number) => `${i}.0`].map(measures), [true, true]);
});

Deno.test("many whole numbers that repeat, or few with a point and a zero, may be classes or not", () => {
  const columnOf = (value: (index: number) => string) =>
    roles("text,label", (index) => `${words(index)},${value(index)}`, 400).columns[1];
  const values = [(i: number) => `${i % 77}`, (i: number) => `${i % 2}.0`, (i: number) => i % 2 ? "1" : "0.0"];
  assert.deepEqual(values.map((value) => areMeasures(columnOf(value))), [null, null, null]);
});
