import { Interrupted, StoppedEarly } from "../../core/distill/stops.ts";

/** The same stop, in words for several runs one after the other, of which those before it are done and kept. */
export function stopOfSeveral(error: unknown): unknown {
  if (error instanceof Interrupted) error.message = `Stopped: the same command goes on from "${error.checkpoint}"`;
  if (error instanceof StoppedEarly) {
    error.message = "Stopped: runs that are done are kept, and the same command goes on";
  }
  return error;
}
