import { labelNote, shownMetrics } from "../evaluate/metrics/show.ts";
import { type LabelScores, measuredNotes } from "../evaluate/metrics/class_scores.ts";
import { describeTags } from "../evaluate/metrics/spans.ts";
import { wilsonInterval } from "../evaluate/metrics/interval.ts";
import { code, codeBlock, inline, table, writeCard } from "../model_folder/card_file.ts";
import type { OnnxFile } from "../onnx/export_model.ts";
import type { WeightProvider } from "../overparameterise/weight_provider.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Recipe } from "../recipe/schema.ts";
import { listWords } from "../recipe/words.ts";
import { stringifyRecipe } from "../recipe/write_recipe.ts";
import { cardMetadata, datasetName, lastPart } from "./card_metadata.ts";
import { onnxFilesTable, onnxLoading } from "./card_onnx.ts";
import type { RunSummary } from "./summary.ts";

/** What a student's card is made of. */
export interface CardFacts {
  readonly recipe: Recipe;
  readonly input: InputDescription;
  readonly summary: RunSummary;
  /** Name of the student's plug-in. */
  readonly architecture: string;
  /** What the plug-in says of itself, a line; `null` if nothing. */
  readonly description: string | null;
  /** The student's own entries of its config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The over-parameterised weights, as they were trained. */
  readonly overParameterised: ReadonlyMap<string, Pick<WeightProvider, "chain" | "heldAs" | "source" | "use">>;
  /** SHA-256 of the teacher's weights; `null` without one. */
  readonly teacherSha256: string | null;
}

/** A class of which fewer examples were measured says little. */
const FEW = 30;

/** A table of more classes is read by nobody. */
const MOST_CLASSES = 40;

/**
 * Writes the student's card, `README.md`, into its folder.
 *
 * @param onnx the files of the folder's ONNX export; `null` for the student itself
 */
export async function writeStudentCard(
  folder: string,
  facts: CardFacts,
  onnx: readonly OnnxFile[] | null = null,
): Promise<void> {
  const { recipe, input, summary } = facts;
  const metadata = cardMetadata(recipe, input, summary, { transformers: classOf(facts) !== null, onnx });
  await writeCard(folder, summary.run, metadata, cardText(facts, onnx));
}

/**
 * The text of a student's card: what it is, how it was made, what was measured on what, what is not known of it, and
 * how it is loaded.
 *
 * @param onnx the files of the folder's ONNX export; `null` for the student itself
 */
export function cardText(facts: CardFacts, onnx: readonly OnnxFile[] | null): string[] {
  const sections: [title: string, lines: string[]][] = [
    ["How it was made", made(facts)],
    ["What was measured", measured(facts, onnx)],
    ["Limits", limits(facts)],
    ["How to load it", onnx ? onnxLoading(onnx, facts.input) : loading(facts)],
  ];
  return [
    `# ${inline(facts.recipe.name)}`,
    "",
    introduction(facts, onnx !== null),
    ...sections.flatMap(([title, lines]) => ["", `## ${title}`, "", ...lines]),
  ];
}

function introduction(
  { recipe, input, summary: { student, teacher, factors }, architecture, overParameterised }: CardFacts,
  isOnnx: boolean,
): string {
  const what = `A ${code(lastPart(architecture))} of ${count(student.parametersInference)} parameters for ${
    task(input)
  }.`;
  const by = teacher ? "It learned from a teacher" : "It was trained without a teacher";
  const held = [...overParameterised.values()];
  const [one, areChains] = [held.length === 1, held.every(({ chain }) => chain !== null)];
  const trainedAs = areChains
    ? `${one ? "was a chain" : "were chains"} of tensors with more parameters`
    : `${one ? "was" : "were"} made of more parameters in each step`;
  const how = held.length === 0
    ? `${by}; no weight was over-parameterised.`
    : `${by} while ${counted(held.length, "weight matrix", "weight matrices")} of it ${trainedAs} ` +
      `(${[...new Set(held.map(({ source }) => source))].join("; ")}), ${
        count(student.parametersTraining)
      } in all; they ` +
      `were ${areChains ? "contracted back" : "merged"}, and what is here is ` +
      `${factors ? "what they gave, cut to factors where that says so below" : "the plain student"}.`;
  const starts = recipe.student.initialise?.from === "teacher" ? " It started from layers of its teacher." : "";
  return `${what} ${how}${starts}${isOnnx ? " This folder has it as ONNX." : ""}`;
}

