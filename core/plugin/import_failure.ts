import { wordsOf } from "../errors.ts";

/** The parts of the runtime's words for a package that can neither be found in its cache nor fetched. */
const UNFETCHED = [
  /Failed caching npm package '([^']+)'/,
  /Failed loading \S+ for package "([^"]+)"/,
  /npm package not found in cache: "([^"]+)"/,
];

/** Colours, which the runtime also puts into the words of errors. */
// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*m/g;

/** The package that an import failed of, as it is neither in Deno's cache nor can be fetched; `null` if it did not. */
export function unfetchedPackage(error: unknown): string | null {
  const message = wordsOf(error).replaceAll(COLOURS, "");
  return UNFETCHED.map((words) => message.match(words)?.[1]).find((found) => found !== undefined) ?? null;
}

/**
 * Why a plug-in's module cannot be imported, in one line.
 *
 * @param error what the import threw
 * @param module its specifier, which is left out: that of verified text is the whole text
 */
export function importFailure(error: unknown, module: string): string {
  const message = wordsOf(error).replaceAll(COLOURS, "");
  if (message.startsWith("The lockfile is out of date")) {
    return "it imports a package that deno.lock does not list, and no plug-in may change that file: start the program " +
      'with "deno run --no-lock", as the tasks of deno.json do';
  }
  if (message.startsWith(`Module not found "${module}"`)) return "there is no such file";
  if (message.includes("ERR_UNSUPPORTED_DIR_IMPORT")) return "it is a folder: a file is needed";
  const name = unfetchedPackage(error);
  if (name !== null) {
    return `it imports npm:${name}, which is not in Deno's cache and cannot be fetched: run it once with a network, and ` +
      "the cache keeps it";
  }
  return message.replaceAll(module, "the module").replaceAll(/\s*\n\s*/g, " ");
}
