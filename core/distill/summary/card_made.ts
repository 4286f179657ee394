import { code, codeBlock, inline, table } from "../../model_folder/card_file.ts";
import { stringifyRecipe } from "../../recipe/write_recipe.ts";
import type { CardFacts } from "./card_facts.ts";
import { lastPart } from "./card_metadata.ts";
import { counted, grouped, percent } from "./card_words.ts";
import type { RunSummary } from "./summary.ts";

/** How a student was made, in the Markdown of a card: a table, and the settings of its recipe that matter most. */
export function howMade({ recipe, summary, architecture, overParameterised, teacherSha256 }: CardFacts): string[] {
  const { teacher, student, losses, train, seed } = recipe;
  const model = ({ use, weights }: { readonly use: string; readonly weights: string | null }) =>
    `${code(lastPart(use))}${weights === null ? "" : `, weights ${code(lastPart(weights))}`}`;
  const held = [...overParameterised];
  const chains = held.flatMap(([name, { chain }]) =>
    chain ? [`${code(name)} ${chain.rows.join("×")} by ${chain.cols.join("×")}`] : []
  );
  const others = held.flatMap(([name, { chain, use, heldAs }]) => chain ? [] : [`${code(name)} ${use}: ${heldAs}`]);
  const some = (list: readonly string[]) =>
    (list.length > 6 ? [...list.slice(0, 5), `${list.length - 5} more`] : list).join("; ");
  const from = student.weights !== null
    ? `weights ${code(lastPart(student.weights))}`
    : student.initialise
    ? "layers of the teacher"
    : "fresh weights";
  const rows: [string, string][] = [
    ...(teacher ? [["teacher", [teacher, ...teacher.others].map(model).join("; ")] as [string, string]] : []),
    ...(teacherSha256 === null ? [] : [[
      "teacher's SHA-256",
      code(teacherSha256) + (train.lgtm ? ", as it began: its numbers here are those after it has learned, too" : ""),
    ] as [string, string]]),
    ["student", `${code(lastPart(architecture))}, from ${from}`],
    ["chains", chains.length === 0 ? "none" : some(chains)],
    ...(others.length === 0 ? [] : [["trained as more parameters", some(others)] as [string, string]]),
    ...prunedRow(summary),
    ...noiseRow(summary),
    ...factorsRow(summary),
    ["parameters in training", grouped(summary.student.parametersTraining)],
    ["parameters at inference", grouped(summary.student.parametersInference)],
    ["trained", `${counted(summary.steps, "step")}, epochs: ${round(summary.epochs)}, in ${summary.precision}`],
    ["seed", String(seed)],
    ["computed on", inline(`${summary.backend}, ${summary.device}`)],
    ["by", inline(`opdf ${summary.version}, run ${summary.run}`)],
    ["this student's SHA-256", code(summary.studentSha256)],
  ];
  const { optimiser, schedule, batchSize, accumulate, epochs, lgtm, theseus } = train;
  const { overParameterise, prune } = student;
  const settings = {
    student: { overParameterise, ...prune && { prune } },
    losses: losses.map((loss) => ({ ...loss, use: lastPart(loss.use) })),
    train: {
      epochs,
      batchSize: batchSize * accumulate,
      optimiser,
      schedule,
      ...lgtm && { lgtm },
      ...theseus && { theseus },
    },
  };
  return [...table([["", ""], ...rows], false), "", ...codeBlock("yaml", stringifyRecipe(settings))];
}

function prunedRow({ pruning, student: { parametersInference } }: RunSummary): [string, string][] {
  if (!pruning) return [];
  const { method, structure, nonZeros, widths } = pruning;
  const changed = Object.values(widths).filter(([before, after]) => after < before);
  const left = structure === "channels"
    ? `channels of ${counted(changed.length, "layer")}, ${
      changed.map((sizes) => sizes.join(" to ")).slice(0, 12).join(", ")
    }`
    : `${grouped(nonZeros)} of ${grouped(parametersInference)} parameters are not zero`;
  return [["pruned", `by ${method}, ${structure === "channels" ? "" : `${structure}: `}${left}`]];
}

function noiseRow({ wrongLabels, labelled }: RunSummary): [string, string][] {
  if (wrongLabels === undefined) return [];
  return [["training labels", `${grouped(wrongLabels)} of ${grouped(labelled.train)} wrong on purpose`]];
}

function factorsRow({ factors }: RunSummary): [string, string][] {
  if (!factors) return [];
  const cuts = Object.entries(factors.weights).map(([name, { rank, fullRank, error }]) =>
    `${code(name)} rank ${rank} of ${fullRank}, off by ${percent(error)}`
  );
  const shown = cuts.length > 6 ? [...cuts.slice(0, 5), `${cuts.length - 5} more`] : cuts;
  return [["stored as two factors", shown.join("; ")]];
}

const round = (number: number) => String(Math.round(100 * number) / 100);
