import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * What the program is started with to end it at one of its calls that change files: the functions are made to count.
 * It reads the number of the call from its own address, and says at the end how many there were.
 */
const HOOK = `
const at = Number(new URL(import.meta.url).hash.slice(1));
let calls = 0;
const wrap = (object, name, changes = () => true) => {
  const own = object[name];
  object[name] = function (...rest) {
    if (changes(rest) && calls++ === at) Deno.kill(Deno.pid, "SIGKILL");
    return own.apply(this, rest);
  };
};
for (const name of ["mkdir", "rename", "remove", "removeSync", "writeTextFile", "writeFile"]) wrap(Deno, name);
wrap(Deno, "open", ([, options]) => options?.write || options?.create || options?.append);
for (const name of ["write", "truncate"]) wrap(Deno.FsFile.prototype, name);
addEventListener("unload", () => console.error("calls " + calls));
`;

/**
 * Flags for Deno that end a program by `kill -9` just before it changes a file for the so-manieth time.
 *
 * @param folder where the hook is written to
 * @param call from 0
 */
export async function killedAtCall(folder: string, call: number): Promise<string[]> {
  const file = join(folder, "hook.js");
  await Deno.writeTextFile(file, HOOK);
  return ["--allow-run", "--preload", `${pathToFileURL(file)}#${call}`];
}

/** Takes what the hook says from what a program told, and how many calls it made if it came to its end. */
export function callsIn(stderr: string): { readonly calls: number | null; readonly stderr: string } {
  // The threads say it as well, and make none.
  const said = [...stderr.matchAll(/^calls (\d+)\n/gm)].map(([, calls]) => Number(calls));
  return { calls: said.length === 0 ? null : Math.max(...said), stderr: stderr.replaceAll(/^calls \d+\n/gm, "") };
}
