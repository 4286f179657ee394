import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT } from "./task.ts";

/** What the hook says where the program is to end. */
const KILL_ME = "to be killed here";

/**
 * What the program is started with to end it at one of its calls that change files: the functions are made to count.
 * It reads the number of the call from its own address, and says after each how many there were. The program's confined
 * worker, which begins with a module of its own, begins with this, too.
 */
const hook = (confined: string) => `
const at = Number(new URL(import.meta.url).hash.slice(1));
let calls = 0;
const say = (line) => void Deno.stderr.writeSync(new TextEncoder().encode(line + "\\n"));
const wrap = (object, name, changes = () => true) => {
  const own = object[name];
  object[name] = function (...rest) {
    if (changes(rest)) {
      if (calls++ === at) {
        // Who started it ends it, as it may have no permission to.
        say("${KILL_ME}");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      say("calls " + calls);
    }
    return own.apply(this, rest);
  };
};
for (const name of ["mkdir", "rename", "remove", "removeSync", "writeTextFile", "writeFile"]) wrap(Deno, name);
wrap(Deno, "open", ([, options]) => options?.write || options?.create || options?.append);
for (const name of ["write", "truncate"]) wrap(Deno.FsFile.prototype, name);
const Started = globalThis.Worker;
globalThis.Worker = class extends Started {
  constructor(module, options) {
    super(options?.name === "confined" ? ${JSON.stringify(confined)} : module, options);
  }
};
`;

/**
 * Flags for Deno that let {@link endedByHook} end a program by `kill -9` just before it changes a file for the
 * N-th time.
 *
 * @param folder where the hook is written to
 * @param call from 0
 */
export async function killedAtCall(folder: string, call: number): Promise<string[]> {
  const [file, confined] = ["hook.js", "confined.js"].map((name) => join(folder, name));
  const counted = `${pathToFileURL(file)}#${call}`;
  await Deno.writeTextFile(file, hook(pathToFileURL(confined).href));
  const program = pathToFileURL(join(CHECKOUT, "tasks", "cli.ts"));
  await Deno.writeTextFile(confined, `import "${counted}";\nimport "${program}";\n`);
  return ["--preload", counted];
}

/** Takes what the hook says from what a program told, and how many calls it made if it came to its end. */
export function callsIn(stderr: string): { readonly calls: number | null; readonly stderr: string } {
  const said = [...stderr.matchAll(/^calls (\d+)\n/gm)].map(([, calls]) => Number(calls));
  return { calls: said.length === 0 ? null : Math.max(...said), stderr: stderr.replaceAll(/^calls \d+\n/gm, "") };
}

/** Reads what a program tells to its end, and kills it where its hook says so. */
export async function endedByHook(child: Deno.ChildProcess) {
  const stdout = new Response(child.stdout).text();
  let stderr = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    if (stderr.includes(KILL_ME)) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }
  return { ...await child.status, stdout: await stdout, stderr };
}