const TASKS: Readonly<Record<InputDescription["task"], string>> = {
  classification: "one class of",
  "multi-label": "any of",
  tagging: "a tag for each token of",
  regression: "a number for",
  embedding: "vectors of",
};

function task({ task, classes, image }: InputDescription): string {
  const examples = image ? "images" : "texts";
  const which = classes.length > 12 ? `${classes.length} classes` : classes.map(inline).join(", ");
  return `${TASKS[task]} ${
    task === "regression" || task === "tagging" || task === "embedding" ? examples : `${which}, of ${examples}`
  }` +
    (task === "tagging" ? ` (${which})` : "");
}

function made({ recipe, summary, architecture, overParameterised, teacherSha256 }: CardFacts): string[] {
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
    ["parameters in training", count(summary.student.parametersTraining)],
    ["parameters at inference", count(summary.student.parametersInference)],
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
    : `${count(nonZeros)} of ${count(parametersInference)} parameters are not zero`;
  return [["pruned", `by ${method}, ${structure === "channels" ? "" : `${structure}: `}${left}`]];
}

function noiseRow({ wrongLabels, labelled }: RunSummary): [string, string][] {
  if (wrongLabels === undefined) return [];
  return [["training labels", `${count(wrongLabels)} of ${count(labelled.train)} wrong on purpose`]];
}

function factorsRow({ factors }: RunSummary): [string, string][] {
  if (!factors) return [];
  const cuts = Object.entries(factors.weights).map(([name, { rank, fullRank, error }]) =>
    `${code(name)} rank ${rank} of ${fullRank}, off by ${percent(error)}`
  );
  const shown = cuts.length > 6 ? [...cuts.slice(0, 5), `${cuts.length - 5} more`] : cuts;
  return [["stored as two factors", shown.join("; ")]];
}

function measured(
  { recipe, input, summary, overParameterised }: CardFacts,
  onnx: readonly OnnxFile[] | null,
): string[] {
  const { student, teacher, positiveClass, examples, labelled, dataSha256, merge } = summary;
  const note = labelNote({ examples: examples.test, labelled: labelled.test }).map((words) => ` (${words})`).join("");
  const on = `On the ${counted(examples.test, "test example")}${note} of ${inline(datasetName(recipe))}, ${
    onnx ? "of the student that was exported, in float32:" : "with the weights as they are in this folder:"
  }`;
  const all = (metrics: Readonly<Record<string, number>>, loss: number | null) =>
    new Map([
      ...shownMetrics({ metrics, positiveClass }, Object.keys(metrics)),
      ...(loss === null ? [] : [["loss", loss.toFixed(4)] as const]),
    ]);
  const own = all(student.metrics, student.loss);
  const taught = teacher && all(teacher.metrics, teacher.loss);
  const validation = student.validationMetrics && all(student.validationMetrics, null);
  const row = (cells: readonly (string | false)[]) => cells.filter((cell) => cell !== false);
  const numbers = table([
    row(["", "student", taught !== null && "teacher", validation !== null && "student, validation"]),
    ...[...own].map(([name, value]) =>
      row([
        inline(name),
        value,
        taught !== null && (taught.get(name) ?? "-"),
        validation !== null && (validation.get(name) ?? "-"),
      ])
    ),
  ]);
  const files = Object.entries(dataSha256).map(([name, hash]) => [code(lastPart(name)), code(hash)]);
  const scores = student.spans?.map(({ type, spans, ...own }) => ({ ...own, label: type, examples: spans })) ??
    student.classes;
  const notes = measuredNotes(student.classes, student.spans).map((note) => `- ${inline(note)}.`);
  const isShort = scores !== null && scores.length > 0 && scores.length <= MOST_CLASSES;
  return [
    ...(own.size === 0 ? ["No test example has a label, so nothing was measured."] : [on, "", ...numbers]),
    ...(input.task === "tagging" ? ["", inline(`${describeTags(input.classes)}.`)] : []),
    ...(isShort ? ["", ...classTable(scores, student.spans ? "span" : "class")] : []),
    ...(notes.length > 0 ? ["", ...notes] : []),
    ...(onnx ? ["", ...onnxFilesTable(onnx, input.task)] : []),
    "",
    ...(overParameterised.size === 0 ? [] : [
      `The student gives the ${input.task === "embedding" ? "vectors" : "logits"} of ${
        [...overParameterised.values()].every(({ chain }) => chain !== null) ? "its chains" : "what it was trained as"
      } within ${merge.maxAbsLogitDifference.toPrecision(2)} on ` +
      `${counted(merge.probe, "test example")} (tolerance ${merge.tolerance}).`,
    ]),
    ...(validation && (recipe.train.restoreBest || recipe.train.earlyStopping)
      ? [
        `The ${
          counted(examples.validation, "validation example")
        } chose the epoch, so that their column is a little too ` +
        "good.",
      ]
      : []),
    ...(files.length > 0 ? ["", ...table([["data file", "SHA-256"], ...files], false)] : []),
  ];
}

