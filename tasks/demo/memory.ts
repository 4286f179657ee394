/**
 * Files in memory under the names of Deno, for the library in a browser. It must be imported before the library.
 *
 * @module
 */

import type { FolderFile } from "./messages.ts";

class NotFound extends Error {}
class AlreadyExists extends Error {}
class IsADirectory extends Error {}
class NotADirectory extends Error {}
class PermissionDenied extends Error {}
class FilesystemLoop extends Error {}
class NotCapable extends Error {}

interface Node {
  readonly ino: number;
  /** `null`: a folder. */
  bytes: Uint8Array<ArrayBuffer> | null;
}

let nodes = 0;
const newNode = (bytes: Node["bytes"]): Node => ({ ino: ++nodes, bytes });
const tree = new Map<string, Node>([["/", newNode(null)]]);

/** An absolute path without `.` and `..`. */
function place(path: string | URL): string {
  const text = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";

function find(path: string | URL): Node {
  const node = tree.get(place(path));
  if (!node) throw new NotFound(`No such file or folder: "${path}"`);
  return node;
}

function fileAt(path: string | URL): Node & { bytes: Uint8Array<ArrayBuffer> } {
  const node = find(path);
  if (node.bytes === null) throw new IsADirectory(`"${path}" is a folder`);
  return node as Node & { bytes: Uint8Array<ArrayBuffer> };
}

function expectFolder(path: string): void {
  if (find(path).bytes !== null) throw new NotADirectory(`"${path}" is a file`);
}

const infoOf = ({ ino, bytes }: Node) => ({
  ino,
  dev: 0,
  isFile: bytes !== null,
  isDirectory: bytes === null,
  isSymlink: false,
  size: bytes?.length ?? 0,
});

interface WriteOptions {
  readonly append?: boolean;
  readonly create?: boolean;
  readonly createNew?: boolean;
}

function write(path: string | URL, bytes: Uint8Array<ArrayBuffer>, options: WriteOptions = {}): void {
  const { append = false, create = true, createNew = false } = options;
  const own = place(path), there = tree.get(own);
  if (there?.bytes === null) throw new IsADirectory(`"${path}" is a folder`);
  if (there && createNew) throw new AlreadyExists(`There is a file "${path}"`);
  if (!there && !create) throw new NotFound(`No such file: "${path}"`);
  expectFolder(parentOf(own));
  if (!there) tree.set(own, newNode(bytes.slice()));
  else there.bytes = append ? joined(there.bytes!, bytes) : bytes.slice();
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function makeFolder(path: string | URL, { recursive = false }: { readonly recursive?: boolean } = {}): void {
  const own = place(path), there = tree.get(own);
  if (there) {
    if (recursive && there.bytes === null) return;
    throw new AlreadyExists(`There is something at "${path}"`);
  }
  if (recursive && parentOf(own) !== own) makeFolder(parentOf(own), { recursive });
  expectFolder(parentOf(own));
  tree.set(own, newNode(null));
}

const beneath = (folder: string) => {
  const begin = folder === "/" ? "/" : `${folder}/`;
  return [...tree.keys()].filter((path) => path !== "/" && path.startsWith(begin));
};

function remove(path: string | URL, { recursive = false }: { readonly recursive?: boolean } = {}): void {
  find(path);
  const inside = beneath(place(path));
  if (inside.length > 0 && !recursive) throw new AlreadyExists(`The folder "${path}" is not empty`);
  for (const each of [...inside, place(path)]) tree.delete(each);
}

function rename(from: string, to: string): void {
  const [old, own] = [place(from), place(to)];
  find(old);
  expectFolder(parentOf(own));
  for (const path of [old, ...beneath(old)]) {
    tree.set(own + path.slice(old.length), tree.get(path)!);
    tree.delete(path);
  }
}

function list(path: string | URL) {
  const own = place(path);
  expectFolder(own);
  return beneath(own).filter((each) => parentOf(each) === own).map((each) => ({
    name: each.slice(each.lastIndexOf("/") + 1),
    ...infoOf(tree.get(each)!),
  }));
}

/** An open file, with as much as the library asks of one. */
class File {
  #at = 0;
  readonly #node: Node;
  constructor(node: Node) {
    this.#node = node;
  }
  tryLock = () => Promise.resolve(true);
  lock = () => Promise.resolve();
  sync = () => Promise.resolve();
  stat = () => Promise.resolve(infoOf(this.#node));
  statSync = () => infoOf(this.#node);
  close = () => {};
  [Symbol.dispose] = () => {};
  seek(to: number): Promise<number> {
    return Promise.resolve(this.#at = to);
  }
  truncate(length = 0): Promise<void> {
    this.#node.bytes = this.#node.bytes!.slice(0, length);
    return Promise.resolve();
  }
  read(into: Uint8Array): Promise<number | null> {
    const part = this.#node.bytes!.subarray(this.#at, this.#at + into.length);
    into.set(part);
    this.#at += part.length;
    return Promise.resolve(part.length === 0 && into.length > 0 ? null : part.length);
  }
  write(part: Uint8Array): Promise<number> {
    const { bytes } = this.#node;
    const all = new Uint8Array(Math.max(bytes!.length, this.#at + part.length));
    all.set(bytes!);
    all.set(part, this.#at);
    this.#node.bytes = all;
    this.#at += part.length;
    return Promise.resolve(part.length);
  }
}

interface OpenOptions extends WriteOptions {
  readonly write?: boolean;
}

function open(path: string, { write: writes = false, create = false, createNew = false }: OpenOptions = {}): File {
  if (createNew || (writes && create && !tree.has(place(path)))) write(path, new Uint8Array(), { createNew });
  return new File(fileAt(path));
}

/** The same, as promises: what is thrown is a promise's refusal. */
function later<Args extends unknown[], Result>(body: (...args: Args) => Result) {
  return (...args: Args) => new Promise<Result>((resolve) => resolve(body(...args)));
}

const encode = (text: string) => new TextEncoder().encode(text);
const readText = (path: string | URL) => new TextDecoder().decode(fileAt(path).bytes);

Object.assign(globalThis, {
  process: { env: {}, cwd: () => "/" },
  Deno: {
    pid: 1,
    build: { os: "browser", standalone: false },
    errors: { NotFound, AlreadyExists, IsADirectory, NotADirectory, PermissionDenied, FilesystemLoop, NotCapable },
    SeekMode: { Start: 0 },
    cwd: () => "/",
    readFile: later((path: string | URL) => fileAt(path).bytes.slice()),
    readTextFile: later(readText),
    writeFile: later(write),
    writeTextFile: later((path: string, text: string, options?: WriteOptions) => write(path, encode(text), options)),
    open: later(open),
    mkdir: later(makeFolder),
    rename: later(rename),
    remove: later(remove),
    removeSync: remove,
    stat: later((path: string | URL) => infoOf(find(path))),
    lstat: later((path: string | URL) => infoOf(find(path))),
    statSync: (path: string | URL) => infoOf(find(path)),
    realPath: later((path: string) => (find(path), place(path))),
    readDir: async function* (path: string) {
      yield* await Promise.resolve(list(path));
    },
    readDirSync: list,
  },
});

// Chromium and Safari lack it.
if (!("from" in ReadableStream)) {
  Object.assign(ReadableStream, {
    from(parts: Iterable<unknown>) {
      const iterator = parts[Symbol.iterator]();
      return new ReadableStream({
        pull(controller) {
          const { done, value } = iterator.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
    },
  });
}

/** Writes a file, and makes the folders that it is in. */
export const put: (path: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void> = later((path, bytes) => {
  makeFolder(parentOf(place(path)), { recursive: true });
  write(path, bytes);
});

/** The text of a file. */
export const textOf: (path: string) => Promise<string> = later(readText);

/** The bytes of a file. */
export const bytesOf: (path: string) => Promise<Uint8Array<ArrayBuffer>> = later((path) => fileAt(path).bytes.slice());

/** The files of a folder and of those in it, by their paths from there. */
export const filesIn: (folder: string) => Promise<FolderFile[]> = later((folder) => {
  const own = place(folder);
  return beneath(own).filter((path) => tree.get(path)!.bytes !== null).sort()
    .map((path) => ({ path: path.slice(own.length + 1), bytes: fileAt(path).bytes.slice() }));
});

/** Removes a folder with all that is in it, if it is there. */
export const drop: (folder: string) => Promise<void> = later((folder) => {
  if (tree.has(place(folder))) remove(folder, { recursive: true });
});
