import type { ProgressLine } from "../../core/distill/progress.ts";
import { counted, duration } from "../support/format.ts";
import { type Output, stylesOf } from "../support/output.ts";
import { showBar } from "../support/progress_line.ts";
import { alignColumns } from "../support/table.ts";
import type { Job } from "./asha.ts";
import { LiveLines } from "./live_lines.ts";
import type { Evaluated } from "./search.ts";
import { describeScore, ranked, showPart, type TrialLine, trialTable } from "./show.ts";
import { type Configuration, describeConfiguration } from "./space.ts";

/** Trials in the table. */
const SHOWN = 8;

/** What a trial is called. */
export const trialName = (trial: number): string => `trial ${trial}`;

/** What is told of a search and a verdict. */
export interface TellerOptions {
  readonly out: Output;
  readonly warnings: Output;
  readonly quiet: boolean;
  readonly resources: readonly number[];
  /** Seconds used and in all. */
  readonly time: () => { readonly used: number; readonly all: number };
  readonly metric: () => string | null;
}

/**
 * Tells how a tuning goes: on a terminal by a table of the best trials that settles as they come in, with what is
 * under way below it; elsewhere by a line for each evaluation.
 */
export class Teller {
  readonly #live: LiveLines;
  readonly #trials = new Map<number, { configuration: Configuration; scores: (number | null)[] }>();
  #heading = "";
  /** What is under way, in the order of its beginning. */
  readonly #running = new Set<string>();

  constructor(private readonly options: TellerOptions) {
    this.#live = new LiveLines(options.out);
  }

  /** The trials so far. */
  get trials(): TrialLine[] {
    return [...this.#trials].map(([trial, { configuration, scores }]) => ({ trial, configuration, scores }));
  }

  /** What is going on now. */
  phase(heading: string): void {
    this.#heading = heading;
    this.#show();
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.options.quiet) return;
    this.#live.clear();
    this.options.out.line(text);
    this.#show();
  }

  /** A warning, `quiet` or not. */
  warning(text: string): void {
    const { warnings } = this.options;
    this.#live.clear();
    warnings.line(`${stylesOf(warnings).warning("Warning:")} ${text}`);
    this.#show();
  }

  /** A run is under way; what it is begins with the {@link trialName} if it is a trial's. */
  begun(what: string): void {
    this.#running.add(what);
    this.#show();
  }

  /** Where it stands. */
  progress(line: ProgressLine): void {
    this.#show(showBar(line, [], this.options.out.columns() - 4));
  }

  /** A trial was evaluated. */
  ended({ trial, rung }: Job, configuration: Configuration, evaluated: Evaluated): void {
    for (const what of this.#running) if (what.startsWith(`${trialName(trial)},`)) this.#running.delete(what);
    const { resources, metric, out } = this.options;
    const known = this.#trials.get(trial) ?? { configuration, scores: [] };
    known.scores[rung] = "score" in evaluated ? evaluated.score : null;
    this.#trials.set(trial, known);
    if (out.rewrites) return this.#show();
    const what = "score" in evaluated
      ? `validation ${metric()} ${describeScore(evaluated.score, metric())}`
      : `lost: ${evaluated.lost}`;
    this.line(
      `${this.#clock()}: trial ${trial}, ${showPart(resources[rung])}: ${what}; ${
        describeConfiguration(configuration)
      }`,
    );
  }

  /** A run of the verdict was done. */
  compared(what: string, evaluated: Evaluated): void {
    this.#running.delete(what);
    const { metric } = this.options;
    const score = "score" in evaluated ? describeScore(evaluated.score, metric()) : `lost: ${evaluated.lost}`;
    this.line(`${this.#clock()}: ${what}: ${score}`);
  }

  /** Takes away what is rewritten; nothing is from now on. */
  end(): void {
    this.#live.clear();
    this.#heading = "";
  }

  #clock(): string {
    const { used, all } = this.options.time();
    return `${duration(used)} of ${duration(all)}`;
  }

  #show(progress = ""): void {
    const { out, quiet, resources, metric } = this.options;
    if (quiet || !out.rewrites || this.#heading === "") return;
    const shown = ranked(this.trials).slice(0, SHOWN);
    const { header, rows, alignment } = trialTable(shown, { resources, metric: metric() });
    const table = shown.length === 0 ? [] : alignColumns([header, ...rows], alignment!);
    this.#live.show([
      `${this.#heading}: ${this.#clock()}, ${counted(this.#trials.size, "trial")}`,
      ...table,
      `> ${[...this.#running].join("; ")}`,
      `  ${progress}`,
    ]);
  }
}
