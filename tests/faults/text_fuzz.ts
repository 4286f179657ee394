import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import type { DatasetDefinition, Examples } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { conll } from "../../plugins/datasets/conll.ts";
import { mail } from "../../plugins/datasets/mail.ts";
import { BadExamples, type OnBad } from "../../plugins/datasets/text/bad_examples.ts";
import { parseTable, type TableFormat } from "../../plugins/datasets/text/columns.ts";
import { parseConll } from "../../plugins/datasets/text/conll_format.ts";
import { decodeText } from "../../plugins/datasets/text/decode_text.ts";
import { mailText } from "../../plugins/datasets/text/mail_text.ts";
import { textTable } from "../../plugins/datasets/text_table.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { setupOf } from "./image_fuzz.ts";
import { changedBytes, changedJson, changedText, oneOf } from "./mutations.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const VOCABULARY = encode(
  ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "good", "bad", "film", "the", "##s", ",", "!", "x", "mail"].join("\n"),
);
const TEXT_OPTIONS = { tokenizer: "vocab.txt", maxLength: 16 };

async function load(
  definition: DatasetDefinition,
  options: Record<string, unknown>,
  files: Record<string, Uint8Array<ArrayBuffer>>,
): Promise<Readonly<Record<string, Examples>>> {
  const own = definition.options(optionKit).parse({ ...TEXT_OPTIONS, ...options });
  const { splits } = await definition.load(own, setupOf({ "vocab.txt": VOCABULARY, ...files }));
  for (const { length, labels, batch } of Object.values(splits)) {
    if (labels) assert.equal(labels.length, length);
    const { tokens, label } = batch(Uint32Array.from({ length: Math.min(length, 4) }, (_, index) => index));
    assert.ok(tokens.data.every((token) => token >= 0 && token < 14));
    assert.ok(label.data.every(Number.isFinite));
  }
  return splits;
}

const ROWS = [
  ["a good film", "pos", "0.5"],
  ["the film, a bad one", "neg", "1"],
  ['so "good" a film!', "pos", "-2"],
  ["bad", "neg", "3e1"],
  ["ein schöner Film", "pos", "4"],
];

const quoted = (cell: string) => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
const NAMES = ["text", "label", "score"];

/** The same rows in each form. */
const TABLES: Readonly<Record<TableFormat, string>> = {
  tsv: [NAMES, ...ROWS].map((row) => row.join("\t")).join("\n") + "\n",
  csv: [NAMES, ...ROWS].map((row) => row.map(quoted).join(",")).join("\n") + "\n",
  jsonl: ROWS.map(([text, label, score]) => JSON.stringify({ text, label, score: Number(score) })).join("\n") + "\n",
};

/** A simple reading of a table: cells by their columns; the line end is the first that there is. */
function readTable(bytes: Uint8Array, format: TableFormat): Record<string, unknown>[] {
  const text = decodeText(bytes, "utf-8", "");
  if (format === "jsonl") {
    const rows: Record<string, unknown>[] = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "").map((line) =>
      JSON.parse(line)
    );
    const plain = (cell: unknown) => cell === null ? "" : typeof cell === "object" ? cell : String(cell);
    const names = rows.flatMap((row) => Object.keys(row));
    return rows.map((row) =>
      Object.fromEntries(names.map((name) => [name, plain(Object.hasOwn(row, name) ? row[name] : null)]))
    );
  }
  const end = /\r\n|\n|\r/.exec(format === "tsv" ? text : text.replaceAll(/"(?:[^"]|"")*"/g, ""))?.[0] ?? "\n";
  const records = format === "tsv" ? text.split(end).map((line) => line.split("\t")) : readCsv(text, end);
  const [header, ...rest] = records.filter((cells) => cells.some((cell) => cell.trim() !== ""));
  return rest.map((cells) => Object.fromEntries(header.map((name, index) => [name.trim(), cells[index]])));
}

