import assert from "node:assert/strict";
import { join } from "node:path";
import { readYaml } from "../../../core/recipe/yaml_source.ts";
import { lockFolder } from "../../../core/lock.ts";
import { VERSION } from "../../../core/version.ts";
import { builtins } from "../../../plugins/builtins.ts";
import type { RowResult } from "../../../tasks/experiment/run_grid.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { readJobs } from "../../../tasks/queue/jobs_folder.ts";
import { inRanges, kubernetesJob } from "../../../tasks/queue/scripts.ts";
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

Deno.test("a worker for jobs that are not there says so, and writes nothing", () =>
  withTinyData(async (folder) => {
    const none = join(folder, "none");
    const { code, stderr } = await runTask("worker", ["--job", "1", "--dir", none]);
    assert.deepEqual([code, stderr], [
      2,
      `Cannot find jobs in "${none}" as it has no jobs.json: compare FILE --jobs writes one\n`,
    ]);
    await assert.rejects(Deno.stat(none), Deno.errors.NotFound);
  }));

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
    let done = 0;
    const round = async () => {
      assert.equal((await sent(experiment, folder, { jobs: dir })).parts, null);
      const jobs = (await readJobs(dir)).jobs.slice(done);
      for (const { id } of jobs) await doRun(place, id, signal);
      done += jobs.length;
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

Deno.test("jobs that wait, of a recipe or a version that is another now, are not taken for done", () =>
  withTinyData(async (folder) => {
    const dir = join(folder, "jobs");
    const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "a")], baseline: "a", tune: null };
    await sent(experiment, folder, { jobs: dir });
    const changed = { ...experiment, rows: [tinyRow(folder, "a", ["student.width=6"])] };
    const none =
      `Cannot make the tables as 2 runs that are not done (a, seed 1; a, seed 2) are none of the jobs of "${dir}"`;
    const refused = (message: string) => assert.rejects(sent(changed, folder, { collect: dir }), { message });
    const others = "not done either: the recipe or its data have changed since --jobs, or the jobs are another grid's";
    await refused(`${none}, of which 2 are ${others}`);
    const { jobs } = await readJobs(dir);
    await doRun(workplace(folder, "jobs", { store: new FolderStore(dir) }), jobs[0].id, signal);
    await refused(`${none}, of which 1 is ${others}`);
    await Deno.writeTextFile(join(dir, "jobs.json"), JSON.stringify({ version: "0.0.1", jobs }));
    await refused(`${none}: these are for version 0.0.1 of the program, and this is ${VERSION}`);
  }));

Deno.test("a row that is given another's time is warned of once, before it has jobs, as it needs workers that are alike", () =>
  withTinyData(async (folder) => {
    const timed = { ...tinyRow(folder, "timed", ["student.width=6"]), equalSeconds: "slow" };
    const experiment = {
      ...tinyExperiment(folder),
      rows: [tinyRow(folder, "slow"), timed],
      baseline: "slow",
      seeds: [1],
      tune: null,
    };
    const dir = join(folder, "jobs");
    const { reporter, warnings } = listener();
    const told: number[] = [];
    const line = () => void told.push(warnings.length);
    const sending = { builtins, reporter: { ...reporter, line }, signal, begin: () => Promise.resolve() };
    const round = async () => (await sentGrid(experiment, join(folder, "out"), { jobs: dir }, sending)).parts;
    assert.equal(await round(), null);
    assert.deepEqual(warnings, [
      'the epochs of "timed", which is given the time of "slow", are taken from seconds that workers take, and are right ' +
      "only where all workers are alike",
    ]);
    assert.ok(told.every((warned) => warned === 1), "before anything is said of jobs");
    // What its epochs are taken from comes before its own.
    assert.deepEqual((await readJobs(dir)).jobs.map(({ title }) => title), ["slow, seed 1", "timed, seed 1"]);
  }));

