/** A splitter in a tokenizer.json. */
export interface Splitter {
  readonly type?: string;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  readonly pretokenizers?: readonly Splitter[];
}

/** Unicode's white space. JavaScript's has no U+0085, and has U+FEFF more. */
const SPACES = "\\t\\n\\u000b\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** The words of GPT-2 (Radford et al. 2019), each with the space before it. */
const WORDS = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACES}\\p{L}\\p{N}]+|` +
  `[${SPACES}]+(?![^${SPACES}])|[${SPACES}]+`;

/**
 * A splitter as the library takes it, so that texts are split as by Hugging Face's original in Rust: byte-level
 * ones split by a pattern of their own, in which JavaScript's white space stands.
 */
export function withUnicodeSpaces(splitter: Splitter | null | undefined): unknown {
  if (splitter?.pretokenizers) return { ...splitter, pretokenizers: splitter.pretokenizers.map(withUnicodeSpaces) };
  if (splitter?.type !== "ByteLevel" || splitter.use_regex === false) return splitter;
  // The letter is replaced by itself as V8 finds an empty match at the start within pairs of surrogates, too.
  const prefix = { type: "Replace", pattern: { Regex: "\\A[^ ]" }, content: " $&" };
  return {
    type: "Sequence",
    pretokenizers: [
      ...(splitter.add_prefix_space ? [prefix] : []),
      { type: "Split", pattern: { Regex: WORDS }, behavior: "Removed", invert: true },
      { ...splitter, add_prefix_space: false, use_regex: false },
    ],
  };
}
