import { builtins, hostLinearAlgebra, readRecipe, type Reporter, Run, type RunSummary } from "./library.ts";
import { effectiveRank } from "../../core/distill/training/diagnostics.ts";
import { matrixSizes } from "../../core/distill/training/spectra.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Machine } from "./machine.ts";
import { put, textOf } from "./memory.ts";
import type { News, Order, Spectrum } from "./messages.ts";

/** The recipe's name in messages: it stands beside the shipped files. */
const RECIPE_FILE = "recipe.yaml";

/** Milliseconds between two looks at the chains. */
const LOOK_EVERY = 400;

/** What is left of a run when it is over. */
export interface Distilled {
  readonly summary: RunSummary;
  /** The folder of the student. */
  readonly student: string;
  /** The folder of the teacher; `null` without one. */
  readonly teacher: string | null;
  readonly stopped: boolean;
}

/**
 * Runs a recipe step by step and tells how it goes.
 *
 * @param order its text, which may name files that are in memory
 * @param stop fires when the run is to end after its step
 * @throws UserError with line and column for a mistake in the recipe
 */
export async function distil(
  { recipe: text, choice, overrides }: Order,
  machine: Machine,
  stop: AbortSignal,
  tell: (news: News) => void,
): Promise<Distilled> {
  await put(RECIPE_FILE, new TextEncoder().encode(text));
  const recipe = await readRecipe(RECIPE_FILE, { overrides: [...overrides] });
  const { backend, reason } = await machine.use(choice);
  tell({ kind: "computing on", backend: backend.name, description: backend.description, reason });
  const { output, teacher } = recipe.value;
  using run = await Run.open(recipe, { backend, builtins, reporter: reporterOf(tell) });
  const { training } = run.parts;
  let looked = -Infinity, told = 0;
  const look = async () => {
    tell({ kind: "spectra", step: run.steps, spectra: await spectraOf(run) });
    looked = performance.now();
  };
  await look();
  while (!run.finished && !(stop.aborted && run.steps > 0)) {
    await run.step();
    if (performance.now() - looked > LOOK_EVERY) await look();
    if (run.steps % training.progress.stepsPerEpoch === 0 || run.finished) {
      const validations = validationsIn(await textOf(`${output}/metrics.jsonl`));
      validations.slice(told).forEach(tell);
      told = validations.length;
    }
  }
  await look();
  const stopped = !run.finished;
  if (stopped) tell({ kind: "line", text: `stopped after ${run.steps} of ${training.progress.totalSteps} steps` });
  await run.export();
  const summary = await run.summary();
  if (summary.teacher?.accuracy != null) tell({ kind: "teacher", accuracy: summary.teacher.accuracy });
  const weights = teacher && "weights" in teacher ? teacher.weights : null;
  return {
    summary,
    student: `${output}/student`,
    teacher: typeof weights === "string" ? resolveFile(recipe, weights) : null,
    stopped,
  };
}

function reporterOf(tell: (news: News) => void): Reporter {
  return {
    line(text) {
      tell({ kind: "line", text });
      const [, percent] = text.match(/^teacher: test accuracy (\d+(?:\.\d+)?) %/) ?? [];
      if (percent) tell({ kind: "teacher", accuracy: Number(percent) / 100 });
    },
    warning: (text) => tell({ kind: "warning", text }),
    progress: (progress) => tell({ kind: "progress", progress }),
  };
}

/** What a run's log says of validation, in its order. */
function validationsIn(log: string): News[] {
  return log.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
    .filter(({ validation }) => typeof validation?.accuracy === "number")
    .map(({ step, validation: { accuracy, loss } }) => ({ kind: "validation", step, accuracy, loss }));
}

/** The singular values of every over-parameterised weight of a student, merged to a matrix: outputs by all else. */
async function spectraOf(run: Run): Promise<Spectrum[]> {
  const { ops, student } = run.parts;
  const names = [...student.overParameterised.keys()];
  const sizes = matrixSizes(student);
  const weights = student.frozenWeights();
  const matrices = await ops.read(names.map((name) => weights.get(name))).finally(weights.dispose);
  return await Promise.all(names.map(async (layer, index) => {
    const { rows, cols } = sizes.get(layer)!;
    const { singularValues } = await hostLinearAlgebra.svd(Float64Array.from(matrices[index]), rows, cols);
    return { layer, values: [...singularValues], effectiveRank: effectiveRank(singularValues) };
  }));
}
