import assert from "node:assert/strict";
import { join } from "node:path";
import { readYaml } from "../../../core/recipe/yaml_source.ts";
import { builtins } from "../../../plugins/builtins.ts";
import type { RowResult } from "../../../tasks/experiment/run_grid.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { readJobs } from "../../../tasks/queue/jobs_folder.ts";
import { sentGrid } from "../../../tasks/queue/sent_grid.ts";
import { CHECKOUT, runTask } from "../../support/task.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";
import { listener, locally, tinyExperiment, tinyRow, workplace } from "./rig.ts";

const signal = new AbortController().signal;

/** Writes or collects the jobs of a grid. */
const sent = (experiment: Parameters<typeof sentGrid>[0], folder: string, flags: Parameters<typeof sentGrid>[2]) => {
  const { reporter } = listener();
  const sending = { builtins, reporter, signal, begin: () => Promise.resolve() };
  return sentGrid(experiment, join(folder, "out"), flags, sending);
};

Deno.test("a grid as jobs: written, done by an array of Slurm's, collected to what a local run comes to", () =>
  withTinyData(async (folder) => {
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, tinyRecipe);
    const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "tiny")], baseline: "tiny", tune: null };
    const jobs = join(folder, "jobs");
    const flags = ["--seeds", "1,2", "--set", "train.epochs=1", "--set", "student.overParameterise=[]"];
    const compare = (...more: string[]) =>
      runTask("compare", [file, ...flags, "--backend", "cpu", "--output", join(folder, "out"), ...more]);
    const written = await compare("--jobs", jobs);
    assert.deepEqual([written.code, written.stderr], [0, ""]);
    assert.match(
      written.stdout,
      /^2 jobs written to ".*jobs": commands\.txt, slurm\.sh, kubernetes\.yaml; when they are/m,
    );
    await assert.rejects(sent(experiment, folder, { collect: jobs }), {
      name: "UserError",
      message: `Cannot make the tables as 2 jobs of "${jobs}" are not done: tiny, seed 1; tiny, seed 2`,
    });
    const script = join(jobs, "slurm.sh");
    assert.match(await Deno.readTextFile(script), /^#SBATCH --array=1-2$/m);
    const task = (number: string) =>
      new Deno.Command("sh", {
        args: [script],
        cwd: CHECKOUT,
        env: { SLURM_ARRAY_TASK_ID: number, DENO: Deno.execPath(), NO_COLOR: "1" },
        stdout: "null",
        stderr: "piped",
      }).output();
    for (const { success, stderr } of await Promise.all(["1", "2"].map(task))) {
      assert.ok(success, new TextDecoder().decode(stderr));
    }
    const { parts } = await sent(experiment, folder, { collect: jobs });
    const scores = (all: readonly RowResult[]) => all[0].runs.map((run) => "summary" in run && run.summary.student);
    assert.deepEqual(scores(parts![0].results), scores(await locally(experiment, join(folder, "alone"))));
    const { spec } = readYaml(await Deno.readTextFile(join(jobs, "kubernetes.yaml"))).value as { spec: object };
    assert.deepEqual({ ...spec, template: null }, {
      completionMode: "Indexed",
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 2,
      template: null,
    });
    const commands = (await Deno.readTextFile(join(jobs, "commands.txt"))).trim().split("\n");
    assert.equal(commands[1], `deno task worker --job 2 --dir ${jobs}`);
  }));

Deno.test("a tuned grid has a second round of jobs, of what was chosen", () =>
  withTinyData(async (folder) => {
    const experiment = tinyExperiment(folder);
    const dir = join(folder, "jobs");
    const place = workplace(folder, "jobs", { store: new FolderStore(dir) });
    const round = async () => {
      assert.equal((await sent(experiment, folder, { jobs: dir })).parts, null);
      const { jobs } = await readJobs(dir);
      for (const { id } of jobs) await doRun(place, id, signal);
      return jobs.map(({ title }) => title);
    };
    assert.deepEqual(
      await round(),
      ["narrow", "wide"].flatMap((row) => ["0.05", "0.1"].map((rate) => `${row}, learningRate=${rate}, seed 1`)),
    );
    await assert.rejects(sent(experiment, folder, { collect: dir }), {
      message: `Cannot make the tables yet as 2 runs can be done now that the jobs of "${dir}" are: the same command ` +
        "with --jobs writes them",
    });
    assert.match(
      (await round()).join(),
      /^narrow, learningRate=0\.0?[15], seed 2,wide, learningRate=0\.0?[15], seed 2$/,
    );
    const { parts } = await sent(experiment, folder, { collect: dir });
    assert.deepEqual(parts![0].results.map(({ runs }) => runs.length), [2, 2]);
  }));
