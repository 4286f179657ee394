import { element, grouped, percent, showError, wordsOf } from "./elements.ts";
import { drawLines } from "./line_chart.ts";
import type { Choice, Finished, News, Spectrum } from "./messages.ts";
import type { Remote } from "./remote.ts";
import { drawSpectra } from "./spectra_chart.ts";

/** A point of a curve: steps and a height. */
type Point = readonly [step: number, value: number];

/** Curves are thinned to so many points. */
const MOST_POINTS = 400;

/** What is drawn of a run. */
interface Curves {
  totalSteps: number;
  loss: Point[];
  accuracy: Point[];
  validation: Point[];
  teacher: number | null;
  before: readonly Spectrum[];
  spectra: readonly Spectrum[];
}

const noCurves = (): Curves => ({
  totalSteps: 1,
  loss: [],
  accuracy: [],
  validation: [],
  teacher: null,
  before: [],
  spectra: [],
});

/** The first part of the page: a recipe, its run, curves and results. */
export class Distilling {
  readonly #choice = element("choice", HTMLSelectElement);
  readonly #epochs = element("epochs", HTMLInputElement);
  readonly #start = element("start", HTMLButtonElement);
  readonly #stop = element("stop", HTMLButtonElement);
  readonly #recipe = element("recipe", HTMLTextAreaElement);
  readonly #error = element("recipe-error", HTMLPreElement);
  readonly #progress = element("progress", HTMLProgressElement);
  readonly #status = element("status", HTMLParagraphElement);
  readonly #log = element("log", HTMLPreElement);
  readonly #panels = document.querySelector<HTMLElement>("#spectra .panels")!;
  #curves = noCurves();
  #shipped = "";
  #drawing = false;

  /** @param finished takes what a run came to */
  constructor(private readonly remote: Remote, private readonly finished: (finished: Finished) => void) {
    element("order", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#stop.addEventListener("click", () => {
      this.#stop.disabled = true;
      this.#status.textContent = "Stopping…";
      void remote.call("stop");
    });
    element("reset", HTMLButtonElement).addEventListener("click", () => {
      this.#recipe.value = this.#shipped;
      showError(this.#error, null);
    });
    this.#draw();
  }

  /** The page is ready. */
  enable(recipe: string, hasGpu: boolean): void {
    this.#shipped = recipe;
    this.#recipe.value = recipe;
    this.#start.disabled = false;
    const webgpu = this.#choice.querySelector<HTMLOptionElement>("option[value=webgpu]")!;
    webgpu.disabled = !hasGpu;
    if (!hasGpu) webgpu.textContent = "WebGPU (none was found)";
  }

  /** Takes what the worker tells. */
  hear(news: News): void {
    const curves = this.#curves;
    if (news.kind === "line" || news.kind === "warning") {
      this.#say(news.kind === "line" ? news.text : `warning: ${news.text}`);
    } else if (news.kind === "computing on") {
      this.#say(`computing on ${news.backend} (${news.description}): ${news.reason}`);
    } else if (news.kind === "progress") {
      const { step, totalSteps, epoch, epochs, loss, accuracy, examplesPerSecond, secondsLeft } = news.progress;
      curves.totalSteps = totalSteps;
      curves.loss.push([step, loss]);
      if (accuracy !== null) curves.accuracy.push([step, accuracy]);
      this.#progress.value = step / totalSteps;
      this.#status.textContent =
        `Step ${step} of ${totalSteps}, epoch ${epoch} of ${epochs}: loss ${loss.toFixed(3)}, ` +
        `${grouped(Math.round(examplesPerSecond))} images a second, ${duration(secondsLeft)} left`;
    } else if (news.kind === "teacher") {
      curves.teacher = news.accuracy;
    } else if (news.kind === "validation") {
      curves.validation.push([news.step, news.accuracy]);
    } else if (news.kind === "spectra") {
      if (news.step === 0) curves.before = news.spectra;
      curves.spectra = news.spectra;
    }
    this.#draw();
  }

