import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { images, imagesOf, inFolder, linear, matrix, openFile, texts, type WrittenModel } from "./onnx_fixture.ts";

interface Refusal {
  readonly what: string;
  /** The file's content: bytes, or how the linear model differs. */
  readonly file?: Uint8Array | string | Partial<WrittenModel>;
  readonly options?: object;
  readonly data?: InputDescription;
  readonly says: RegExp;
}

const whole = linear();
const flatten = ["Flatten", ["x"], "flat"] as const;
const product = ["MatMul", ["flat", "matrix"], "logits"] as const;
const output = (name: string) => [{ name, shape: ["n", 3] }];
const reshaped = (sizes: readonly number[], ...rest: WrittenModel["nodes"]): Partial<WrittenModel> => ({
  nodes: [["Reshape", ["x", "sizes"], "flat"], product, ...rest],
  constants: [matrix(40, 3), { name: "sizes", shape: [2], values: sizes, type: 7 }],
});
const outside = (location: string): Partial<WrittenModel> => ({
  constants: [{ name: "matrix", shape: [40, 3], location }],
});

const refusals: Refusal[] = [
  {
    what: "a file that was cut off",
    file: whole.slice(0, 400),
    says: /an ONNX model: it ends within a part of it, so /,
  },
  {
    what: "an empty file",
    file: new Uint8Array(0),
    says: /as an ONNX model: it has no graph, or no set of operators, so /,
  },
  {
    what: "text",
    file: "this is no model at all",
    says: /as an ONNX model: .*, so it is of another kind or not whole$/,
  },
  {
    what: "what a server gave instead",
    file: "<!doctype html><html></html>",
    says: /as it is an HTML page: download /,
  },
  {
    what: "an operator that there is not",
    file: { nodes: [["Hologram", ["x"], "logits"]] },
    says: /^Cannot load "\S+": onnxruntime says: No Op registered for Hologram with domain_version of 17$/,
  },
  {
    what: "an operator of somebody's own",
    file: { nodes: [["Hologram", ["x"], "logits", "their.own"]] },
    says: /^Cannot load "\S+": onnxruntime says: No opset import for domain 'their\.own'$/,
  },
  {
    what: "operators of the future",
    file: { opset: 99 },
    says: /onnxruntime says: ONNX Runtime only .*Opset 99 is under/,
  },
  {
    what: "a name that a node has not",
    file: { nodes: [flatten, ["MatMul", ["flat", "gone"], "logits"]] },
    says: /^Cannot load "\S+": onnxruntime says: .*'gone'/,
  },
  {
    what: "tensors in a file of another folder",
    file: outside("../matrix.data"),
    says: /^Cannot load "\S+" as it takes tensors from "\.\.\/matrix\.data": expected a file of its folder$/,
  },
  {
    what: "tensors in a file of the system",
    file: outside("/etc/hostname"),
    says: /^Cannot load "\S+" as it takes tensors from "\/etc\/hostname": expected a file of its folder$/,
  },
  {
    what: "tensors behind a link that leads out",
    file: outside("link"),
    says: /^Cannot load "\S+" as it takes tensors from "link": expected a file of its folder$/,
  },
  {
    what: "tensors in a file that is not there",
    file: outside("matrix.data"),
    says: /^Cannot read the teacher's tensors "\S+matrix\.data" as there is no such file or folder$/,
  },
  {
    what: "tensors in a file that is too short",
    file: outside("short"),
    says: /^Cannot load "\S+": onnxruntime says: .*short.*Out of bounds/,
  },
  {
    what: "a second input",
    file: { inputs: ["x", "y"].map((name) => ({ name, shape: ["n", 2, 5, 4] })) },
    says:
      /^Cannot run "\S+" without its input "x": inputs must say for each of "x" and "y" what it is given, of image$/,
  },
  {
    what: "an input that the model has not",
    options: { inputs: { y: "image" } },
    says: /^Cannot find the input "y" in "\S+": it has "x"$/,
  },
  {
    what: "texts for images",
    options: { inputs: { x: "tokens" } },
    says: /^Cannot give the input "x" of "\S+" the batch's tokens: the data set has image$/,
  },
  {
    what: "an input of text",
    file: { nodes: [["Identity", ["x"], "logits"]], inputs: [{ name: "x", shape: ["n", 2, 5, 4], type: 8 }] },
    says: /^Cannot (?:load|run) "\S+": /,
  },
  {
    what: "images of another size",
    file: { inputs: [{ name: "x", shape: ["n", 2, 8, 8] }], constants: [matrix(128, 3)] },
    says:
      /its input "x" takes \[any, 2, 8, 8\], and .* images of 5x4 with 2 channels: say imageSize: 8 for the teacher$/,
  },
  {
    what: "images of other channels",
    data: imagesOf(5, 4, 3),
    says: /its input "x" takes \[any, 2, 5, 4\], and the data set gives images of 5x4 with 3 channels$/,
  },
  {
    what: "pixels that its integers have not",
    file: {
      inputs: [{ name: "x", shape: ["n", 2, 5, 4], type: 3 }],
      nodes: [["CastLike", ["x", "matrix"], "floats"], ["Flatten", ["floats"], "flat"], product],
    },
    says:
      /its input "x" takes whole numbers from -128 to 127 \(int8\), and pixels go from 0 to 255: say for the teacher /,
  },
  {
    what: "the other layout",
    options: { layout: "nhwc" },
    says: /takes \[any, 2, 5, 4\], and .*: say layout: nchw, or leave it out$/,
  },
  {
    what: "images in a row, of several channels",
    file: { inputs: [{ name: "x", shape: ["n", 40] }] },
    says: /, whose order in a row is not known: say layout: nchw or layout: nhwc$/,
  },
  {
    what: "dimensions that say nothing",
    file: { inputs: [{ name: "x", shape: ["n", "a", "b", "c"] }] },
    says: /: whether channels come first cannot be told; say layout: nchw or layout: nhwc$/,
  },
  {
    what: "images for a model of texts",
    data: texts,
    says: /on texts: its input "x" takes \[any, 2, 5, 4\], expected/,
  },
  {
    what: "texts that are longer than the model takes",
    file: { inputs: [{ name: "x", shape: ["n", 6] }], constants: [matrix(6, 3)] },
    data: texts,
    says: /takes texts of 6 tokens, and the data set's are of up to 8: say dataset\.maxLength: 6, or export the model /,
  },
  {
    what: "another number of classes",
    file: linear({}, 5),
    says:
      /^Cannot use the output "logits" of "\S+" as logits: it gives \[2, 5\] for 2 examples, and .* needs \[2, 3\]$/,
  },
  {
    what: "a batch size that its shape does not say",
    file: reshaped([1, 40]),
    says:
      /on 2 examples at once, only on one, though it says it takes any number: export it with a batch dimension of /,
  },
  {
    what: "one output for all examples",
    file: {
      ...reshaped([-1, 40], ["ReduceSum", ["logits", "first"], "sum"]),
      outputs: [{ name: "sum", shape: [1, 3] }],
      constants: [...reshaped([-1, 40]).constants!, { name: "first", shape: [1], values: [0], type: 7 }],
    },
    says: /its output "sum" is \[1, 3\] for a batch of 2: export the model with a batch dimension of any size$/,
  },
  {
    what: "outputs that are no numbers",
    file: {
      nodes: [flatten, product, ["Sqrt", ["minus"], "nan"], ["Add", ["logits", "nan"], "sum"]],
      outputs: output("sum"),
      constants: [matrix(40, 3), { name: "minus", shape: [1], values: [-1] }],
    },
    says:
      /^Cannot learn from "\S+": its output "sum" is not a number for some examples, as where its weights are damaged/,
  },
  {
    what: "probabilities that nobody calls so",
    file: { nodes: [flatten, product, ["Softmax", ["logits"], "y"]], outputs: output("y") },
    says:
      /gives probabilities, as it comes of Softmax: say outputs: \{ probabilities: "y" \}, or .*logits: "y" \} if it /,
  },
  {
    what: "probabilities in another form",
    file: {
      nodes: [flatten, product, ["Softmax", ["logits"], "y"], ["Flatten", ["y"], "w"], ["Identity", ["w"], "z"]],
      outputs: output("z"),
    },
    says: /whether the output "z" of "\S+" gives probabilities, as it comes of Softmax: say outputs/,
  },
  {
    what: "probabilities behind another operator",
    file: { nodes: [flatten, product, ["Softmax", ["logits"], "y"], ["Relu", ["y"], "z"]], outputs: output("z") },
    says: /whether the output "z" of "\S+" gives probabilities, as it gives numbers that sum to 1: say outputs/,
  },
  {
    what: "logits that are called probabilities",
    options: { outputs: { probabilities: "logits" } },
    says: /for probabilities: expected numbers from 0 to 1 whose sum is 1 for each example; say outputs: \{ logits/,
  },
  {
    what: "several outputs",
    file: {
      nodes: [flatten, product, ["Neg", ["logits"], "y"]],
      outputs: [...output("y"), { name: "flat", shape: ["n", 40] }],
    },
    says: /^Cannot choose an output of "\S+" as it has 2: say outputs: \{ logits: NAME \} or .* one of "y" and "flat"$/,
  },
  {
    what: "a label alone",
    file: {
      nodes: [flatten, product, ["ArgMax", ["logits"], "label"]],
      outputs: [{ name: "label", shape: [1, 3], type: 7 }],
    },
    says: /as a teacher: none of its outputs, "label", gives numbers that are not whole$/,
  },
  {
    what: "a mistyped output",
    options: { outputs: { logits: "logit" } },
    says: /^Cannot find the output "logit" in "\S+": did you mean "logits"\?$/,
  },
  {
    what: "an unknown value",
    options: { hidden: ["transformer"] },
    says: /^Cannot find the value "transformer" in "\S+": it has "flat" and "logits"$/,
  },
  {
    what: "more memory than there is",
    file: {
      nodes: [["ConstantOfShape", ["sizes"], "zeros"], ["ReduceSum", ["zeros"], "huge"], flatten, product, ["Add", [
        "logits",
        "huge",
      ], "sum"]],
      outputs: output("sum"),
      constants: [matrix(40, 3), { name: "sizes", shape: [2], values: [2 ** 20, 2 ** 20], type: 7 }],
    },
    says: /^Cannot run "\S+": it needs more memory than the 4 GiB that WebAssembly addresses: take smaller batches$/,
  },
];

