import { resolve } from "node:path";
import { CACHE } from "../../core/data/remote_file.ts";
import { findLibrary, mayLoadKnown } from "../../core/deno/native_libraries.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { UserError } from "../../core/errors.ts";

/** The name of the worker that is confined: by it the program knows where it runs. */
const CONFINED = "confined";

/** Where serve answers. */
const SERVED_AT = "127.0.0.1";

/** What the confined program says to the thread that waits for it. */
type Word =
  /** How it ends; at once, or when the worker has come to its end. */
  | { readonly code: number; readonly now: boolean }
  /** That the first of these signals is seen to, and the second is to end the program, however busy the worker is. */
  | { readonly twice: readonly Deno.Signal[]; readonly code: number };

/** The program is done in its confined worker, and has said all there is to say. */
export class EndedConfined extends Error {
  static {
    this.prototype.name = "EndedConfined";
  }

  constructor(readonly code: number) {
    super("");
  }
}

/** Whether this is the confined worker. */
export function isConfined(): boolean {
  return Reflect.get(globalThis, "name") === CONFINED && "postMessage" in globalThis;
}

/**
 * Runs `body`, and with it the code of plug-ins, where it can write to some paths alone. Deno cannot take a part of a
 * permission away from a running program; a worker can be started with a part of it. So the whole program is started
 * again in a worker, with the same arguments, comes to this call again, and there goes on.
 *
 * The worker gets no permission to start programs or to import from the network (unless Deno was started with
 * `--allow-import` for all hosts), to load native code none but, with `native`, that of a known matrix library, in a
 * compiled program none for the network either, and of the others what the program has. In a bundle, and where another
 * program than `tasks/cli.ts` calls this, `body` runs with the permissions that there are.
 *
 * @param writes files and folders
 * @param native whether a matrix library may be loaded: `withBackend` gives that up before code of plug-ins runs
 * @param network the hosts that may be asked, as `name:port`, where the verb asks any: of those that the program may
 * ask these alone are left
 * @throws EndedConfined once the worker has ended
 */
export async function confined(
  writes: readonly string[],
  body: () => Promise<void>,
  native = false,
  network: readonly string[] | null = null,
): Promise<void> {
  if (isConfined() || Deno.mainModule !== new URL("../cli.ts", import.meta.url).href) return await body();
  for (const host of network ?? []) await expectNetwork(host);
  // The task `native`, which is for all verbs, has what serve needs: no plug-in is to have it. (Where hosts are named,
  // the worker gets those alone.)
  if (network === null && mayLoadKnown()) await Deno.permissions.revoke({ name: "net", host: SERVED_AT });
  const worker = new Worker(Deno.mainModule, {
    type: "module",
    name: CONFINED,
    deno: {
      permissions: {
        // Passwords are for those who ask hosts.
        env: network?.length === 0 ? await grantedVariables() : "inherit",
        // A task that runs plug-ins has what its user allows; a compiled program has what serve needs.
        net: network !== null ? network.length > 0 && [...network] : Deno.build.standalone ? false : "inherit",
        read: "inherit",
        sys: "inherit",
        ffi: native ? libraries() : false,
        run: false,
        import: await isGranted({ name: "import" }) ? "inherit" : false,
        write: await granted(writes),
      },
    },
  });
  throw new EndedConfined(await lastCode(worker));
}

/** Variables that say how a terminal is written to. */
const TERMINAL = ["TERM", "CI"];

async function grantedVariables(): Promise<string[] | false> {
  const allowed: string[] = [];
  for (const variable of TERMINAL) if (await isGranted({ name: "env", variable })) allowed.push(variable);
  return allowed.length > 0 && allowed;
}

/** @throws UserError if the program may not ask a host */
async function expectNetwork(host: string): Promise<void> {
  if (await isGranted({ name: "net", host })) return;
  throw new UserError(
    `Cannot ask ${host} as the program was started without the permission to: the tasks compare, sweep, tune, worker and ` +
      `native-worker have it, and by other ways --allow-net=${host} gives it`,
  );
}

/** What a run of a recipe writes: its run folder (or another), the teacher's outputs, and downloads. */
export function writesOf(recipe: Checked<Recipe>, output = recipe.value.output): string[] {
  const cache = recipe.value.teacher?.cache ?? null;
  return [output, CACHE, ...(cache === null ? [] : [resolveFile(recipe, cache)])];
}

/**
 * Ends the program.
 *
 * @param now at once, whatever it is doing
 */
export function endProgram(code: number, now = false): void {
  if (!isConfined()) Deno.exit(code);
  say({ code, now });
  self.close();
}

/** Has the second of some signals end the program also while the confined worker is too busy to listen. */
export function endOnSecond(signals: readonly Deno.Signal[], code: number): void {
  if (isConfined()) say({ twice: signals, code });
}

function say(word: Word): void {
  (self as unknown as Pick<Worker, "postMessage">).postMessage(word);
}

/** The exit code that a worker names, once it has ended. */
function lastCode(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    let code: number | null = null;
    let failure: string | null = null;
    worker.addEventListener("message", ({ data }: MessageEvent<Word>) => {
      if ("twice" in data) return listen(data.twice, data.code);
      code = data.code;
      if (data.now) Deno.exit(code);
    });
    // Deno has printed it, with its stack.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      failure = event.message;
    });
    // There is no event for a worker that ended, but with it ends the last thing that this thread waits for.
    addEventListener("beforeunload", (event) => {
      event.preventDefault();
      if (failure !== null) reject(new Error(failure));
      else if (code !== null) resolve(code);
      else {
        reject(
          new UserError(
            "The program was ended from within before it was done, as by Deno.exit in a plug-in: nothing of this run is " +
              "to be trusted",
          ),
        );
      }
    }, { once: true });
  });
}

function listen(signals: readonly Deno.Signal[], code: number): void {
  let heard = 0;
  const count = () => {
    if (++heard === 2) Deno.exit(code);
  };
  for (const signal of signals) Deno.addSignalListener(signal, count);
}

/**
 * Gives up the permission to load native code, for good: by a matrix library alone one could read and write all of the
 * program's memory. What is loaded already goes on.
 *
 * @returns whether there was a library that could be loaded
 */
export async function giveUpNativeCode(): Promise<boolean> {
  if (!isConfined()) return false;
  const could = findLibrary()?.allowed ?? false;
  await Deno.permissions.revoke({ name: "ffi" });
  const library = findLibrary();
  if (library?.allowed) await Deno.permissions.revoke({ name: "ffi", path: library.path });
  return could;
}

/** The matrix library that may be loaded, if there is one. */
function libraries(): string[] | false {
  const library = findLibrary();
  return library?.allowed ? [library.path] : false;
}

/** Those of some paths that may be written. */
async function granted(paths: readonly string[]): Promise<string[] | false> {
  const allowed: string[] = [];
  for (const path of new Set(paths.map((path) => resolve(path)))) {
    if (await isGranted({ name: "write", path })) allowed.push(path);
  }
  return allowed.length > 0 && allowed;
}

async function isGranted(permission: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(permission)).state === "granted";
}
