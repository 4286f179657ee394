import { UserError } from "../../../core/errors.ts";
import { isJsonObject, showJson } from "../../../core/json.ts";

/** The most tokens that a model has rows for. */
const MOST_TOKENS = 2 ** 24;

/**
 * Looks whether the numbers of a tokenizer.json are numbers: one that is not would become the token 0 without a word.
 *
 * @param file its name, for messages
 * @throws UserError if it is no tokenizer, or a token's number is none
 */
export function checkTokenizer(tokenizer: unknown, file: string): asserts tokenizer is Record<string, unknown> {
  const refuse = (reason: string) => new UserError(`Cannot use the tokenizer "${file}" as ${reason}`);
  const model = isJsonObject(tokenizer) ? tokenizer.model : undefined;
  if (!isJsonObject(tokenizer) || !isJsonObject(model)) throw refuse("it is damaged: it has no model");
  const { vocab } = model;
  const isList = Array.isArray(vocab) && vocab.every((entry) => Array.isArray(entry) && typeof entry[0] === "string");
  if (!isList && !isJsonObject(vocab)) throw refuse("it is damaged: its model has no vocab");
  const { added_tokens: added = [] } = tokenizer;
  if (!Array.isArray(added) || !added.every((own) => isJsonObject(own) && typeof own.content === "string")) {
    throw refuse("it is damaged: its added_tokens are no list of tokens");
  }
  const numbered = [
    ...(isList ? [] : Object.entries(vocab as Record<string, unknown>)),
    ...added.map(({ content, id }): [string, unknown] => [content, id]),
  ];
  for (const [token, number] of numbered) {
    if (Number.isInteger(number) && number as number >= 0 && number as number < MOST_TOKENS) continue;
    throw refuse(
      `the number of its token ${showJson(token)} is ${showJson(number)}: expected one from 0 to ${MOST_TOKENS}`,
    );
  }
}
