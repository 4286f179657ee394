import { endOnSecond, endProgram } from "./confine.ts";

/** The signals that stop a program: Ctrl-C, `kill`, a terminal that is closed. Windows has the first two keys alone. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Signals of a person at the keyboard, whose second one is meant as such. */
const KEYS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT"];

/** The exit code of a run that was stopped by a signal: 128 and the number of Ctrl-C's, as shells have it. */
export const INTERRUPTED = 130;

/**
 * Runs something that Ctrl-C, SIGTERM and SIGHUP stop in good order: the first one aborts the signal that `body` is
 * given, a second Ctrl-C ends the process at once. The others may come twice without anybody's will (a shell and the
 * system each tell of a closed terminal, `deno task` passes on what its group was sent), and count once.
 *
 * @param body what to run
 * @param notice told at the first one
 */
export async function stoppable<Result>(
  body: (signal: AbortSignal) => Promise<Result>,
  notice: () => void,
): Promise<Result> {
  const controller = new AbortController();
  const stop = (signal: Deno.Signal) => {
    if (controller.signal.aborted) {
      if (KEYS.includes(signal)) endProgram(INTERRUPTED, true);
      return;
    }
    controller.abort();
    try {
      notice();
    } catch {
      // Where it cannot be told, it is done all the same.
    }
  };
  const listeners = SIGNALS.map((signal) => [signal, () => stop(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  endOnSecond(KEYS, INTERRUPTED);
  try {
    return await body(controller.signal);
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}
