import type { Task } from "../../core/plugin/dataset.ts";
import { shorten, visible } from "../../core/visible.ts";
import { percent } from "../support/format.ts";
import type { Styles } from "../support/output.ts";
import { alignColumns } from "../support/table.ts";
import type { Answer, ClassAnswer, LabelsAnswer, ScoredLabel, TagsAnswer, ValueAnswer } from "./answers.ts";
import type { InputSource } from "./named_input.ts";

/** An answer and what it is about. */
export type NamedAnswer = InputSource & Answer;

/**
 * Answers as lines for people.
 *
 * @param paths whether the inputs are files, which one knows by the end of a long path
 */
export function showAnswers(task: Task, answers: readonly NamedAnswer[], { strong }: Styles, paths = false): string[] {
  if (task === "tagging") {
    return answers.flatMap((answer, index) => [...(index > 0 ? [""] : []), ...tagLines(answer as TagsAnswer, strong)]);
  }
  const rows = answers.map((answer) => [nameOf(answer, paths), ...cellsOf(task, answer)]);
  const [header, ...lines] = alignColumns([["input", ...HEADERS[task]], ...rows], [
    "left",
    task === "regression" ? "right" : "left",
    task === "classification" ? "right" : "left",
    "left",
  ]);
  return [strong(header), ...lines];
}

const HEADERS: Readonly<Record<Exclude<Task, "tagging">, readonly string[]>> = {
  classification: ["label", "probability", "next"],
  "multi-label": ["labels", "next"],
  regression: ["value"],
  embedding: [],
};

function cellsOf(task: Exclude<Task, "tagging">, answer: NamedAnswer): string[] {
  if (task === "regression") return [(answer as ValueAnswer).value.toFixed(4)];
  if (task === "classification") {
    const { label, probability, top } = answer as ClassAnswer;
    return [visible(label), percent(probability), listed(top.slice(1))];
  }
  const { labels, top } = answer as LabelsAnswer;
  return [labels.length === 0 ? "none" : listed(labels), listed(top.slice(labels.length))];
}

const listed = (labels: readonly ScoredLabel[]) =>
  labels.map(({ label, probability }) => `${visible(label)} ${percent(probability)}`).join(", ");

/** Characters of a text in a row. */
const SHOWN = 50;

function nameOf({ input, pair }: InputSource, isPath: boolean): string {
  if (isPath && typeof input === "string") {
    return visible(input.length <= SHOWN ? input : `...${input.slice(3 - SHOWN)}`);
  }
  const parts = [typeof input === "string" ? input : input.join(" "), ...(pair === undefined ? [] : [pair])];
  return parts.map((part) => visible(shorten(part.trim(), SHOWN))).join(" | ");
}

/** A line for each word, then the spans. */
function tagLines({ words, spans = [] }: TagsAnswer, strong: Styles["strong"]): string[] {
  const rows = words.map(({ word, tag, probability }) => [
    visible(word),
    visible(tag),
    ...(probability === undefined ? [] : [percent(probability)]),
  ]);
  return [
    ...alignColumns(rows, ["left", "left", "right"]),
    ...spans.map(({ type, text }) => `${strong(visible(type))}: ${visible(text)}`),
  ];
}
