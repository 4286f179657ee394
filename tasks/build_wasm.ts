/**
 * Compiles the CPU backend's AssemblyScript kernels, twice: with relaxed SIMD (fused multiply-add) and without.
 *
 * `deno run --allow-read --allow-write --allow-env tasks/build_wasm.ts` writes `kernels.generated.ts`;
 * `--check` writes nothing and fails if the checked-in file is not what the sources compile to.
 *
 * @module
 */

// Pinned, as another version may write the same instructions in another order.
import asc from "npm:assemblyscript@0.28.20/asc";

const FOLDER = new URL("../core/backend/cpu/wasm/", import.meta.url);
const SOURCES = new URL("assembly/", FOLDER);

/** The file that holds the compiled kernels. */
export const GENERATED = new URL("kernels.generated.ts", FOLDER);

/** Memory is imported and shared, so that worker threads see the same tensors; 65536 pages are 4 GiB, all of 32 bits. */
const OPTIONS = [
  ...["-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
  ...["--importMemory", "--sharedMemory", "--maximumMemory", "65536", "--enable", "simd", "--enable", "threads"],
];

/** Characters of base64 on a line. */
const LINE = 112;

/**
 * Compiles the kernels.
 *
 * @returns the text of `kernels.generated.ts`; the same sources give the same text on every machine
 * @throws Error with the compiler's messages, if the sources do not compile or give warnings
 */
export async function buildKernels(): Promise<string> {
  const relaxed = await compile([...OPTIONS, "--enable", "relaxed-simd"]);
  const plain = await compile(OPTIONS);
  return `// Compiled from assembly/*.ts by tasks/build_wasm.ts with assemblyscript ${asc.version}. Do not edit.
// deno-fmt-ignore-file

/** Base64 of the kernels with fused multiply-add (relaxed SIMD). */
export const RELAXED_KERNELS =
${quote(relaxed)}

/** Base64 of the kernels for engines without relaxed SIMD. */
export const PLAIN_KERNELS =
${quote(plain)}
`;
}

/** Runs the compiler in memory on the sources and returns the binary. */
async function compile(options: string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["index.ts", "--outFile", "kernels.wasm", ...options], {
    readFile: (name) => readSource(name),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  const messages = stderr.toString();
  if (error || messages !== "" || !binary) {
    throw new Error(`Cannot compile the WebAssembly kernels: ${messages || error?.message || "no binary was written"}`);
  }
  return binary;
}

/** The compiler asks for its own files and for alternatives of a name, too: those are not ours, and null says so. */
async function readSource(name: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(new URL(name, SOURCES));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A string literal over several lines. */
function quote(binary: Uint8Array): string {
  const lines = binary.toBase64().match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return lines.map((line) => `  "${line}"`).join(" +\n") + ";";
}

if (import.meta.main) {
  const built = await buildKernels();
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(GENERATED, built);
  } else if (await Deno.readTextFile(GENERATED) !== built) {
    console.error(
      "core/backend/cpu/wasm/kernels.generated.ts is not what its sources compile to: run tasks/build_wasm.ts",
    );
    Deno.exit(1);
  }
}
