import { main } from "../../tasks/cli.ts";
import type { Ended } from "./task.ts";

const STREAMS = ["stdout", "stderr"] as const;

/** The call before, as there is one standard output. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a verb within the test's own process, which saves the second that another one takes to start: for what the
 * program computes and says. It has the tests' permissions; `runTask` is for what depends on its own, and on processes.
 * Calls wait for each other.
 */
export function runHere(verb: string, args: readonly string[]): Promise<Ended> {
  const own = last.then(() => run(verb, args));
  last = own.catch(() => {});
  return own;
}

async function run(verb: string, args: readonly string[]): Promise<Ended> {
  const told = { stdout: "", stderr: "" };
  const text = new TextDecoder();
  for (const stream of STREAMS) {
    Object.assign(Deno[stream], {
      isTerminal: () => false,
      writeSync(bytes: Uint8Array) {
        told[stream] += text.decode(bytes);
        return bytes.length;
      },
    });
  }
  try {
    return { code: await main([verb, ...args]), ...told };
  } finally {
    // What the class of both has comes to light again.
    for (const stream of STREAMS) {
      for (const name of ["isTerminal", "writeSync"]) Reflect.deleteProperty(Deno[stream], name);
    }
  }
}
