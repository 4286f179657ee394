/** How many of a file's first bytes tell what it is. */
export const START_BYTES = 512;

/** A kind of file that people have where a safetensors file is wanted. */
interface ForeignKind {
  /** Follows "it is". */
  readonly name: string;
  /** Whether a file of the kind begins with these bytes. */
  readonly fits: (start: Uint8Array) => boolean;
  /** What is to be done about it. */
  readonly remedy: (file: string) => string;
}

/** Letters as bytes. */
const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const isAt = (place: number, part: string) => (start: Uint8Array) =>
  latin(part).every((byte, index) => start[place + index] === byte);
const begins = (...parts: string[]) => (start: Uint8Array) => parts.some((part) => isAt(0, part)(start));

/** The two lines of Python that turn PyTorch's file of tensors into safetensors. */
export function pytorchRemedy(file: string): string {
  const to = file.replace(/\.[^./\\]+$/, "").replace(/pytorch_model$/, "model") + ".safetensors";
  return "these two lines of Python (pip install torch safetensors) convert it:\n" +
    "  import torch; from safetensors.torch import save_file; " +
    `read = torch.load(${JSON.stringify(file)}, map_location="cpu", weights_only=True)\n` +
    '  save_file({name: tensor.clone().contiguous() for name, tensor in read.get("state_dict", read.get("net", read)).items()}, ' +
    `${JSON.stringify(to)})`;
}

/** What a PyTorch file is, for a sentence. */
export const PYTORCH = "a file of PyTorch, which holds a program that makes tensors, not the tensors alone";

/** The name of an archive's first entry. */
const entryOf = (start: Uint8Array) => {
  const length = start[26] + 256 * start[27];
  return new TextDecoder().decode(start.subarray(30, 30 + length));
};
const isZip = begins("PK\x03\x04");
const packed = (name: string, program: string, ...magic: string[]): ForeignKind => ({
  name: `packed by ${name}`,
  fits: begins(...magic),
  remedy: (file) => `unpack it, as by ${program} -dc ${file} > unpacked.safetensors, and name what comes out`,
});

/** The text that a file begins with; `null` for one that is none. */
function textOf(start: Uint8Array): string | null {
  // The end may cut a letter in two, which a stream waits for.
  const text = new TextDecoder("utf-8", { fatal: true });
  try {
    const letters = text.decode(start, { stream: true });
    // deno-lint-ignore no-control-regex
    return letters.trim() === "" || /[\x00-\x08\x0e-\x1f]/.test(letters) ? null : letters.trim();
  } catch {
    return null;
  }
}

const again = "download the file itself: a server may answer so where the address is wrong or a login is needed";
const startsText = (pattern: RegExp) => (start: Uint8Array) => pattern.test(textOf(start) ?? "");

/** The first that fits counts. */
const KINDS: readonly ForeignKind[] = [
  {
    name: "a pointer of git-lfs, which stands for the file that was left on the server",
    fits: begins("version https://git-lfs.github.com/", "version https://hawser.github.com/"),
    remedy: () => "get that by git lfs install and git lfs pull in its repository",
  },
  {
    name: PYTORCH,
    // Protocols 2 to 5 of pickle begin so, PyTorch's older form among them.
    fits: (start) => start[0] === 0x80 && start[1] >= 2 && start[1] <= 5,
    remedy: pytorchRemedy,
  },
  {
    name: PYTORCH,
    fits: (start) =>
      isZip(start) && /\/(?:data\.pkl|data\/.*|version|byteorder|constants\.pkl|code\/.*|\..*)$/.test(entryOf(start)),
    remedy: pytorchRemedy,
  },
  {
    name: "an archive of NumPy (.npz)",
    fits: (start) => isZip(start) && entryOf(start).endsWith(".npy"),
    remedy: (file) =>
      `this line of Python converts it: import numpy; from safetensors.numpy import save_file; save_file(dict(numpy.load(${
        JSON.stringify(file)
      })), "model.safetensors")`,
  },
  {
    name: "an array of NumPy (.npy)",
    fits: begins("\x93NUMPY"),
    remedy: () => "save it by safetensors.numpy.save_file, which gives it a name",
  },
  { name: "a zip archive", fits: isZip, remedy: () => "unpack it, and name the .safetensors file that is in it" },
  {
    name: "a GGUF file of llama.cpp",
    fits: begins("GGUF", "lmgg", "fmgg", "tjgg"),
    remedy: () => "take model.safetensors of the model that it was made of, whose numbers are not quantised",
  },
  {
    name: "an HDF5 file, as Keras writes them",
    fits: begins("\x89HDF\r\n\x1a\n"),
    remedy: () =>
      "save the weights as safetensors (safetensors.numpy.save_file), or convert the model by tensorflowjs_converter " +
      "and let it teach by use: tfjs",
  },
  { name: "a TensorFlow Lite file", fits: isAt(4, "TFL3"), remedy: () => "take the safetensors of the model it is of" },
  {
    name: "an ONNX model",
    // A protocol buffer: the version of the format, then the producer, the domain, the opset or the graph.
    fits: (start) =>
      start[0] === 0x08 && start[1] >= 1 && start[1] <= 20 &&
      [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(start[2]),
    remedy: () => "let it teach by use: onnx, or take the weights that it was exported from, saved as safetensors",
  },
  packed("gzip", "gzip", "\x1f\x8b"),
  packed("zstd", "zstd", "\x28\xb5\x2f\xfd"),
  packed("xz", "xz", "\xfd7zXZ\x00"),
  packed("bzip2", "bzip2", "BZh"),
  {
    name: "a tar archive",
    fits: isAt(257, "ustar"),
    remedy: (file) => `unpack it by tar -xf ${file}, and name the .safetensors file that is in it`,
  },
  { name: "an HTML page", fits: startsText(/^\ufeff?\s*<(?:!doctype|html|head|body|!--)/i), remedy: () => again },
  { name: "XML", fits: startsText(/^\ufeff?\s*<\?xml/i), remedy: () => again },
];

/**
 * What a file is that is no safetensors, by its first bytes, and what is to be done.
 *
 * @param start its first {@link START_BYTES}, or all of a shorter one
 * @param file the file's path as the user wrote it
 * @returns `it is ...: ...`; `null` if it may be safetensors, or nothing is known of it
 */
export function foreignBytes(start: Uint8Array, file: string): string | null {
  if (mayBeSafetensors(start)) return null;
  const known = foreignKind(start, file);
  if (known !== null) return known;
  const text = textOf(start);
  if (text === null) return null;
  const shown = JSON.stringify(text.split(/\r?\n/)[0].slice(0, 60));
  return `it is ${/^[{[]/.test(text) ? "JSON" : "text"} that begins with ${shown}: expected a model's weights`;
}

/** The same where something else than safetensors is wanted; `null` for a kind that is not known. */
export function foreignKind(start: Uint8Array, file: string): string | null {
  const kind = KINDS.find(({ fits }) => fits(start));
  return kind ? `it is ${kind.name}: ${kind.remedy(file)}` : null;
}

/** No header is longer than 2^32 bytes, and each begins with a brace, which no other kind has at that place. */
function mayBeSafetensors(start: Uint8Array): boolean {
  return start.length > 8 && start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0);
}