Deno.test("jobs keep their numbers when more are written into their folder, and a scheduler is given those left", () =>
  withTinyData(async (folder) => {
    const dir = join(folder, "jobs");
    const grid = (name: string, seeds: number[]) => {
      const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, name)], baseline: name, tune: null };
      return sent({ ...experiment, seeds }, folder, { jobs: dir });
    };
    await grid("b", [1, 2, 3]);
    const { jobs: first } = await readJobs(dir);
    await doRun(workplace(folder, "jobs", { store: new FolderStore(dir) }), first[1].id, signal);
    // By title these would come before; a recipe of another name is another run.
    await grid("a", [1, 4]);
    const { jobs } = await readJobs(dir);
    assert.deepEqual(jobs.slice(0, 3), first);
    // The same recipe: its first seed is the same run.
    assert.deepEqual(jobs.slice(3).map(({ title }) => title), ["a, seed 4"]);
    const read = (name: string) => Deno.readTextFile(join(dir, name));
    assert.match(await read("slurm.sh"), /^#SBATCH --array=1,4$/m);
    assert.equal(await read("commands.txt"), [1, 4].map((n) => `deno task worker --job ${n} --dir ${dir}\n`).join(""));
    assert.match(await read("jobs/2.yaml"), /^# b, seed 2$/m);
    assert.match(await read("jobs/4.yaml"), /^# a, seed 4$/m);
    await grid("b", [2, 3]);
    assert.deepEqual((await readJobs(dir)).jobs, jobs);
    assert.match(await read("slurm.sh"), /^#SBATCH --array=3$/m);
  }));

Deno.test("two programs that write jobs into a folder at once number none twice: the second is told to wait", () =>
  withTinyData(async (folder) => {
    const dir = join(folder, "jobs");
    const write = async (name: string) => {
      const rows = [tinyRow(folder, name, [`student.width=${name === "a" ? 4 : 6}`])];
      const experiment = { ...tinyExperiment(folder), rows, baseline: name, tune: null };
      const { reporter } = listener();
      const sending = { builtins, reporter, signal, begin: () => Promise.resolve() };
      return await sentGrid(experiment, join(folder, `out-${name}`), { jobs: dir }, sending);
    };
    const both = await Promise.allSettled(["a", "b"].map(write));
    const refused = both.filter((result) => result.status === "rejected");
    for (const { reason } of refused) {
      assert.equal(reason.name, "UserError");
      assert.match(
        reason.message,
        /^Cannot write to ".*jobs" as another program writes jobs to it( \(process \d+\))?: wait/,
      );
    }
    for (const name of ["a", "b"]) await write(name);
    const titles = (await readJobs(dir)).jobs.map(({ title }) => title).sort();
    assert.deepEqual(titles, ["a, seed 1", "a, seed 2", "b, seed 1", "b, seed 2"]);
    for (const [index, { title }] of (await readJobs(dir)).jobs.entries()) {
      assert.match(await Deno.readTextFile(join(dir, "jobs", `${1 + index}.yaml`)), new RegExp(`^# ${title}$`, "m"));
    }
    // While another one holds it nothing is written.
    const lock = await lockFolder(dir, "x");
    await assert.rejects(write("c"), { name: "UserError", message: /another program writes jobs to it/ });
    lock[Symbol.dispose]();
    assert.equal((await readJobs(dir)).jobs.length, 4);
  }));

Deno.test("an indexed job of Kubernetes finds its number, in a row or not", async () => {
  for (const numbers of [[1, 2, 3], [4, 5], [1, 4, 5, 9]]) {
    const { metadata, spec } = readYaml(kubernetesJob("A grid", "/jobs", numbers)).value as {
      metadata: { name: string };
      spec: { completions: number; template: { spec: { containers: { args: string[] }[] } } };
    };
    assert.equal(metadata.name, numbers[0] === 1 ? "opdf-a-grid" : "opdf-4-a-grid");
    assert.equal(spec.completions, numbers.length);
    const [command] = spec.template.spec.containers[0].args;
    for (const [index, number] of numbers.entries()) {
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", command.replace("exec ", "exec echo ")],
        env: { JOB_COMPLETION_INDEX: `${index}` },
      }).output();
      assert.equal(new TextDecoder().decode(stdout), `deno task worker --job ${number} --dir /jobs\n`);
    }
  }
  // A worker looks for a relative folder from where it works.
  for (const [folder, path] of [["runs/jobs", "/opdf/runs/jobs"], ["/shared/jobs", "/shared/jobs"]]) {
    assert.ok(kubernetesJob("A grid", folder, [1]).includes(`mountPath: ${path}\n`), folder);
  }
  assert.deepEqual([[1], [1, 2], [2, 4, 5, 6, 9]].map(inRanges), ["1", "1-2", "2,4-6,9"]);
});
