import assert from "node:assert/strict";
import { join, posix } from "node:path";
import { CHECKOUT } from "./support/task.ts";

/** Which rooms the files of a room may import, types included; see core/README.md. Every arrow here is there. */
const FLOORS: Readonly<Record<string, string>> = {
  ground: "",
  deno: "ground",
  node: "ground",
  shaders: "",
  data: "ground",
  safetensors: "ground",
  backend: "ground",
  kernels: "backend shaders",
  tensor: "ground backend kernels",
  contract: "ground kernels tensor",
  ops: "ground backend kernels tensor contract",
  replay: "backend tensor",
  linalg: "backend kernels tensor ops",
  mpo: "ground tensor contract ops linalg",
  nn: "ground data backend kernels tensor ops",
  recipe: "ground data mpo nn",
  plugin: "ground data backend tensor ops mpo nn recipe",
  model_folder: "ground data safetensors tensor recipe plugin",
  tensorboard: "ground",
  evaluate: "ground data backend tensor ops nn plugin",
  onnx: "ground data backend tensor contract ops nn recipe plugin model_folder evaluate",
  predict: "ground data backend tensor ops nn plugin model_folder evaluate onnx",
  assess: "ground data backend tensor ops nn plugin model_folder evaluate onnx predict",
  overparameterise: "ground data tensor ops mpo nn recipe plugin evaluate",
  "distill/ground": "ground data model_folder plugin recipe",
  "distill/student": "ground data tensor ops linalg mpo nn recipe plugin model_folder evaluate onnx overparameterise " +
    "distill/ground",
  "distill/teacher": "ground data safetensors backend tensor ops mpo nn recipe plugin model_folder evaluate " +
    "overparameterise distill/ground distill/student",
  "distill/losses": "ground data tensor ops nn recipe plugin evaluate distill/ground distill/teacher",
  "distill/training": "ground data safetensors tensor ops replay linalg mpo nn recipe plugin evaluate tensorboard " +
    "distill/ground distill/student distill/teacher distill/losses",
  "distill/record":
    "ground data tensor linalg nn ops recipe plugin evaluate overparameterise distill/ground distill/student distill/training",
  "distill/summary": "nn recipe plugin model_folder evaluate onnx overparameterise distill/student",
  distill: "ground data safetensors backend tensor ops nn recipe plugin model_folder evaluate onnx tensorboard " +
    "overparameterise distill/ground distill/student distill/teacher distill/losses distill/training distill/record " +
    "distill/summary",
  plugins: "ground data backend kernels tensor ops linalg mpo nn recipe plugin model_folder evaluate onnx predict",
  "mod.ts": "ground data safetensors backend tensor contract ops mpo nn recipe plugin evaluate onnx predict " +
    "overparameterise distill/ground distill/student distill/teacher distill/losses distill/training distill/summary " +
    "distill plugins deno",
  "tasks/npm/node.ts": "node plugins mod.ts",
  tasks: "ground data safetensors backend kernels tensor ops replay mpo nn recipe plugin model_folder evaluate onnx " +
    "predict assess overparameterise distill/ground distill/student distill/teacher distill/training distill/record " +
    "distill/summary distill plugins deno " +
    "mod.ts",
};