function classTable(classes: readonly ClassRow[], what: string): string[] {
  const shown = (value: number | null) => value === null ? "-" : value.toFixed(4);
  return table([
    [what, "number", "precision", "recall", "f1"],
    ...classes.map(({ label, examples, precision, recall, f1 }) => [
      inline(label),
      count(examples),
      ...[precision, recall, f1].map(shown),
    ]),
  ]);
}

/** A class, or a type of spans. */
type ClassRow = Omit<LabelScores, "correct" | "predicted">;

/** What a reader must know before they rely on it; each with its number where it was measured. */
function limits({ input, summary, config }: CardFacts): string[] {
  const { student, teacher, labelled } = summary;
  const { task } = input;
  const points: string[] = [];
  if (task === "classification" && student.accuracy !== null) {
    const [low, high] = wilsonInterval(Math.round(student.accuracy * labelled.test), labelled.test).map(percent);
    points.push(
      `Measured: of ${counted(labelled.test, "test example")} ${
        percent(student.accuracy)
      } are right. Other examples of ` +
        `the same kind would give ${low} to ${high} (95 % interval by Wilson's score).`,
    );
  }
  if (teacher && typeof teacher.accuracy === "number" && student.accuracy !== null) {
    const difference = 100 * (student.accuracy - teacher.accuracy);
    const side = difference < 0 ? "below" : "above";
    points.push(`Measured: accuracy is ${Math.abs(difference).toFixed(2)} points ${side} the teacher's.`);
  }
  const scored = (student.classes ?? []).filter(({ examples }) => examples > 0);
  const worst = scored.toSorted((a, b) => (a.recall ?? 0) - (b.recall ?? 0))[0];
  if (scored.length > 2) {
    points.push(
      `Measured: it finds least of ${inline(worst.label)}, ${percent(worst.recall ?? 0)} of ` +
        `${counted(worst.examples, task === "tagging" ? "token" : "example")}.`,
    );
  }
  const few = (student.classes ?? []).filter(({ examples }) => examples < FEW).map(({ label }) => inline(label));
  if (few.length > 0) {
    points.push(
      `Fewer than ${FEW} ${task === "tagging" ? "tokens" : "examples"} of the test are of ${
        listWords(few.slice(0, 8), "and")
      }` +
        `${few.length > 8 ? ` and ${few.length - 8} other classes` : ""}: what is measured of them says little.`,
    );
  }
  points.push(inputLimit(input));
  points.push("Whether examples of the test are among those of the training was not looked at.");
  points.push("One seed was run; another seed gives other numbers, by how much was not measured here.");
  points.push(
    "Not measured: examples of other origin, changed or hostile ones, calibration of its probabilities, and whether it " +
      "treats groups of people alike. It may have its teacher's mistakes and those of its data.",
  );
  if (config.crf === true) {
    points.push(
      "Its tags are decoded by a conditional random field, which programs that read the logits alone leave out.",
    );
  }
  return points.map((point) => `- ${point}`);
}

