import { Interrupted, TrainingFailure } from "../../core/distill/stops.ts";
import { withBackend } from "../support/backend.ts";
import { withoutLibraryForOthers } from "../support/own_code.ts";
import { trainTrial } from "../tune/train_trial.ts";
import { openWork, type Workplace } from "./do_run.ts";
import { keepState } from "./kept_files.ts";
import { asRecipeMistake } from "./recipe_mistake.ts";
import { keepTrial, keptTrial, type Trial } from "./trials.ts";

/**
 * Trains a run of the store to its end, from where anybody has left it, and keeps the checkpoint there.
 *
 * @returns whether there was anything to do
 * @throws Refused if it is nothing for this worker
 * @throws FolderHeld if another worker with this folder does it
 * @throws Interrupted | StoppedEarly if the signal fires; what was done is kept
 */
export async function doTrial(place: Workplace, trial: Trial, signal: AbortSignal): Promise<boolean> {
  const { store, builtins, reporter, name } = place;
  if (await keptTrial(store, trial)) return false;
  using opened = await openWork(place, trial.run);
  const { title, folder, recipe, keeping, tried } = opened;
  try {
    await withoutLibraryForOthers(recipe.value, title, reporter.warning);
    const { backend: choice, train: { precision } } = recipe.value;
    const told = { ...reporter, warning: (text: string) => reporter.warning(`${title}: ${text}`) };
    const trained = await withBackend(
      choice,
      reporter.line,
      (backend) => trainTrial(recipe, { own: trial.own, backend, builtins, reporter: told, signal }),
      { f16: precision === "f16", again: true },
    );
    await keeping.end();
    // Before it is told, as the best one's student is made of it.
    await keepState(store, trial.run, folder, name);
    await keepTrial(store, trial, { by: name, trained, lost: null });
    reporter.line(`${title}: ${trained.metric} ${trained.score.toFixed(4)}`);
  } catch (error) {
    await keeping.end();
    if (error instanceof Interrupted) await keepState(store, trial.run, folder, name);
    if (!(error instanceof TrainingFailure)) throw asRecipeMistake(error, tried);
    const lost = error.message.split("\n", 1)[0];
    await keepTrial(store, trial, { by: name, trained: null, lost });
    reporter.line(`${title}: ${lost}`);
  }
  return true;
}
