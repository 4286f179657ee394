import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import ts from "npm:typescript@6.0.3";
import configuration from "../../deno.json" with { type: "json" };
import { pathsIn } from "../../tasks/npm/paths_in.ts";
import { CHECKOUT, runTask } from "../support/task.ts";
import { tinyRecipe, writeTinyData } from "../support/tiny_run.ts";
import { distilling, TYPED, WITHOUT_PACKAGE } from "./program.ts";

/** A program that has not ended after so long hangs, in milliseconds. */
const PATIENCE = 240_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. @throws Error if it does not come to it */
async function run(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  const signal = AbortSignal.timeout(PATIENCE);
  const output = await new Deno.Command(program, { args: [...args], cwd, signal, env: { NO_COLOR: "1" } }).output();
  if (signal.aborted) throw new Error(`${program} ${args.join(" ")} hangs`);
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code: output.code, stdout, stderr };
}

/** Whether a program is there and takes these arguments. */
async function takes(program: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args, stdout: "null", stderr: "null" });
  return await command.output().then(({ success }) => success, () => false);
}

const CI = Deno.env.get("CI") === "true";
const hasNode = await takes("node", "--version");

/** `deno task test-npm -- --with=webgpu,bun` installs these from npm, and runs the package with them. */
const extras = Deno.args.find((arg) => arg.startsWith("--with="))?.slice("--with=".length).split(",") ?? [];

/** A project of a user's with the package, its dependencies, data and recipes; made once, as it takes some seconds. */
const root = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const project = join(root, "project");
const installed = join(project, "node_modules", "@opdf", "opdf");

const built = await runTask("build-npm", ["--out", installed]);
assert.deepEqual([built.code, built.stderr], [0, ""]);
const manifest = JSON.parse(await Deno.readTextFile(join(installed, "package.json")));
await Deno.writeTextFile(
  join(project, "package.json"),
  JSON.stringify({ type: "module", dependencies: manifest.dependencies }),
);
// From Deno's own cache, where they are.
const install = await run(Deno.execPath(), ["install", "--quiet", "--no-lock", "--node-modules-dir=auto"], project);
assert.equal(install.code, 0, install.stderr);
await writeTinyData(project);
const teacher = "teacher: { use: resnet, depth: 8, width: 4, weights: set }\n";
await Deno.writeTextFile(join(project, "teacher.yaml"), tinyRecipe);
await Deno.writeTextFile(join(project, "student.yaml"), tinyRecipe.replace("student:", `${teacher}student:`));

/** Writes the program that distils, and runs it. */
async function distil(name: string, open: string, program: string, ...flags: string[]): Promise<Ended> {
  const file = join(project, `${name}.mjs`);
  await Deno.writeTextFile(file, distilling(name, open));
  return await run(program, [...flags, file], project);
}

const NOWHERE = 'UserError: Cannot read the recipe "nowhere.yaml" as there is no such file or folder';

/** What every run says, but for its backend. */
function assertDistilled({ code, stdout, stderr }: Ended, backend: RegExp): string[] {
  assert.deepEqual([code, stderr], [0, ""]);
  const [description, taught, learnt, ...results] = stdout.trimEnd().split("\n");
  assert.match(description, backend);
  assert.match(taught, /^teacher verified 0\.\d+$/);
  assert.match(learnt, /^student verified 0\.\d+$/);
  assert.match(results[0], /^[0-9a-f]{64}$/);
  assert.equal(results[2], NOWHERE);
  return [taught, learnt, ...results];
}

/** The paths that a value of JSON holds, at any depth: strings that begin with a dot and a slash. */
function pathsNamedIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("./") ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(pathsNamedIn) : [];
}

const ON_CPU = 'openBackend("cpu", { threads: 3 })';

/** The flags with which Deno runs the package as it runs the checkout. */
const DENO = ["run", "--no-lock", "--no-prompt", "--allow-read", "--allow-write"];
const inDeno = () => distil("in_deno", ON_CPU, Deno.execPath(), ...DENO, "--node-modules-dir=manual");

