import { UserError } from "../../../core/errors.ts";
import type { TextInput } from "../../../core/plugin/dataset.ts";
import type { BertSizes } from "./sizes.ts";

/** The number that MPNet's positions take for padding's, whatever else its files say. */
const MPNET_PADDING = 1;

/**
 * Looks for what a variant does not have in Hugging Face's transformers, which would compute something else.
 *
 * @throws UserError if there is any
 */
export function checkVariant(sizes: BertSizes, text: Pick<TextInput, "padding">): void {
  const { variant, types, epsilon, width, embeddingWidth, padding } = sizes;
  if (variant === "distilbert" && (types > 0 || epsilon !== 1e-12)) {
    throw new UserError(
      `Cannot build a DistilBERT of ${types} segments and epsilon ${epsilon}: it has none, and 1e-12; variant ` +
        `bert takes others`,
    );
  }
  if (variant !== "electra" && embeddingWidth !== width) {
    throw new UserError(
      `Cannot build a ${variant} of width ${width} with embeddings of ${embeddingWidth}: they are as wide, but for ` +
        `variant electra`,
    );
  }
  if (variant !== "mpnet") return;
  if (types > 0) throw new UserError(`Cannot build an MPNet of ${types} segments: it has none`);
  const other = [padding, text.padding].find((number) => number !== MPNET_PADDING);
  if (other === undefined) return;
  throw new UserError(
    `Cannot build an MPNet for a tokenizer whose padding is the token ${other}: its positions leave out the token ` +
      `${MPNET_PADDING} whatever that means; expected the tokenizer of an MPNet (dataset.tokenizer)`,
  );
}
