import { Random } from "../../data/random.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch, HostTensor, ImageInput } from "../../plugin/dataset.ts";
import type { FolderTokenizer, TokenizerOpener } from "../../predict/inputs.ts";
import type { Subject } from "../subject.ts";
import { decided, type LogitsCall } from "../logits.ts";
import { IMAGE_CHANGES } from "./image_changes.ts";
import { channelwise } from "./space.ts";
import { type Tokens, withoutTokens, withTypos } from "./text_changes.ts";

/** A batch with each of its examples changed, by numbers of the example's own. */
type Change = (batch: Batch<HostTensor>, strength: number, randomOf: (row: number) => Random) => Batch<HostTensor>;

/** A kind of change, for one model. */
export interface Sweep {
  readonly name: string;
  /** What a strength is, for people. */
  readonly unit: string;
  readonly strengths: readonly number[];
  /** What is to be known of it, a sentence; `null`: nothing. */
  readonly note: string | null;
  readonly change: Change;
}

/** The sweeps that a model's inputs can be put through, and a sentence for each that they cannot. */
export async function sweepsOf(
  subject: Subject,
  indices: Uint32Array,
  openTokenizer: TokenizerOpener,
): Promise<{ readonly sweeps: readonly Sweep[]; readonly notes: readonly string[] }> {
  const { input: { image, text } } = subject;
  if (image) return { sweeps: imageSweeps(image), notes: [] };
  const tokenizer = await openTokenizer(subject.folder, text!.maxLength);
  const typed = await typos(subject, indices, tokenizer);
  return typeof typed === "string" ? { sweeps: [drop], notes: [typed] } : { sweeps: [drop, typed], notes: [] };
}

/** What a model decides about some examples after a sweep's change. @throws UserError if a logit is not finite */
export async function decidedAfter(
  ops: Ops,
  subject: Subject,
  { name, change }: Sweep,
  { strength, seed, ...call }: LogitsCall & { readonly strength: number; readonly seed: number },
): Promise<Int32Array> {
  const stream = new Random(seed).split(name);
  const changed: LogitsCall["change"] = (batch, some) => change(batch, strength, (row) => stream.split(some[row]));
  return (await decided(ops, subject, { ...call, change: changed })).decided;
}

function imageSweeps({ size: [height, width, channels], normalise }: ImageInput): Sweep[] {
  const [mean, std] = [channelwise(normalise.mean, channels), channelwise(normalise.std, channels)];
  const each = height * width * channels;
  return IMAGE_CHANGES.map(({ name, unit, strengths, apply }) => ({
    ...{ name, unit, strengths, note: null },
    change(batch, strength, randomOf) {
      const { data, shape } = batch.image;
      const changed = new Float32Array(data.length);
      for (let row = 0; row < shape[0]; row++) {
        const values = data.subarray(row * each, (row + 1) * each)
          .map((number, at) => Math.max(0, Math.min(1, number * std[at % channels] + mean[at % channels])));
        const pixels = apply({ values, height, width, channels }, strength, randomOf(row));
        changed.set(pixels.map((pixel, at) => (pixel - mean[at % channels]) / std[at % channels]), row * each);
      }
      return { ...batch, image: { data: changed, shape } };
    },
  }));
}

const RATES = [0.05, 0.1, 0.2, 0.4];

const drop: Sweep = {
  name: "token drop",
  unit: "part of the tokens that is left out",
  strengths: RATES,
  note: null,
  change: (batch, rate, randomOf) => ({
    ...batch,
    ...inBatch(batch, tokensIn(batch).map((own, row) => withoutTokens(own, rate, randomOf(row)))),
  }),
};

/** The tokens of each example of a batch. */
function tokensIn({ tokens, types, mask }: Batch<HostTensor>): Tokens[] {
  const [rows, length] = tokens.shape;
  return Array.from({ length: rows }, (_, row) => {
    const of = ({ data }: HostTensor) =>
      Array.from(data.subarray(row * length, (row + 1) * length)).filter((_, at) => mask.data[row * length + at] === 1);
    return { tokens: of(tokens), types: of(types) };
  });
}

/** Tokens as the entries of a batch, padded to the longest. */
function inBatch({ tokens, mask }: Batch<HostTensor>, all: readonly Tokens[]): Batch<HostTensor> {
  const length = Math.max(...all.map(({ tokens }) => tokens.length));
  const padding = tokens.data[mask.data.indexOf(0)] ?? 0;
  const shape = [all.length, length];
  const rows = (of: (own: Tokens) => readonly number[], filler: number): HostTensor => {
    const data = new Float32Array(all.length * length).fill(filler);
    all.forEach((own, row) => data.set(of(own), row * length));
    return { data, shape };
  };
  return {
    tokens: rows((own) => own.tokens, padding),
    types: rows((own) => own.types, 0),
    mask: rows((own) => own.tokens.map(() => 1), 0),
  };
}

/** The part of texts that may be read back as other tokens: more, and typing errors would be made in other texts. */
const MOST_OTHERS = 0.05;

/** How many texts are read back to see whether that can be done. */
const READ_BACK = 100;

async function typos(
  { vocabulary, examples }: Subject,
  indices: Uint32Array,
  tokenizer: FolderTokenizer | null,
): Promise<Sweep | string> {
  const cannot = (reason: string) => `no typing errors, as ${reason}.`;
  if (!tokenizer || !vocabulary) return cannot("there is no tokenizer.json beside the model");
  const textsOf = (batch: Batch<HostTensor>) =>
    tokensIn(batch).map(({ tokens }) => vocabulary.pieces(tokens).map(({ text }) => text).join("").trim());
  const some = indices.slice(0, READ_BACK);
  await examples.fetch?.(some);
  const batch = examples.batch(some);
  const again = tokensIn(tokenizer.batch(textsOf(batch)));
  const others = tokensIn(batch).filter(({ tokens }, row) => tokens.join() !== again[row].tokens.join()).length;
  if (others > MOST_OTHERS * some.length) {
    return cannot(
      `${others} of ${some.length} texts are other tokens when they are put together from their tokens and read again ` +
        "(pairs of texts always are)",
    );
  }
  return {
    name: "typing errors",
    unit: "part of the words with one",
    strengths: RATES,
    note: null,
    change: (batch, rate, randomOf) => ({
      ...batch,
      ...tokenizer.batch(textsOf(batch).map((text, row) => withTypos(text, rate, randomOf(row)))),
    }),
  };
}
