import type { Command } from "commander";
import { engines } from "./bench/engines.ts";
import { allCases, runBench } from "./bench/run.ts";
import { sources } from "./support/checkout.ts";
import { addVerbose } from "./support/flags.ts";
import { wholeNumber } from "./support/numbers.ts";

interface BenchFlags {
  readonly cases?: string;
  readonly engines?: string;
  readonly repeats: string;
  readonly timeout: string;
  readonly python?: string;
  readonly quick?: boolean;
  readonly json?: string;
}

/** Adds the verb `bench`: times our engines and others on the same work. */
export function addBench(program: Command): void {
  addVerbose(
    program.command("bench").description("time our backends and other engines on the same work")
      .option("--cases <names>", `of ${allCases.join(",")} (default: all)`)
      .option("--engines <names>", `of ${engines.map(({ name }) => name).join(",")} (default: all)`)
      .option("--repeats <number>", "samples of each case", "5")
      .option("--timeout <seconds>", "when to give up on an engine", "300")
      .option("--python <path>", "Python of PyTorch and NumPy (default: python3 on PATH, or /usr/bin/python3)")
      .option("--quick", "leave out what takes a peer most of a minute on a software adapter")
      .option("--json <file>", "write the report as JSON"),
  ).action(async ({ cases, engines, repeats, timeout, python, quick, json }: BenchFlags) => {
    sources("benchmark");
    await runBench({
      cases: cases?.split(","),
      engines: engines?.split(","),
      repeats: wholeNumber("--repeats", repeats),
      timeoutSeconds: wholeNumber("--timeout", timeout),
      python,
      quick,
      json,
    });
  });
}
