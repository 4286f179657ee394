import { join } from "node:path";
import type { Reporter } from "../../core/distill/progress.ts";

/** The bytes of a run's exported weights. */
export const studentBytes = (folder: string, run = "run") =>
  Deno.readFile(join(folder, run, "student", "model.safetensors"));

/** A reporter that keeps what it is told and stops the run after a step. */
export function recorder(stopAfter = Infinity) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const controller = new AbortController();
  const reporter: Reporter = {
    line: (text) => lines.push(text),
    warning: (text) => warnings.push(text),
    progress: ({ step }) => step >= stopAfter && controller.abort(),
  };
  return { lines, warnings, reporter, signal: controller.signal };
}

/** A signal that fires after so many steps; training looks at it once a step. */
export function stopAt(steps: number): AbortSignal {
  let looks = 0;
  return {
    get aborted() {
      return looks++ >= steps;
    },
    throwIfAborted() {}, // as a run that is being opened asks
  } as AbortSignal;
}

/** The lines of a run's metrics.jsonl, without the run's id. */
export async function metricsLog(folder: string, run = "run") {
  const text = await Deno.readTextFile(join(folder, run, "metrics.jsonl"));
  return text.trim().split("\n").map((line) => {
    const { run: _run, ...numbers } = JSON.parse(line);
    return numbers;
  });
}