  async #run(): Promise<void> {
    if (this.#start.disabled) return;
    const epochs = this.#epochs.value;
    const overrides = epochs === "" ? [] : [`train.epochs=${epochs}`];
    this.#curves = noCurves();
    this.#log.textContent = "";
    showError(this.#error, null);
    this.#progress.value = 0;
    this.#status.textContent = "Opening: data, teacher, and the student's chains…";
    [this.#start.disabled, this.#stop.disabled] = [true, false];
    try {
      const choice = this.#choice.value as Choice;
      const finished = await this.remote.call("distil", { recipe: this.#recipe.value, choice, overrides });
      this.#progress.value = 1;
      this.#tell(finished);
      this.finished(finished);
    } catch (error) {
      this.#status.textContent = "It ended with an error.";
      this.#refuse(wordsOf(error));
    }
    [this.#start.disabled, this.#stop.disabled] = [false, true];
  }

  /** Shows a mistake, and its place in the recipe if it has one. */
  #refuse(message: string): void {
    const text = this.#recipe.value;
    const [, line, column] = message.match(/^recipe\.yaml:(\d+):(\d+): /) ?? [];
    const excerpt = line === undefined ? "" : `\n\n${line} | ${text.split("\n")[Number(line) - 1] ?? ""}\n` +
      `${" ".repeat(line.length + 2 + Number(column))}^`;
    showError(this.#error, message + excerpt);
    if (line === undefined) return;
    element("recipe-part", HTMLDetailsElement).open = true;
    const begin = text.split("\n").slice(0, Number(line) - 1).join("\n").length + (line === "1" ? 0 : 1);
    const place = begin + Number(column) - 1;
    const end = text.indexOf("\n", place);
    this.#recipe.focus();
    this.#recipe.setSelectionRange(place, end < 0 ? text.length : end);
    this.#recipe.scrollTop = this.#recipe.scrollHeight * (Number(line) - 4) / text.split("\n").length;
  }

  #tell({ summary, stopped, student: asked }: Finished): void {
    const { student, teacher, merge, seconds, steps } = summary;
    const share = (value: number | null | undefined) => value == null ? "–" : percent(value, 2);
    const rows: readonly (readonly [string, string, string])[] = [
      ["test accuracy", share(teacher?.accuracy), share(student.accuracy)],
      ["test loss", teacher?.loss?.toFixed(4) ?? "–", student.loss?.toFixed(4) ?? "–"],
      ["parameters in training", "–", grouped(student.parametersTraining)],
      ["parameters at inference", teacher ? grouped(teacher.parameters) : "–", grouped(student.parametersInference)],
      ["parameter increase rate", "–", student.parameterIncreaseRate.toFixed(2)],
    ];
    element("results", HTMLTableElement).tBodies[0].replaceChildren(...rows.map(([name, ...cells]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      for (const cell of cells) row.insertCell().textContent = cell;
      return row;
    }));
    const difference = merge.maxAbsLogitDifference.toExponential(1);
    this.#status.textContent =
      `${stopped ? "Stopped" : "Done"} after ${steps} steps in ${seconds.total.toFixed(1)} s on ` +
      `${summary.backend}. The merged student differs by ${difference} in its logits from the factored one on ` +
      `${merge.probe} test images (tolerance ${merge.tolerance.toExponential(1)}).` +
      (asked ? "" : " As it does not classify images it cannot be asked here; it can be downloaded.");
  }

  #say(text: string): void {
    this.#log.textContent += `${text}\n`;
  }

  /** Draws at most once in a frame. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const { totalSteps, loss, accuracy, validation, teacher, before, spectra } = this.#curves;
      const axis = { xLabel: "step", xMost: totalSteps };
      drawLines(element("loss", HTMLElement), {
        ...axis,
        title: "Training loss",
        show: (value) => value.toFixed(2).replace(/\.00$/, ""),
        series: [{ name: "loss", look: "series-1", points: thinned(loss), as: "line" }],
      });
      drawLines(element("accuracy", HTMLElement), {
        ...axis,
        title: "Accuracy",
        show: (value) => `${Math.round(100 * value)} %`,
        yRange: [lowest([...accuracy, ...validation], teacher), 1],
        series: [
          { name: "training", look: "series-1", points: thinned(accuracy), as: "line" },
          { name: "validation", look: "series-2", points: validation, as: "points" },
          { name: "teacher, test", look: "series-3", points: teacher === null ? [] : [[0, teacher]], as: "level" },
        ],
      });
      if (spectra.length > 0) drawSpectra(this.#panels, before, spectra);
    });
  }
}

/** Where an axis of accuracies begins: a tenth below all of them. */
function lowest(points: readonly Point[], teacher: number | null): number {
  const least = Math.min(...points.map(([, value]) => value), teacher ?? 1);
  return points.length === 0 ? 0 : Math.max(0, Math.floor(10 * least - 0.5) / 10);
}

function thinned(points: readonly Point[]): readonly Point[] {
  const each = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => index % each === 0 || index === points.length - 1);
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "some time";
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
