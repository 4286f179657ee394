import type { LabelledText } from "./text_examples.ts";

/**
 * That texts that are trained or measured on are longer than they may be: a sentence, none where all fit.
 *
 * @param areSentences whether each word has a tag, which is lost with it
 */
export function cutTexts(
  { train, test }: Readonly<Record<string, readonly LabelledText[]>>,
  maxLength: number,
  areSentences: boolean,
): string[] {
  const what = areSentences ? "sentences" : "texts";
  const parts = [[test, `${what} of the split "test"`], [train, `training ${what}`]] as const;
  const told = parts.flatMap(([split, name]) => {
    const cut = split.filter((text) => text.cut);
    if (cut.length === 0) return [];
    const words = cut.reduce((sum, { wordsCut = 0 }) => sum + wordsCut, 0);
    const lost = areSentences ? `${words} ${words === 1 ? "word" : "words"} in ` : "";
    return [`${lost}${cut.length} of the ${split.length} ${name}`];
  });
  if (told.length === 0) return [];
  const meaning = areSentences ? "their tags are neither learned nor measured" : "what is behind is not read";
  return [`dataset.maxLength of ${maxLength} tokens cuts ${told.join(" and ")}: ${meaning}`];
}
