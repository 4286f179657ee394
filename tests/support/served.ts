import assert from "node:assert/strict";
import { spawnDeno, taskArguments } from "./task.ts";

/** The program at `serve`, as users start it. */
export interface Served {
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  readonly process: Deno.ChildProcess;
  /** Signals it, and waits for its end. */
  end(signal?: Deno.Signal): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts `serve` with the permissions that it has in `deno.json`, on a port that is free, and on the cpu. */
export async function startServe(args: readonly string[]): Promise<Served> {
  const process = spawnDeno([...taskArguments("serve"), ...args, "--port", "0", "--backend", "cpu"]);
  const stderr = new Response(process.stderr).text();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  let address: string | undefined;
  while (!address) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`it ended: ${told}${await stderr}`);
    told += value;
    [, address] = /^answers at (http:\/\/127\.0\.0\.1:\d+)\/predict until Ctrl-C or SIGTERM$/m.exec(told) ?? [];
  }
  return {
    address,
    process,
    async end(signal = "SIGTERM") {
      process.kill(signal);
      const { code, signal: by } = await process.status;
      await reader.cancel();
      return { code: by === null ? code : null, stderr: await stderr };
    },
  };
}
