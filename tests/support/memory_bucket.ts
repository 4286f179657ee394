/** A server that answers as S3 does, as far as a store asks, and keeps everything in memory. */
export class MemoryBucket implements AsyncDisposable {
  /** By path: `/bucket/prefix/key`. */
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, onError: () => new Response(null, { status: 500 }) },
    (request) => this.#answer(request),
  );

  get port(): number {
    return this.#server.addr.port;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "PUT") {
      // What was not sent whole fails here.
      this.objects.set(pathname, new Uint8Array(await request.arrayBuffer()));
      return new Response();
    }
    if (request.method === "DELETE") {
      this.objects.delete(pathname);
      return new Response(null, { status: 204 });
    }
    const object = this.objects.get(pathname);
    if (object) return new Response(request.method === "GET" ? object : null);
    return new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
