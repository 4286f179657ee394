import { OptionError, UserError } from "../../../core/errors.ts";
import { bounded, epsilonSchema } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { ACTIVATIONS, type BlockSettings } from "./block.ts";
import { checkClassOrder } from "./config.ts";

/** Options that all families of encoders have; a config.json fills what is `null`. */
export interface EncoderOptions {
  readonly config: string | null;
  readonly layers: number | null;
  readonly width: number | null;
  readonly heads: number | null;
  readonly ffn: number | null;
  readonly activation: BlockSettings["activation"] | null;
  readonly epsilon: number | null;
  readonly dropout: number | null;
  readonly attentionDropout: number | null;
  readonly labels: readonly string[] | null;
}

/** The largest sizes that an encoder is built with, whether a recipe or a config.json says them. */
export const MOST = { layers: 1000, width: 2 ** 16, heads: 2 ** 10, ffn: 2 ** 18 } as const;

/** The defaults in which the families differ. */
export interface EncoderDefaults {
  readonly epsilon: number;
  /** Of both rates of dropout. */
  readonly dropout: number;
}

/**
 * The schemas of {@link EncoderOptions}, in groups that stand together in a family's list of options.
 *
 * @param defaults how the descriptions tell them: `{ epsilon: "1e-12", dropout: "0" }`
 */
export function encoderOptions({ z }: Pick<OptionKit, "z">, defaults: Readonly<Record<keyof EncoderDefaults, string>>) {
  const count = (most: number, reason: string) => bounded(z.int().min(1).max(most), reason).nullable().default(null);
  const rate = z.number().min(0).lt(1).nullable().default(null);
  const activations = Object.keys(ACTIVATIONS) as BlockSettings["activation"][];
  return {
    config: z.string().min(1).nullable().default(null).describe(
      "Hugging Face config.json, or a folder with one, that gives what is null below; null: that beside the weights",
    ),
    sizes: {
      layers: count(MOST.layers, "the deepest that were ever trained have about that many").describe(
        "Number of encoder blocks",
      ),
      width: count(MOST.width, "a matrix of more by more takes over 16 GiB").describe("Numbers in a hidden state"),
      heads: count(MOST.heads, "each has an attention matrix of its own").describe(
        "Attention heads; null: the teacher's if the student starts from its layers, else one for every 64 of the width",
      ),
      ffn: count(MOST.ffn, "it is four times the width as a rule").describe(
        "Width within the feed-forward networks; null: four times the width",
      ),
    },
    block: {
      activation: z.enum(activations).nullable().default(null).describe(
        "Function within the feed-forward networks; gelu_new is its approximation by tanh; null: that of a teacher " +
          "whose layers it starts from, else gelu",
      ),
      epsilon: epsilonSchema.nullable().default(null).describe(
        `Added to the variance in layer norm; null: that of a teacher whose layers it starts from, else ${defaults.epsilon}`,
      ),
      dropout: rate.describe(
        `Rate of dropout of embeddings and of what each sub-layer adds; null: ${defaults.dropout}`,
      ),
      attentionDropout: rate.describe(`Rate of dropout of attention probabilities; null: ${defaults.dropout}`),
    },
    labels: z.array(z.string()).nullable().default(null).describe(
      "Names of the classes in the order of the logits, held against the data set's; null: taken as the data set's",
    ),
  };
}

/** The sizes of every encoder. */
export interface EncoderSizes extends Omit<BlockSettings, "norm"> {
  readonly layers: number;
  /** Numbers in a hidden state. */
  readonly width: number;
  /** Numbers within the feed-forward networks. */
  readonly ffn: number;
}

/**
 * Options with nothing left open.
 *
 * @param options with the sizes that have no default, which the family asks for in words of its own
 * @param classes the data set's, against which `labels` is held
 * @throws UserError if the heads do not divide the width, or the classes are in another order
 */
export function resolveEncoder(
  options: EncoderOptions & { readonly layers: number; readonly width: number },
  classes: readonly string[],
  defaults: EncoderDefaults,
): EncoderSizes {
  const { layers, width } = options;
  const heads = options.heads ?? headsOf(width);
  if (width % heads !== 0) {
    throw new UserError(`Cannot divide a width of ${width} among ${heads} heads: expected a multiple of the heads`);
  }
  checkClassOrder(options.labels, classes);
  return {
    layers,
    width,
    heads,
    ffn: options.ffn ?? 4 * width,
    activation: options.activation ?? "gelu",
    epsilon: options.epsilon ?? defaults.epsilon,
    dropout: options.dropout ?? defaults.dropout,
    attentionDropout: options.attentionDropout ?? defaults.dropout,
  };
}

const headsOf = (width: number) => Math.max(1, Math.floor(width / 64));

/**
 * Options of a student that were left open, by those of the teacher whose layers it starts from: of what no tensor's
 * shape shows, so that the copied layers would compute something else without a word. Another variant has the same
 * layers behind other embeddings or under another head, as DistilBERT has those of BERT.
 *
 * @param defaults what the teacher has where its own options are open
 * @throws OptionError where the student's say something else
 */
export function followEncoder<Options extends EncoderOptions & { readonly variant: string | null }>(
  options: Options,
  teacher: Options,
  defaults: { readonly variant: string; readonly epsilon: number },
): Options {
  const own = {
    heads: teacher.heads ?? (teacher.width === null ? null : headsOf(teacher.width)),
    activation: teacher.activation ?? "gelu",
    epsilon: teacher.epsilon ?? defaults.epsilon,
  };
  for (const key of ["heads", "activation", "epsilon"] as const) {
    if (options[key] === null || own[key] === null || options[key] === own[key]) continue;
    throw new OptionError(
      [key],
      `Cannot start a student with ${key}: ${options[key]} from layers of its teacher, which has ${key}: ${
        own[key]
      }: ` +
        `leave ${key} out, or say ${own[key]}`,
    );
  }
  return { ...options, ...own, variant: options.variant ?? teacher.variant ?? defaults.variant };
}
