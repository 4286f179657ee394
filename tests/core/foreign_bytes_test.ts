import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { readForeignConfig } from "../../core/model_folder/config_file.ts";
import { readStoredTensors } from "../../core/model_folder/stored_tensors.ts";
import { encodeSafetensors, parseSafetensors, readSafetensors } from "../../core/safetensors.ts";

/** Bytes of a text whose letters are all below 256, and zeros after them. */
const bytesOf = (text: string, length = 64) => {
  const bytes = new Uint8Array(Math.max(length, text.length));
  bytes.set(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  return bytes;
};
const textBytes = (text: string) => new TextEncoder().encode(text);

/** The head of a zip archive whose first entry has a name. */
const zip = (name: string) =>
  bytesOf(`PK\x03\x04\x00\x00\x08\x08${"\x00".repeat(18)}${String.fromCharCode(name.length)}\x00\x00\x00${name}`);

const POINTER =
  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa\n" +
  "size 437955512\n";

const LFS = "it is a pointer of git-lfs, which stands for the file that was left on the server: get that by git lfs " +
  "install and git lfs pull in its repository";
const PYTORCH = "it is a file of PyTorch, which holds a program that makes tensors, not the tensors alone: these two " +
  "lines of Python (pip install torch safetensors) convert it:\n" +
  '  import torch; from safetensors.torch import save_file; read = torch.load("nets/w.pth", map_location="cpu", ' +
  "weights_only=True)\n" +
  '  save_file({name: tensor.clone().contiguous() for name, tensor in read.get("state_dict", read.get("net", read)).items()}, ' +
  '"nets/w.safetensors")';
const DOWNLOAD = "download the file itself: a server may answer so where the address is wrong or a login is needed";
const unpack = (name: string) =>
  `it is packed by ${name}: unpack it, as by ${name} -dc nets/w.pth > unpacked.safetensors, and name what comes out`;

/** What people have for safetensors, and what is said of it. */
const KINDS: [what: string, bytes: Uint8Array<ArrayBuffer>, reason: string][] = [
  ["a pointer of git-lfs", textBytes(POINTER), LFS],
  // What torch.save of PyTorch 2.15 writes first, in its new and its old form, and what torch.jit.save writes.
  ["PyTorch's zip", zip("x/data.pkl"), PYTORCH],
  ["PyTorch's zip by another entry", zip("archive/.format_version"), PYTORCH],
  ["a TorchScript model", zip("j/data/0"), PYTORCH],
  ["PyTorch's old form", bytesOf("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."), PYTORCH],
  ["another pickle", bytesOf("\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}\x94"), PYTORCH],
  [
    "NumPy's archive",
    zip("conv1.weight.npy"),
    "it is an archive of NumPy (.npz): this line of Python converts it: import numpy; from safetensors.numpy import " +
    'save_file; save_file(dict(numpy.load("nets/w.pth")), "model.safetensors")',
  ],
  [
    "NumPy's array",
    bytesOf("\x93NUMPY\x01\x00v\x00{'descr': '<f4'"),
    "it is an array of NumPy (.npy): save it by safetensors.numpy.save_file, which gives it a name",
  ],
  [
    "another zip archive",
    zip("model.safetensors"),
    "it is a zip archive: unpack it, and name the .safetensors file that is in it",
  ],
  [
    "GGUF",
    bytesOf("GGUF\x03\x00\x00\x00\x23\x01"),
    "it is a GGUF file of llama.cpp: take model.safetensors of the model that it was made of, whose numbers are not " +
    "quantised",
  ],
  [
    "HDF5",
    bytesOf("\x89HDF\r\n\x1a\n\x00\x00"),
    "it is an HDF5 file, as Keras writes them: save the weights as safetensors (safetensors.numpy.save_file), or " +
    "convert the model by tensorflowjs_converter and let it teach by use: tfjs",
  ],
  [
    "TensorFlow Lite",
    bytesOf("\x1c\x00\x00\x00TFL3\x14\x00"),
    "it is a TensorFlow Lite file: take the safetensors of the model it is of",
  ],
  [
    "ONNX with a producer",
    bytesOf("\x08\x07\x12\x07pytorch\x1a\x05"),
    "it is an ONNX model: let it teach by use: onnx, or take the weights that it was exported from, saved as safetensors",
  ],
  [
    "ONNX with its graph first",
    bytesOf("\x08\x0a\x3a\xd2\x01\x0a"),
    "it is an ONNX model: let it teach by use: onnx, or take the weights that it was exported from, saved as safetensors",
  ],
  ["gzip", bytesOf("\x1f\x8b\x08\x08\x12\x34\x56\x78"), unpack("gzip")],
  // Its first eight bytes read as a header's length are below the limit.
  ["gzip without a time", bytesOf("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"), unpack("gzip")],
  ["zstd", bytesOf("\x28\xb5\x2f\xfd\x04"), unpack("zstd")],
  ["xz", bytesOf("\xfd7zXZ\x00\x00"), unpack("xz")],
  ["bzip2", bytesOf("BZh91AY&SY"), unpack("bzip2")],
  [
    "tar",
    bytesOf(`model.safetensors${"\x00".repeat(240)}ustar\x00`, 512),
    "it is a tar archive: unpack it by tar -xf nets/w.pth, and name the .safetensors file that is in it",
  ],
  ["an HTML page", textBytes("\ufeff\n<!DOCTYPE html>\n<html><body>404"), `it is an HTML page: ${DOWNLOAD}`],
  ["an HTML page without a type", textBytes("<HTML lang=de>"), `it is an HTML page: ${DOWNLOAD}`],
  ["an XML answer", textBytes('<?xml version="1.0"?><Error/>'), `it is XML: ${DOWNLOAD}`],
  [
    "a server's answer in JSON",
    textBytes('{"error":"Repository not found"}'),
    `it is JSON that begins with "{\\"error\\":\\"Repository not found\\"}": expected a model's weights`,
  ],
  [
    "a text that is cut within a letter",
    textBytes("x\n".repeat(255) + "xü"),
    `it is text that begins with "x": expected a model's weights`,
  ],
  [
    "a server's answer in words",
    textBytes("Entry not found\nÜber uns"),
    `it is text that begins with "Entry not found": expected a model's weights`,
  ],
];

for (const [what, bytes, reason] of KINDS) {
  Deno.test(`${what} in place of safetensors is recognised, with what to do`, () => {
    const message = `Cannot read "nets/w.pth" as safetensors: ${reason}`;
    assert.throws(() => parseSafetensors(bytes, '"nets/w.pth"'), { name: "UserError", message });
  });
}

Deno.test("a header whose length has the bytes of another kind is read", () => {
  // As gzip begins, 559,903 bytes.
  const header = new TextEncoder().encode("{}".padEnd(0x088b1f));
  const bytes = new Uint8Array(8 + header.length);
  bytes.set([0x1f, 0x8b, 0x08]);
  bytes.set(header, 8);
  assert.equal(parseSafetensors(bytes).tensors.size, 0);
});

/** Runs `body` in a folder of these files. */
async function inFolder(files: Record<string, Uint8Array>, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(files)) await Deno.writeFile(join(folder, name), bytes);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file is recognised on the disk, too, and one that is right is read from its header on", () => {
  const right = encodeSafetensors(new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]));
  return inFolder({ "a.safetensors": textBytes(POINTER), "b.safetensors": right }, async (folder) => {
    const message = `Cannot read "${join(folder, "a.safetensors")}" as safetensors: ${LFS}`;
    await assert.rejects(() => readSafetensors(join(folder, "a.safetensors")), { name: "UserError", message });
    assert.deepEqual([...(await readSafetensors(join(folder, "b.safetensors"))).tensors.keys()], ["w"]);
  });
});

