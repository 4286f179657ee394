/**
 * The command line: `opdf VERB`, or `deno task VERB`. Each verb is a file of this folder.
 *
 * @module
 */
import { Command } from "commander";
import "../core/deno/install.ts";
import { VERSION } from "../core/version.ts";
import { addAssess } from "./assess.ts";
import { addBench } from "./bench.ts";
import { addCompare } from "./compare.ts";
import { addCompile } from "./compile.ts";
import { addDecompose } from "./decompose.ts";
import { addDemo } from "./demo.ts";
import { addDistill } from "./distill.ts";
import { addDoctor } from "./doctor.ts";
import { addEvaluate } from "./evaluate.ts";
import { addExport } from "./export.ts";
import { addInit } from "./init.ts";
import { addMerge } from "./merge.ts";
import { addPlugin } from "./plugin.ts";
import { addPlugins } from "./plugins.ts";
import { addPredict } from "./predict.ts";
import { addReport } from "./report.ts";
import { addServe } from "./serve.ts";
import { endProgram, isConfined } from "./support/confine.ts";
import { endingOf } from "./support/errors.ts";
import { standardOutput } from "./support/output.ts";
import { addSweep } from "./sweep.ts";
import { addTeach } from "./teach.ts";
import { addTrain } from "./train.ts";
import { addTune } from "./tune.ts";
import { addWorker } from "./worker.ts";

/** The program with all its verbs; what goes wrong is thrown, not told. */
export function createProgram(): Command {
  const program = new Command("opdf")
    .description("Over-parameterised distillation (OPDF): train with chains of cores, save a plain small model")
    .version(VERSION)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput(outputs());
  const verbs = [
    addInit,
    addDistill,
    addTrain,
    addTeach,
    addEvaluate,
    addAssess,
    addPredict,
    addServe,
    addExport,
    addCompare,
    addSweep,
    addTune,
    addWorker,
    addReport,
    addDecompose,
    addMerge,
    addDoctor,
    addPlugins,
    addPlugin,
    addBench,
    addCompile,
    addDemo,
  ];
  for (const add of verbs) add(program);
  return program;
}

/** Commander asks the environment how wide and how colourful a terminal is, which takes permissions; this does not. */
function outputs() {
  const [out, err] = [standardOutput("stdout"), standardOutput("stderr")];
  return {
    writeOut: out.write,
    writeErr: err.write,
    // Usage errors are told like all others, by main.
    outputError: () => {},
    getOutHelpWidth: out.columns,
    getErrHelpWidth: err.columns,
    getOutHasColors: () => out.terminal && !Deno.noColor,
    getErrHasColors: () => err.terminal && !Deno.noColor,
  };
}

/**
 * Runs the program.
 *
 * @param args what stands after the program's name
 * @returns its exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    const { message, code } = endingOf(error, args.includes("--verbose"));
    try {
      if (message !== "") standardOutput("stderr").line(message);
    } catch {
      // There is nowhere left to say it; the exit code does.
    }
    return code;
  }
}

if (import.meta.main || isConfined()) {
  const ended = main(Deno.args).then((code) => endProgram(code));
  // The thread that waits for the confined program is woken by having nothing left to do: it must not await.
  if (isConfined()) await ended;
}
