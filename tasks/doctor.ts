import type { Command } from "commander";
import { compileKernels } from "../core/backend/cpu/wasm/load.ts";
import { type BackendChoice, openBackend } from "../core/backend/open_backend.ts";
import { DeviceError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { type AdapterReport, hintsFor, listAdapters } from "./support/adapters.ts";
import { describeBackend, withBackend } from "./support/backend.ts";
import { addVerbose } from "./support/flags.ts";
import { grouped, scientific } from "./support/format.ts";
import { type Output, standardOutput, stylesOf } from "./support/output.ts";
import { type Check, selfTest } from "./support/self_check.ts";
import { alignColumns } from "./support/table.ts";

/** Adds the verb `doctor`: says what this machine can compute with, and whether it computes rightly. */
export function addDoctor(program: Command): void {
  addVerbose(
    program.command("doctor").description("show what this machine computes with, test it, and say what would help"),
  ).action(() => examine(standardOutput("stdout")));
}

async function examine(out: Output): Promise<void> {
  const { strong } = stylesOf(out);
  const section = (title: string, rows: string[][]) => {
    out.line(`${strong(title)}`);
    for (const line of alignColumns(rows, ["left"])) out.line(`  ${line}`);
  };
  section("Program", systemRows());
  const adapters = await listAdapters();
  for (const adapter of adapters) section("WebGPU adapter", adapterRows(adapter));
  if (adapters.length === 0) section("WebGPU adapter", [["none"]]);

  const automatic = await openBackend("auto");
  await automatic.backend.close();
  section("--backend auto", [[describeBackend(automatic, "auto")]]);

  const tested = adapters.length > 0 ? ["cpu", "webgpu"] as const : ["cpu"] as const;
  const checks = new Map<string, Check[]>();
  for (const name of tested) checks.set(name, await testBackend(name));
  section(
    "Self-test, largest relative error against float64",
    [...checks].flatMap(([name, results]) => checkRows(name, results)),
  );

  const environment = { os: Deno.build.os, runtimeFolder: Deno.env.get("XDG_RUNTIME_DIR") };
  const hints = hintsFor(adapters, environment);
  if (hints.length > 0) section("Hints", hints.map((hint) => [hint]));
  const failed = [...checks].filter(([, results]) => results.some(({ passed }) => !passed)).map(([name]) => name);
  if (failed.length > 0) {
    throw new DeviceError(`The self-test failed on ${failed.join(" and ")}: do not trust what is computed there`);
  }
}

async function testBackend(choice: BackendChoice): Promise<Check[]> {
  return await withBackend(choice, () => {}, selfTest);
}

function systemRows(): string[][] {
  const { deno, v8 } = Deno.version;
  const { relaxed } = compileKernels();
  return [
    ["opdf", VERSION],
    ["Deno", `${deno} (V8 ${v8})`],
    ["system", `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} processors`],
    ["WebAssembly", relaxed ? "SIMD and relaxed SIMD (fused multiply-add)" : "SIMD without relaxed SIMD"],
  ];
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
