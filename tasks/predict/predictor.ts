import type { Backend } from "../../core/backend/backend.ts";
import { UserError } from "../../core/errors.ts";
import { readImageProcessor } from "../../core/model_folder/image_processor.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { LoadedModel } from "../../core/predict/loaded_model.ts";
import { counted } from "../support/format.ts";
import type { PictureColours } from "../../plugins/datasets/pictures/colours.ts";
import { decoded, jobOf } from "../../plugins/datasets/pictures/decode_job.ts";
import type { PictureForm } from "../../plugins/datasets/pictures/picture_form.ts";
import { BadPicture } from "../../plugins/datasets/pictures/picture_format.ts";
import { openModel } from "../../plugins/open_model.ts";
import type { Computed } from "./answers.ts";

/** What a model is asked about: a text or a pair of texts, the words of a sentence, or the file of a picture. */
export type Input =
  | { readonly text: string; readonly pair: string | null }
  | { readonly words: readonly string[] }
  | { readonly picture: Uint8Array<ArrayBuffer> };

/** An input that has the model's form: of a picture the pixels, of a tagger's text its words. */
export type Prepared =
  | { readonly text: string; readonly pair: string | null }
  | { readonly words: readonly string[] }
  | { readonly pixels: Uint8Array };

/** What a model takes. */
export type Takes = "pictures" | "texts" | "words";

/** How a model is opened. */
export interface PredictorOptions {
  readonly backend: Backend;
  /** What is behind transparent pixels; `null`: pictures that have some are refused. */
  readonly background: PictureColours["background"];
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/** A model of a folder that answers files of pictures and texts; disposing of it frees its weights. */
export class Predictor implements Disposable {
  private constructor(
    private readonly model: LoadedModel,
    private readonly form: Pick<PictureForm, "colours" | "resize"> | null,
  ) {}

  /**
   * Opens a model folder, this program's or Hugging Face's.
   *
   * @throws UserError if it cannot be read, or it does not say how texts become tokens, or pictures numbers
   */
  static async open(folder: string, { backend, background, report }: PredictorOptions): Promise<Predictor> {
    const model = await openModel(folder, { backend, report });
    try {
      const form = await pictureFormOf(folder, model, background);
      const predictor = new Predictor(model, form);
      // What is missing beside the weights shows before the first input is read; and kernels are compiled.
      await predictor.run([predictor.#example()]);
      return predictor;
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
  }

  /** Name of the model's plug-in. */
  get architecture(): string {
    return this.model.architecture;
  }

  /** What it takes and answers. */
  get input(): InputDescription {
    return this.model.input;
  }

  get takes(): Takes {
    if (this.model.input.image) return "pictures";
    return this.model.input.task === "tagging" ? "words" : "texts";
  }

  /**
   * An input in the model's form: a picture is decoded and resized, and a sentence split into words at its spaces.
   *
   * @param place where it comes from, for messages: `line 3 of "texts.csv"`
   * @throws UserError for an input of another kind, an empty text, or a damaged picture
   */
  async prepare(input: Input, place: string): Promise<Prepared> {
    const refuse = (reason: string) => new UserError(`Cannot use ${place} as ${reason}`);
    const { takes } = this;
    if ("picture" in input) {
      if (!this.form) throw refuse("it is a picture, and the model takes texts");
      try {
        const { pixels, height, width } = await decoded(jobOf(input.picture, this.form));
        const [wantedHeight, wantedWidth] = this.model.input.image!.size;
        if (height === wantedHeight && width === wantedWidth) return { pixels };
        throw refuse(
          this.form.resize
            ? `the model takes ${wantedHeight} x ${wantedWidth} pixels, and its preprocessor_config.json makes ` +
              `${height} x ${width} of it`
            : `it has ${height} x ${width} pixels, and the model takes ${wantedHeight} x ${wantedWidth}: resize it, or put ` +
              "the preprocessor_config.json that says how into the model's folder",
        );
      } catch (error) {
        throw error instanceof BadPicture ? refuse(error.reason) : error;
      }
    }
    if (takes === "pictures") throw refuse("it is a text, and the model takes pictures");
    if ("words" in input) {
      if (takes === "texts") throw refuse("it is a list of words, and the model takes texts");
      if (input.words.length === 0) throw refuse("it has no words");
      if (input.words.some((word) => word.trim() === "")) throw refuse("one of its words is empty");
      return input;
    }
    if (input.text.trim() === "") throw refuse("its text is empty");
    if (takes === "texts") return input;
    if (input.pair !== null) throw refuse("it is a pair, and the model tags the words of one text");
    return { words: input.text.trim().split(/\s+/) };
  }

  /** What the model computes of some inputs, all at once. */
  async run(inputs: readonly Prepared[]): Promise<Computed[]> {
    if (inputs.length === 0) return [];
    const batchSize = inputs.length;
    if (this.takes === "words") {
      const words = inputs.map((input) => (input as Extract<Prepared, { words: unknown }>).words);
      const tagged = await this.model.tag({ words }, { batchSize });
      return tagged.map(({ logits, classes, together }, index) => ({
        words: words[index],
        tags: logits.map((row, place) => ({ logits: row, class: classes[place] })),
        together,
        cut: logits.length < words[index].length,
      }));
    }
    const { logits, cut } = await this.model.predict(
      this.takes === "pictures" ? this.#images(inputs as readonly Extract<Prepared, { pixels: unknown }>[]) : {
        texts: (inputs as readonly Extract<Prepared, { text: unknown }>[]).map(({ text, pair }) =>
          pair === null ? text : [text, pair] as const
        ),
      },
      { batchSize },
    );
    const isCut = new Set(cut);
    return logits.map((row, index) => ({ logits: row, cut: isCut.has(index) }));
  }

  [Symbol.dispose](): void {
    this.model[Symbol.dispose]();
  }

  #images(inputs: readonly { readonly pixels: Uint8Array }[]) {
    const { size } = this.model.input.image!;
    const each = inputs[0].pixels.length;
    const images = new Uint8Array(inputs.length * each);
    inputs.forEach(({ pixels }, index) => images.set(pixels, index * each));
    return { images, size };
  }

  #example(): Prepared {
    const { image } = this.model.input;
    if (image) return { pixels: new Uint8Array(image.size.reduce((product, side) => product * side, 1)) };
    return this.takes === "words" ? { words: ["a"] } : { text: "a", pair: null };
  }
}

/** How files of pictures become the model's images; `null` for a model of texts. */
async function pictureFormOf(
  folder: string,
  { input: { image } }: LoadedModel,
  background: PictureColours["background"],
): Promise<Pick<PictureForm, "colours" | "resize"> | null> {
  if (!image) return null;
  const { size: [, , channels], orient = true } = image;
  if (channels !== 1 && channels !== 3) {
    throw new UserError(
      `Cannot give pictures to the model in "${folder}" as it takes ${
        counted(channels, "channel")
      }: pictures have 1 or 3`,
    );
  }
  const processor = await readImageProcessor(folder);
  return {
    colours: { channels, background, orient },
    resize: processor && ((height, width) => processor.resize(height, width)),
  };
}
