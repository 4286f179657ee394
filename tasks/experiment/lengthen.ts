import type { Override } from "../../core/recipe/overrides.ts";
import { isMap, type Path } from "../../core/recipe/paths.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { type Recipe, sharedKeys } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";

/**
 * A recipe's training over another number of epochs: a complete training of that length, with its own schedules. What
 * the recipe gives a length in epochs or steps is stretched with it: warm-up, milestones, values that change in losses
 * and in `train.theseus`, options of losses whose names say that they are one (`warmUpEpochs`), and the patience of
 * early stopping; what is over the whole training is so anyhow.
 *
 * @param epochs whole, from 1
 * @param label names the reason in messages
 */
export function lengthened(recipe: Recipe, epochs: number, label: string): Override[] {
  const factor = epochs / recipe.train.epochs;
  const { schedule, earlyStopping } = recipe.train;
  const stretch = (value: number) => +(value * factor).toPrecision(12);
  const whole = (value: number) => Math.max(1, Math.round(value * factor));
  const changes: [Path, unknown][] = [
    [["epochs"], epochs],
    ...(schedule.warmupEpochs > 0 ? [[["schedule", "warmupEpochs"], stretch(schedule.warmupEpochs)] as const] : []),
    ...(schedule.warmupSteps > 0 ? [[["schedule", "warmupSteps"], whole(schedule.warmupSteps)] as const] : []),
    ...(schedule.use === "steps" ? [[["schedule", "milestones"], schedule.milestones.map(stretch)] as const] : []),
    ...(earlyStopping ? [[["earlyStopping", "patience"], whole(earlyStopping.patience)] as const] : []),
  ].map(([path, value]) => [["train", ...path as Path], value]);
  for (const [path, value] of scheduledIn(recipe)) {
    if (typeof value.epochs === "number") changes.push([[...path, "epochs"], stretch(value.epochs)]);
    if (typeof value.steps === "number") changes.push([[...path, "steps"], whole(value.steps)]);
  }
  for (const [path, value] of lengthsIn(recipe)) changes.push([path, whole(value)]);
  return changes.map(([path, value]) => ({ path, value, label }));
}

/** A value that changes over a length of its own. */
interface Change {
  readonly epochs?: number | null;
  readonly steps?: number | null;
}

/** The values in losses and in Theseus that change during training; options of plug-ins, too. */
function scheduledIn({ losses, train }: Recipe): [Path, Change][] {
  const found: [Path, Change][] = [];
  const walk = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) return value.forEach((item, index) => walk(item, [...path, index]));
    if (!isMap(value)) return;
    if (isChange(value)) found.push([path, value]);
    else for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
  };
  walk(losses, ["losses"]);
  walk(train.theseus, ["train", "theseus"]);
  return found;
}

/**
 * Options of losses that are a number of epochs or steps, by their names; of built-in ones also where the recipe leaves
 * them to their defaults, as a recipe with the same numbers written out trains the same.
 */
function lengthsIn({ losses }: Recipe): [Path, number][] {
  return losses.flatMap((loss, index) =>
    Object.entries({ ...defaultsOf(loss), ...loss }).flatMap(([key, value]): [Path, number][] =>
      typeof value === "number" && /(?:Epochs|Steps)$/.test(key) ? [[["losses", index, key], value]] : []
    )
  );
}

/** The options of a built-in loss with its defaults; none of a loss of one's own, or with options that are wrong. */
function defaultsOf(loss: Recipe["losses"][number]): Record<string, unknown> {
  const definition = builtins.loss.find(({ name }) => name === loss.use);
  const own = Object.entries(loss).filter(([key]) => !sharedKeys.loss.includes(key));
  const { data } = definition?.options(optionKit).safeParse(Object.fromEntries(own)) ?? {};
  return isMap(data) ? data : {};
}

/** Whether a map is a scheduled value; one in a plug-in's options has no defaults filled in before that is known. */
function isChange(value: Record<string, unknown>): value is Record<string, unknown> & Change {
  return Object.hasOwn(value, "from") && Object.hasOwn(value, "to");
}
