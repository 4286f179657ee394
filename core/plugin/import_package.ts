/** `npm:name@version/path` */
const ADDRESS = /^npm:((?:@[^/@]+\/)?[^/@]+)(@[^/]+)?(\/.*)?$/;

/**
 * Imports a package by its address, `npm:name@version`, by which Deno fetches it. Where the runtime knows no such
 * addresses, as Node.js and Bun, it is the package that the program has installed.
 *
 * @throws what the runtime throws; of a package that is not installed, how to install it
 */
export async function importPackage(address: string): Promise<unknown> {
  try {
    return await import(address);
  } catch (error) {
    const [, name, version = "", path = ""] = ADDRESS.exec(address) ?? [];
    if (name === undefined || !isUnknownAddress(error)) throw error;
    return await importInstalled(name, version, path);
  }
}

async function importInstalled(name: string, version: string, path: string): Promise<unknown> {
  try {
    return await import(name + path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`it is not installed: npm install ${name}${version}`, { cause: error });
  }
}

/** In the words of Node.js, and of Bun. */
function isUnknownAddress(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === "ERR_UNSUPPORTED_ESM_URL_SCHEME" || /^Cannot find package 'npm:/.test(message ?? "");
}
