import type { ProgressLine, Reporter } from "../../core/distill/progress.ts";
import { duration, grouped, percent } from "./format.ts";
import { type Output, stylesOf } from "./output.ts";

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
  /** Takes away the progress line. */
  end(): void;
}

/**
 * Tells how a run goes. On a terminal progress is one line that is rewritten in place; elsewhere it is a line every few
 * seconds.
 *
 * @param out for facts and progress
 * @param warnings for warnings, which are told even if `quiet`
 */
export function runReporter(out: Output, warnings: Output, options: ReporterOptions = {}): RunReporter {
  const { quiet = false, verbose = false, clock = () => performance.now() / 1000 } = options;
  const inPlace = out.terminal && !verbose;
  let shown = false;
  let lastPlain = -Infinity;
  const clear = () => {
    if (shown) out.write("\r\x1b[K");
    shown = false;
  };
  return {
    line(text) {
      if (quiet) return;
      clear();
      out.line(text);
    },
    warning(text) {
      clear();
      warnings.line(`${stylesOf(warnings).warning("Warning:")} ${text}`);
    },
    progress(line) {
      if (quiet) return;
      if (inPlace) {
        // The cursor stays within the line: in the last column some terminals have begun the next one.
        out.write(`\r${showProgress(line).slice(0, out.columns() - 1)}\x1b[K`);
        shown = true;
      } else if (verbose || line.step === line.totalSteps || clock() - lastPlain >= PLAIN_INTERVAL) {
        out.line(showProgress(line));
        lastPlain = clock();
      }
    },
    end: clear,
  };
}

/** `epoch 2/5  step 113/285  loss 0.7312  accuracy 81.02 %  1,234 examples/s  0:42 left` */
export function showProgress(line: ProgressLine): string {
  const { epoch, epochs, step, totalSteps, loss, accuracy, examplesPerSecond, secondsLeft } = line;
  return [
    `epoch ${epoch}/${epochs}`,
    `step ${String(step).padStart(String(totalSteps).length)}/${totalSteps}`,
    `loss ${loss.toFixed(4)}`,
    ...(accuracy === null ? [] : [`accuracy ${percent(accuracy)}`]),
    `${grouped(Math.round(examplesPerSecond))} examples/s`,
    `${duration(secondsLeft)} left`,
  ].join("  ");
}
