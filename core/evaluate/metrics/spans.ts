import type { HostTensor } from "../../plugin/dataset.ts";
import { visible } from "../../visible.ts";
import { type Averages, averagesOf, type ClassCounts, type ClassScores, scoresOf } from "./class_scores.ts";

/** A run of tokens that are one entity or phrase. */
export interface Span {
  /** Its kind: `PER` of `B-PER`. */
  readonly type: string;
  /** The first token. */
  readonly begin: number;
  /** The token after the last one. */
  readonly end: number;
}

/** What a tag says of its token: that it begins a span, is inside, ends one, is a single one, or is outside. */
type Mark = "B" | "I" | "E" | "S" | "O";

/** How tags mark spans. */
export interface TagScheme {
  /** `BIO`, `BIOES`, `BILOU`, `BMES`, `BMEWO`. */
  readonly name: string;
  /** Where the letter stands: before the span's type (`B-PER`), after it (`PER-B`), or alone. */
  readonly place: "prefix" | "suffix" | "bare";
  /** What each letter says. */
  readonly marks: Readonly<Record<string, Mark>>;
}

/** The schemes from the one of fewest letters on, as tags are of the first that has all of theirs. */
const SCHEMES: readonly Pick<TagScheme, "name" | "marks">[] = [
  { name: "BIO", marks: { B: "B", I: "I" } },
  { name: "BIOES", marks: { B: "B", I: "I", E: "E", S: "S" } },
  { name: "BILOU", marks: { B: "B", I: "I", L: "E", U: "S" } },
  { name: "BMES", marks: { B: "B", M: "I", E: "E", S: "S" } },
  { name: "BMEWO", marks: { B: "B", M: "I", E: "E", W: "S" } },
];

/** The letter and the type in each place; tags of one type alone, as of words in Chinese, may lack the type. */
const PLACES: readonly (readonly [TagScheme["place"], RegExp])[] = [
  ["prefix", /^(?<letter>[A-Z])[-_](?<type>.+)$/s],
  ["suffix", /^(?<type>.+)[-_](?<letter>[A-Z])$/s],
  ["bare", /^(?<letter>[A-Z])$/],
];

/** The type of spans whose tags have none. */
const NO_TYPE = "_";

/** The scheme by which tags mark spans, `null` if they mark none. */
export function schemeOf(tags: readonly string[]): TagScheme | null {
  const within = tags.filter((tag) => tag !== "O");
  if (within.length === 0) return null;
  for (const [place, pattern] of PLACES) {
    const letters = new Set(within.map((tag) => pattern.exec(tag)?.groups?.letter ?? ""));
    // Without types a tag may be any abbreviation; spans that go on are what nothing else has.
    if (place === "bare" && !(letters.has("B") && letters.size > 1)) continue;
    const scheme = SCHEMES.find(({ marks }) => [...letters].every((letter) => Object.hasOwn(marks, letter)));
    if (scheme) return { ...scheme, place };
  }
  return null;
}

/** Whether tags mark spans, as `B-PER`, `I-PER` and `O` do. */
export function markSpans(tags: readonly string[]): boolean {
  return schemeOf(tags) !== null;
}

/** How tags are scored, in a line for people. */
export function describeTags(tags: readonly string[]): string {
  const scheme = schemeOf(tags);
  if (!scheme) return "the tags mark no spans (as B-X, I-X and O would): each is scored alone";
  const { name, place } = scheme;
  const example = tags.find((tag) => tag !== "O")!;
  const where = place === "bare" ? "" : `, the letter ${place === "prefix" ? "first" : "last"}`;
  return `the tags mark spans in ${name}${where} (${visible(example)}): f1 is that of whole spans`;
}

function read(tag: string, { place, marks }: TagScheme): { mark: Mark; type: string } {
  if (tag === "O") return { mark: "O", type: NO_TYPE };
  const { letter, type = NO_TYPE } = PLACES.find(([name]) => name === place)![1].exec(tag)!.groups!;
  return { mark: marks[letter], type };
}

/** BIO, the letter first: what a sequence of tags is read by where nothing else is said. */
const USUAL: TagScheme = { ...SCHEMES[0], place: "prefix" };