Deno.test("what is built is what npm would publish: code, types, README and licence, and small", async () => {
  const paths = (await pathsIn(installed)).map((path) => relative(installed, path).replaceAll("\\", "/"));
  assert.deepEqual(paths.filter((path) => !/^(?:package\.json|README\.md|LICENSE)$|\.(?:js|d\.ts)$/.test(path)), []);
  for (const entry of ["mod", "tasks/npm/node", "core/mod", "plugins/mod"]) {
    assert.ok(paths.includes(`${entry}.js`) && paths.includes(`${entry}.d.ts`), entry);
  }
  assert.equal(manifest.version, configuration.version);
  for (const version of Object.values<string>(manifest.dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  for (const path of paths.filter((path) => path.endsWith(".js"))) {
    const code = await Deno.readTextFile(join(installed, path));
    assert.doesNotMatch(code, /^ *(?:await )?using \w+ =|\bfrom "(?:npm|jsr):|with \{ type:/m, path);
  }
  if (!hasNode) return;
  const { code, stdout, stderr } = await run("npm", ["pack", "--dry-run", "--json", "--offline"], installed);
  assert.equal(code, 0, stderr);
  const [{ files, size, unpackedSize }] = JSON.parse(stdout);
  assert.deepEqual(files.map(({ path }: { path: string }) => path).sort(), paths);
  assert.ok(size < 1e6 && unpackedSize < 4e6, `${size} of ${unpackedSize} bytes`);
});

Deno.test("every path that package.json names is in the package", async () => {
  const there = new Set(
    (await pathsIn(installed)).map((path) => `./${relative(installed, path).replaceAll("\\", "/")}`),
  );
  const named = pathsNamedIn(manifest);
  assert.ok(named.length >= 10, named.join(", "));
  assert.deepEqual(named.filter((path) => !there.has(path)), []);
});

Deno.test("a build leaves nothing of the one before, and is not written over another package", async () => {
  const folder = join(root, "again");
  const write = async (name: string, text: string) => {
    await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
    await Deno.writeTextFile(join(folder, name), text);
  };
  const kept = ["node_modules/a/index.js", "notes.txt"];
  await write("package.json", '{ "name": "mine" }');
  const refused = await runTask("build-npm", ["--out", folder]);
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /^Cannot write the package to ".*" as there is another package\.json: name another /);
  const unnamed = await runTask("build-npm", ["--out", ""]);
  assert.deepEqual([unnamed.code, unnamed.stderr], [2, '--out "": Expected the name of a folder\n']);
  await write("package.json", await Deno.readTextFile(join(installed, "package.json")));
  for (const name of [...kept, "chunk-OLD.js", "core/old.d.ts"]) await write(name, "");
  const { code, stdout, stderr } = await runTask("build-npm", ["--out", folder]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^written \d+ files, \d\.\d\d MB, to /);
  const there = async (of: string) => (await pathsIn(of)).map((path) => relative(of, path)).sort();
  assert.deepEqual(await there(folder), [...await there(installed), ...kept].sort());
});

for (const [resolution, module] of [["Bundler", "ESNext"], ["NodeNext", "NodeNext"]] as const) {
  Deno.test(`a user's TypeScript compiles against the package's types, resolved by ${resolution}`, async () => {
    const file = join(project, "typed.ts");
    await Deno.writeTextFile(file, TYPED);
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind[module],
      moduleResolution: ts.ModuleResolutionKind[resolution],
      types: [],
    });
    const found = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) =>
      `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
    );
    assert.deepEqual(found, []);
  });
}

Deno.test("Deno runs the package, with what it gives in the checkout", async () => {
  const ofPackage = assertDistilled(await inDeno(), /^WebAssembly SIMD with fused multiply-add, 3 threads$/);
  const config = join(CHECKOUT, "deno.json");
  const inCheckout = await distil("in_checkout", ON_CPU, Deno.execPath(), ...DENO, "--no-check", "--config", config);
  assert.deepEqual(assertDistilled(inCheckout, /3 threads$/), ofPackage);
});

Deno.test({
  name: "Node.js distils on three threads, ends by itself, and gives the student that Deno gives",
  ignore: !hasNode && !CI,
  fn: async () => {
    // Fused multiply-add rounds once instead of twice; Node.js 20 has it by a flag, later ones without.
    const flag = "--experimental-wasm-relaxed-simd";
    const flags = await takes("node", flag, "--eval", "0") ? [flag] : [];
    const inNode = assertDistilled(await distil("in_node", ON_CPU, "node", ...flags), /multiply-add, 3 threads$/);
    assert.deepEqual(inNode, assertDistilled(await inDeno(), /3 threads$/));
    assertDistilled(await distil("in_node", ON_CPU, "node"), /^WebAssembly SIMD.*, 3 threads$/);
    await Deno.writeTextFile(join(project, "without.mjs"), WITHOUT_PACKAGE);
    const { stdout } = await run("node", ["without.mjs"], project);
    assert.match(stdout, /@1\.0\.0": it is not installed: npm install @stdlib\/nowhere-to-be-found@1\.0\.0\n$/);
    const without = await distil("in_node", 'openBackend("webgpu")', "node");
    assert.match(without.stderr, /Cannot use webgpu as there is none in this runtime: hand one to openBackend, as `/);
    assert.equal(without.code, 1);
  },
});

Deno.test({
  name: "Bun distils on three threads and ends by itself (--with=bun)",
  ignore: !extras.includes("bun"),
  fn: async () => {
    const bun = await extra("bun@1.4.5");
    await run("node", ["install.js"], bun);
    assertDistilled(await distil("in_bun", ON_CPU, join(bun, "bin", "bun.exe")), /^WebAssembly SIMD.*, 3 threads$/);
  },
});

Deno.test({
  name: "Node.js distils on the WebGPU of the package webgpu (--with=webgpu)",
  ignore: !extras.includes("webgpu"),
  fn: async () => {
    const address = JSON.stringify(join(await extra("webgpu@0.6.2"), "index.js"));
    const open = `openBackend("webgpu", { gpu: (await import(${address})).create(["backend=vulkan"]) })`;
    const ended = await distil("in_webgpu", open, "node");
    // Dawn says which limits it lowered.
    const stderr = ended.stderr.replaceAll(/^Warning: max.*\n/gm, "");
    assertDistilled({ ...ended, stderr }, /./);
  },
});

/** Installs a package beside the project. @returns its folder */
async function extra(specifier: string): Promise<string> {
  const folder = join(root, "extras");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "package.json"), "{}");
  const { code, stderr } = await run(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", specifier],
    folder,
  );
  assert.equal(code, 0, stderr);
  return join(folder, "node_modules", specifier.replace(/@[^@]*$/, ""));
}
