import { element, grouped, percent, showError, wordsOf } from "./elements.ts";
import type { Answer, Examined, ModelFacts, Who } from "./messages.ts";
import { Pad } from "./pad.ts";
import { fileToPad, PAD, pixelsFor, pixelsToCanvas, type Size, testImageFor } from "./pictures.ts";
import type { Remote } from "./remote.ts";

/** Classes that are shown of an answer. */
const SHOWN = 4;

/** Test images that both are asked about. */
const EXAM = 500;

/** The picture that is shown, as a model takes it whose images are of a size. */
type Pixels = (size: Size) => Uint8Array<ArrayBuffer>;

/** The second part of the page: a picture, and what teacher and student say of it. */
export class Asking {
  readonly #models = new Map<Who, ModelFacts>();
  readonly #pad: Pad;
  readonly #seen = element("seen", HTMLCanvasElement);
  readonly #samples = element("samples", HTMLDivElement);
  readonly #error = element("ask-error", HTMLParagraphElement);
  readonly #examine = element("examine", HTMLButtonElement);
  #round = 0;
  /** `null`: no picture is shown. */
  #pixels: Pixels | null = null;
  /** Counts the pictures: an answer to one before is not shown. */
  #picture = 0;

  constructor(private readonly remote: Remote) {
    const pad = element("pad", HTMLCanvasElement);
    this.#pad = new Pad(pad, element("pen", HTMLSpanElement), () => this.#takePad());
    element("clear", HTMLButtonElement).addEventListener("click", () => this.#clear());
    const picture = element("picture", HTMLInputElement);
    picture.addEventListener("change", () => {
      const file = picture.files?.[0];
      picture.value = "";
      if (file) void this.#guarded(async () => (await fileToPad(pad, file), this.#takePad()));
    });
    const others = element("others", HTMLButtonElement);
    others.addEventListener("click", () => this.#guarded(() => this.#showSamples(++this.#round)));
    this.#examine.textContent = `Ask both about ${EXAM} test images`;
    this.#examine.addEventListener("click", () => this.#guarded(() => this.#examineAll()));
  }

  /** The worker can answer. */
  async enable(): Promise<void> {
    element("others", HTMLButtonElement).disabled = false;
    this.#examine.disabled = false;
    await this.#showSamples(0);
  }

  /** A model is there; it is asked about the picture that is shown. */
  take(who: Who, model: ModelFacts): void {
    this.#models.set(who, model);
    const { name, architecture, parameters, size } = model;
    const card = element(who, HTMLElement);
    card.querySelector(".model")!.textContent = `${name}, ${architecture}, ${
      grouped(parameters)
    } parameters, images of ${size.join(" x ")}`;
    for (const part of [".classes", ".time", ".exam"]) card.querySelector(part)!.replaceChildren();
    this.#ask();
  }

  #clear(): void {
    this.#picture++;
    this.#pixels = null;
    this.#pad.clear();
    this.#press(null);
    this.#seen.getContext("2d")!.clearRect(0, 0, this.#seen.width, this.#seen.height);
    for (const who of ["teacher", "student"]) {
      for (const part of [".classes", ".time"]) element(who, HTMLElement).querySelector(part)!.replaceChildren();
    }
  }

  /** Asks about what is on the pad, which is no test image any more if it was one. */
  #takePad(): void {
    this.#pixels = (size) => pixelsFor(this.#pad.canvas, size);
    this.#press(null);
    this.#ask();
  }

  /** Asks all models about the picture that is shown, if there is one. */
  #ask(): void {
    const pixels = this.#pixels;
    if (!pixels) return;
    const picture = ++this.#picture;
    const [shown] = this.#models.values();
    if (shown) {
      const [height, width] = shown.size;
      pixelsToCanvas(this.#seen, pixels([height, width, 1]), [height, width]);
    }
    void this.#guarded(async () => {
      for (const [who, model] of this.#models) {
        const answer = await this.remote.call("classify", who, pixels(model.size));
        if (picture === this.#picture) this.#show(who, model, answer);
      }
    });
  }

  #show(who: Who, { classes }: ModelFacts, { probabilities, milliseconds }: Answer): void {
    const card = element(who, HTMLElement);
    const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    card.querySelector(".classes")!.replaceChildren(
      ...order.slice(0, SHOWN).map((index) => {
        const entry = document.createElement("li");
        const [name, share] = [document.createElement("span"), document.createElement("span")];
        name.textContent = classes[index];
        share.textContent = percent(probabilities[index]);
        const bar = document.createElement("meter");
        bar.value = probabilities[index];
        bar.setAttribute("aria-hidden", "true");
        entry.append(name, share, bar);
        return entry;
      }),
    );
    card.querySelector(".time")!.textContent = `answered in ${milliseconds.toFixed(1)} ms`;
  }

  #press(sample: HTMLButtonElement | null): void {
    for (const button of this.#samples.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", `${button === sample}`);
    }
  }

  async #showSamples(round: number): Promise<void> {
    const samples = await this.remote.call("samples", round);
    this.#samples.replaceChildren(...samples.map((sample) => {
      const button = document.createElement("button");
      button.type = "button";
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      pixelsToCanvas(canvas, sample.pixels, sample.size);
      button.append(canvas, sample.label);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        const context = this.#pad.canvas.getContext("2d")!;
        // Each pixel a square, to be drawn on.
        context.imageSmoothingEnabled = false;
        context.drawImage(canvas, 0, 0, PAD, PAD);
        context.imageSmoothingEnabled = true;
        // Through the pad it would be blurred: it is made large there, and small again.
        this.#pixels = (size) => testImageFor(sample, canvas, size);
        this.#press(button);
        this.#ask();
      });
      return button;
    }));
  }

  async #examineAll(): Promise<void> {
    this.#examine.disabled = true;
    try {
      for (const who of this.#models.keys()) {
        const place = element(who, HTMLElement).querySelector(".exam")!;
        place.textContent = "Looking at test images…";
        const examined = await this.remote.call("examine", who, EXAM).catch((error) => {
          place.textContent = "";
          throw error;
        });
        place.textContent = examined ? wordsOfExam(examined) : "Its classes are not those of the test images.";
      }
    } finally {
      this.#examine.disabled = false;
    }
  }

  async #guarded(body: () => void | Promise<void>): Promise<void> {
    showError(this.#error, null);
    try {
      await body();
    } catch (error) {
      showError(this.#error, wordsOf(error));
    }
  }
}

const wordsOfExam = ({ accuracy, count, milliseconds }: Examined) =>
  `${percent(accuracy)} of ${count} test images right, ${milliseconds.toFixed(1)} ms each`;
