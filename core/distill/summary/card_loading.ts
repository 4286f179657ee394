import { code, codeBlock, inline } from "../../model_folder/card_file.ts";
import type { CardFacts } from "./card_facts.ts";
import { lastPart } from "./card_metadata.ts";

/** The class of transformers that loads the folder; `null` where the model is none of its own. */
export function classOf({ config: { architectures, model_type: type } }: CardFacts): string | null {
  const name = Array.isArray(architectures) ? architectures[0] : null;
  return typeof name === "string" && /^\w+$/.test(name) && typeof type === "string" ? name : null;
}

/** How a student is loaded, in the Markdown of a card. */
export function howToLoad(facts: CardFacts): string[] {
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
