/// <reference lib="dom" />
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import "../../../core/deno/install.ts";
import type { RunRecord } from "../../../core/distill/record/record.ts";
import type { RunSummary } from "../../../core/distill/summary/summary.ts";
import { vocabularyOf } from "../../../core/model_folder/vocabulary.ts";
import { runPage } from "../../../tasks/report/run_page.ts";
import { log, madeUpRun, record, summary } from "./made_up_run.ts";

/** The page, which is whole: every number in it is one, and nothing in it is from elsewhere. */
function pageOf(change: Parameters<typeof madeUpRun>[0]): { html: string; document: Document; text: string } {
  const html = runPage(madeUpRun(change));
  const { document } = parseHTML(html);
  assert.ok(
    !/(?<![\w-])(?:NaN|Infinity|undefined|\[object)/.test(html),
    html.match(/.{60}(?:NaN|undefined|\[object).{20}/)?.[0] ?? "Infinity",
  );
  for (const place of document.querySelectorAll("[src], [href], link, script, iframe, object")) {
    assert.match(place.getAttribute("src") ?? "", /^data:image\/png;base64,/, place.outerHTML);
  }
  return { html, document, text: document.body.textContent ?? "" };
}

const titles = (document: Document) => Array.from(document.querySelectorAll("h2"), ({ textContent }) => textContent);

Deno.test("a page shows curves, mistakes, calibration, matrices, costs and the recipe", () => {
  const { html, document, text } = pageOf({});
  assert.match(html, /^<!doctype html>\n<html lang="en"><head><meta charset="utf-8">/);
  assert.deepEqual(titles(document), [
    "How it learned",
    "What it gets right and wrong",
    "Teacher and student",
    "The over-parameterised matrices",
    "What it takes",
    "The recipe",
  ]);
  assert.ok(document.querySelectorAll("svg[role=img]").length >= 8);
  assert.ok([...document.querySelectorAll("svg[role=img]")].every((svg) => svg.getAttribute("aria-label")));
  assert.match(text, /80\.00 %test accuracyteacher 90\.00 %/);
  assert.match(text, /decide alike on 80\.00 % of 10 test examples/);
  assert.match(text, /student right7 \(70\.00 %\)1 \(10\.00 %\)student wrong1 \(10\.00 %\)1 \(10\.00 %\)/);
  assert.match(text, /layer\.weight2 × 33 cores× 2\.501\.00 → 2\.001\.9 → 1\.5125\.00 %/);
  assert.match(text, /Student: ECE 10\.00 %/);
  // Precision, recall and F1 of dogs: 3 of 5 that were taken for one, 3 of 3, 6 of 8.
  assert.match(text, /dog360\.00 %100\.00 %75\.00 %/);
  assert.match(text, /owl0---/);
  const taken = pageOf({ record: { ...record, confusion: [[0, 0, 5], [0, 2, 1]] } }).text;
  assert.match(taken, /owl00\.00 %-0\.00 %/, "what is taken for a class of which nothing is");
  assert.match(text, /cat taken for dog 2 times/);
  assert.equal(document.querySelectorAll(".pictures img").length, 1);
});

const ATTACK = `"><script>alert(1)</script></title></style><img src=x onerror=alert(1)>'&`;

Deno.test("nothing that data or recipe say becomes a part of the page", () => {
  const vocabulary = vocabularyOf({ model: { type: "WordPiece", vocab: { [ATTACK]: 0, "##x": 1 } } });
  const named = { [ATTACK]: 1 };
  const { document, text } = pageOf({
    recipe: `# run 0123456789ab\nname: ${ATTACK}\n`,
    settings: { ...madeUpRun().settings, name: ATTACK },
    failure: ATTACK,
    vocabulary,
    log: [...log, { step: 4, epoch: 2, loss: 1, losses: named, norms: named, validation: named }],
    summary: { ...summary, device: ATTACK, seconds: { [ATTACK]: 1, total: 2 }, positiveClass: ATTACK },
    record: {
      ...record,
      classes: [ATTACK, ATTACK, ATTACK],
      warnings: [ATTACK],
      spans: [{ type: ATTACK, spans: 1, predicted: 1, precision: 1, recall: 1, f1: 1 }],
      matrices: record.matrices.map((matrix) => ({ ...matrix, name: ATTACK })),
      mistakes: record.mistakes.map((mistake) => ({
        ...mistake,
        examples: mistake.examples.map((one) => ({ ...one, source: ATTACK, tokens: { numbers: [0, 1], at: 1 } })),
      })),
    },
  });
  assert.equal(document.querySelectorAll("script, img:not(.pictures img)").length, 0);
  for (const place of document.querySelectorAll("*")) {
    for (const { name } of place.attributes) assert.ok(!name.startsWith("on"), place.outerHTML);
  }
  assert.equal(document.querySelectorAll("style").length, 1 + document.querySelectorAll("svg style").length);
  assert.equal(document.querySelector(".pictures img")!.getAttribute("alt"), `test example 5, ${ATTACK}`);
  assert.equal(document.title, `${ATTACK}: report of a run`);
  assert.ok(text.split(ATTACK).length > 12, "it is shown as it is");
  assert.equal(pageOf({ summary: null, record: null, failure: ATTACK }).document.querySelectorAll("script").length, 0);
});

Deno.test("a run that stopped or failed has what it came to", () => {
  const stopped = pageOf({ summary: null, record: null, bytes: null });
  assert.deepEqual(titles(stopped.document), ["How it learned", "The over-parameterised matrices", "The recipe"]);
  assert.match(stopped.text, /did not come to its end: the log ends after step 4\. --resume goes on/);
  const over = pageOf({ summary: null, record: null, bytes: null, canGoOn: false });
  assert.match(over.text, /ends after step 4\. It has no checkpoint to go on from\./);
  const failed = pageOf({ summary: null, record: null, failure: "a loss is too large" });
  assert.match(failed.text, /This run failed: a loss is too large/);
  const begun = pageOf({ summary: null, record: null, bytes: null, log: [] });
  assert.deepEqual(titles(begun.document), ["The recipe"]);
  assert.deepEqual(titles(pageOf({ record: null }).document), [
    "How it learned",
    "The over-parameterised matrices",
    "What it takes",
    "The recipe",
  ]);
});

Deno.test("numbers that are not finite leave gaps", () => {
  const broken = log.map((line) => line.loss === undefined ? line : { ...line, loss: null, accuracy: null });
  const student = { ...summary.student, metrics: { accuracy: 0.8, f1Macro: null as unknown as number } };
  const [matrix] = record.matrices;
  const { text } = pageOf({
    log: [...broken, { step: 4, epoch: 2, validation: { accuracy: null, loss: null } }],
    summary: { ...summary, student },
    record: {
      ...record,
      matrices: [{ ...matrix, norms: [0, null as unknown as number], relativeStep: null as unknown as number }],
    },
  });
  assert.match(text, /layer\.weight2 × 33 cores× 2\.500\.00 → -1\.9 → 1\.5-/);
});

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `class ${index}`);

Deno.test("of a thousand classes the worst are shown", () => {
  const confusion: RunRecord["confusion"] = numbered(1000).flatMap((_, own) => [
    [own, own, 5] as const,
    ...(own % 40 === 0 ? [[own, (own + 1) % 1000, 3] as const] : []),
  ]);
  const { html, document, text } = pageOf({ record: { ...record, classes: numbered(1000), confusion, mistakes: [] } });
  assert.equal(document.querySelectorAll(".confusion tbody tr").length, 20);
  assert.match(text, /Of 1,000 classes the 20 that most is confused with/);
  assert.match(text, /The 20 worst of 1,000, by F1:/);
  assert.equal(document.querySelectorAll("details tbody tr").length, 980);
  assert.ok(html.length < 1e6, `${html.length} letters`);
});

const nothing = { confusion: null, mistakes: [], agreement: null, calibration: { student: null, teacher: null } };

Deno.test("tags, several labels, numbers, no labels and no teacher have pages of their own", () => {
  const alone = pageOf({
    summary: { ...summary, teacher: null },
    record: { ...record, agreement: null, calibration: { ...record.calibration, teacher: null } },
  });
  assert.ok(
    titles(alone.document).includes("How sure it is") && !/teacher/i.test(alone.text.split("What it takes")[0]),
  );

  const spans = [{ type: "PER", spans: 3, predicted: 2, precision: 0.5, recall: 1 / 3, f1: 0.4 }];
  const tagged = pageOf({ record: { ...record, task: "tagging", spans, mistakes: [] } });
  assert.match(tagged.text, /What test tokens were taken for/);
  assert.match(tagged.text, /PER350\.00 %33\.33 %40\.00 %/);

  const labels = [
    { examples: 5, predicted: 4, correct: 3 },
    ...[1, 2].map(() => ({ examples: 0, predicted: 0, correct: 0 })),
  ];
  const mistakes = [{ truth: null, decided: 0, count: 1, examples: [] }, {
    truth: 0,
    decided: null,
    count: 2,
    examples: [],
  }];
  const several = pageOf({ record: { ...record, ...nothing, task: "multi-label", labels, mistakes } });
  assert.match(several.text, /cat575\.00 %60\.00 %66\.67 %dog0---/);
  assert.match(several.text, /cat said wrongly 1 timecat missed 2 times/);

  const points: RunRecord["points"] = [[1, 1.5], [2, 1.75]];
  const largest = [{ truth: 1, decided: 1.5, count: 1, examples: [] }];
  const regression = { ...record, ...nothing, task: "regression", classes: [], points, mistakes: largest } as const;
  const student = { ...summary.student, accuracy: null, metrics: { pearson: 0.9 } };
  const number = pageOf({
    record: regression,
    summary: { ...summary, teacher: null, student } as unknown as RunSummary,
  });
  assert.match(number.text, /Predicted against true.*pearson 0\.900/);
  assert.match(number.text, /1\.500 in place of 1\.000/);

  const unlabelled = pageOf({ record: { ...record, truth: "teacher" } });
  assert.match(unlabelled.text, /No test example has a label: the student is held against what the teacher decides/);
  const unknown = pageOf({ record: { ...record, ...nothing, truth: null } });
  assert.match(unknown.text, /no teacher says what is right/);
});

Deno.test("what the run warned of, and what its numbers suggest, stand at the top", () => {
  const { document } = pageOf({ record: { ...record, warnings: ["the chains are weak"] } });
  const advice = document.querySelector(".warnings")!.textContent!;
  assert.match(advice, /The run warned:the chains are weakWhat to try next:.*10\.0 points below its teacher/);
  assert.match(advice, /probabilities are off by 10\.0 points/);
});

Deno.test("tokens become words again, special ones left out, and the one that is looked at is marked", () => {
  const vocab = { "[CLS]": 0, "play": 1, "##ing": 2, "[SEP]": 3, "music": 4 };
  const vocabulary = vocabularyOf({ model: { type: "WordPiece", vocab } })!;
  const examples = [{ ...record.mistakes[0].examples[0], picture: null, tokens: { numbers: [0, 1, 2, 4, 3], at: 3 } }];
  const { document } = pageOf({ vocabulary, record: { ...record, mistakes: [{ ...record.mistakes[0], examples }] } });
  const quote = document.querySelector("blockquote")!;
  assert.equal(quote.querySelector("mark")!.textContent, "music");
  assert.match(quote.textContent!, /^ playing musictest example 5 · test\.csv 5 · sure by 90 %$/);
  const added_tokens = [{ id: 2, content: "<s>", special: true }, { id: 3, content: "!", special: false }];
  const bytes = vocabularyOf({ model: { type: "BPE", vocab: { "Ġcaf": 0, "Ã©": 1 } }, added_tokens })!;
  assert.equal(bytes.pieces([2, 0, 1, 3]).map(({ text }) => text).join(""), " café!");
  const unigrams = vocabularyOf({ model: { type: "Unigram", vocab: [["▁play", -1.5], ["ing", -2]] } })!;
  assert.equal(unigrams.pieces([0, 1]).map(({ text }) => text).join(""), " playing");
});

Deno.test("what is no tokenizer has no words", () => {
  const damaged: unknown[] = [null, 3, [], {}, { model: null }, { model: { vocab: 3 } }];
  const vocabularies: unknown[] = [["a"], [null], [[]], [[7, 0]], { a: "0" }, { a: null }, { a: 0.5 }];
  damaged.push(...vocabularies.map((vocab) => ({ model: { vocab } })));
  const tokens: unknown[] = [3, {}, [null], [{ id: "0", content: "a" }], [{ id: 0 }]];
  damaged.push(...tokens.map((added_tokens) => ({ model: { vocab: { a: 0 } }, added_tokens })));
  for (const content of damaged) assert.equal(vocabularyOf(content), null, JSON.stringify(content));
});

Deno.test("exports to ONNX stand in the page with their size, their distance and what their precision costs", () => {
  const file = {
    opset: 21,
    operators: { Conv: 7, Gemm: 1 },
    foldedBatchNorms: 9,
    check: { maxAbsLogitDifference: 4.8e-6, tolerance: 1e-3, largestLogit: 15.1, examples: 256, of: "test" },
    milliseconds: { onnx: 0.3, own: 0.15 },
  };
  const onnx = [
    { ...file, file: "onnx/model.onnx", precision: "fp32", bytes: 81_614, metrics: null },
    {
      ...file,
      file: "onnx/model_quantized.onnx",
      precision: "int8",
      bytes: 32_644,
      metrics: { own: { accuracy: 0.8 }, onnx: { accuracy: 0.7 } },
    },
  ];
  const { text } = pageOf({ summary: { ...summary, export: { onnx } } as unknown as RunSummary });
  assert.match(text, /9 batch norms are folded into the layers before them/);
  assert.match(text, /onnx\/model\.onnxfp3281\.6 kB84\.8e-6 of 15\.10\.300\.15as the student/);
  assert.match(text, /int832\.6 kB8.*accuracy 70\.00 % \(student accuracy 80\.00 %\)/);
  assert.doesNotMatch(pageOf({}).text, /As ONNX/);
});

Deno.test("what no eye sees is escaped in a page", () => {
  const { html, text } = pageOf({ record: { ...record, classes: ["a\u202eb", "c\0d", "owl"] } });
  assert.ok(!/[\0\u202e]/.test(html) && text.includes("a\\u202eb") && text.includes("c\\u0000d"));
});
