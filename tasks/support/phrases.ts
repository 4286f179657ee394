import { UserError } from "../../core/errors.ts";

/** Titles and the like, whose full stop ends no sentence. */
const ABBREVIATIONS = "Mr|Mrs|Ms|Dr|St|Gen|Sen|Gov|Jr|Lt|Col";

/** Words, numbers, abbreviations with their full stops, and single signs. */
const TOKEN = new RegExp(
  `(?:${ABBREVIATIONS})\\.|(?:[A-Z]\\.)+|'(?:s|re|ve|ll|d|m)\\b|n't\\b|\\d+(?:[.,]\\d+)*[a-z]*(?:-[A-Za-z0-9]+)*|[A-Za-z]+(?:-[A-Za-z0-9]+)*|\\S`,
  "g",
);

/** The sentences of a text: up to a full stop, question or exclamation mark before a capital or the end. */
export function sentencesOf(text: string): string[] {
  const unbroken = text.replaceAll("’", "'").replaceAll(/\s+/g, " ").trim();
  const end = new RegExp(`(?<!\\b(?:${ABBREVIATIONS}|[A-Z]))([.?!]) (?=[A-Z])`, "g");
  return unbroken.replaceAll(end, "$1\n").split("\n");
}

/** A sentence's tokens as in the Penn treebank: `isn't` is `is n't`, and `people's` is `people 's`. */
export function tokensOf(sentence: string): string[] {
  return sentence.replaceAll(/n't\b/g, " n't").match(TOKEN) ?? [];
}

// deno-fmt-ignore
/** The parts of a phrase: a letter for each group of Penn tags. Others are X. */
const LETTERS: Readonly<Record<string, string>> = {
  DT: "D", PDT: "D", PRP$: "D", WP$: "D", POS: "S", JJ: "J", JJR: "J", JJS: "J", CD: "C", $: "C",
  NN: "N", NNS: "N", NNP: "N", NNPS: "N", PRP: "P", EX: "P", WP: "P", WDT: "P",
  MD: "V", VB: "V", VBD: "V", VBP: "V", VBZ: "V", VBG: "G", VBN: "G", RB: "R", RBR: "R", RBS: "R", IN: "I", TO: "T",
};

/**
 * Base phrases, tried in this order at each word. A noun phrase may hold a participle behind a determiner or adjective
 * ("the rising cost"), and a possessive mark begins a new one, as in CoNLL-2000.
 */
const PHRASES: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["NP", /S?D*(?:R(?=J))?(?:[JC]|(?<=[DJ])G(?=[GJCN]))*[NC]+|S?D+|P/y],
  ["VP", /(?:TR?(?=V)|R+(?=[VG]))?[VG](?:R*[VG]|TR?V)*/y],
  ["PP", /[IT]/y],
  ["ADJP", /R?J+/y],
  ["ADVP", /R+/y],
];

/**
 * Base phrases by rules over parts of speech, as IOB2 tags: noun (NP), verb (VP), prepositional (PP, the preposition
 * alone), adjective (ADJP) and adverb phrases (ADVP).
 *
 * @param partsOfSpeech Penn tags
 * @returns a tag for each word: `B-NP`, `I-NP`, ..., `O`
 */
export function phraseTags(partsOfSpeech: readonly string[]): string[] {
  const letters = partsOfSpeech.map((tag) => LETTERS[tag] ?? "X").join("");
  const tags: string[] = [];
  while (tags.length < letters.length) {
    const begin = tags.length;
    for (const [type, pattern] of PHRASES) {
      pattern.lastIndex = begin;
      const { length } = pattern.exec(letters)?.[0] ?? "";
      for (let i = 0; i < length; i++) tags.push(`${i === 0 ? "B" : "I"}-${type}`);
      if (length > 0) break;
    }
    if (tags.length === begin) tags.push("O");
  }
  return tags;
}

/** Sentences of ordinary length and signs only. */
const LENGTH = { least: 5, most: 30 };
const ORDINARY = /^[A-Z][A-Za-z0-9 ,.;:'$%?!-]*[.?!]$/;

/** The parts of speech of a sentence's tokens, Penn tags. */
export type PosTagger = (tokens: string[]) => string[];

/**
 * Sentences of a text, evenly spread over it, as CoNLL columns: word and phrase tag, a blank line after each sentence.
 *
 * @param text a speech
 * @param count how many sentences to take
 * @param tag finds parts of speech
 * @returns lines
 * @throws UserError if the text has fewer sentences that can be taken
 */
export function columnsOf(text: string, count: number, tag: PosTagger): string {
  const usable = sentencesOf(text).filter((sentence) => ORDINARY.test(sentence)).map(tokensOf)
    .filter(({ length }) => length >= LENGTH.least && length <= LENGTH.most);
  if (usable.length < count) {
    throw new UserError(`Cannot take ${count} sentences of a text that has ${usable.length} ordinary ones`);
  }
  const taken = Array.from({ length: count }, (_, place) => usable[Math.floor(place * usable.length / count)]);
  return taken.map((tokens) => {
    const tags = phraseTags(tag(tokens));
    return tokens.map((token, place) => `${token} ${tags[place]}\n`).join("") + "\n";
  }).join("");
}
