import { dirname } from "node:path";
import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { enginesBeside } from "../../plugins/models/tfjs/engine.ts";
import { whatItSays } from "../../plugins/models/tfjs/library.ts";
import { loadNetwork } from "../../plugins/models/tfjs/network.ts";
import { type ModelFiles, readArtifacts } from "../../plugins/models/tfjs/read_artifacts.ts";
import type { Asking } from "./asking.ts";
import { line } from "./entries.ts";
import type { FoundTeacher, TeacherFlags } from "./teacher.ts";
import { normalisationOf, toldAnswers, toldPixels } from "./told.ts";

/**
 * Looks into a model of TensorFlow.js: what it takes and gives.
 *
 * @param path its folder or `model.json`
 * @throws UserError for one that cannot be loaded, or what it does not say and nobody is there to be asked
 */
export async function lookAtTfjs(path: string, flags: TeacherFlags, asking: Asking): Promise<FoundTeacher> {
  const { inputs, outputs, parameters, files } = await valuesOf(path);
  if (inputs.length !== 1 || inputs[0].shape?.length !== 4) {
    throw new UserError(
      `--teacher ${path}: Cannot tell what its inputs are given: expected one of images, [any, height, width, channels]; ` +
        "make the recipe with --no-teacher, and put teacher: { use: tfjs, inputs: ... } into it",
    );
  }
  const [, height, width, channels] = inputs[0].shape;
  const output = chooseOutput(path, outputs, flags, asking);
  const told = toldAnswers(flags);
  const maker = operatorOf(files, output);
  const isSoft = told ? told === "probabilities" : /softmax|sigmoid/i.test(maker);
  const pixels = toldPixels(path, flags, asking);
  return {
    path,
    use: "tfjs",
    what: `tfjs, ${parameters.toLocaleString("en-US")} parameters`,
    settings: [
      ...(outputs.length > 1 ? [line("logits", output)] : []),
      line(
        "probabilities",
        isSoft,
        told ? undefined : maker ? `"${output}" is a ${maker}` : `nothing says it of "${output}"`,
      ),
    ],
    images: { size: [height, width, channels], normalise: normalisationOf(pixels, channels ?? 3), isSaid: true },
    texts: null,
    task: null,
    outputs: null,
    described: null,
    options: {},
    classes: await readClassNames(path.endsWith(".json") ? dirname(path) : path) ?? [],
    tokenizer: null,
    processor: null,
  };
}

async function valuesOf(path: string) {
  const open = enginesBeside({ on: "cpu", numbers: () => new Float32Array() }).at(-1)!;
  const engine = await open();
  try {
    const files = await readArtifacts(engine.tf, { path, readFile: readUserFile });
    const network = await engine.within(() => loadNetwork(files));
    const { inputs, outputs, parameters } = network;
    engine.within(() => network.dispose());
    return { inputs, outputs, parameters, files };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`--teacher ${path}: Cannot load it: ${whatItSays(error)}`, { cause: error });
  } finally {
    engine.close();
  }
}

function chooseOutput(path: string, outputs: readonly string[], flags: TeacherFlags, asking: Asking): string {
  const { teacherOutput: given } = flags;
  if (given !== undefined) {
    if (outputs.includes(given)) return given;
    throw new UserError(`--teacher-output ${given}: Cannot find it in "${path}": it has ${outputs.join(", ")}`);
  }
  if (outputs.length === 1) return outputs[0];
  return asking.choose({
    question: "Which output of the teacher has a number for each class?",
    cannot: `--teacher ${path}: Cannot tell which of its outputs has a number for each class`,
    flag: "--teacher-output NAME",
    choices: outputs,
  });
}

interface Topology {
  readonly node?: readonly { readonly name: string; readonly op: string; readonly input?: readonly string[] }[];
  readonly config?: { readonly layers?: readonly Layer[] };
  readonly model_config?: { readonly config?: { readonly layers?: readonly Layer[] } };
}

interface Layer {
  readonly class_name: string;
  readonly config: { readonly name: string; readonly activation?: string | null };
}

/** What makes an output: an operator, or the activation of a layer; empty where it is not found. */
function operatorOf({ artifacts }: ModelFiles, output: string): string {
  const { node, config, model_config: wrapped } = artifacts.modelTopology as Topology;
  const name = output.split(":")[0];
  const own = node?.find((one) => one.name === name);
  if (own?.op === "Identity" && own.input?.length) return operatorOf({ artifacts } as ModelFiles, own.input[0]);
  if (own) return own.op;
  const layer = (wrapped?.config ?? config)?.layers?.find((one) => one.config.name === name);
  if (!layer) return "";
  return layer.config.activation ? `${layer.class_name} with ${layer.config.activation}` : layer.class_name;
}
