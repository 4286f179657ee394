/** Stands between clients and a server, both of 127.0.0.1: cuts their connections, or lets them fall silent. */
export class FlakyProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #ended: Promise<void>;
  #silence: PromiseWithResolvers<void> | null = null;
  #left = Infinity;
  #goneUntil = 0;
  /** How often connections were cut. */
  cuts = 0;

  constructor(private readonly server: number) {
    this.#ended = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Cuts all connections, now or in the middle of what is said after so many bytes. */
  cut(after = 0): void {
    this.#left = after;
    if (after === 0) this.#cutNow();
  }

  /** Cuts all connections, and each new one at once for so many milliseconds. */
  goAway(milliseconds: number): void {
    this.#goneUntil = performance.now() + milliseconds;
    this.#cutNow();
  }

  /** Passes nothing on any more, of these connections and of new ones, until it is told to speak. */
  fallSilent(): void {
    this.#silence ??= Promise.withResolvers();
  }

  speak(): void {
    this.#silence?.resolve();
    this.#silence = null;
  }

  #cutNow(): void {
    this.#left = Infinity;
    if (this.#open.size > 0) this.cuts++;
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      if (performance.now() < this.#goneUntil) {
        close(near);
        continue;
      }
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.server }).catch(() => null);
      if (far === null) {
        close(near);
        continue;
      }
      [near, far].forEach((connection) => this.#open.add(connection));
      void this.#pass(near, far);
      void this.#pass(far, near);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(65_536);
    try {
      for (let length = await from.read(bytes); length !== null; length = await from.read(bytes)) {
        await this.#silence?.promise;
        const said = bytes.subarray(0, Math.min(length, this.#left));
        for (let at = 0; at < said.length;) at += await to.write(said.subarray(at));
        this.#left -= said.length;
        if (this.#left <= 0) this.#cutNow();
      }
    } catch {
      // It was cut.
    }
    for (const connection of [from, to]) {
      this.#open.delete(connection);
      close(connection);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.speak();
    this.#cutNow();
    await this.#ended;
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
