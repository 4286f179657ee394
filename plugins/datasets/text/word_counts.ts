import { Tokenizer } from "@huggingface/tokenizers";
import { bertTokenizer, SPECIAL_TOKENS } from "./bert_tokenizer.ts";
import { type Normaliser, preparation } from "./tokenizer.ts";

/** How often each word occurs in some texts, split as BERT's tokenizer splits them. */
export function countWords(texts: Iterable<string>, lowercase: boolean): Map<string, number> {
  const { tokenizer, config } = bertTokenizer(SPECIAL_TOKENS, { lowercase });
  const { normalizer, pre_tokenizer: splitter } = new Tokenizer(tokenizer, config);
  const prepared = preparation(tokenizer.normalizer as Normaliser);
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of splitter!.pre_tokenize(normalizer!.normalize(prepared(text)))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}
