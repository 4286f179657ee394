import type { Command } from "commander";
import { compileKernels } from "../core/backend/cpu/wasm/load.ts";
import { type BackendChoice, openBackend } from "../core/backend/open_backend.ts";
import { DeviceError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { findLibrary, type FoundLibrary } from "../core/deno/native_libraries.ts";
import { type AdapterReport, hintsFor, listAdapters } from "./support/adapters.ts";
import { describeBackend, withBackend } from "./support/backend.ts";
import { addVerbose } from "./support/flags.ts";
import { grouped, scientific } from "./support/format.ts";
import { type Output, standardOutput, stylesOf } from "./support/output.ts";
import { type Check, selfTest } from "./support/self_check.ts";
import { type KernelReport, measureKernels } from "./bench/kernels/report.ts";
import { alignColumns } from "./support/table.ts";

/** Adds the verb `doctor`: says what this machine can compute with, and whether it computes rightly. */
export function addDoctor(program: Command): void {
  addVerbose(
    program.command("doctor").description("show what this machine computes with, test it, and say what would help")
      .option(
        "--report",
        "print all of it as JSON, with the times of kernels on the GPU, two minutes on a software adapter",
      ),
  ).action(({ report }: { report?: boolean }) => report ? printReport() : examine(standardOutput("stdout")));
}

/** All that is known of a machine, to be sent to somebody else. */
export interface MachineReport {
  readonly opdf: string;
  readonly deno: string;
  readonly system: string;
  readonly processors: number;
  /** The adapters that WebGPU gives, the one that is used first. */
  readonly adapters: readonly AdapterReport[];
  /** The self-test of each backend; an error that is no number (NaN) is `null`. */
  readonly selfTest: Readonly<Record<string, readonly Check[]>>;
  /** Kernels of real networks; `null` without an adapter. */
  readonly kernels: KernelReport | null;
}

/** Gathers the report. @param kernels measures them; for tests */
export async function reportOf(
  kernels: () => Promise<KernelReport> = () => measureKernels((line) => standardOutput("stderr").line(line)),
): Promise<MachineReport> {
  const adapters = await listAdapters();
  const checks = await selfTests(adapters);
  return {
    opdf: VERSION,
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    processors: navigator.hardwareConcurrency,
    adapters,
    selfTest: Object.fromEntries(checks),
    kernels: adapters.length > 0 ? await kernels() : null,
  };
}

/** JSON on standard output, so that no permission to write files is needed. */
async function printReport(): Promise<void> {
  const report = await reportOf();
  standardOutput("stdout").line(JSON.stringify(report, null, 2));
  refuseFailed(new Map(Object.entries(report.selfTest)));
}

/** Tests every backend that there is. */
async function selfTests(adapters: readonly AdapterReport[]): Promise<Map<string, readonly Check[]>> {
  const tested = adapters.length > 0 ? ["cpu", "webgpu"] as const : ["cpu"] as const;
  const checks = new Map<string, readonly Check[]>();
  for (const name of tested) checks.set(name, await testBackend(name));
  return checks;
}

/** @throws DeviceError naming the backends that compute wrongly */
function refuseFailed(checks: ReadonlyMap<string, readonly Check[]>): void {
  const failed = [...checks].filter(([, results]) => results.some(({ passed }) => !passed)).map(([name]) => name);
  if (failed.length === 0) return;
  throw new DeviceError(`The self-test failed on ${failed.join(" and ")}: do not trust what is computed there`);
}

async function examine(out: Output): Promise<void> {
  const { strong } = stylesOf(out);
  const section = (title: string, rows: string[][]) => {
    out.line(`${strong(title)}`);
    for (const line of alignColumns(rows, ["left"])) out.line(`  ${line}`);
  };
  section("Program", await systemRows());
  const adapters = await listAdapters();
  for (const adapter of adapters) section("WebGPU adapter", adapterRows(adapter));
  if (adapters.length === 0) section("WebGPU adapter", [["none"]]);

  const automatic = await openBackend("auto");
  await automatic.backend.close();
  section("--backend auto", [[describeBackend(automatic, "auto")]]);

  const checks = await selfTests(adapters);
  section(
    "Self-test, largest relative error against float64",
    [...checks].flatMap(([name, results]) => checkRows(name, results)),
  );

  const environment = {
    os: Deno.build.os,
    runtimeFolder: Deno.env.get("XDG_RUNTIME_DIR"),
    hasLibrary: findLibrary() !== null,
  };
  const hints = hintsFor(adapters, environment);
  if (hints.length > 0) section("Hints", hints.map((hint) => [hint]));
  refuseFailed(checks);
}

async function testBackend(choice: BackendChoice): Promise<Check[]> {
  return await withBackend(choice, () => {}, selfTest);
}

async function systemRows(): Promise<string[][]> {
  const { deno, v8 } = Deno.version;
  const { relaxed } = compileKernels();
  return [
    ["opdf", VERSION],
    ["Deno", `${deno} (V8 ${v8})`],
    ["system", `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} processors`],
    ["WebAssembly", relaxed ? "SIMD and relaxed SIMD (fused multiply-add)" : "SIMD without relaxed SIMD"],
    ["matrix library", await libraryRow(findLibrary())],
  ];
}

async function libraryRow(library: FoundLibrary | null): Promise<string> {
  if (!library) return "none at the known places";
  const { maker, path, allowed } = library;
  if (!allowed) return `${maker} (${path}), which \`deno task native VERB\` uses`;
  const { backend } = await openBackend("cpu");
  await backend.close();
  const { svd } = backend.wasm!.kernels;
  return `${maker} (${path}), ${svd ? "its LAPACK decomposes" : "without LAPACK: decompositions are WebAssembly's"}`;
}

function adapterRows({ name, software, limits, features }: AdapterReport): string[][] {
  return [
    ["name", name],
    ["kind", software ? "software: it computes on the processor" : "hardware"],
    ...Object.entries(limits).map(([limit, value]) => [limit, grouped(value)]),
    ["features", features.join(", ") || "none of those that kernels can use"],
  ];
}

function checkRows(backend: string, checks: readonly Check[]): string[][] {
  return checks.map(({ name, error, passed }) => [backend, name, scientific(error), passed ? "passed" : "FAILED"]);
}