/**
 * The spans of a sequence of tags: B begins one, I and E go on with it, E ends it, S is one alone, O is outside. As in
 * the CoNLL evaluation, and in seqeval's default mode, an I or E that follows no open span of its type begins one, too:
 * so IOB1 is understood as well, and what a model predicts against the scheme still counts.
 */
export function spansOf(tags: readonly string[], scheme: TagScheme = USUAL): Span[] {
  const spans: Span[] = [];
  let open: { type: string; begin: number } | null = null;
  tags.forEach((tag, at) => {
    const { mark, type } = read(tag, scheme);
    if (open && (mark === "B" || mark === "S" || mark === "O" || type !== open.type)) {
      spans.push({ ...open, end: at });
      open = null;
    }
    if (mark === "O") return;
    open ??= { type, begin: at };
    if (mark === "E" || mark === "S") {
      spans.push({ ...open, end: at + 1 });
      open = null;
    }
  });
  if (open) spans.push({ ...open as { type: string; begin: number }, end: tags.length });
  return spans;
}

/** The {@link ClassScores} of the spans of one type: a predicted span is right if its type and both its ends are. */
export interface TypeScores extends ClassScores {
  /** The type, as `PER`. */
  readonly type: string;
  /** How many true ones there are. */
  readonly spans: number;
  /** How many are predicted. */
  readonly predicted: number;
}

/** The scores of all spans together, those of each type that occurs or is predicted, by name, and their means. */
export interface AllSpanScores extends ClassScores {
  readonly types: readonly TypeScores[];
  readonly averages: Averages;
}

/**
 * Precision, recall and F1 of spans over all sequences together (micro-averaged), as in the CoNLL-2000 and CoNLL-2003
 * shared tasks: a span is right if its type and both its ends are. The same of each type.
 *
 * @param truth tags of each sequence
 * @param predicted as many tags for each
 * @param scheme how they mark spans
 */
export function spanScores(
  truth: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  scheme: TagScheme = USUAL,
): AllSpanScores {
  const counts = new Map<string, { -readonly [key in keyof ClassCounts]: number }>();
  const count = (type: string, key: keyof ClassCounts) => {
    const own = counts.get(type) ?? { examples: 0, predicted: 0, correct: 0 };
    own[key]++;
    counts.set(type, own);
  };
  const key = ({ type, begin, end }: Span) => `${begin} ${end} ${type}`;
  truth.forEach((tags, sequence) => {
    const expected = new Set(
      spansOf(tags, scheme).map((span) => {
        count(span.type, "examples");
        return key(span);
      }),
    );
    for (const span of spansOf(predicted[sequence], scheme)) {
      count(span.type, "predicted");
      if (expected.has(key(span))) count(span.type, "correct");
    }
  });
  const byName = [...counts].sort(([a], [b]) => a < b ? -1 : 1);
  const averages = averagesOf(byName.map(([, own]) => own));
  return {
    precision: averages.precisionMicro,
    recall: averages.recallMicro,
    f1: averages.f1Micro,
    types: byName.map(([type, own]) => ({ type, spans: own.examples, predicted: own.predicted, ...scoresOf(own) })),
    averages,
  };
}

/**
 * {@link spanScores} of numbered tags as batches hold them, over all batches; positions whose label is -1 are left out.
 *
 * @param labels of each batch: `[batch, length]`
 * @param predictions of each batch, as many numbers
 * @param classes the tags' names
 * @param scheme how they mark spans
 */
export function spanScoresOf(
  labels: readonly HostTensor[],
  predictions: readonly ArrayLike<number>[],
  classes: readonly string[],
  scheme: TagScheme = USUAL,
): AllSpanScores {
  const [truth, predicted]: [string[][], string[][]] = [[], []];
  labels.forEach(({ data, shape: [batch, length] }, index) => {
    for (let begin = 0; begin < batch * length; begin += length) {
      const scored = Array.from({ length }, (_, t) => begin + t).filter((at) => data[at] >= 0);
      truth.push(scored.map((at) => classes[data[at]]));
      predicted.push(scored.map((at) => classes[predictions[index][at]]));
    }
  });
  return spanScores(truth, predicted, scheme);
}
