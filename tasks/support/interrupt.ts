/** The signals that stop a program. Windows has no SIGTERM to listen to. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];

/** The exit code of a run that was stopped by Ctrl-C: 128 and the signal's number, as shells have it. */
export const INTERRUPTED = 130;

/**
 * Runs something that Ctrl-C stops in good order: the first one aborts the signal that `body` is given, the second one
 * ends the process at once.
 *
 * @param body what to run
 * @param notice told at the first one
 */
export async function stoppable<Result>(
  body: (signal: AbortSignal) => Promise<Result>,
  notice: () => void,
): Promise<Result> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    controller.abort();
    notice();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  try {
    return await body(controller.signal);
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop);
  }
}
