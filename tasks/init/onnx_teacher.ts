import { dirname } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, readUserFile } from "../../core/files.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { describingFolder } from "../../core/model_folder/describing_folder.ts";
import { readImageProcessor } from "../../core/model_folder/image_processor.ts";
import { hasTokenizer } from "../../core/model_folder/tokenizer_files.ts";
import { TEXT_INPUTS } from "../../core/plugin/model.ts";
import { answersBy } from "../../plugins/models/onnx/fit.ts";
import { type ModelFiles, readModel } from "../../plugins/models/onnx/read_model.ts";
import { RuntimeRefusal, Session, type ValueInfo } from "../../core/onnx/runtime/session.ts";
import type { Asking } from "./asking.ts";
import { line } from "./entries.ts";
import type { FoundTeacher, TeacherFlags, TeacherImages } from "./teacher.ts";
import { normalisationOf, toldAnswers, toldPixels } from "./told.ts";

/**
 * Looks into an ONNX model: what it takes and gives.
 *
 * @param path its file, or a folder with it and what says more of it, from which a run reads that, too
 * @throws UserError for a file that cannot be loaded, or what it does not say and nobody is there to be asked
 */
export async function lookAtOnnx(path: string, flags: TeacherFlags, asking: Asking): Promise<FoundTeacher> {
  const files = await readModel({ path, readFile: readUserFile });
  const { inputs, outputs } = await valuesOf(path, files);
  const output = chooseOutput(path, outputs, flags, asking);
  const { probabilities, why } = answersBy(output.name, files.graph);
  const told = toldAnswers(flags);
  const answers = told ?? (probabilities ? "probabilities" : "logits");
  const folder = await kindOfPath(path) === "folder" ? path : dirname(path);
  const names = await readClassNamesOfAny(path);
  const areTexts = inputs.some(({ name, type }) =>
    Object.values<string>(TEXT_INPUTS).includes(name) || /^int/.test(type?.name ?? "")
  );
  const width = output.shape.length === 2 ? output.shape[1] : null;
  const shared = {
    path,
    use: "onnx",
    what: `onnx, ${files.graph.parameters.toLocaleString("en-US")} parameters`,
    settings: [
      line("outputs", { [answers]: output.name }, told ? undefined : why),
      ...(areTexts && inputs.length === 1 && !Object.values<string>(TEXT_INPUTS).includes(inputs[0].name)
        ? [line("inputs", { [inputs[0].name]: "tokens" })]
        : []),
    ],
    task: null,
    outputs: typeof width === "number" ? width : null,
    described: null,
    options: {},
    classes: names,
    tokenizer: null,
    processor: null,
  };
  if (areTexts) {
    const { shape } = inputs[0];
    const tokenizer = await hasTokenizer(folder)
      ? folder
      : await hasTokenizer(dirname(folder))
      ? dirname(folder)
      : null;
    return { ...shared, images: null, texts: { maxLength: fixed(shape[1]) }, tokenizer };
  }
  const processor = await readImageProcessor(await describingFolder(path));
  const size = sizeOf(inputs);
  const images: TeacherImages = {
    size,
    normalise: processor ? null : normalisationOf(toldPixels(path, flags, asking), size[2] ?? 3),
    isSaid: !processor,
  };
  return { ...shared, images, texts: null, processor };
}

async function valuesOf(path: string, { bytes, data, graph }: ModelFiles) {
  try {
    const session = await Session.open(bytes, data, 1);
    try {
      return { inputs: session.inputs, outputs: session.outputs.filter(({ name }) => graph.outputs.includes(name)) };
    } finally {
      session.dispose();
    }
  } catch (error) {
    if (!(error instanceof RuntimeRefusal)) throw error;
    throw new UserError(`--teacher ${path}: Cannot load it: ${error.message}`, { cause: error });
  }
}

/** Of several outputs one. scikit-learn's first one is the class itself. */
function chooseOutput(path: string, outputs: readonly ValueInfo[], flags: TeacherFlags, asking: Asking): ValueInfo {
  const { teacherOutput: given } = flags;
  const possible = outputs.filter(({ type }) => !type || type.name.startsWith("float"));
  const names = possible.map(({ name }) => name);
  if (given !== undefined) {
    const named = outputs.find(({ name }) => name === given);
    if (named) return named;
    throw new UserError(`--teacher-output ${given}: Cannot find it in "${path}": it has ${names.join(", ")}`);
  }
  const only = possible.find(({ name }) => name === "logits") ?? (possible.length === 1 ? possible[0] : null);
  if (only) return only;
  if (possible.length === 0) {
    throw new UserError(`--teacher ${path}: Cannot find an output of numbers that are not whole`);
  }
  const chosen = asking.choose({
    question: "Which output of the teacher has a number for each class?",
    cannot: `--teacher ${path}: Cannot tell which of its outputs has a number for each class`,
    flag: "--teacher-output NAME",
    choices: names,
  });
  return possible.find(({ name }) => name === chosen)!;
}

/** Names of classes, of whatever task, in a config.json beside the model. */
async function readClassNamesOfAny(path: string): Promise<readonly string[]> {
  try {
    return await readClassNames(path) ?? [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return await readClassNames(path, "multi-label") ?? [];
  }
}

const fixed = (extent: number | string | undefined): number | null => typeof extent === "number" ? extent : null;

/** The images of the one input, whose channels are few. */
function sizeOf(inputs: readonly ValueInfo[]): TeacherImages["size"] {
  const own = inputs.length === 1 && inputs[0].shape.length === 4 ? inputs[0].shape.slice(1).map(fixed) : null;
  if (!own) return [null, null, null];
  const [first, second, third] = own;
  const areFirst = first === 1 || first === 3 || third !== 1 && third !== 3;
  return areFirst ? [second, third, first] : [first, second, third];
}
