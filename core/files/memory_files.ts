import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import { visiblePath } from "../visible.ts";
import { REASONS } from "./reasons.ts";
import { FileError, type FileInfo, type Files, type FolderEntry, type LockFile, type OpenFile } from "./files.ts";
import { pathStyles } from "./path_style.ts";
import { joined } from "../joined.ts";

const { basename, dirname, resolve } = pathStyles.posix;

/** A file; who has it locked counts while the program runs. */
interface StoredFile {
  bytes: Uint8Array<ArrayBuffer>;
  owner: symbol | null;
}

/** A folder, by the names in it. */
type Folder = Map<string, StoredFile | Folder>;

/**
 * Files that are in memory alone: for browsers, and wherever a program may not write. All paths begin at `/`, which is
 * also the working folder.
 *
 * @param content files that are there from the begin on, by their paths; folders are made for them
 * @throws UserError for a path that is a folder's, or leads through a file
 *
 * @example
 * ```ts
 * import { memoryFiles, useFiles } from "@opdf/opdf/core";
 *
 * useFiles(memoryFiles({ "recipes/own.yaml": "name: own" }));
 * ```
 */
export function memoryFiles(content: Readonly<Record<string, Uint8Array | string>> = {}): Files {
  expectArguments("memoryFiles", { content: [content, "a map"] });
  const files = new MemoryFiles();
  for (const [path, value] of Object.entries(content)) {
    if (!(value instanceof Uint8Array)) expectArguments("memoryFiles", { [`content["${path}"]`]: [value, "a text"] });
    try {
      files.put(path, typeof value === "string" ? new TextEncoder().encode(value) : value);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new UserError(`Cannot put "${visiblePath(path)}" into memory as ${REASONS[error.code]}`, { cause: error });
    }
  }
  return files;
}

/** Calls a function; what it throws becomes a rejection. */
async function attempt<Result>(body: () => Result): Promise<Awaited<Result>> {
  return await body();
}

class MemoryFiles implements Files {
  readonly paths = "posix";
  readonly #root: Folder = new Map();

  workingFolder(): string {
    return "/";
  }

  /** Makes a file and the folders around it. */
  put(path: string, bytes: Uint8Array): void {
    this.#makeFolders(dirname(resolve("/", path)));
    this.#write(path, bytes);
  }

  look(path: string): Promise<FileInfo> {
    return attempt(() => {
      const there = this.#at(path);
      return there instanceof Map ? { kind: "folder", size: 0 } : { kind: "file", size: there.bytes.length };
    });
  }

  isLink(path: string): Promise<boolean> {
    return attempt(() => {
      this.#at(path);
      return false;
    });
  }

  realPath(path: string): Promise<string> {
    return attempt(() => {
      this.#at(path);
      return resolve("/", path);
    });
  }