Deno.test("a folder without weights that can be read is told what it holds, and what to do", async () => {
  const CASES: [files: string[], reason: RegExp][] = [
    [[], /^it has no model\.safetensors: expected the model's weights as safetensors$/],
    [
      ["pytorch_model.bin", "training_args.bin"],
      /^pytorch_model\.bin is a file of PyTorch, [^]*"[^"]*model\.safetensors"\)$/,
    ],
    [["resnet20.th.pth"], /^resnet20\.th\.pth is a file of PyTorch, [^]*resnet20\.th\.safetensors"\)$/],
    [
      ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"],
      /^pytorch_model-00001-of-00002\.bin, pytorch_model-00002-of-00002\.bin are files of PyTorch, .*save_pretrained/,
    ],
    [["model-1.safetensors"], /^it has no model\.safetensors, but model-1\.safetensors: name that file$/],
    [
      ["a.safetensors", "b.safetensors"],
      /but a\.safetensors, b\.safetensors: name the file that is meant, or write an index/,
    ],
    [
      ["tf_model.h5", "model.onnx"],
      /^it has no model\.safetensors, but model\.onnx, tf_model\.h5, which cannot be read: /,
    ],
  ];
  for (const [names, reason] of CASES) {
    await inFolder(Object.fromEntries(names.map((name) => [name, new Uint8Array(1)])), async (folder) => {
      await assert.rejects(() => readStoredTensors(folder), (error: Error) => {
        const [start, said] = error.message.split(`Cannot read the weights in "${folder}" as `);
        assert.deepEqual([error.name, start], ["UserError", ""]);
        assert.match(said, reason);
        return true;
      });
    });
  }
});

Deno.test("a config.json and an index that were left on a git-lfs server say so", () => {
  const files = { "config.json": textBytes(POINTER), "model.safetensors.index.json": textBytes(POINTER) };
  return inFolder(files, async (folder) => {
    const message = new RegExp(` as ${LFS}$`);
    await assert.rejects(() => readForeignConfig(join(folder, "config.json")), { name: "UserError", message });
    await assert.rejects(() => readStoredTensors(folder), { name: "UserError", message });
  });
});