/** RFC 4180. */
function readCsv(text: string, end: string): string[][] {
  const records: string[][] = [[]];
  let [cell, within] = ["", false];
  for (let place = 0; place < text.length; place++) {
    const letter = text[place];
    if (within) {
      if (letter !== '"') cell += letter;
      else if (text[place + 1] === '"') cell += text[++place];
      else within = false;
    } else if (letter === '"') within = true;
    else if (letter === "," || text.startsWith(end, place)) {
      records.at(-1)!.push(cell);
      cell = "";
      if (letter === ",") continue;
      records.push([]);
      place += end.length - 1;
    } else cell += letter;
  }
  records.at(-1)!.push(cell);
  return records;
}

/** A table's bytes with a change; of JSON lines also one in a line's value. */
function hurtTable(format: TableFormat, random: Random): Uint8Array<ArrayBuffer> {
  const text = TABLES[format];
  if (format === "jsonl" && random.below(2) === 0) {
    const lines = text.trim().split("\n");
    const line = random.below(lines.length);
    return encode(lines.with(line, JSON.stringify(changedJson(JSON.parse(lines[line]), random)) ?? "").join("\n"));
  }
  return changedText(text, random);
}

/** Tables of texts: TSV, CSV, JSON lines. */
export const tableFuzz: Campaign = {
  name: "broken tables",
  quick: 800,
  trial(seed) {
    const random = new Random(seed).split("table");
    const format = oneOf(random, ["tsv", "csv", "jsonl"] as const);
    const task = oneOf(random, ["classification", "regression"]);
    const onBad = oneOf(random, ["refuse", "skip"]);
    const [train, test] = [`train.${format}`, `test.${format}`];
    const hurt = oneOf(random, [train, test]);
    const files = {
      [train]: encode(TABLES[format]),
      [test]: encode(TABLES[format]),
      [hurt]: hurtTable(format, random),
    };
    // A class that the training table lost is told where it is met, in the other.
    return answered(`.${format}`, async () => {
      const options = { format, quotes: format === "csv", columns: null };
      const rows = parseTable(decodeText(files[hurt], "utf-8", hurt), hurt, options);
      const expected = readTable(files[hurt], format);
      assert.deepEqual(rows.map(({ cells }) => ({ ...cells })), expected);
      const label = task === "regression" ? "score" : "label";
      const isThere = (cell: unknown) => typeof cell === "string" && cell.trim() !== "";
      const good = expected.filter((row) => isThere(row.text));
      const splits = await load(textTable, { train, test, task, label, onBad }, files);
      if (onBad === "refuse") assert.equal(good.length, expected.length);
      const split = splits[hurt === train ? "train" : "test"];
      assert.equal(split.length, good.length);
      // An empty label is none.
      const marks = good.map((row) => isThere(row[label]) ? 1 : 0);
      assert.deepEqual([...split.labelled ?? marks.map(() => 1)], marks);
    });
  },
};

const SENTENCES = [
  "-DOCSTART- -X- O O\n",
  "# sent 1\nThe DT O\nEU NNP B-ORG\nrejects VBZ O\n",
  "Peter NNP B-PER\nMüller NNP I-PER\n! . O\n",
  "# sent 3\n# NN O\n1 CD O\n",
];

/** A simple reading of such a file: words and tags of each sentence. */
function readConll(bytes: Uint8Array): { words: string[]; tags: string[]; whole: boolean }[] {
  const lines = decodeText(bytes, "utf-8", "").split(/\r\n|\n|\r/).map((line) => line.split(/[ \t]+/).filter(Boolean));
  const sentences: string[][][] = [[]];
  for (const cells of lines) {
    if (cells.length === 0 || cells[0] === "-DOCSTART-") sentences.push([]);
    else sentences.at(-1)!.push(cells);
  }
  return sentences.map((own) => own.slice(own.findIndex(([first, ...rest]) => first !== "#" || rest.length === 0)))
    .filter((own) => own.length > 0)
    .map((own) => ({
      words: own.map(([word]) => word),
      tags: own.map((cells) => cells.at(-1)!),
      whole: own.every(({ length }) => length > 1),
    }));
}

