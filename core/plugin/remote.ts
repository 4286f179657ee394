import { fromBase64, toBase64, toHex } from "../byte_texts.ts";
import { parseUrl, readRemoteFile, type RemoteFileOptions } from "../data/remote_file.ts";
import { UserError } from "../errors.ts";
import { type Definitions, importDefinition, type PluginKind } from "./registry.ts";

/** Far more than a plug-in of one file has. */
const LIMIT = 2 ** 20;

/** A plug-in named by its address. */
export interface RemotePlugin {
  /** An address that begins with https://, or with http:// on this machine. */
  readonly url: string;
  /** `sha256-` and the SHA-256 of the file in base64 or hexadecimal digits; `null` if it was left out. */
  readonly integrity: string | null;
  /** Whether the user asked for plug-ins by URL on the command line. */
  readonly allowed: boolean;
}

/**
 * Loads a plug-in by its URL: the file is fetched (or taken from the cache of downloads), its hash is compared, and
 * what was compared is what is run. It must be one file, as the hash says nothing of others.
 *
 * @param kind which kind is wanted
 * @param plugin where it is and what its content must be
 * @param options where downloads are kept
 * @returns the definition
 * @throws UserError if it is not allowed, cannot be fetched, has another hash, imports something, or is no such plug-in
 */
export async function loadPluginUrl<Kind extends PluginKind>(
  kind: Kind,
  { url, integrity, allowed }: RemotePlugin,
  options: RemoteFileOptions = {},
): Promise<Definitions[Kind]> {
  const refuse = (reason: string) => new UserError(`Cannot load the ${kind} plug-in "${url}": ${reason}`);
  if (!isSecure(url)) throw refuse("expected an address that begins with https://");
  if (!allowed) throw refuse("it is code from the network, which runs only with --allow-plugin-url");
  if (integrity === null) {
    throw refuse(
      `integrity is missing: write "integrity: sha256-" and what "sha256sum FILE" prints for a copy you read`,
    );
  }
  const sha256 = hexOf(integrity);
  if (!sha256) {
    throw refuse(`expected sha256- and 64 hexadecimal digits or 44 of base64 for integrity, got "${integrity}"`);
  }
  const bytes = await readRemoteFile({ url, sha256 }, { limit: LIMIT, ...options });
  const text = textOf(bytes);
  if (text === null) throw refuse("it is not UTF-8 text");
  const imported = firstImport(text);
  if (imported) throw refuse(`it has "${imported}", and must be one file without imports (other than import type)`);
  const type = /\.m?js$/.test(new URL(url).pathname) ? "text/javascript" : "application/typescript";
  return await importDefinition(kind, url, `data:${type};base64,${toBase64(bytes)}`);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A fetch from this machine crosses no network. */
function isSecure(url: string): boolean {
  const address = parseUrl(url);
  return address?.protocol === "https:" ||
    address?.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(address.hostname);
}

function hexOf(integrity: string): string | null {
  const digits = integrity.match(/^sha256-(.+)$/)?.[1] ?? "";
  if (/^[\da-f]{64}$/i.test(digits)) return digits.toLowerCase();
  return /^[A-Za-z\d+/]{43}=$/.test(digits) ? toHex(fromBase64(digits)) : null;
}

/**
 * The first run-time import of a module's text, comments and strings left out. It keeps the promise that the hash
 * covers everything that runs from being broken by accident; code that means harm has other ways, which only reading it
 * shows.
 *
 * @returns `import { x } from` or the like, in one line; `null` if there is none
 */
export function firstImport(text: string): string | null {
  const plain = text.replaceAll(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (part) => /^["']/.test(part) ? '""' : " ",
  );
  const found = plain.match(
    /(?<![.\w$])(?:import\b(?!\s+type\b|\s*\.\s*meta\b)|export\s*(?:\*|\{[^}]*\})[^;=]*?\bfrom\b)[^;"]{0,60}/,
  );
  return found && found[0].replaceAll(/\s+/g, " ").trim();
}
