import { Interrupted, TrainingFailure } from "../../core/distill/stops.ts";
import { withBackend } from "../support/backend.ts";
import { withoutLibraryForOthers } from "../support/own_code.ts";
import { trainPart } from "../tune/train_part.ts";
import { openWork, type Workplace } from "./do_run.ts";
import { keepState } from "./kept_files.ts";
import { asRecipeMistake } from "./recipe_mistake.ts";
import { keepPart, keptPart, type Part } from "./parts.ts";

/**
 * Trains a part of a run of the store, from the part before it, whoever trained that, and keeps the checkpoint there.
 *
 * @returns whether there was anything to do
 * @throws Refused if it is nothing for this worker
 * @throws Interrupted | StoppedEarly if the signal fires; what was done is kept
 */
export async function doPart(place: Workplace, part: Part, signal: AbortSignal): Promise<boolean> {
  const { store, builtins, reporter, name } = place;
  if (await keptPart(store, part)) return false;
  const { title, folder, recipe, keeping, tried } = await openWork(place, part.run);
  try {
    await withoutLibraryForOthers(recipe.value, title, reporter.warning);
    const { backend: choice, train: { precision } } = recipe.value;
    const told = { ...reporter, warning: (text: string) => reporter.warning(`${title}: ${text}`) };
    const trained = await withBackend(
      choice,
      reporter.line,
      (backend) => trainPart(recipe, part.epochs, { own: part.own, backend, builtins, reporter: told, signal }),
      { f16: precision === "f16", again: true },
    );
    await keeping.end();
    // Before it is told, as the part after it goes on from there.
    await keepState(store, part.run, folder, name);
    await keepPart(store, part, { by: name, trained, lost: null });
    reporter.line(`${title}, up to epoch ${part.epochs}: ${trained.metric} ${trained.score.toFixed(4)}`);
  } catch (error) {
    await keeping.end();
    if (error instanceof Interrupted) await keepState(store, part.run, folder, name);
    if (!(error instanceof TrainingFailure)) throw asRecipeMistake(error, tried);
    const lost = error.message.split("\n", 1)[0];
    await keepPart(store, part, { by: name, trained: null, lost });
    reporter.line(`${title}: ${lost}`);
  }
  return true;
}
