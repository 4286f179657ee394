import { fromBase64 } from "../../core/byte_texts.ts";
import type { LabelScores } from "../../core/evaluate/metrics/class_scores.ts";
import * as Plot from "@observablehq/plot";
import type { Vocabulary } from "../../core/model_folder/vocabulary.ts";
import type { Mistake } from "../../core/distill/record/mistakes.ts";
import type { RunRecord } from "../../core/distill/record/record.ts";
import { counted, grouped, percent } from "../support/format.ts";
import { classNumbers, denseConfusion } from "./class_numbers.ts";
import { type Child, element, grid, section, table } from "./elements.ts";
import { draw, figure, seriesColour } from "./plots.ts";
import { pictureAddress } from "./png.ts";
import type { RunFiles } from "./read_run.ts";

/** Classes that a confusion matrix shows, and rows of a table that stand open. */
const MOST_CLASSES = 20, MOST_ROWS = 20;

/** Right and wrong answers on the test examples. */
export function answers({ record, summary, vocabulary }: RunFiles): Child {
  if (!record) return null;
  const { task, truth, classes } = record;
  const what = task === "tagging" ? "tokens" : "examples";
  const isClassified = task !== "regression" && truth !== null;
  const numbers = isClassified ? classNumbers(record) : [];
  return section(
    "What it gets right and wrong",
    truth === "teacher"
      ? element("p", {}, "No test example has a label: the student is held against what the teacher decides.")
      : truth === null
      ? element("p", {}, "No test example has a label, and no teacher says what is right.")
      : null,
    record.confusion && [
      element("h3", {}, `What test ${what} were taken for`),
      confusionTable(record, numbers),
    ],
    isClassified && classes.length > 0 ? [element("h3", {}, "Class by class"), classTable(numbers, what)] : null,
    record.spans && [
      element("h3", {}, "Spans by type"),
      table(
        ["type", "spans", "precision", "recall", "F1"],
        record.spans.map(({ type, spans, precision, recall, f1 }) => [
          type,
          grouped(spans),
          ...[precision, recall, f1].map((part) => bar(part)),
        ]),
      ),
    ],
    record.points && truth !== null ? scatter(record.points, summary?.student.metrics ?? {}) : null,
    record.mistakes.length > 0
      ? [
        element("h3", {}, task === "regression" ? "The largest errors" : "The commonest mistakes"),
        mistakes(record, vocabulary),
      ]
      : null,
  );
}

/** A part of 1 in a cell, as its bar. */
function bar(part: number | null): HTMLElement {
  if (part === null) return element("td", {}, "-");
  return element("td", { class: "bar", style: `--part: ${part.toFixed(4)}` }, percent(part));
}

function classTable(numbers: readonly LabelScores[], what: string): Child {
  const rows = (some: readonly LabelScores[]) =>
    table(
      ["class", what, "precision", "recall", "F1"],
      some.map(({ label, examples, precision, recall, f1 }) => [
        label,
        grouped(examples),
        bar(precision),
        // 0 / 0, which counts as 0 in the means.
        bar(examples === 0 ? null : recall),
        bar(f1),
      ]),
    );
  if (numbers.length <= MOST_ROWS) return rows(numbers);
  const worstFirst = [...numbers].sort((a, b) => (a.f1 ?? 2) - (b.f1 ?? 2));
  return [
    element("p", { class: "faint" }, `The ${MOST_ROWS} worst of ${grouped(numbers.length)}, by F1:`),
    rows(worstFirst.slice(0, MOST_ROWS)),
    element("details", {}, element("summary", {}, "all the others"), rows(worstFirst.slice(MOST_ROWS))),
  ];
}

