import { fileURLToPath } from "node:url";
import "../../core/deno/install.ts";
import configuration from "../../deno.json" with { type: "json" };

/** The checkout, where tasks run. */
export const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));

/** What a process did. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A verb's arguments for Deno as `deno.json` has them: with the permissions that users run it with, and no more. */
export function taskArguments(verb: keyof typeof configuration.tasks): string[] {
  return configuration.tasks[verb].command.split(" ").slice(1);
}

/**
 * Starts Deno, in the checkout unless another folder is named.
 *
 * @param through a program to start it by, with its flags: `strace -f`
 */
export function spawnDeno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder = CHECKOUT,
  through: readonly string[] = [],
): Deno.ChildProcess {
  const [program, ...words] = [...through, Deno.execPath(), ...args];
  return new Deno.Command(program, {
    args: words,
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs Deno to its end. */
export async function runDeno(
  args: readonly string[],
  env: Record<string, string> = {},
  folder = CHECKOUT,
): Promise<Ended> {
  const { code, stdout, stderr } = await spawnDeno(args, env, folder).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs a task of `deno.json` as a user does. */
export function runTask(
  verb: keyof typeof configuration.tasks,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Ended> {
  return runDeno([...taskArguments(verb), ...args], env);
}
