import { z } from "zod";
import { unavailable } from "./engines.ts";
import type { Ceiling } from "./ceiling.ts";
import type { KernelReport } from "./kernels/report.ts";
import type { PipelineResult } from "./pipeline/run.ts";
import { type PipelineCaseName, pipelineCases } from "./pipeline/variants.ts";
import type { Result } from "./protocol.ts";
import { cases } from "./workload.ts";

/** A script's result, or why there is none. */
export type Outcome<T> = { result: T } | { reason: string };

/** The line of JSON that an engine's script prints. */
export const resultSchema: z.ZodType<Result> = z.object({
  engine: z.string(),
  version: z.string(),
  case: z.enum(cases),
  size: z.number(),
  first: z.number(),
  seconds: z.array(z.number()).min(1),
  stepsPerSample: z.number(),
  gflops: z.number().optional(),
  values: z.array(z.tuple([z.number(), z.number()])),
  error: z.number().optional(),
  note: z.string().optional(),
});

/** The line of JSON that `pipeline/run.ts` prints. */
export const pipelineSchema: z.ZodType<PipelineResult> = z.object({
  case: z.enum(Object.keys(pipelineCases) as [PipelineCaseName, ...PipelineCaseName[]]),
  backend: z.enum(["webgpu", "cpu"]),
  rows: z.array(z.object({
    variant: z.string(),
    first: z.number(),
    images: z.number(),
    parameters: z.number(),
    seconds: z.array(z.number()).min(1),
    timesFirst: z.number(),
    memoryTimesFirst: z.number(),
    peakBytes: z.number(),
    liveBytes: z.number(),
    liveBytesBefore: z.number(),
  })),
});

/** The line of JSON that `ceiling_run.ts` prints. */
export const ceilingSchema: z.ZodType<Ceiling> = z.object({
  adapter: z.string(),
  gflops: z.number(),
  gigabytesPerSecond: z.number(),
});

/** The line of JSON that `kernels/run.ts` prints. */
export const kernelSchema: z.ZodType<KernelReport> = z.object({
  ceiling: ceilingSchema,
  batch: z.number(),
  rows: z.array(z.object({
    network: z.string(),
    name: z.string(),
    size: z.string(),
    seconds: z.number().optional(),
    bytes: z.number().optional(),
    operations: z.number().optional(),
    dispatches: z.number().optional(),
    ofBandwidth: z.number().optional(),
    ofPeak: z.number().optional(),
    error: z.number().optional(),
    reason: z.string().optional(),
  })).min(1),
});

/**
 * A first step is cold only if the driver does not find its kernels on disk: on Mesa it is several times faster in the
 * second process. Other drivers ignore these.
 */
const coldEnvironment = { MESA_SHADER_CACHE_DISABLE: "true", __GL_SHADER_DISK_CACHE: "0", NO_COLOR: "1" };

/**
 * Runs commands one after the other until one is there, and reads the JSON on the last line that it prints.
 *
 * @param commands programs with their arguments
 * @param schema what the JSON must hold
 * @param timeoutSeconds when to end a program that does not
 * @returns the JSON, or the reason in one line; it never throws for what a program does
 */
export async function collect<T>(
  commands: string[][],
  schema: z.ZodType<T>,
  timeoutSeconds: number,
): Promise<Outcome<T>> {
  let outcome: Outcome<T> = { reason: "no command" };
  for (const command of commands) {
    const { code, stdout, reason } = await run(command, timeoutSeconds);
    outcome = reason === undefined ? parse(stdout, schema) : { reason };
    if (code !== undefined && code !== unavailable) break;
  }
  return outcome;
}

/** `code` is left out where the program could not be started. */
async function run([program, ...args]: string[], timeoutSeconds: number) {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, env: coldEnvironment, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
  } catch (error) {
    return { stdout: "", reason: `${program} cannot be started: ${(error as Error).message}` };
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended in the same moment.
    }
  }, timeoutSeconds * 1000);
  const output = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder();
  let reason: string | undefined;
  if (late) reason = `it took longer than ${timeoutSeconds} s`;
  else if (!output.success) reason = lastWords(text.decode(output.stderr)) ?? `it ended with code ${output.code}`;
  return { code: output.code, stdout: text.decode(output.stdout), reason };
}

/** The error in what a program wrote: Deno's own line, else the last one, where Python has its exception. */
function lastWords(stderr: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const lines = stderr.replaceAll(/\x1b\[[0-9;]*m/g, "").split("\n").map((line) => line.trim()).filter(Boolean);
  const line = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1);
  return line?.replace(/^error: (Uncaught )?(\(in promise\) )?/, "");
}

function parse<T>(stdout: string, schema: z.ZodType<T>): Outcome<T> {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    const { success, data, error } = schema.safeParse(JSON.parse(line));
    return success ? { result: data } : { reason: `its output is wrong: ${z.prettifyError(error)}` };
  } catch {
    return { reason: `its output is not JSON: "${line.slice(0, 80)}"` };
  }
}
