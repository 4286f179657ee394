/** What a plug-in with ill will could try, and what comes of it; a row of the table in `plugins/SECURITY.md`. */
export interface Attempt {
  /** As the table says it. */
  readonly what: string;
  /**
   * Ways to do it, each the body of an async function in a loss's `prepare`. There are `outside`, a folder with a file
   * `key`, `run`, the run folder, and `checkout`.
   */
  readonly ways: readonly string[];
  readonly outcome: "works" | "refused";
}

/** All that a run survives. */
export const attempts: readonly Attempt[] = [
  {
    what: "read any file that you can read: keys, mail, other projects",
    ways: [`await Deno.readTextFile(outside + "/key")`, `Array.from(Deno.readDirSync(outside + "/.."))`],
    outcome: "works",
  },
  {
    what: "read the memory, the variables or the devices of the system (`/proc`, `/dev`)",
    ways: [`await Deno.readTextFile("/proc/self/environ")`, `await Deno.open("/dev/mem")`],
    outcome: "refused",
  },
  {
    what: "write, remove, rename, link or open up a file outside of the run folder",
    ways: [
      `await Deno.writeTextFile(outside + "/new", "")`,
      `(await import("node:fs")).writeFileSync(outside + "/new", "")`,
      `await Deno.mkdir(outside + "/new")`,
      `await Deno.makeTempDir()`,
      `await Deno.remove(outside + "/key")`,
      `await Deno.rename(outside + "/key", run + "/key")`,
      `await Deno.rename(run + "/recipe.yaml", outside + "/new")`,
      `await Deno.writeTextFile(run + "/../new", "")`,
      `await Deno.link(outside + "/key", run + "/key")`,
      `await Deno.chmod(outside + "/key", 0o777)`,
      `await Deno.truncate(outside + "/key")`,
      `Deno.listen({ transport: "unix", path: outside + "/new" })`,
      `new (await import("node:sqlite")).DatabaseSync(outside + "/new")`,
      `(await import("node:v8")).writeHeapSnapshot(outside + "/new")`,
    ],
    outcome: "refused",
  },
  {
    what: "reach out of the run folder by a symbolic link",
    ways: [
      `await Deno.symlink(outside, run + "/way")`,
      `(await import("node:fs")).symlinkSync(outside, run + "/way")`,
    ],
    outcome: "refused",
  },
  {
    what: "change the recipe, the data, this program's own files or `deno.json`",
    ways: [
      `await Deno.writeTextFile(outside + "/recipe.yaml", "", { append: true })`,
      `await Deno.writeTextFile(outside + "/train-labels", "", { append: true })`,
      `await Deno.writeTextFile(checkout + "core/errors.ts", "", { append: true })`,
      `await Deno.writeTextFile(checkout + "deno.json", "", { append: true })`,
      `await Deno.writeTextFile(checkout + ".git/hooks/pre-commit", "")`,
    ],
    outcome: "refused",
  },
  {
    what: "change what is in the run folder, in the folder of `teacher.cache` and in `runs/cache`",
    ways: [
      `await Deno.writeTextFile(run + "/mine", "")`,
      `await Deno.mkdir(outside + "/cache", { recursive: true })`,
      `await Deno.mkdir(checkout + "runs/cache", { recursive: true })`,
    ],
    outcome: "works",
  },
  {
    what: "talk to the network, or listen to it",
    ways: [
      `await fetch("http://127.0.0.1:8123/")`,
      `await Deno.connect({ hostname: "127.0.0.1", port: 8123 })`,
      `Deno.listen({ hostname: "127.0.0.1", port: 0 })`,
      `new WebSocket("ws://127.0.0.1:8123")`,
      `await Deno.resolveDns("example.org", "A", { nameServer: { ipAddr: "127.0.0.1" } })`,
      `await new Promise((done, failed) =>
        import("node:net").then(({ connect }) => connect(8123, "127.0.0.1").on("error", failed).on("connect", done)))`,
    ],
    outcome: "refused",
  },
  {
    what: "import from the network: `https:`, `jsr:`",
    ways: [
      `await import("https://esm.sh/zod")`,
      `await import("https://example.org/x.js")`,
      `await import("jsr:@std/path")`,
    ],
    outcome: "refused",
  },
  {
    what: "import a package from npm, whose registry learns which one was asked for",
    ways: [`await import("npm:zod@4")`],
    outcome: "works",
  },
  {
    what: "run more code: other files, `data:`, `blob:`, `eval`, a worker",
    ways: [
      `await import("file://" + outside + "/other.ts")`,
      `await import("data:text/javascript,export default 1")`,
      `await import(URL.createObjectURL(new Blob(["export default 1"], { type: "text/javascript" })))`,
      `(0, eval)("1"); new Function("return 1")()`,
      `new Worker("data:text/javascript,", { type: "module" }).terminate()`,
    ],
    outcome: "works",
  },
  {
    what: "read the environment's variables, but for `TERM` and `CI`",
    ways: [
      `Deno.env.get("HOME")`,
      `(await import("node:process")).default.env.HOME`,
      `if (Object.keys(Deno.env.toObject()).length === 0) throw new Error("denied")`,
    ],
    outcome: "refused",
  },
  {
    what: "start a program, signal another one, load native code, ask about the machine",
    ways: [
      `await new Deno.Command("ls").output()`,
      `await new Deno.Command(Deno.execPath(), { args: ["--version"] }).output()`,
      `(await import("node:child_process")).execSync("ls")`,
      `Deno.kill(Deno.ppid, "SIGCONT")`,
      `(await import("node:process")).default.kill(Deno.ppid, "SIGCONT")`,
      `Deno.dlopen("libc.so.6", {})`,
      `(await import("node:process")).default.dlopen({ exports: {} }, outside + "/key")`,
      `Deno.hostname()`,
      `(await import("node:os")).userInfo()`,
      `(await import("node:inspector")).open(0)`,
    ],
    outcome: "refused",
  },
  {
    what: "get more permissions, by asking or in a worker of its own",
    ways: [
      `const { state } = await Deno.permissions.request({ name: "write", path: outside });
       if (state !== "granted") throw new Error(state)`,
      `new Worker("data:,", { type: "module", deno: { permissions: { write: true } } })`,
      `await new Promise((done, failed) => {
        const code = "try { Deno.writeTextFileSync('" + outside + "/new', ''); postMessage('') } " +
          "catch (e) { postMessage(e.message) }";
        const worker = new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" });
        worker.onmessage = ({ data }) => {
          worker.terminate();
          data === "" ? done() : failed(new Error(data));
        };
      })`,
    ],
    outcome: "refused",
  },
  {
    what: "change what everybody uses: `Array.prototype`, `WebAssembly`, `GPUDevice`, `crypto`",
    ways: [
      `const own = Array.prototype.flat; Array.prototype.flat = function (...depth) { return own.apply(this, depth) }`,
      `const own = WebAssembly.instantiate; WebAssembly.instantiate = (...all) => own(...all)`,
      `const own = crypto.subtle.digest.bind(crypto.subtle); crypto.subtle.digest = (...all) => own(...all)`,
      `if (globalThis.GPUDevice) GPUDevice.prototype.mine = 1`,
    ],
    outcome: "works",
  },
];

