import { fileURLToPath } from "node:url";
import { KNOWN_LIBRARIES } from "../../core/deno/native_libraries.ts";
import { type EncoderCase, encoders } from "./encoders.ts";
import { type Case, cases } from "./workload.ts";

/** An engine that the benchmark can run. */
export interface EngineEntry {
  /** Its name for `--engines`. */
  name: string;
  /** Its name in the table. */
  label: string;
  cases: Case[];
  /** Cases that take it most of a minute on a software adapter: `--quick` leaves them out. */
  slow?: Case[];
  /** Our engine on the same kind of device, which it is compared with. */
  comparedWith: "ours-webgpu" | "ours-cpu";
  /**
   * The commands that run one of its cases. A later one is tried only where an earlier one is not there, or ends with
   * {@link unavailable}.
   *
   * @param pythons the Pythons to try
   */
  commands(name: Case, pythons?: readonly string[]): string[][];
}

/** Exit code of a script whose library is not installed (EX_UNAVAILABLE of sysexits.h). */
export const unavailable = 69;

/** A script of this folder as a command; what it does not need it is not allowed. */
export function denoScript(file: string, argumentsAfter: string[] = [], permissions: string[] = []): string[] {
  const path = new URL(file, import.meta.url).href;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, path, ...argumentsAfter];
}

const ENCODERS = Object.keys(encoders) as EncoderCase[];

/** Debian's Python has Debian's PyTorch, but need not be the first on PATH. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** -B leaves no compiled files in the checkout. */
const pythonScript = (file: string, after: readonly string[], pythons: readonly string[] = PYTHONS) =>
  pythons.map((python) => [python, "-B", fileURLToPath(new URL(file, import.meta.url)), ...after]);

function ours(backend: "webgpu" | "cpu"): EngineEntry {
  return {
    name: `ours-${backend}`,
    label: `ours ${backend}`,
    cases: [...cases],
    slow: backend === "webgpu" ? ["encoder-minilm", "encoder-base"] : [],
    comparedWith: `ours-${backend}`,
    commands: (name) => [denoScript("ours.ts", [name, backend], ["--allow-read", "--allow-env"])],
  };
}

/** Our cpu backend with a matrix library of the system, which the program itself may not load. */
function oursNative(): EngineEntry {
  const libraries = Object.values(KNOWN_LIBRARIES).flatMap((makers) => makers.flatMap(({ paths }) => paths));
  return {
    name: "ours-native",
    label: "ours cpu, native",
    cases: ["matmul", "attention", "resnet8", "inference", ...ENCODERS],
    comparedWith: "ours-cpu",
    commands: (name) => [
      denoScript("ours.ts", [name, "native"], ["--allow-read", "--allow-env", `--allow-ffi=${libraries.join()}`]),
    ],
  };
}

function numpy(method: "svd" | "sweep", label: string, cases: Case[]): EngineEntry {
  return {
    name: `numpy-${method}`,
    label,
    cases,
    comparedWith: "ours-cpu",
    commands: (name, pythons) => pythonScript("peers/published_sweep.py", [name, `--method=${method}`], pythons),
  };
}

/** All engines, in the order of the table. */
export const engines: EngineEntry[] = [
  ours("webgpu"),
  ours("cpu"),
  oursNative(),
  {
    name: "tfjs",
    label: "tfjs webgpu",
    cases: ["matmul", "resnet8"],
    comparedWith: "ours-webgpu",
    commands: (name) => [denoScript("peers/tfjs.ts", [name])],
  },
  {
    name: "jax-webgpu",
    label: "jax-js webgpu",
    cases: ["matmul", "resnet8"],
    slow: ["resnet8"],
    comparedWith: "ours-webgpu",
    commands: (name) => [denoScript("peers/jax.ts", [name, "webgpu"])],
  },
  {
    name: "jax-wasm",
    label: "jax-js wasm",
    cases: ["matmul", "resnet8"],
    slow: ["resnet8"],
    comparedWith: "ours-cpu",
    commands: (name) => [denoScript("peers/jax.ts", [name, "wasm"])],
  },
  {
    name: "pytorch",
    label: "PyTorch CPU",
    cases: ["matmul", "attention", "resnet8", "inference", ...ENCODERS, "decompose"],
    comparedWith: "ours-cpu",
    commands: (name, pythons) => pythonScript("peers/pytorch.py", [name], pythons),
  },
  {
    name: "onnxruntime",
    label: "ONNX Runtime CPU",
    cases: ["inference"],
    comparedWith: "ours-cpu",
    commands: (name, pythons = PYTHONS) =>
      pythons.map((python) =>
        denoScript("peers/onnx.ts", [name, `--python=${python}`], [
          ...["--allow-read", "--allow-write", "--allow-env", `--allow-run=${python}`],
        ])
      ),
  },
  numpy("svd", "NumPy SVD", ["decompose", "decompose-3072"]),
  numpy("sweep", "published sweep", ["decompose"]),
];
