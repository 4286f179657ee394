/** A page on this machine, and its address. */
export interface Served extends AsyncDisposable {
  readonly address: string;
}

/** By these a browser lets threads share memory. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * Serves files by their paths.
 *
 * @param isolated whether to send the headers by which threads share memory
 */
export function serve(
  files: Readonly<
    Record<string, (request: Request) => Promise<Uint8Array<ArrayBuffer> | string>>
  >,
  isolated = true,
): Served {
  const types: Readonly<Record<string, string>> = {
    js: "text/javascript",
    json: "application/json",
    css: "text/css",
  };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const file = files[pathname];
      if (!file) return new Response("Not found", { status: 404 });
      const type = types[pathname.split(".").at(-1)!] ?? "text/html";
      return new Response(await file(request), {
        headers: { "content-type": type, ...(isolated && ISOLATED) },
      });
    },
  );
  const { port } = server.addr;
  return {
    address: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
