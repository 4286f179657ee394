import assert from "node:assert/strict";
import { join } from "node:path";
import { findLibrary } from "../../core/deno/native_libraries.ts";
import { sha256 } from "../../core/sha256.ts";
import { attempts, lossThat, lossThatTries, REFUSAL } from "../support/hostile_plugin.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, type Ended, runTask, spawnDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

const few = ["--backend", "cpu", "--set", "train.maxSteps=1"];
const hostileRecipe = tinyRecipe.replace("use: cross-entropy", "use: ./hostile.ts");

/** The files of a folder, those in folders within it included, and their content. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) { for (const [inner, text] of await contentOf(path)) found.set(join(name, inner), text); }
    else found.set(name, (await Deno.readFile(path)).toBase64());
  }
  return found;
}

/** Trains with a loss of this text, beside the recipe. */
async function train(folder: string, loss: string, ...flags: string[]): Promise<Ended> {
  await Deno.writeTextFile(join(folder, "hostile.ts"), loss);
  await Deno.writeTextFile(join(folder, "recipe.yaml"), hostileRecipe);
  return await runTask("train", [join(folder, "recipe.yaml"), "--out", join(folder, "run"), ...few, ...flags]);
}

Deno.test("a hostile loss gets from distill what the page of security says, way by way, and no more", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["train.maxSteps=1"] });
    const at = (name: string) => join(folder, name);
    await Deno.writeTextFile(at("key"), "secret");
    await Deno.writeTextFile(at("other.ts"), "export default 1;");
    await Deno.writeTextFile(at("hostile.ts"), lossThatTries({ outside: folder, run: at("run"), checkout: CHECKOUT }));
    const taught = "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student, cache: cache }\nstudent:";
    await Deno.writeTextFile(at("recipe.yaml"), hostileRecipe.replace("student:", taught));
    const before = await contentOf(folder);
    const source = await contentOf(join(CHECKOUT, "core"));
    const { code, stdout, stderr } = await runTask("distill", [at("recipe.yaml"), "--out", at("run"), ...few]);
    assert.deepEqual([code, stderr.match(/Internal/)], [0, null], stderr);

    const tried: { attempt: number; way: number; error: string | null }[] = stdout.split("\n")
      .filter((line) => line.startsWith('{"attempt"')).map((line) => JSON.parse(line));
    assert.equal(tried.length, attempts.flatMap(({ ways }) => ways).length);
    const other = tried.filter(({ attempt, error }) =>
      attempts[attempt].outcome === "works" ? error !== null : error === null || !REFUSAL.test(error)
    );
    assert.deepEqual(other.map(({ attempt, way, error }) => [attempts[attempt].ways[way], error]), []);

    const after = await contentOf(folder);
    for (const [name, bytes] of before) assert.equal(after.get(name), bytes, name);
    const added = [...after.keys()].filter((name) => !before.has(name) && !/^(run|cache)\b/.test(name));
    assert.deepEqual(added, []);
    assert.deepEqual(await contentOf(join(CHECKOUT, "core")), source);
  }));

Deno.test("the page of security has the same attempts with the same outcomes, and no others", async () => {
  const page = await Deno.readTextFile(join(CHECKOUT, "plugins", "SECURITY.md"));
  const [, table] = page.split("## What it can reach");
  const rows = Array.from(table.split("\n## ")[0].matchAll(/^\| (.*?) +\| (works|refused)/gm), ([, what, outcome]) => ({
    what,
    outcome,
  }));
  assert.deepEqual(rows, attempts.map(({ what, outcome }) => ({ what, outcome })));
});

const library = findLibrary();

