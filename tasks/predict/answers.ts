import { leastLogit } from "../../core/evaluate/metrics/several_labels.ts";
import { schemeOf, spansOf } from "../../core/evaluate/metrics/spans.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";

/** A class and how probable it is. */
export interface ScoredLabel {
  readonly label: string;
  /** From 0 to 1: by the softmax over all classes, of several labels by the sigmoid of each. */
  readonly probability: number;
}

/** One class of all. */
export interface ClassAnswer extends ScoredLabel {
  /** The most probable classes, that of the answer first. */
  readonly top: readonly ScoredLabel[];
}

/** Several classes or none. */
export interface LabelsAnswer {
  /** All that are at least as probable as the threshold, the most probable first. */
  readonly labels: readonly ScoredLabel[];
  /** The most probable classes, whether or not they are. */
  readonly top: readonly ScoredLabel[];
}

/** A regression's number. */
export interface ValueAnswer {
  readonly value: number;
}

/** A word and its tag. */
export interface TaggedWord {
  readonly word: string;
  readonly tag: string;
  /** Of the tag by the softmax; none where tags are chosen together, as by a CRF. */
  readonly probability?: number;
}

/** Words that are one entity or phrase. */
export interface WordSpan {
  readonly type: string;
  /** The first word's number, from 0. */
  readonly begin: number;
  /** That of the word after the last one. */
  readonly end: number;
  /** The words, with a space between. */
  readonly text: string;
}

/** The tags of a sentence. */
export interface TagsAnswer {
  readonly words: readonly TaggedWord[];
  /** Where tags mark spans (`B-PER`). */
  readonly spans?: readonly WordSpan[];
}

/** What a model answers about one input. */
export type Answer = (ClassAnswer | LabelsAnswer | ValueAnswer | TagsAnswer) & {
  /** There where the model has not seen the end of the text, as it has more tokens than the model takes. */
  readonly cut?: true;
};

/** What a model computed of one input. */
export type Computed =
  & (
    | { readonly logits: Float32Array }
    | {
      readonly words: readonly string[];
      /** Of each word; of the last ones none where the sentence has more tokens than the model takes. */
      readonly tags: readonly { readonly logits: Float32Array; readonly class: number }[];
      /** Whether tags were chosen together. */
      readonly together: boolean;
    }
  )
  & { readonly cut: boolean };

/** What is wanted of an answer. */
export interface AnswerOptions {
  /** How many of the most probable classes. */
  readonly top: number;
  /** The probability from which something is of a class, where it may be of several. */
  readonly threshold: number;
}

/** The answer in what was computed. */
export function answerOf(
  { task, classes }: Pick<InputDescription, "task" | "classes">,
  computed: Computed,
  { top, threshold }: AnswerOptions,
): Answer {
  const cut = computed.cut && { cut: true as const };
  if ("tags" in computed) return { ...tagsAnswer(classes, computed), ...cut };
  const { logits } = computed;
  if (task === "regression") return { value: logits[0], ...cut };
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
  const probabilities = task === "multi-label" ? Float64Array.from(logits, sigmoid) : softmax(logits);
  const scored = (index: number) => ({ label: classes[index], probability: probabilities[index] });
  const first = order.slice(0, top).map(scored);
  if (task === "classification") return { ...scored(order[0]), top: first, ...cut };
  const least = leastLogit(threshold);
  return { labels: order.filter((index) => logits[index] >= least).map(scored), top: first, ...cut };
}

function tagsAnswer(
  classes: readonly string[],
  { words, tags, together }: Extract<Computed, { readonly tags: unknown }>,
): TagsAnswer {
  const tagged = tags.map(({ logits, class: index }, place): TaggedWord => ({
    word: words[place],
    tag: classes[index],
    ...(!together && { probability: softmax(logits)[index] }),
  }));
  const scheme = schemeOf(classes);
  if (!scheme) return { words: tagged };
  const spans = spansOf(tagged.map(({ tag }) => tag), scheme);
  return {
    words: tagged,
    spans: spans.map((span) => ({ ...span, text: words.slice(span.begin, span.end).join(" ") })),
  };
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** In float64. */
function softmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / sum);
}
