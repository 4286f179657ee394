/**
 * `deno task bench`: times our engines and others on the same work, each case in a process of its own, one after the
 * other. See `protocol.ts` for how, `workload.ts` for what.
 */
import { UserError } from "../../core/errors.ts";
import { ceilingSchema, collect, kernelSchema, pipelineSchema, resultSchema } from "./collect.ts";
import { denoScript, type EngineEntry, engines } from "./engines.ts";
import { type KernelReport, kernelTable } from "./kernels/report.ts";
import { median } from "../support/median.ts";
import type { Result } from "./protocol.ts";
import { type Row, table } from "./table.ts";
import { verify } from "./verify.ts";
import { type Case, cases } from "./workload.ts";
import type { Ceiling } from "./ceiling.ts";
import type { PipelineResult } from "./pipeline/run.ts";
import { type PipelineFailure, pipelineTable } from "./pipeline/table.ts";
import { type PipelineCase, type PipelineCaseName, pipelineCases } from "./pipeline/variants.ts";

const pipelineNames = Object.keys(pipelineCases) as PipelineCaseName[];
/**
 * Everything that `--cases` can name: work that other engines do, too, comparisons of our own pipeline, and `gpu`, our
 * kernels at the sizes of real networks.
 */
export const allCases: readonly (Case | PipelineCaseName | "gpu")[] = [...cases, ...pipelineNames, "gpu"];
/** The quickstart's data, and a teacher with random weights in a temporary folder. */
const pipelinePermissions = ["--allow-read", "--allow-write", "--allow-env"];

/** The cases and engines to run. */
export interface BenchOptions {
  /** Cases by name; all by default. */
  cases?: string[];
  /** Engines by name; all by default. */
  engines?: string[];
  /** A file to write the report to. */
  json?: string;
  /** Samples of each case; five by default. */
  repeats?: number;
  /** Leave out what takes most of a minute on a software adapter: jax-js on resnet8, and `gpu`. */
  quick?: boolean;
  /** When to give up on a process; 180 s by default. */
  timeoutSeconds?: number;
  /** The Python that has the peers; those on PATH and of the system by default. */
  python?: string;
  /** Takes the lines of the table; stdout by default. */
  print?: (line: string) => void;
  /** Takes lines about progress; stderr by default. */
  progress?: (line: string) => void;
}

/** The results of the benchmark. */
export interface BenchReport {
  deno: string;
  system: string;
  cores: number;
  /**
   * Processes that wanted a core in the minute before (0 where the system does not say): more than a few spoil times.
   */
  loadBefore: number;
  date: string;
  /** Absent without an adapter. */
  ceiling?: Ceiling;
  rows: Row[];
  /** Our own pipeline in several variants. */
  pipeline: (PipelineResult | PipelineFailure)[];
  /** Our kernels one by one, or why they could not be measured; absent unless the case `gpu` was asked for. */
  kernels?: KernelReport | { reason: string };
}