Deno.test({
  name: "a run by the task native has given up loading a library, and the network, before a plug-in's code runs",
  ignore: !library && Deno.env.get("CI") !== "true",
  fn: () =>
    withTinyData(async (folder) => {
      const load = `Deno.dlopen(${JSON.stringify(library!.path)}, {})`;
      const inWorker = `await new Promise((resolve, reject) => {
        const source = ${JSON.stringify(`try { ${load} } catch (error) { self.postMessage(error.name); }`)};
        const worker = new Worker("data:text/javascript," + encodeURIComponent(source),
          { type: "module", deno: { permissions: { ffi: ["${library!.path}"] } } });
        worker.onmessage = ({ data }) => reject(new Error(data));
        worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
      })`;
      const listen = `try {
          Deno.listen({ hostname: "127.0.0.1", port: 0 }).close();
          throw new Error("it listens");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotCapable)) throw error;
        }`;
      const losses = [lossThat(`${listen};\n${load}`), lossThat(inWorker), `${load};\n${lossThat("")}`];
      for (const loss of losses) {
        await Deno.writeTextFile(join(folder, "hostile.ts"), loss);
        await Deno.writeTextFile(join(folder, "recipe.yaml"), hostileRecipe);
        const args = ["train", join(folder, "recipe.yaml"), "--out", join(folder, "run"), ...few];
        const { code, stdout, stderr } = await runTask("native", args);
        assert.match(stdout, /matrix products by/);
        assert.match(stderr, /Requires ffi access|NotCapable|escalate/i);
        assert.equal(code, 2, stderr);
      }
      // A comparison, which loads the library for each run, does without: also where a flag or a tuned value says it.
      await Deno.writeTextFile(join(folder, "hostile.ts"), losses[0]);
      await Deno.writeTextFile(join(folder, "recipe.yaml"), tinyRecipe);
      const set = `losses=[{ use: ${JSON.stringify(join(folder, "hostile.ts"))} }]`;
      const args = [
        "compare",
        join(folder, "recipe.yaml"),
        "--seeds",
        "1",
        "--output",
        join(folder, "compared"),
        ...few,
      ];
      const { code, stdout, stderr } = await runTask("native", [...args, "--set", set]);
      assert.doesNotMatch(stdout, /matrix products by/);
      assert.match(stderr, /Requires ffi access|NotCapable/i);
      assert.equal(code, 2, stderr);
    }),
});

Deno.test("whatever ends the program from within is no success: a sentence and an exit code say so", () =>
  withTinyData(async (folder) => {
    const ends = [
      "Deno.exit(0)",
      "self.close(); await new Promise(() => {})",
      `(await import("node:process")).default.exit(0)`,
    ];
    for (const end of ends) {
      const { code, stderr } = await train(folder, lossThat(end));
      const says =
        "The program was ended from within before it was done, as by Deno.exit in a plug-in: nothing of this " +
        "run is to be trusted\n";
      assert.deepEqual([code, stderr], [2, says], end);
    }
    const wait = "await new Promise((wake) => setTimeout(wake, 60_000));";
    for (const late of [`setTimeout(() => { throw new Error("late") });`, `Promise.reject(new Error("late"));`]) {
      const { code, stderr } = await train(folder, lossThat(late + wait));
      assert.equal(code, 1);
      assert.match(stderr, /\nInternal error: Uncaught (\(in promise\) )?Error: late\n$/);
    }
    const strange = [
      "null",
      "Object.create(null)",
      "Object.defineProperty(new Error(), 'message', { get() { throw 1 } })",
    ];
    const recipe = join(folder, "strange.yaml");
    for (const [index, thrown] of strange.entries()) {
      // A name of its own, as a module is loaded once.
      await Deno.writeTextFile(join(folder, `hostile${index}.ts`), lossThat(`throw ${thrown}`));
      await Deno.writeTextFile(recipe, hostileRecipe.replace("hostile.ts", `hostile${index}.ts`));
      const { code, stderr } = await runHere("train", [recipe, "--out", join(folder, "run"), ...few]);
      assert.match(stderr, /^.*strange\.yaml:14:10: The loss "hostile" failed in prepare: .*\n$/, thrown);
      assert.equal(code, 2);
    }
    assert.ok(!(await contentOf(folder)).has("run/metrics.json"));
  }));

Deno.test(
  "a plug-in that never comes back is ended by the second Ctrl-C",
  { ignore: Deno.build.os === "windows" },
  () =>
    withTinyData(async (folder) => {
      await Deno.writeTextFile(join(folder, "hostile.ts"), lossThat(`console.log("for ever"); while (true);`));
      await Deno.writeTextFile(join(folder, "recipe.yaml"), hostileRecipe);
      const child = spawnDeno([
        ...taskArguments("train"),
        join(folder, "recipe.yaml"),
        "--out",
        join(folder, "run"),
        ...few,
      ]);
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let told = "";
      while (!told.includes("for ever")) told += (await reader.read()).value;
      for (let tries = 0; tries < 2; tries++) {
        child.kill("SIGINT");
        // Two at the same moment are one to the system.
        await new Promise((wake) => setTimeout(wake, 500));
      }
      const { code } = await child.status;
      await Promise.all([reader.cancel(), child.stderr.cancel()]);
      assert.equal(code, 130);
    }),
);