  list(path: string): Promise<FolderEntry[]> {
    return attempt(() =>
      Array.from(this.#folder(path), ([name, there]) => ({ name, kind: there instanceof Map ? "folder" : "file" }))
    );
  }

  read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return attempt(() => this.#file(path).bytes.slice());
  }

  open(path: string): Promise<OpenFile> {
    return attempt(() => {
      // What is written later is another file's content, as on a disk.
      const { bytes } = this.#file(path);
      return {
        size: bytes.length,
        read: (begin, length) => Promise.resolve(bytes.slice(begin, begin + length)),
        [Symbol.dispose]: () => {},
      };
    });
  }

  write(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
    return attempt(() => this.#write(path, bytes instanceof Uint8Array ? bytes : joined(bytes)));
  }

  create(path: string): Promise<void> {
    return attempt(() => {
      if (this.#find(path) !== undefined) throw new FileError("EEXIST", path);
      this.#write(path, new Uint8Array());
    });
  }

  append(path: string, bytes: Uint8Array): Promise<void> {
    return attempt(() => {
      const file = this.#file(path);
      const whole = new Uint8Array(file.bytes.length + bytes.length);
      whole.set(file.bytes);
      whole.set(bytes, file.bytes.length);
      file.bytes = whole;
    });
  }

  makeFolder(path: string, around: boolean): Promise<void> {
    return attempt(() => {
      if (around) return this.#makeFolders(path);
      if (this.#find(path) !== undefined) throw new FileError("EEXIST", path);
      this.#folder(dirname(resolve("/", path))).set(basename(path), new Map());
    });
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(() => {
      const [source, target] = [resolve("/", from), resolve("/", to)];
      const [home, folder] = [this.#folder(dirname(source)), this.#folder(dirname(target))];
      const [moved, there] = [this.#at(source), this.#find(target)];
      if (source === target) return;
      if (target.startsWith(`${source}/`)) throw new FileError("EINVAL", to);
      if (source.startsWith(`${target}/`)) throw new FileError("ENOTEMPTY", to);
      if (there instanceof Map) {
        if (!(moved instanceof Map)) throw new FileError("EISDIR", to);
        if (there.size > 0) throw new FileError("ENOTEMPTY", to);
      } else if (there !== undefined && moved instanceof Map) throw new FileError("ENOTDIR", to);
      folder.set(basename(target), moved);
      home.delete(basename(source));
    });
  }

  remove(path: string): Promise<void> {
    return attempt(() => {
      this.#at(path);
      const own = resolve("/", path);
      if (own === "/") throw new FileError("EBUSY", path);
      this.#folder(dirname(own)).delete(basename(own));
    });
  }

  removeEmptyFolder(path: string): void {
    try {
      const own = resolve("/", path);
      if (own !== "/" && this.#folder(own).size === 0) this.#folder(dirname(own)).delete(basename(own));
    } catch {
      // It is not there.
    }
  }

  openLock(path: string): Promise<LockFile> {
    return attempt(() => {
      if (this.#find(path) === undefined) this.#write(path, new Uint8Array());
      const file = this.#file(path);
      const own = Symbol(path);
      const isThere = () => {
        try {
          return this.#find(path) === file;
        } catch {
          return false;
        }
      };
      return {
        take: () => {
          if (file.owner !== null) return Promise.resolve("held");
          if (!isThere()) return Promise.resolve("gone");
          file.owner = own;
          return Promise.resolve("taken");
        },
        holds: () => Promise.resolve(isThere()),
        [Symbol.dispose]: () => {
          if (file.owner !== own) return;
          file.owner = null;
          if (isThere()) this.#folder(dirname(resolve("/", path))).delete(basename(path));
        },
      };
    });
  }

  failureOf(error: unknown): { readonly code: string } | null {
    return error instanceof FileError ? { code: error.code } : null;
  }

  networkRefusal(): null {
    return null;
  }

  /** What is at a path, if anything. @throws FileError if the path leads through a file */
  #find(path: string): StoredFile | Folder | undefined {
    if (path === "") return undefined;
    let there: StoredFile | Folder | undefined = this.#root;
    for (const part of resolve("/", path).split("/").filter((part) => part !== "")) {
      if (there === undefined) return undefined;
      if (!(there instanceof Map)) throw new FileError("ENOTDIR", path);
      there = there.get(part);
    }
    return there;
  }

  #at(path: string): StoredFile | Folder {
    const there = this.#find(path);
    if (there === undefined) throw new FileError("ENOENT", path);
    return there;
  }

  #file(path: string): StoredFile {
    const there = this.#at(path);
    if (there instanceof Map) throw new FileError("EISDIR", path);
    return there;
  }

  #folder(path: string): Folder {
    const there = this.#at(path);
    if (!(there instanceof Map)) throw new FileError("ENOTDIR", path);
    return there;
  }

  /** Puts another file in the place of the one that is there: who has that open goes on with it. */
  #write(path: string, bytes: Uint8Array): void {
    if (this.#find(path) instanceof Map) throw new FileError("EISDIR", path);
    const own = resolve("/", path);
    this.#folder(dirname(own)).set(basename(own), { bytes: bytes.slice(), owner: null });
  }

  #makeFolders(path: string): void {
    let folder = this.#root;
    const parts = resolve("/", path).split("/").filter((part) => part !== "");
    for (const [depth, part] of parts.entries()) {
      const there = folder.get(part);
      if (there !== undefined && !(there instanceof Map)) {
        throw new FileError(depth === parts.length - 1 ? "EEXIST" : "ENOTDIR", path);
      }
      const next: Folder = there ?? new Map();
      folder.set(part, next);
      folder = next;
    }
  }
}