/**
 * Runs the benchmark, prints its table and, where asked, writes it as JSON. An engine that is missing or fails is a row
 * that says why.
 *
 * @param options what to run
 * @returns the report
 * @throws UserError for a case or an engine that does not exist, for repeats below 1, and if the file cannot be written
 *
 * @example
 * ```ts
 * await runBench({ cases: ["matmul"], engines: ["ours-webgpu", "tfjs"], json: "bench.json" });
 * ```
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchReport> {
  const { json, repeats = 5, quick = false, timeoutSeconds = 180, python } = options;
  const { print = console.log, progress = console.error } = options;
  const chosen = choose("case", options.cases, allCases, (name) => name);
  const chosenCases = cases.filter((name) => chosen.includes(name));
  const chosenEngines = choose("engine", options.engines, engines, (engine) => engine.name);
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new UserError(`Cannot take ${repeats} samples: --repeats must be a whole number from 1`);
  }
  const cores = navigator.hardwareConcurrency, loadBefore = Deno.loadavg()[0];
  if (loadBefore > cores / 2) {
    progress(`The machine is busy (load ${loadBefore.toFixed(1)} on ${cores} cores): times and ratios will be off`);
  }
  let kernels: BenchReport["kernels"];
  if (chosen.includes("gpu") && chosenEngines.some(({ name }) => name === "ours-webgpu")) {
    if (quick) kernels = { reason: "left out by --quick" };
    else {
      progress("Measuring our kernels one by one, which takes some minutes");
      const outcome = await collect([denoScript("kernels/run.ts", [], ["--allow-read"])], kernelSchema, timeoutSeconds);
      kernels = "reason" in outcome ? outcome : outcome.result;
    }
    for (const line of "reason" in kernels ? [`gpu  not available: ${kernels.reason}`] : kernelTable(kernels)) {
      print(line);
    }
  }
  // What is held against them: the kernels above are, against those that their own process measured.
  const measured = async () => {
    progress("Measuring the adapter's ceilings");
    return await collect([denoScript("ceiling_run.ts")], ceilingSchema, timeoutSeconds);
  };
  const ceiling = chosenCases.length > 0 ? await measured() : null;
  const rows: Row[] = [];
  for (const name of chosenCases) {
    const results = new Map<string, Result>();
    for (const engine of chosenEngines.filter((engine) => engine.cases.includes(name))) {
      if (quick && engine.slow?.includes(name)) {
        rows.push({ case: name, engine: engine.label, reason: "left out by --quick" });
        continue;
      }
      progress(`Running ${name} on ${engine.label}`);
      const commands = engine.commands(name, python === undefined ? undefined : [python]);
      const row = await runEngineProcess(engine, name, commands, { repeats, timeoutSeconds }, results);
      const onGpu = engine.comparedWith === "ours-webgpu" && ceiling && "result" in ceiling;
      rows.push(onGpu && row.result?.gflops ? { ...row, ofPeak: row.result.gflops / ceiling.result.gflops } : row);
    }
  }
  const pipeline: BenchReport["pipeline"] = [];
  for (const name of pipelineNames.filter((name) => chosen.includes(name))) {
    const large = (pipelineCases[name] as PipelineCase).large ?? false;
    for (const backend of ["webgpu", "cpu"] as const) {
      if (!chosenEngines.some((engine) => engine.name === `ours-${backend}`)) continue;
      if (large && (quick || backend === "webgpu")) {
        const reason = quick ? "left out by --quick" : "left out: it takes minutes on a software adapter";
        pipeline.push({ case: name, backend, reason });
        continue;
      }
      progress(`Running ${name} on ours ${backend}`);
      // Its memory is what matters there, and a step takes seconds.
      const samples = large ? Math.min(repeats, 2) : repeats;
      const command = denoScript("pipeline/run.ts", [name, backend, `--repeats=${samples}`], pipelinePermissions);
      const outcome = await collect([command], pipelineSchema, timeoutSeconds);
      pipeline.push("reason" in outcome ? { case: name, backend, reason: outcome.reason } : outcome.result);
    }
  }
  const report: BenchReport = {
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    cores,
    loadBefore,
    date: new Date().toISOString(),
    ceiling: ceiling && "result" in ceiling ? ceiling.result : undefined,
    rows,
    pipeline,
    kernels,
  };
  if (ceiling) { for (const line of table(rows, ceiling)) print(line); }
  if (pipeline.length > 0) { for (const line of pipelineTable(pipeline)) print(line); }
  if (json) await writeReport(json, report);
  return report;
}

/** @param results those of the case so far, by engine: ours are first, for the others to be compared with */
async function runEngineProcess(
  engine: EngineEntry,
  name: Case,
  commands: readonly (readonly string[])[],
  { repeats, timeoutSeconds }: { readonly repeats: number; readonly timeoutSeconds: number },
  results: Map<string, Result>,
): Promise<Row> {
  const repeated = commands.map((command) => [...command, `--repeats=${repeats}`]);
  const outcome = await collect(repeated, resultSchema, timeoutSeconds);
  if ("reason" in outcome) return { case: name, engine: engine.label, reason: `not available: ${outcome.reason}` };
  const { result } = outcome;
  try {
    verify(result);
  } catch (error) {
    return { case: name, engine: engine.label, reason: `not available: ${(error as Error).message}` };
  }
  results.set(engine.name, result);
  const ours = results.get(engine.comparedWith);
  const timesOurs = ours && median(result.seconds) / median(ours.seconds);
  return { case: name, engine: `${result.engine} ${result.version}`, result, timesOurs };
}

/** The entries that were asked for, in the order of the list. */
function choose<T>(kind: string, wanted: string[] | undefined, all: readonly T[], nameOf: (entry: T) => string): T[] {
  if (!wanted) return [...all];
  const names = all.map(nameOf);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UserError(`Cannot benchmark the ${kind} "${unknown}": the ${kind}s are ${names.join(", ")}`);
  }
  return all.filter((entry) => wanted.includes(nameOf(entry)));
}

async function writeReport(file: string, report: BenchReport): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await Deno.writeTextFile(temporary, JSON.stringify(report, null, 2) + "\n");
    await Deno.rename(temporary, file);
  } catch (error) {
    throw new UserError(`Cannot write the benchmark's report to ${file}: ${(error as Error).message}`);
  }
}
