import { join } from "../paths.ts";

/** The folder of a run that TensorBoard is pointed at. */
export const EVENTS_FOLDER = "tensorboard";

/** Where a run's events are: TensorBoard knows the file by `tfevents` in its name. */
export function eventFile(folder: string, run: string): string {
  return join(folder, EVENTS_FOLDER, `events.out.tfevents.${run}`);
}