Deno.test("what does not fit is refused in one sentence before training", async (test) => {
  for (const { what, file = {}, options, data = images, says } of refusals) {
    await test.step(what, () =>
      inFolder(async (folder) => {
        const path = join(folder, "model.onnx");
        const isChange = typeof file !== "string" && !(file instanceof Uint8Array);
        const content = isChange ? linear(file) : typeof file === "string" ? new TextEncoder().encode(file) : file;
        await Deno.writeFile(path, content);
        await Deno.writeFile(join(folder, "short"), new Uint8Array(8));
        await Deno.symlink(import.meta.filename!, join(folder, "link"));
        await assert.rejects(openFile(path, options, data), (error) => {
          assert.ok(error instanceof UserError, `${error}`);
          assert.match(error.message, says);
          assert.ok(!error.message.includes("\n"), error.message);
          return true;
        });
      }));
  }
});

Deno.test("a model that is refused leaves the next one alone", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    await Deno.writeFile(path, linear({ constants: outside("short").constants }));
    await Deno.writeFile(join(folder, "short"), new Uint8Array(8));
    await assert.rejects(openFile(path));
    await Deno.writeFile(path, linear());
    using teacher = await openFile(path);
    assert.ok(teacher.model.hostOutputs);
  });
});

Deno.test("a folder without a model.onnx is none", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(
      openFile(folder),
      /^UserError: Cannot read the teacher's model "\S+model\.onnx" as there is no /,
    );
  });
});