/** What a refusal says: Deno's permissions, or the promise of a permission that is not given. */
export const REFUSAL =
  /Requires \w+ access|requires unscoped --allow-read and --allow-write|Can't escalate|^denied$|EPERM|is not supported in/;

/** A loss whose `prepare` is this text. */
export function lossThat(prepare: string): string {
  return `export default {
  kind: "loss",
  name: "hostile",
  description: "Means harm",
  options: ({ z }) => z.strictObject({}),
  create: () => ({
    teacherOutputs: [],
    async prepare() { ${prepare} },
    compute: ({ ops, student }) => ops.mean(ops.square(student.logits)),
  }),
};
`;
}

/** A loss that tries everything, and prints a line of JSON for each: the attempt, the way, the error or \`null\`. */
export function lossThatTries(given: { outside: string; run: string; checkout: string }): string {
  const constants = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const ways = attempts.flatMap(({ ways }, attempt) =>
    ways.map((code, way) => `[${attempt}, ${way}, async () => {${code}}]`)
  );
  return lossThat(`
    ${constants.join("\n")}
    for (const [attempt, way, act] of [${ways.join(",\n")}]) {
      const error = await act().then(() => null, (error) => String(error?.message));
      console.log(JSON.stringify({ attempt, way, error }));
    }`);
}
