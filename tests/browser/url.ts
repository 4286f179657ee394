/** The path of a file:// address, as Node.js has it. */
export function fileURLToPath(url: string | URL): string {
  return decodeURIComponent(new URL(url).pathname);
}

/** The file:// address of a path, as Node.js has it. */
export function pathToFileURL(path: string): URL {
  return new URL(`file://${encodeURI(path)}`);
}