/** Files whose room is not the folder that they stand in. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "tasks/npm/node.ts": ["tasks/npm/node.ts"],
  ground: [
    "core/arguments.ts",
    "core/byte_texts.ts",
    "core/crc32.ts",
    "core/deferred.ts",
    "core/duplicate_key.ts",
    "core/errors.ts",
    "core/files.ts",
    "core/files/current.ts",
    "core/files/files.ts",
    "core/files/memory_files.ts",
    "core/files/memory_within.ts",
    "core/files/path_style.ts",
    "core/files/reasons.ts",
    "core/files/temporary.ts",
    "core/float16.ts",
    "core/foreign_bytes.ts",
    "core/group_by.ts",
    "core/joined.ts",
    "core/json.ts",
    "core/lock.ts",
    "core/native_library.ts",
    "core/nearest.ts",
    "core/owned.ts",
    "core/paths.ts",
    "core/visible.ts",
    "core/sealed_json.ts",
    "core/sha256.ts",
    "core/show_bytes.ts",
    "core/thread.ts",
    "core/version.ts",
    "deno.json",
  ],
  tensor: ["core/tensor.ts", "core/device.ts", "core/autograd.ts"],
  contract: ["core/contract.ts"],
  safetensors: ["core/safetensors.ts"],
  // What the rooms of distill share; the other files beside them put the rooms together.
  "distill/ground": [
    "advice",
    "check_augmentation",
    "chosen_examples",
    "complete_options",
    "label_noise",
    "load_data",
    "map_examples",
    "models_form",
    "progress",
    "recipe_models",
    "reorder_classes",
    "resolve_plugins",
    "stops",
    "stopwatch",
  ].map((name) => `core/distill/${name}.ts`),
};

function roomOf(file: string): string {
  const named = Object.keys(ROOMS).find((room) => ROOMS[room].includes(file));
  if (named) return named;
  const [top, folder, below, ...rest] = file.split("/");
  if (top !== "core") return top;
  return folder === "distill" && rest.length > 0 ? `distill/${below}` : folder;
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly byValue: boolean;
}

/** Whether all that an import or export takes from its file is types. */
function isOfTypes(keyword: string | undefined, taken: string): boolean {
  const names = /^\{([^}]*)\}$/.exec(taken)?.[1].split(",").map((name) => name.trim()).filter((name) => name !== "");
  return keyword !== undefined || (names?.length ? names.every((name) => name.startsWith("type ")) : false);
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(CHECKOUT, folder))) {
    const path = posix.join(folder, name);
    // AssemblyScript, which has imports of its own.
    if (name === "assembly") continue;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

async function readImports(): Promise<Import[]> {
  const files = ["mod.ts"];
  for (const folder of ["core", "plugins", "tasks"]) for await (const file of sources(folder)) files.push(file);
  const imports: Import[] = [];
  for (const from of files) {
    const code = (await Deno.readTextFile(join(CHECKOUT, from))).replaceAll(/^\s*\*.*$/gm, "");
    const found = code.matchAll(
      /(?:^(?:import|export)\s+(type\s+)?(?:([\w*{][^;"]*?)\s+from\s+)?|import\()"(\.[^"]+)"/gm,
    );
    for (const [, keyword, taken = "", path] of found) {
      const to = posix.normalize(posix.join(posix.dirname(from), path));
      imports.push({ from, to, byValue: !isOfTypes(keyword, taken) });
    }
  }
  return imports;
}

const imports = await readImports();

/** What in core and plug-ins asks for Deno or Node.js: a room each, and what starts threads by whatever there is. */
const BOUND = /^core\/(?:deno\/|node\/|thread\.ts$)/;

/** The code of a file without its comments. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");
}

/** What binds a piece of code to one runtime: an import of Node.js's, or the name of Deno or its like. */
function bindings(text: string): string[] {
  const code = codeOf(text);
  const imported = Array.from(
    code.matchAll(/(?:from|import|require)\s*\(?\s*["'`](node:[^"'`]+)/g),
    ([, name]) => name,
  );
  // In a sentence a word follows it, or an apostrophe.
  const named = code.matchAll(/(?<![\w.$])(?:globalThis\.)?(?:Deno|Bun)\b(?!'s| (?!as\b|in\b)\w)/g);
  return [...imported, ...Array.from(named, ([name]) => name)];
}

/** Files that reach themselves, each as a walk from file to file. */
function circles(arrows: readonly Import[]): string[] {
  const next = Map.groupBy(arrows, ({ from }) => from);
  const [done, found] = [new Set<string>(), [] as string[]];
  const visit = (file: string, walk: readonly string[]) => {
    const begin = walk.indexOf(file);
    if (begin >= 0) return void found.push([...walk.slice(begin), file].join(" -> "));
    if (done.has(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...walk, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

Deno.test("imports point down: each room imports only those that the table names for it", () => {
  assert.ok(imports.length > 1500, "the imports are found");
  const up = imports.filter(({ from, to }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    return room !== other && !FLOORS[room]?.split(" ").includes(other);
  });
  assert.deepEqual(up.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("the table of floors has no arrow that nothing needs, and none that leads back up", () => {
  const there = new Set(imports.map(({ from, to }) => `${roomOf(from)} -> ${roomOf(to)}`));
  const rooms = Object.keys(FLOORS);
  const arrows = rooms.flatMap((from) => FLOORS[from].split(" ").filter(Boolean).map((to) => ({ from, to })));
  assert.deepEqual(arrows.map(({ from, to }) => `${from} -> ${to}`).filter((arrow) => !there.has(arrow)), []);
  assert.deepEqual(arrows.filter(({ from, to }) => rooms.indexOf(to) >= rooms.indexOf(from)), []);
});

Deno.test("core and plug-ins run anywhere: what asks for Deno or Node.js stands in a room of its own", async () => {
  const bound: string[] = [];
  for (const folder of ["core", "plugins"]) {
    for await (const file of sources(folder)) {
      const found = BOUND.test(file) ? [] : bindings(await Deno.readTextFile(join(CHECKOUT, file)));
      bound.push(...found.map((name) => `${file}: ${name}`));
    }
  }
  assert.deepEqual(bound, []);
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to } of imports) if (from === file) visit(to);
  };
  for (const entry of ["core/mod.ts", "plugins/mod.ts"]) visit(entry);
  assert.ok(reached.size > 250, `${reached.size} files are reached`);
  assert.deepEqual([...reached].filter((file) => ["deno", "node"].includes(roomOf(file))), []);
});

Deno.test("what finds bindings finds them, and leaves words alone", () => {
  assert.deepEqual(
    bindings(
      'import { join } from "node:path";\nexport * from "node:url";\nawait import("node:fs");\nrequire("node:os")',
    ),
    ["node:path", "node:url", "node:fs", "node:os"],
  );
  assert.deepEqual(bindings("a(Deno.cwd()); globalThis.Deno?.build; const { build } = Deno;"), [
    "Deno",
    "globalThis.Deno",
    "Deno",
  ]);
  assert.deepEqual(
    bindings('/** import "node:path" in Deno. */ // Deno.cwd()\nconst node = "as Deno was started"; f(node: Node)'),
    [],
  );
});

Deno.test("no files import each other in a circle, save for types", () => {
  assert.deepEqual(circles(imports.filter(({ byValue }) => byValue)), []);
});

Deno.test("what finds circles finds them", () => {
  const arrow = (from: string, to: string) => ({ from, to, byValue: true });
  assert.deepEqual(circles([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")]), ["b -> c -> b"]);
  assert.deepEqual(circles([arrow("a", "b"), arrow("a", "c"), arrow("b", "c")]), []);
});

Deno.test("no code is made of text at run time, which a page's content policy may forbid", async () => {
  const makers: string[] = [];
  for (const folder of ["core", "plugins"]) {
    for await (const file of sources(folder)) {
      if (file.includes("/assembly/")) continue;
      const text = await Deno.readTextFile(join(CHECKOUT, file));
      if (/\bnew Function\(|\beval\(/.test(text)) makers.push(file);
    }
  }
  assert.deepEqual(makers, []);
});
