import type { Files } from "./files.ts";
import { memoryFiles } from "./memory_files.ts";
import { pathStyles } from "./path_style.ts";

/** Where the folder is among the files in memory. */
const ROOT = "/folder";

/**
 * Files of a place, but for one folder, whose content is in memory alone: what is written there leaves nothing behind,
 * however the program ends. At first it is not there.
 *
 * @param folder a path, which nothing else is at
 * @param files those of the place
 */
export function memoryWithin(folder: string, files: Files): Files {
  const memory = memoryFiles();
  const { resolve } = pathStyles[files.paths];
  const own = resolve(files.workingFolder(), folder);
  /** The path in memory; `null` for one outside of the folder. */
  const within = (path: string): string | null => {
    const whole = resolve(files.workingFolder(), path);
    const rest = whole.slice(own.length);
    return whole.startsWith(own) && /^(?:$|[/\\])/.test(rest) ? ROOT + rest.replaceAll("\\", "/") : null;
  };
  const at = <Result>(path: string, body: (files: Files, path: string) => Result): Result => {
    const inside = within(path);
    return inside === null ? body(files, path) : body(memory, inside);
  };
  return {
    paths: files.paths,
    workingFolder: () => files.workingFolder(),
    look: (path) => at(path, (files, path) => files.look(path)),
    isLink: (path) => at(path, (files, path) => files.isLink(path)),
    realPath: async (path) => {
      const inside = within(path);
      if (inside === null) return await files.realPath(path);
      return own + (await memory.realPath(inside)).slice(ROOT.length);
    },
    list: (path) => at(path, (files, path) => files.list(path)),
    read: (path) => at(path, (files, path) => files.read(path)),
    open: (path) => at(path, (files, path) => files.open(path)),
    write: (path, bytes) => at(path, (files, path) => files.write(path, bytes)),
    create: (path) => at(path, (files, path) => files.create(path)),
    append: (path, bytes) => at(path, (files, path) => files.append(path, bytes)),
    makeFolder: (path, around) => at(path, (files, path) => files.makeFolder(path, around)),
    rename: async (from, to) => {
      const [source, target] = [within(from), within(to)];
      if ((source === null) !== (target === null)) {
        throw new Error(`Cannot move "${from}" to "${to}": one of them is in memory, and the other is not`);
      }
      await (source === null ? files.rename(from, to) : memory.rename(source, target!));
    },
    remove: (path) => at(path, (files, path) => files.remove(path)),
    removeEmptyFolder: (path) => at(path, (files, path) => files.removeEmptyFolder(path)),
    openLock: (path) => at(path, (files, path) => files.openLock(path)),
    failureOf: (error) => memory.failureOf(error) ?? files.failureOf(error),
    networkRefusal: (error, url) => files.networkRefusal(error, url),
  };
}
