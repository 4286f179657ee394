import type { Command } from "commander";
import { Option } from "commander";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { addExperimentFlags } from "./experiment/flags.ts";
import { addQueueFlags, type QueueFlags, STORE, workerFlags } from "./queue/flags.ts";
import { allowancesOf } from "./queue/sent_grid.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { confined, writesOf } from "./support/confine.ts";
import { overridesOf, type RunFlags } from "./support/flags.ts";
import { stoppable } from "./support/interrupt.ts";
import { numberInRange } from "./support/numbers.ts";
import { standardOutput } from "./support/output.ts";
import { runReporter } from "./support/progress.ts";
import { secondsIn } from "./support/time.ts";
import { prepareTuning, resourcesOf, tune, type TuningOptions } from "./tune/run_tuning.ts";
import { showPart } from "./tune/show.ts";
import { readTuned } from "./tune/tuned_recipe.ts";

interface TuneFlags extends RunFlags, QueueFlags {
  readonly budget?: string;
  readonly space?: string;
  readonly search: "asha" | "random";
  readonly verdict: string;
  readonly output?: string;
}

/** Adds the verb `tune`: the best settings of a recipe within a time, and what each is worth. */
export function addTune(program: Command): void {
  addQueueFlags(
    addExperimentFlags(
      program.command("tune").description("find the best settings of a recipe within a time, and what each is worth")
        .argument("<recipe>", "recipe with validation examples")
        .option("--budget <time>", "time for all of it, as in 90s, 30m or 1h30m; must be given")
        .option("--space <file>", "what may be changed (default: by the recipe, as --dry-run prints it)")
        .addOption(
          new Option("--search <way>", "successive halving, or random search").choices(["asha", "random"]).default(
            "asha",
          ),
        )
        .option(
          "--verdict <part>",
          "part of the time that is kept to measure what each change is worth; 0: none",
          "0.5",
        )
        .option(
          "--seed <number>",
          "seed of the search and of its runs (default: the recipe's); the verdict's are those after it",
        )
        .option("--resume", "go on with the tuning in the folder, also with a larger budget")
        .option("--dry-run", "print the space as a file for --space, and how long a run takes; leave nothing")
        .option("--no-report", "draw no report.html, of the tuning or of the best run"),
      "runs/tune- and the recipe's name",
    ),
    "have the workers of a queue train the trials: redis://host:port/database",
  ).action(async (file: string, flags: TuneFlags) => {
    const clock = () => performance.now() / 1000;
    const started = clock();
    if (flags.budget === undefined) throw new UserError("Cannot tune without end: --budget 30m says how long");
    if (flags.dryRun && flags.resume) {
      throw new UserError("Cannot resume in a dry run: leave out --resume or --dry-run");
    }
    if (flags.dryRun && flags.queue !== undefined) {
      throw new UserError("Expected --dry-run alone: it measures how long a run takes on this machine");
    }
    const budget = secondsIn(flags.budget);
    if (budget === null) {
      throw new UserError(`--budget ${flags.budget}: Expected a time with its unit, as in 90s, 30m or 1h30m`);
    }
    const verdict = numberInRange(
      "--verdict",
      flags.verdict,
      "a part from 0 to 0.9",
      (part) => part >= 0 && part <= 0.9,
    );
    const tuned = await readTuned(file, overridesOf(flags));
    const { value: recipe } = tuned.row.recipe([]);
    const folder = flags.output ?? join("runs", `tune-${recipe.name}`);
    const { writes, network } = await allowancesOf({ queue: flags.queue, store: flags.store });
    await confined(
      [...writesOf(tuned.row.recipe([]), folder), ...writes],
      async () => {
        const plain = standardOutput("stdout");
        const out = { ...plain, rewrites: plain.rewrites && !flags.verbose };
        const warnings = standardOutput("stderr");
        const reporter = runReporter(out, warnings, flags);
        const tell = flags.dryRun ? (line: string) => reporter.line(`# ${line}`) : reporter.line;
        await withBackend(recipe.backend, tell, (backend) =>
          stoppable(async (signal) => {
            const options: TuningOptions = {
              folder,
              clock,
              started,
              budget,
              verdict,
              search: flags.search,
              space: flags.space ?? null,
              resume: flags.resume ?? false,
              report: flags.report ?? true,
              quiet: flags.quiet ?? false,
              backend,
              builtins: allowedPlugins(flags),
              signal,
              out,
              warnings,
              tell,
              sent: senderOf(flags, signal),
            };
            if (!flags.dryRun) return await tune(tuned, options);
            const { space, text } = await prepareTuning(tuned, options, { goesOn: false, dryRun: true });
            const parts = resourcesOf(tuned, space, options).map(showPart).join(", ");
            tell(`Trials are compared by trainings of these parts of their length: ${parts}`);
            tell(`A space for --space, ${space.levers.length} levers:`);
            out.write(text);
          }, () => {}), {
          f16: recipe.train.precision === "f16",
        });
      },
      true,
      network,
    );
  });
}

/** What opens the queue that flags name; `null` if they name none. What talks to queues is loaded only for one. */
function senderOf(flags: TuneFlags, signal: AbortSignal): TuningOptions["sent"] {
  const { queue, queuePasswordFile, store = STORE } = flags;
  if (queue === undefined) return null;
  return async (reporter) => {
    const { queueAddress, queuePassword } = await import("./queue/address.ts");
    const { storePlace } = await import("./queue/store.ts");
    const { QueueExecutor } = await (await import("./queue/load.ts")).queueParts();
    return await QueueExecutor.open({
      store: await storePlace(store).open(),
      builtins: allowedPlugins(flags),
      reporter,
      begin: () => Promise.resolve(),
      address: queueAddress(queue),
      workerFlags: workerFlags({ queue, queuePasswordFile, store }),
      password: await queuePassword(queuePasswordFile),
      signal,
    });
  };
}