/** Rows are what is true, columns what was decided; of many classes those that most is taken wrongly of. */
function confusionTable({ classes, confusion }: RunRecord, numbers: readonly LabelScores[]): Child {
  const counts = denseConfusion(classes.length, confusion!);
  const wrong = classes.map((_, own) => counts[own].reduce((sum, count, to) => sum + (to === own ? 0 : count), 0));
  confusion!.forEach(([truth, decided, count]) => truth !== decided && (wrong[decided] += count));
  const shown = classes.length <= MOST_CLASSES
    ? [...classes.keys()]
    : [...classes.keys()].sort((a, b) => wrong[b] - wrong[a]).slice(0, MOST_CLASSES).sort((a, b) => a - b);
  const head = [
    element("th", {}, "true ↓ taken for →"),
    ...shown.map((own) => element("th", {}, element("span", {}, classes[own]))),
  ];
  const rows = shown.map((truth) =>
    element(
      "tr",
      {},
      element("th", {}, classes[truth]),
      shown.map((decided) => {
        const count = counts[truth][decided];
        const part = numbers[truth].examples === 0 ? 0 : count / numbers[truth].examples;
        const look = [truth === decided ? "right" : "", part > 0.55 ? "strong" : ""].filter(Boolean).join(" ");
        const title = `${classes[truth]} taken for ${classes[decided]}: ${count}, ${percent(part)}`;
        // A few in a hundred must be seen; shares of the eye are not those of the number.
        const style = `--part: ${Math.sqrt(part).toFixed(3)}`;
        return element("td", { ...(look && { class: look }), style, title }, count === 0 ? "" : grouped(count));
      }),
    )
  );
  return [
    element(
      "p",
      { class: "faint" },
      "Counts; the deeper the colour, the larger the part of the row.",
      classes.length > shown.length
        ? ` Of ${grouped(classes.length)} classes the ${shown.length} that most is confused with.`
        : null,
    ),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { class: "confusion" },
        element("thead", {}, element("tr", {}, head)),
        element("tbody", {}, rows),
      ),
    ),
  ];
}

function scatter(points: NonNullable<RunRecord["points"]>, metrics: Readonly<Record<string, number>>): Child {
  const all = points.flat();
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const words = Object.entries(metrics).map(([name, value]) => `${name} ${value?.toFixed(3) ?? "-"}`).join(", ");
  return grid(
    "charts",
    figure(
      "Predicted against true",
      `each dot is a test example; on the line it would be right. ${words}`,
      draw(`Predicted against true numbers: ${words}`, {
        width: 460,
        height: 400,
        marginLeft: 48,
        marginBottom: 36,
        style: { fontSize: "12px" },
        x: { label: "true", labelAnchor: "center", labelArrow: "none", nice: true },
        y: { label: "predicted", grid: true, labelArrow: "none", nice: true },
        marks: [
          Plot.line([[least, least], [most, most]], { stroke: "var(--series-3)", strokeDasharray: "6 4" }),
          Plot.dot(points, { fill: seriesColour(0), fillOpacity: 0.5, r: 2.5 }),
        ],
      }),
    ),
  );
}

function mistakes({ task, classes, mistakes }: RunRecord, vocabulary: Vocabulary | null): Child {
  const isOfTexts = mistakes.some(({ examples }) => examples.some(({ tokens }) => tokens));
  return element(
    "ul",
    { class: isOfTexts ? "mistakes texts" : "mistakes" },
    mistakes.map((mistake) =>
      element("li", {}, titleOf(mistake, task, classes), examplesOf(mistake, vocabulary, task === "regression"))
    ),
  );
}

function titleOf({ truth, decided, count }: Mistake, task: RunRecord["task"], classes: readonly string[]): Child {
  if (task === "regression") return element("b", {}, `${decided?.toFixed(3)} in place of ${truth?.toFixed(3)}`);
  const times = element("span", { class: "faint" }, ` ${counted(count, "time")}`);
  if (decided === null) return [element("b", {}, classes[truth!]), " missed", times];
  if (truth === null) return [element("b", {}, classes[decided]), " said wrongly", times];
  return [element("b", {}, classes[truth]), " taken for ", element("b", {}, classes[decided]), times];
}

function examplesOf({ examples }: Mistake, vocabulary: Vocabulary | null, isNumber: boolean): Child {
  const sure = (certainty: number | null) =>
    certainty === null || isNumber ? "" : `sure by ${Math.round(100 * certainty)} %`;
  const pictures = examples.flatMap(({ picture, certainty, index, source }) => {
    if (!picture) return [];
    const pixels = fromBase64(picture.pixels);
    const name = `test example ${index + 1}${source === null ? "" : `, ${source}`}`;
    const image = element("img", { src: pictureAddress({ ...picture, pixels }), alt: name, title: name });
    return [element("figure", {}, image, element("figcaption", {}, sure(certainty).replace("sure by ", "")))];
  });
  const texts = examples.flatMap(({ tokens, certainty, index, source }) => {
    if (!tokens) return [];
    const words = vocabulary?.pieces(tokens.numbers) ?? [];
    const parts = words.map(({ text, token }) => token === tokens.at ? marked(text) : text);
    const about = [`test example ${index + 1}`, source ?? "", sure(certainty)].filter(Boolean).join(" · ");
    return [element("blockquote", {}, parts, element("small", {}, about))];
  });
  return [pictures.length > 0 ? element("div", { class: "pictures" }, pictures) : null, texts];
}

/** A piece of a text, marked without the space before it. */
function marked(text: string): Child {
  const word = text.trimStart();
  return [text.slice(0, text.length - word.length), element("mark", {}, word)];
}
