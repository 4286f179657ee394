import assert from "node:assert/strict";
import type { Random } from "../../core/data/random.ts";
import { CHECKOUT, spawnDeno, taskArguments } from "../support/task.ts";

/** A task of the program with its arguments. */
export interface Command {
  readonly verb: Parameters<typeof taskArguments>[0];
  readonly args: readonly string[];
}

/** How a process ended. */
export interface Death {
  /** The exit code; `null` if a signal ended it. */
  readonly code: number | null;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Seconds after which a process of a trial hangs. The machine may be busy with other work. */
const HANGS = 60;

/** How a task is started otherwise than by itself. */
export interface Start {
  /** A program in front, with its flags: `strace -f`. */
  readonly through?: readonly string[];
  /** Flags for Deno, in front of the task's own. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a task as its users do, with the permissions that it has in `deno.json`. */
export function start({ verb, args }: Command, { through = [], flags = [], env = {} }: Start = {}): Deno.ChildProcess {
  const [run, ...rest] = taskArguments(verb);
  started.count++;
  return spawnDeno([run, ...flags, ...rest, ...args], env, CHECKOUT, through);
}

/** How many processes of the program were started, of all campaigns. */
export const started = { count: 0 };

/**
 * Waits for the end of a process, reading what it tells.
 *
 * @param patience seconds after which it hangs
 * @throws Error if it hangs; then it is killed
 */
export async function ended(child: Deno.ChildProcess, patience = HANGS): Promise<Death> {
  let hangs = false;
  const timer = Number.isFinite(patience)
    ? setTimeout(() => {
      hangs = true;
      kill(child, "SIGKILL");
    }, 1000 * patience)
    : undefined;
  try {
    const { code, signal, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    const told = { stdout: text.decode(stdout), stderr: text.decode(stderr) };
    if (hangs) throw new Error(`hung for ${patience} s: ${told.stdout.slice(-300)}${told.stderr}`);
    return { code: signal === null ? code : null, signal, ...told };
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds that each verb took when it was last left alone; the machine may be busy with other work. */
const lengths = new Map<string, number>();

/** Runs a task to its end. */
export async function run(command: Command, how?: Start): Promise<Death> {
  const begin = performance.now();
  const death = await ended(start(command, how));
  if (death.code === 0) lengths.set(command.verb, performance.now() - begin);
  return death;
}

/**
 * A moment in the life of a command, from before its first line to about its end. A seed gives the same share of that,
 * not the same place in it, as time goes its own way.
 *
 * @returns milliseconds after its start
 */
export function momentIn({ verb }: Command, random: Random): number {
  return (lengths.get(verb) ?? 500) * (0.15 + random.below(1000) / 1000);
}

/** Signals a process that may have ended. */
export function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

/** Words that the program never says, whatever is done to it: its own stack, the system's and the runtime's words. */
const OWN_FAULT = /Internal error|os error|allow-all|Uncaught|panicked|undefined|\[object|at file:|NotCapable/;

/** The process came to its end, or refused in sentences with exit code 2. Returns which. */
export function checkEnding(death: Death): "fine" | "refused" {
  assert.doesNotMatch(death.stderr, OWN_FAULT);
  assert.ok(death.code === 0 || death.code === 2, `${death.code ?? death.signal}: ${death.stdout}${death.stderr}`);
  if (death.code === 0) return "fine";
  assert.match(death.stderr, /^(?:\/.*:\d+:\d+: )?[A-Z].* .*[^\n]\n$/s, `no sentence: ${JSON.stringify(death)}`);
  return "refused";
}

/** The process did what was asked. */
export function checkFine(death: Death): void {
  assert.equal(death.code, 0, `${death.code ?? death.signal}: ${death.stdout.slice(-500)}${death.stderr}`);
}