Deno.test("what the page says of results is so: a plug-in can forge them, and the exit code", () =>
  withTinyData(async (folder) => {
    const forged = await train(
      folder,
      lossThat(`const own = JSON.stringify;
        JSON.stringify = (value, ...rest) => own(value?.student?.accuracy === undefined
          ? value : { ...value, student: { ...value.student, accuracy: 1 } }, ...rest);`),
    );
    assert.equal(forged.code, 0, forged.stderr);
    const { student } = JSON.parse(await Deno.readTextFile(join(folder, "run", "metrics.json")));
    assert.equal(student.accuracy, 1);
    const { code } = await train(folder, lossThat("postMessage({ code: 0, now: true }); await new Promise(() => {})"));
    assert.equal(code, 0);
  }));

Deno.test("merge, compare, sweep, tune, evaluate and plugin check have the same wall", () =>
  withTinyData(async (folder) => {
    const at = (name: string) => join(folder, name);
    const harmless = lossThat("");
    const { code, stderr } = await train(folder, harmless);
    assert.equal(code, 0, stderr);
    await Deno.writeTextFile(
      at("hostile.ts"),
      `Deno.writeTextFileSync(${JSON.stringify(at("outside"))}, "");${harmless}`,
    );
    const verbs = {
      merge: [at("run")],
      evaluate: [at("run")],
      compare: [at("recipe.yaml"), "--seeds", "1", "--output", at("compared"), ...few],
      sweep: [at("recipe.yaml"), "--cores", "2", "--rates", "0.01", "--output", at("swept"), ...few],
      tune: [at("recipe.yaml"), "--budget", "60s", "--output", at("tuned")],
      plugin: ["check", at("hostile.ts")],
    } as const;
    for (const [verb, args] of Object.entries(verbs) as [keyof typeof verbs, readonly string[]][]) {
      const { code, stderr } = await runTask(verb, args);
      assert.match(
        stderr,
        /Cannot load the (loss )?plug-in ".*hostile\.ts": Requires write access to ".*outside"/,
        verb,
      );
      assert.equal(code, 2, verb);
    }
    assert.ok(!(await contentOf(folder)).has("outside"));
  }));

Deno.test("a plug-in's file outside of the project and of the recipe's folder is named with its hash before it runs", () =>
  withTinyData(async (folder) => {
    const at = (name: string) => join(folder, name);
    const [telling, loss] = [`console.error("it runs");`, ""].map((first) => first + lossThat(""));
    await Promise.all(["theirs", "mine", "mine/losses"].map((name) => Deno.mkdir(at(name), { recursive: true })));
    await Deno.writeTextFile(at("theirs/telling.ts"), telling);
    await Deno.writeTextFile(at("theirs/loss.ts"), loss);
    await Deno.writeTextFile(at("mine/losses/loss.ts"), loss);
    await Deno.symlink(at("theirs/loss.ts"), at("mine/link.ts"));
    const tiny = tinyRecipe.replaceAll(/(images|labels): /g, "$1: ../");
    const stderrOf = async (use: string, run: (verb: "train", args: readonly string[]) => Promise<Ended>) => {
      const recipe = at("mine/recipe.yaml");
      await Deno.writeTextFile(recipe, tiny.replace("use: cross-entropy", `use: ${use}`));
      const { code, stderr } = await run("train", [recipe, "--out", at("run"), "--quiet", ...few]);
      assert.equal(code, 0, stderr);
      return stderr;
    };
    const lineOf = async (file: string, text: string) =>
      `Running the loss plug-in "${await Deno.realPath(at(file))}" (SHA-256 ` +
      `${await sha256(new TextEncoder().encode(text))}), which is outside of this project and of the recipe's folder\n`;
    assert.equal(
      await stderrOf("../theirs/telling.ts", runTask),
      `${await lineOf("theirs/telling.ts", telling)}it runs\n`,
    );
    const line = await lineOf("theirs/loss.ts", loss);
    assert.equal(await stderrOf(at("theirs/loss.ts"), runHere), line);
    assert.equal(await stderrOf("./link.ts", runHere), line, "what a link leads to counts");
    assert.equal(await stderrOf("./losses/loss.ts", runHere), "");
    assert.equal(await stderrOf("./losses/../losses/loss.ts", runHere), "");
  }));

Deno.test("a run folder that symbolic links lead to can be written, by either name", () =>
  withTinyData(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Deno.mkdir(at("disk/runs"), { recursive: true });
    await Deno.symlink(at("disk/runs"), at("runs"));
    await Deno.writeTextFile(at("recipe.yaml"), tinyRecipe);
    for (const run of ["runs/new", "disk/runs/new"]) {
      const { code, stderr } = await runTask("train", [at("recipe.yaml"), "--out", at(run), ...few]);
      assert.equal(code, 0, stderr);
    }
  }));
