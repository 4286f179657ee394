import { isJsonObject } from "../../../core/json.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/**
 * A tokenizer that takes a word alone for one within a text: a byte-level one, such as RoBERTa's, has other tokens for
 * a word behind a space than for one at the start, and puts that space before the latter, too.
 *
 * @returns the same files where they say so already, and for tokenizers of another kind
 */
export function withPrefixSpace(files: TokenizerFiles): TokenizerFiles {
  const { tokenizer, config } = files;
  const splitter = spaced(tokenizer.pre_tokenizer);
  if (splitter === tokenizer.pre_tokenizer) return files;
  const { post_processor: framing } = tokenizer;
  return {
    tokenizer: {
      ...tokenizer,
      pre_tokenizer: splitter,
      // By which Hugging Face's tools tell where in the text a token is.
      ...(isJsonObject(framing) && "add_prefix_space" in framing && {
        post_processor: { ...framing, add_prefix_space: true },
      }),
    },
    config: { ...config, add_prefix_space: true },
  };
}

/** The splitter, or the first of several: what comes later would put a space before parts of a word. */
function spaced(splitter: unknown): unknown {
  if (!isJsonObject(splitter)) return splitter;
  if (splitter.type === "ByteLevel") {
    return splitter.add_prefix_space === true ? splitter : { ...splitter, add_prefix_space: true };
  }
  if (!Array.isArray(splitter.pretokenizers)) return splitter;
  const [first, ...others] = splitter.pretokenizers;
  const own = spaced(first);
  return own === first ? splitter : { ...splitter, pretokenizers: [own, ...others] };
}
