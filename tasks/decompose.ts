import type { Command } from "commander";
import { Device } from "../core/device.ts";
import { UserError } from "../core/errors.ts";
import { automaticFactors } from "../core/mpo/automatic_shapes.ts";
import { decomposeMatrix } from "../core/mpo/decompose.ts";
import { type Gauge, GAUGES } from "../core/mpo/gauge.ts";
import { linearAlgebraOn } from "../core/mpo/linear_algebra.ts";
import { reportDecomposition, showDecomposition } from "../core/mpo/report.ts";
import type { Factors } from "../core/mpo/shapes.ts";
import type { Truncation } from "../core/mpo/truncate.ts";
import { nearest } from "../core/nearest.ts";
import { listWords } from "../core/recipe/words.ts";
import { withBackend } from "./support/backend.ts";
import { writeChain } from "./support/chain_file.ts";
import { addVerbose } from "./support/flags.ts";
import { modelSizes, showModelSizes } from "./support/model_sizes.ts";
import { readMatrix } from "./support/matrix_file.ts";
import { numberInRange, wholeNumber, wholeNumbers } from "./support/numbers.ts";
import { standardOutput } from "./support/output.ts";

interface DecomposeFlags {
  readonly model?: string;
  readonly tensor?: string;
  readonly rows?: string;
  readonly cols?: string;
  readonly cores?: string;
  readonly increaseRate?: string;
  readonly gauge: string;
  readonly maxRank?: string;
  readonly tolerance?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Adds the verb `decompose`: shows what over-parameterisation makes of one weight. */
export function addDecompose(program: Command): void {
  addVerbose(
    program.command("decompose").description("decompose a matrix of a safetensors file into a chain of cores (MPO)")
      .argument("[file]", "safetensors file")
      .option("--model <folder>", "instead of a matrix: how large a whole model grows in training (needs config.json)")
      .option("--tensor <name>", "which tensor; a convolution kernel is the matrix outputs x everything else")
      .option("--rows <factors>", "factors of the rows, one for each core, as in 32,1,24; with --cols")
      .option("--cols <factors>", "factors of the columns")
      .option("--cores <number>", "number of cores, factors chosen automatically")
      .option("--increase-rate <rate>", "parameters wanted, over those of the matrix; factors chosen automatically")
      .option("--gauge <gauge>", "balanced, left-canonical or right-canonical", "balanced")
      .option("--max-rank <number>", "cut bonds to at most this")
      .option("--tolerance <part>", "cut bonds as far as this relative error allows")
      .option("--out <file>", "write the cores as safetensors; merge makes the matrix of them again")
      .option("--json", "print the report as JSON"),
  ).action(async (file: string | undefined, flags: DecomposeFlags) => {
    if ((file === undefined) === (flags.model === undefined)) {
      throw new UserError("Expected a safetensors file, or --model with a model folder");
    }
    await (file === undefined ? showModel(flags.model!, flags) : decompose(file, flags));
  });
}

/** Options that are about a matrix. */
const OF_A_MATRIX = ["tensor", "rows", "cols", "increaseRate", "maxRank", "tolerance", "out"] as const;

async function showModel(folder: string, flags: DecomposeFlags): Promise<void> {
  const wrong = OF_A_MATRIX.find((key) => flags[key] !== undefined);
  if (wrong) {
    const flag = wrong.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UserError(`--${flag} ${flags[wrong]}: Expected a safetensors file: it is about one matrix`);
  }
  const cores = flags.cores === undefined ? undefined : [wholeNumber("--cores", flags.cores)];
  const sizes = await modelSizes(folder, cores);
  const out = standardOutput("stdout");
  if (flags.json) return out.line(JSON.stringify(sizes, null, 2));
  for (const line of showModelSizes(sizes)) out.line(line);
}

async function decompose(file: string, flags: DecomposeFlags): Promise<void> {
  const matrix = await readMatrix(file, flags.tensor);
  const options = { ...factorsOf(flags, matrix), ...truncationOf(flags), gauge: gaugeOf(flags.gauge) };
  // For its threads, or the library that it has.
  const decomposition = await withBackend(
    "cpu",
    () => {},
    (backend) =>
      decomposeMatrix(matrix.numbers, matrix.rows, matrix.cols, {
        ...options,
        linearAlgebra: linearAlgebraOn(new Device(backend)),
      }),
  );
  const report = reportDecomposition(matrix.numbers, decomposition);
  const tensor = flags.tensor!;
  const { shape } = matrix;
  if (flags.out !== undefined) {
    await writeChain(flags.out, { tensor, shape, chain: decomposition.chain }, decomposition.gauge);
  }
  const out = standardOutput("stdout");
  if (flags.json) return out.line(JSON.stringify({ file, tensor, shape, ...report }, null, 2));
  out.line(`tensor          ${tensor} [${shape.join(", ")}]`);
  out.line(showDecomposition(report));
  if (flags.out !== undefined) out.line(`\nwritten to ${flags.out}`);
}

/** How the flags say that the matrix is split. */
function factorsOf(
  { rows, cols, cores, increaseRate }: DecomposeFlags,
  matrix: { readonly rows: number; readonly cols: number },
): Factors {
  const given = [(rows ?? cols) !== undefined, cores !== undefined, increaseRate !== undefined].filter(Boolean).length;
  if (given !== 1 || (rows === undefined) !== (cols === undefined)) {
    throw new UserError("Expected one of --rows with --cols, --cores, or --increase-rate");
  }
  if (rows !== undefined) return { rows: wholeNumbers("--rows", rows), cols: wholeNumbers("--cols", cols!) };
  const size = { rows: matrix.rows, cols: matrix.cols };
  if (cores !== undefined) return automaticFactors({ ...size, cores: wholeNumber("--cores", cores, 2) });
  const rate = numberInRange("--increase-rate", increaseRate!, "a number above 1", (value) => value > 1);
  return automaticFactors({ ...size, increaseRate: rate });
}

function truncationOf({ maxRank, tolerance }: DecomposeFlags): Truncation {
  const isTolerance = (value: number) => value >= 0 && value < 1;
  return {
    maxRank: maxRank === undefined ? undefined : wholeNumber("--max-rank", maxRank),
    tolerance: tolerance === undefined
      ? undefined
      : numberInRange("--tolerance", tolerance, "a number from 0 to below 1", isTolerance),
  };
}

/** `left` and `right` are short for the canonical gauges. */
function gaugeOf(name: string): Gauge {
  const gauge = GAUGES.find((gauge) => gauge === name || gauge === `${name}-canonical`);
  if (gauge) return gauge;
  const near = nearest(name, GAUGES);
  throw new UserError(`--gauge ${name}: Expected ${listWords(GAUGES, "or")}${near ? `: did you mean "${near}"?` : ""}`);
}
