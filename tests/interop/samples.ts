import { Random } from "../../core/data/random.ts";
import { readUserFile } from "../../core/files.ts";
import type { Batch, Examples, HostTensor, InputDescription, Task } from "../../core/plugin/dataset.ts";
import { openTokenizer } from "../../plugins/datasets/text/open_tokenizer.ts";
import { imageDataset } from "../../plugins/datasets/image_dataset.ts";
import { textExamples } from "../../plugins/datasets/text/text_examples.ts";

/** A text or a pair of texts, and its tokens; JSON that transformers_student.py reads. */
export interface SampleText {
  readonly text: string;
  readonly pair: string | null;
  readonly tokens: readonly number[];
  readonly types: readonly number[];
}

/** A few examples of made-up data. */
export interface Sample {
  readonly input: InputDescription;
  readonly examples: Examples;
  /** All examples as one batch. */
  readonly batch: Batch<HostTensor>;
  /** None of images. */
  readonly texts: readonly SampleText[];
  /** Bytes of the images, `[batch, height, width, channels]`; `null` for text, and where no image processor is used. */
  readonly pixels: HostTensor | null;
}

/**
 * Accents, punctuation, capitals, spaces, letters that no vocabulary has, one word, and more than fits in each text.
 */
const TEXTS = [
  { text: "The cat sat on the mat.", pair: null },
  { text: "Café déjà vu: naïve façade -- isn't it?", pair: null },
  { text: "  Spaces \t and\nlines  ", pair: "e-mail me @ 10:30 (or not)…" },
  { text: "漢字 and the cat", pair: "Ünïcödé" },
  { text: "a", pair: null },
  { text: "the cat sat on the mat, ".repeat(5), pair: null },
  { text: "the cat sat on the mat, ".repeat(3), pair: "the cat sat on the mat, ".repeat(3) },
  { text: "the cat sat on the mat, ".repeat(4), pair: "on the mat, the cat sat, ".repeat(3) },
  { text: "the cat sat on the mat, ".repeat(3), pair: "on the mat, the cat sat, ".repeat(4) },
  { text: "on the mat, ".repeat(9), pair: "the cat sat, the cat sat" },
];

const CLASSES = ["no", "maybe", "yes"];

/**
 * Texts with a tokenizer.
 *
 * @param tokenizer a folder; `null`: one is trained on the texts
 */
export async function sampleTexts(
  task: Task,
  tokenizer: string | null = null,
  classes: readonly string[] = CLASSES,
  maxLength = 24,
  given: readonly Pick<SampleText, "text" | "pair">[] = TEXTS,
): Promise<Sample> {
  const options = { tokenizer, vocabularySize: 70, lowercase: true, maxLength };
  const all = given.flatMap(({ text, pair }) => pair === null ? [text] : [text, pair]);
  const readFile = (file: unknown, what: string) => readUserFile(file as string, what);
  const setup = { readFile, readFolder: unused, openFolder: unused, noteInput: unused, random: new Random(0) };
  const { tokenizer: opened, files } = await openTokenizer(options, all, setup);
  const texts = given.map(({ text, pair }) => {
    const { tokens, types } = opened.encode(text, pair);
    return { text, pair, tokens: [...tokens], types: [...types] };
  });
  const { vocabulary, padding } = opened;
  const examples = textExamples(
    texts.map(({ tokens, types }, index) => ({
      tokens: Uint32Array.from(tokens),
      types: Uint8Array.from(types),
      label: task === "tagging" ? new Int16Array(tokens.length) : index % 2,
    })),
    null,
    padding,
    maxLength,
  );
  const text = { vocabulary, maxLength, padding, files };
  const input = { task, classes: task === "regression" ? [] : classes, image: null, text };
  return { input, examples, batch: wholeBatch(examples), texts, pixels: null };
}

function unused(): never {
  throw new Error("A tokenizer asked for more than files");
}

/** Images of noise, as a data set normalises them. */
export function sampleImages(size: readonly [number, number, number], classes = CLASSES): Sample {
  const random = new Random(1);
  const [height, width, channels] = size;
  const count = 3;
  const pixels = Uint8Array.from({ length: count * height * width * channels }, () => random.below(256));
  const images = { pixels, count, height, width, channels, labels: Uint8Array.from({ length: count }, (_, i) => i) };
  const options = { mean: null, std: null, takeTrain: null, takeTest: null, classes: null, groups: null };
  const { input, splits: { test: examples } } = imageDataset(images, images, classes, options);
  const bytes = { data: Float32Array.from(pixels), shape: [count, ...size] };
  return { input, examples, batch: wholeBatch(examples), texts: [], pixels: [1, 3].includes(channels) ? bytes : null };
}

function wholeBatch(examples: Examples): Batch<HostTensor> {
  return examples.batch(Uint32Array.from({ length: examples.length }, (_, index) => index));
}
