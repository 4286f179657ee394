import type { Site } from "./site.ts";

/** By these a browser lets threads share memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** What the page may do: load this site's files, start threads, and compile WebAssembly; no text becomes code. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; " +
  "connect-src 'self'; style-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css",
  js: "text/javascript",
  json: "application/json",
};

/** A site on this machine. */
export interface ServedSite extends AsyncDisposable {
  readonly address: string;
  /** Settles when the server has ended. */
  readonly finished: Promise<void>;
}

/**
 * Serves a site on 127.0.0.1.
 *
 * @param port 0 for any that is free
 * @param isolated whether to send the headers by which threads share memory, as plain file servers do not
 * @throws Deno.errors.AddrInUse if another program has the port
 */
export function serveSite(site: Site, { port = 0, isolated = true }): ServedSite {
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, ({ url, method }) => {
    if (method !== "GET" && method !== "HEAD") return new Response("Only GET is answered", { status: 405 });
    const path = new URL(url).pathname.slice(1) || "index.html";
    const file = site.get(path);
    if (!file) return new Response("There is no such file", { status: 404 });
    const type = TYPES[path.split(".").at(-1)!] ?? "application/octet-stream";
    const headers = {
      "content-type": type,
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    };
    return new Response(method === "HEAD" ? null : file, { headers: { ...headers, ...(isolated && ISOLATION) } });
  });
  return {
    address: `http://127.0.0.1:${server.addr.port}/`,
    finished: server.finished,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