function inputLimit({ image, text }: InputDescription): string {
  if (text) {
    return `It takes ${count(text.maxLength)} tokens at most; what is beyond was cut off, in training and in the test.`;
  }
  const [height, width, channels] = image!.size;
  return `It takes images of ${height} × ${width} pixels with ${
    counted(channels, "channel")
  }; others are brought to that ` +
    "size, and details are lost.";
}

/** The class of transformers that loads the folder; `null` where the model is none of its own. */
function classOf({ config: { architectures, model_type: type } }: CardFacts): string | null {
  const name = Array.isArray(architectures) ? architectures[0] : null;
  return typeof name === "string" && /^\w+$/.test(name) && typeof type === "string" ? name : null;
}

function loading(facts: CardFacts): string[] {
  const { input: { text, task }, config, architecture, description } = facts;
  if (task === "embedding") return loadingVectors();
  const own = classOf(facts);
  const form = text ? "AutoTokenizer" : "AutoImageProcessor";
  const transformers = own === null ? [] : [
    "With [transformers](https://huggingface.co/docs/transformers), in the folder of this file:",
    "",
    ...codeBlock(
      "python",
      `from transformers import ${form}, ${own}\n\n` +
        `${text ? "tokenizer" : "processor"} = ${form}.from_pretrained(".")\n` +
        `model = ${own}.from_pretrained(".")\n` +
        (text
          ? 'logits = model(**tokenizer("a text", truncation=True, return_tensors="pt")).logits'
          : 'logits = model(**processor(image, return_tensors="pt")).logits'),
    ),
    "",
    "The program's own tests compare such models with transformers, logit by logit; this very student was not compared.",
    ...missingThere(config),
    "",
  ];
  const pytorch = [
    "With PyTorch, the tensors by name, in PyTorch's order of axes:",
    "",
    ...codeBlock("python", 'from safetensors.torch import load_file\n\ntensors = load_file("model.safetensors")'),
    "",
    ...(own === null ? [layoutNote(lastPart(architecture), description), ""] : []),
    ...(facts.summary.factors ? [FACTORS_NOTE, ""] : []),
  ];
  const program = ["With the program that made it: `deno task evaluate FOLDER`, or `openModel` of its library."];
  return [...transformers, ...pytorch, ...program];
}

/** Of a model that makes vectors of texts. */
function loadingVectors(): string[] {
  return [
    "With [sentence-transformers](https://sbert.net), in the folder of this file:",
    "",
    ...codeBlock(
      "python",
      'from sentence_transformers import SentenceTransformer\n\nvectors = SentenceTransformer(".").encode(["a text"])',
    ),
    "",
    "With the program that made it: `embed` of its library's `openModel`.",
  ];
}

/** What of a model transformers does not compute, though it loads it. */
function missingThere(config: CardFacts["config"]): string[] {
  const subclasses = Number(config.subclasses ?? 1) > 1
    ? ["It gives a logit for each subclass; those of a class are to be added up as probabilities."]
    : [];
  return [...subclasses, ...(config.crf === true ? ["It leaves out the conditional random field."] : [])];
}

const FACTORS_NOTE = "A weight `W` that is stored as `W.down` and `W.up` is their product: a linear layer by `down` " +
  "without a bias and one by `up` behind it, or a convolution by `down`, with the stride and padding, and one by `up` of " +
  "single pixels.";

function layoutNote(architecture: string, description: string | null): string {
  const said = description === null ? "" : `The plug-in ${code(architecture)} says of itself: ${inline(description)}. `;
  return `${said}The module is to be made by \`config.json\`, which names no class of transformers.`;
}

const count = (number: number) => number.toLocaleString("en");
const counted = (number: number, one: string, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
const round = (number: number) => String(Math.round(100 * number) / 100);
