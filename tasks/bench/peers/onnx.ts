/**
 * ONNX Runtime of Python on our export of the benchmark's ResNet-8: `onnx.ts inference --python=PATH [--repeats=N]`.
 * Only the file is ours: `onnx_runtime.py` times it.
 */
import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { encodeModel } from "../../../core/onnx/encode.ts";
import { graphWriter } from "../../../core/onnx/write_graph.ts";
import { resnet8, trainedValues } from "../our_resnet8.ts";
import { makeInputs } from "../workload.ts";

const flag = (name: string) => Deno.args.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1];
const folder = await Deno.makeTempDir();
try {
  const { model, input } = resnet8();
  const { graph } = graphWriter(model, input, trainedValues(model, makeInputs.inference().parameters))("float32");
  await Deno.writeFile(`${folder}/model.onnx`, encodeModel(graph, {}));
  const script = fileURLToPath(new URL("onnx_runtime.py", import.meta.url));
  const { code } = await new Deno.Command(flag("python") ?? "python3", {
    args: ["-B", script, `${folder}/model.onnx`, `--repeats=${flag("repeats") ?? 5}`],
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
