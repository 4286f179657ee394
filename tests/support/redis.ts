import { join } from "node:path";

/** Whether the tests of queues are left out: where there is no server, save in CI. */
export const WITHOUT_REDIS = !hasRedis() && Deno.env.get("CI") !== "true";

function hasRedis(): boolean {
  try {
    return new Deno.Command("redis-server", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** A port of 127.0.0.1 that is free. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A Redis server of a test, on a port of 127.0.0.1 that was free. */
export class RedisServer implements AsyncDisposable {
  #process: Deno.ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly more: readonly string[],
  ) {}

  /** Starts one. @param more flags, as `--requirepass` */
  static async start(...more: string[]): Promise<RedisServer> {
    const server = new RedisServer(freePort(), await Deno.makeTempDir(), more);
    await server.go();
    return server;
  }

  /** Its address. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it, with what it wrote before. */
  async go(): Promise<void> {
    const own = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.folder, "--save", ""];
    const args = [...own, "--appendonly", "yes", ...this.more];
    this.#process = new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
    for (let tries = 0;; tries++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port }).catch(() => null);
      if (connection) return connection.close();
      if (tries === 100) throw new Error(`redis-server does not answer on port ${this.port}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it, in good order or by `kill -9`. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    if (!this.#process) return;
    this.#process.kill(signal);
    await this.#process.status;
    this.#process = null;
  }

  /** Its log of commands, which says whether it keeps anything. */
  get appended(): string {
    return join(this.folder, "appendonlydir");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.folder, { recursive: true });
  }
}
