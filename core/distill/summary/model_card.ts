import { code, inline, writeCard } from "../../model_folder/card_file.ts";
import type { OnnxFile } from "../../onnx/export_model.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { CardFacts } from "./card_facts.ts";
import { limitsOf } from "./card_limits.ts";
import { classOf, howToLoad } from "./card_loading.ts";
import { howMade } from "./card_made.ts";
import { whatWasMeasured } from "./card_measured.ts";
import { cardMetadata, lastPart } from "./card_metadata.ts";
import { onnxLoading } from "./card_onnx.ts";
import { counted, grouped } from "./card_words.ts";

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
    ["How it was made", howMade(facts)],
    ["What was measured", whatWasMeasured(facts, onnx)],
    ["Limits", limitsOf(facts)],
    ["How to load it", onnx ? onnxLoading(onnx, facts.input) : howToLoad(facts)],
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
  const what = `A ${code(lastPart(architecture))} of ${grouped(student.parametersInference)} parameters for ${
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
        grouped(student.parametersTraining)
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
