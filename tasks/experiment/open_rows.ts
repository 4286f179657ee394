import { isAbsolute, join, relative, resolve } from "node:path";
import { silent } from "../../core/distill/progress.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import { withBackend } from "../support/backend.ts";
import { dryOpening, dryOverrides } from "../support/dry_run.ts";
import { withoutLibraryForOthers } from "../support/own_code.ts";
import type { RunReporter } from "../support/progress.ts";
import type { Experiment, Row } from "./experiment.ts";

/**
 * Opens a run of each row, and closes it: what only its data, models or losses show to be a mistake comes out before
 * the runs of the rows before it. Left out are the row that opens next, those that runs were made of, and those that
 * take what runs of the experiment make.
 *
 * @param folder the experiment's
 * @throws UserError for a mistake in a row, with its name
 */
export async function openRows(
  { rows, seeds, tune }: Experiment,
  folder: string,
  builtins: Builtins,
  reporter: Pick<RunReporter, "line" | "warning">,
  signal: AbortSignal,
): Promise<void> {
  const open = async (row: Row) => {
    const changes = [
      ...(tune ? [tune.change(tune.values[0])] : []),
      { path: ["seed"], value: seeds[0], label: "seeds" },
      { path: ["output"], value: join(folder, row.folder), label: "--output" },
    ];
    const recipe = row.recipe([...changes, ...dryOverrides(row.recipe(changes))]);
    const { backend: choice, train: { precision } } = recipe.value;
    await withoutLibraryForOthers(recipe.value, row.name, reporter.warning);
    await withBackend(
      choice,
      () => {},
      (backend) => dryOpening(recipe, { backend, builtins, signal, reporter: silent }),
      { f16: precision === "f16", again: true },
    );
  };
  const fresh: Row[] = [];
  // Those that are given another's time come after all others.
  const first = rows.find(({ equalSeconds }) => equalSeconds === null);
  for (const row of rows) {
    if (row === first || takesFrom(folder, row)) continue;
    if (await kindOfPath(join(folder, row.folder)) === null) fresh.push(row);
  }
  if (fresh.length > 0) {
    reporter.line(`Looking for mistakes before the first run: ${fresh.map(({ name }) => `"${name}"`).join(", ")}`);
  }
  for (const row of fresh) {
    try {
      await open(row);
    } catch (error) {
      if (error instanceof UserError) error.message += ` (row "${row.name}")`;
      throw error;
    }
  }
}

/** Whether a row's models are of a folder, and so need not be there yet. */
function takesFrom(folder: string, row: Row): boolean {
  const recipe = row.recipe([]);
  const { teacher, student } = recipe.value;
  return [student, ...teacher ? [teacher, ...teacher.others] : []].some(({ weights }) => {
    if (weights === null || weights === undefined) return false;
    const way = relative(resolve(folder), resolve(resolveFile(recipe, weights)));
    return !way.startsWith("..") && !isAbsolute(way);
  });
}
