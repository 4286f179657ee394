/** A web server on this machine for tests of downloads. */
export interface FileServer {
  /** The address of a file on it. */
  url(path: string): string;
  /** The paths that were asked for, in order. */
  readonly requests: readonly string[];
}

/** Runs `body` with a server that answers by path, and 404 for any other, and with an empty folder for the cache. */
export async function withFileServer(
  answers: Readonly<Record<string, () => Response | Promise<Response>>>,
  body: (server: FileServer, folder: string) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, onError: () => new Response() },
    (request) => {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      return answers[pathname]?.() ?? new Response("nothing here", { status: 404 });
    },
  );
  const folder = await Deno.makeTempDir();
  try {
    await body({ url: (path) => `http://127.0.0.1:${server.addr.port}${path}`, requests }, folder);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}
