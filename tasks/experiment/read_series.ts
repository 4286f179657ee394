import { dirname, isAbsolute, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { isMap } from "../../core/recipe/paths.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import type { Experiment } from "./experiment.ts";
import { type ExperimentOptions, readExperiment, readText } from "./read_experiment.ts";
import { seriesSchema } from "./schema.ts";

/** Whether a text is a list of experiments rather than one of them, or a recipe. */
export function isSeries(text: string): boolean {
  const { value, problems } = readYaml(text);
  return problems.length === 0 && isMap(value) && Object.hasOwn(value, "experiments");
}

/**
 * The experiments that files describe: those that a series names, or the one of {@link readExperiment}.
 *
 * @throws UserError for a mistake in a file, with line and column
 */
export async function readSeries(files: readonly string[], options: ExperimentOptions = {}): Promise<Experiment[]> {
  const texts = await Promise.all(files.map((file) => readText(file)));
  const series = files.find((_, index) => isSeries(texts[index]));
  if (series === undefined) return [await readExperiment(files, options)];
  if (files.length > 1) {
    throw new UserError(`Cannot compare the series "${series}" with others: give it alone`);
  }
  const checked = parseChecked(texts[0], series, seriesSchema);
  const experiments: Experiment[] = [];
  for (const [index, path] of checked.value.experiments.entries()) {
    const at = ["experiments", index];
    const file = isAbsolute(path) ? path : join(dirname(series), path);
    const text = await checked.within(at, () => readText(file));
    if (isSeries(text)) throw checked.error(at, `Cannot run a series as part of another: name its experiments`);
    const experiment = await readExperiment([file], options);
    if (experiments.some(({ name }) => name === experiment.name)) {
      throw checked.error(at, `Cannot run two experiments of the name "${experiment.name}" as it is their folder's`);
    }
    experiments.push(experiment);
  }
  return experiments;
}