/** Sentences with tags in CoNLL's columns. */
export const conllFuzz: Campaign = {
  name: "broken CoNLL files",
  quick: 500,
  trial(seed) {
    const random = new Random(seed).split("conll");
    const text = SENTENCES.join("\n");
    const hurt = oneOf(random, ["train.conll", "test.conll"]);
    const files = { "train.conll": encode(text), "test.conll": encode(text), [hurt]: changedText(text, random) };
    const onBad = oneOf(random, ["refuse", "skip"]);
    // A tag that the training sentences lost is told where it is met, in the others.
    return answered(".conll", async () => {
      const bad = new BadExamples(onBad as OnBad);
      const sentences = parseConll(decodeText(files[hurt], "utf-8", hurt), hurt, { word: 0, tag: -1 }, bad);
      const comments = /^#\s/m.test(decodeText(files[hurt], "utf-8", hurt).replaceAll("\r", "\n"));
      const expected = readConll(files[hurt]);
      const words = sentences.map(({ words, tags }) => ({ words, tags }));
      if (!comments) {
        assert.deepEqual(
          words,
          expected.filter(({ whole }) => whole).map(({ words, tags }) => ({ words, tags })),
        );
      }
      const splits = await load(conll, { train: "train.conll", test: "test.conll", onBad }, files);
      assert.equal(splits[hurt.slice(0, -6)].length, sentences.length);
    });
  },
};

const crlf = (...lines: readonly string[]) => lines.join("\r\n");

const MESSAGES = [
  crlf("From: a@b.c", "Subject: a good film", "", "The film was good!", ""),
  crlf(
    "Subject: =?utf-8?B?w6QgZmlsbQ==?=",
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "ein sch=F6ner Film",
    "--b",
    "Content-Type: text/html",
    "",
    "<p>a <b>bad</b> film &amp; &#233; <!-- not seen --><script>no()</script></p>",
    "--b--",
    "",
  ),
  crlf(
    "Subject: pages",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    btoa("<html><style>p {}</style><p>good &lt;film&gt;</p></html>"),
    "",
  ),
];

/** What makes slow readers slower. */
const LONG = [
  "<!--",
  "<",
  "<script",
  "&#",
  "--b\r\n",
  "=?utf-8?B?",
  "(",
  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
];

/** E-mails by class. */
export const mailFuzz: Campaign = {
  name: "broken mail",
  quick: 150,
  trial(seed) {
    const random = new Random(seed).split("mail");
    const files: Record<string, Uint8Array<ArrayBuffer>> = {};
    for (const group of ["ham", "spam"]) {
      for (let index = 0; index < 6; index++) {
        files[`mail/${group}/${index}`] = encode(MESSAGES[index % 3].replace("film", `film ${group} ${index}`));
      }
    }
    const hurt = oneOf(random, Object.keys(files));
    const text = new TextDecoder().decode(files[hurt]);
    if (random.below(6) === 0) {
      const [place, hard] = [random.below(text.length + 1), oneOf(random, LONG)];
      files[hurt] = encode(
        text.slice(0, place) + hard.repeat(random.below(Math.floor(200_000 / hard.length))) + text.slice(place),
      );
    } else files[hurt] = oneOf(random, [changedText(text, random), changedBytes(files[hurt], random)]);
    const onBad = oneOf(random, ["refuse", "skip"]);
    return answered(hurt.slice(5), async () => {
      const options = { folder: "mail", classes: { ham: ["ham"], spam: ["spam"] }, onBad };
      const { train, test } = await load(mail, options, files);
      assert.equal(train.length + test.length, (await mailText(files[hurt]) ?? "") === "" ? 11 : 12);
    });
  },
};
