// @ts-types="@types/cli-progress"
import progress from "cli-progress";
import type { ProgressLine } from "../../core/distill/progress.ts";
import { duration, grouped, percent } from "./format.ts";

/** Characters of the bar, and of the loss's course, where there is room. */
const [BAR, COURSE] = [16, 12];

const LEVELS = [..."▁▂▃▄▅▆▇█"];

/** `epoch 2/5  step 113/285  loss 0.7312  accuracy 81.02 %  1,234 examples/s  0:42 left` */
export function showProgress(line: ProgressLine): string {
  const { epoch, step, loss, accuracy, speed, left } = partsOf(line);
  return [epoch, step, loss, ...accuracy, speed, left].join("  ");
}

/**
 * The same for a line that is rewritten in place, with a bar and the course of the loss: as much of it as stands in so
 * many columns, the time left and the loss to the last.
 *
 * @param losses all that were told so far, this one's included
 */
export function showBar(line: ProgressLine, losses: readonly number[], columns: number): string {
  const { epoch, step, loss, accuracy, speed, left } = partsOf(line);
  const done = line.totalSteps === 0 ? 1 : line.step / line.totalSteps;
  // In their order on the line, with the rank by which they stay: those of the highest go first.
  const parts: [text: string, rank: number][] = [
    [`${bar(done, BAR)} ${String(Math.floor(100 * done)).padStart(3)} %`, 3],
    [epoch, 4],
    [step, 6],
    [loss, 1],
    [sparkline(losses, COURSE), 5],
    ...accuracy.map((text): [string, number] => [text, 2]),
    [speed, 7],
    [left, 0],
  ];
  const shown = parts.filter(([text]) => text !== "");
  const joined = () => shown.map(([text]) => text).join("  ");
  while (shown.length > 1 && [...joined()].length > columns) {
    const last = Math.max(...shown.map(([, rank]) => rank));
    shown.splice(shown.findIndex(([, rank]) => rank === last), 1);
  }
  return [...joined()].slice(0, Math.max(0, columns)).join("");
}

/** A bar of so many characters, filled to a part of it. */
function bar(part: number, size: number): string {
  const [barCompleteString, barIncompleteString] = ["█".repeat(size), "░".repeat(size)];
  return progress.Format.BarFormat(Math.min(1, Math.max(0, part)), {
    barsize: size,
    barCompleteString,
    barIncompleteString,
    barGlue: "",
  });
}

/**
 * The course of some numbers, from the least to the greatest in eight levels: as many characters as there are numbers,
 * or fewer, of which each is the mean of its share. Numbers that are not finite are left out.
 */
export function sparkline(values: readonly number[], size: number): string {
  const finite = values.filter(Number.isFinite);
  const count = Math.min(size, finite.length);
  const means = Array.from({ length: count }, (_, part) => {
    const share = finite.slice(
      Math.floor(part * finite.length / count),
      Math.floor((part + 1) * finite.length / count),
    );
    return share.reduce((sum, value) => sum + value, 0) / share.length;
  });
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const level = (value: number) =>
    most > least ? Math.round((value - least) / (most - least) * (LEVELS.length - 1)) : 0;
  return means.map((value) => LEVELS[level(value)]).join("");
}

/** The course of a number over any time in little memory: means over equally many values each. */
export class Course {
  #means: number[] = [];
  #share = 1;
  #sum = 0;
  #count = 0;

  /** @param most the most means that are kept, an even number; from there on each is of twice as many values */
  constructor(private readonly most = 240) {}

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#sum += value;
    if (++this.#count < this.#share) return;
    this.#means.push(this.#sum / this.#count);
    [this.#sum, this.#count] = [0, 0];
    if (this.#means.length < this.most) return;
    this.#means = Array.from({ length: this.most / 2 }, (_, at) => (this.#means[2 * at] + this.#means[2 * at + 1]) / 2);
    this.#share *= 2;
  }

  /** The means in their order, the last of what came since. */
  get values(): readonly number[] {
    return this.#count > 0 ? [...this.#means, this.#sum / this.#count] : this.#means;
  }
}

function partsOf(line: ProgressLine) {
  const { epoch, epochs, step, totalSteps, loss, accuracy, examplesPerSecond, secondsLeft } = line;
  return {
    epoch: `epoch ${epoch}/${epochs}`,
    step: `step ${String(step).padStart(String(totalSteps).length)}/${totalSteps}`,
    loss: `loss ${loss.toFixed(4)}`,
    accuracy: accuracy === null ? [] : [`accuracy ${percent(accuracy)}`],
    speed: `${grouped(Math.round(examplesPerSecond))} examples/s`,
    left: `${duration(secondsLeft)} left`,
  };
}
