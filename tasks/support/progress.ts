import { visible } from "../../core/visible.ts";
import type { Reporter } from "../../core/distill/progress.ts";
import { type Output, stylesOf } from "./output.ts";
import { Course, showBar, showProgress } from "./progress_line.ts";

/** Seconds between two progress lines in a file, where none replaces the one before it. */
const PLAIN_INTERVAL = 5;

/** How much is reported. */
export interface ReporterOptions {
  /** Warnings alone. */
  readonly quiet?: boolean;
  /** Every progress line stays. */
  readonly verbose?: boolean;
  /** Seconds since some time; a test gives its own. */
  readonly clock?: () => number;
}

/** A reporter of a run that leaves the terminal clean at the end. */
export interface RunReporter extends Reporter {
  /** Takes away the progress line, and shows none any more: what is told from now on stays. */
  end(): void;
}

/**
 * Tells how a run goes. On a terminal progress is one line with a bar that is rewritten in place; elsewhere it is a
 * line every few seconds.
 *
 * @param out for facts and progress
 * @param warnings for warnings, which are told even if `quiet`
 */
export function runReporter(out: Output, warnings: Output, options: ReporterOptions = {}): RunReporter {
  const { quiet = false, verbose = false, clock = () => performance.now() / 1000 } = options;
  const inPlace = out.rewrites && !verbose;
  let losses = new Course();
  let [shown, ended] = [false, false];
  let [lastStep, lastPlain] = [0, -Infinity];
  const clear = () => {
    if (shown) out.write("\r\x1b[K");
    shown = false;
  };
  return {
    line(text) {
      if (quiet) return;
      clear();
      out.line(visible(text));
    },
    warning(text) {
      clear();
      warnings.line(`${stylesOf(warnings).warning("Warning:")} ${visible(text)}`);
    },
    progress(line) {
      if (quiet) return;
      if (inPlace) {
        if (ended) return;
        // One reporter may be told of several runs.
        if (line.step <= lastStep) losses = new Course();
        lastStep = line.step;
        losses.add(line.loss);
        // The cursor stays within the line: in the last column some terminals have begun the next one.
        out.write(`\r${showBar(line, losses.values, out.columns() - 1)}\x1b[K`);
        shown = true;
      } else if (verbose || line.step === line.totalSteps || clock() - lastPlain >= PLAIN_INTERVAL) {
        out.line(showProgress(line));
        lastPlain = clock();
      }
    },
    end() {
      clear();
      ended = true;
    },
  };
}
