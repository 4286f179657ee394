/** What a name in a folder stands for; `other`: a link, a pipe, a device. */
export type EntryKind = "file" | "folder" | "other";

/** A name in a folder. */
export interface FolderEntry {
  /** Without the folder. */
  readonly name: string;
  /** What the name itself stands for: a link is not what it leads to. */
  readonly kind: EntryKind;
}

/** What is at a path. */
export interface FileInfo {
  /** Of a link, what it leads to. */
  readonly kind: EntryKind;
  /** In bytes. */
  readonly size: number;
}

/** A file that is open to be read in parts. */
export interface OpenFile extends Disposable {
  /** In bytes, when it was opened. */
  readonly size: number;
  /** Reads `length` bytes from `begin` on; fewer if the file ends before. */
  read(begin: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A file that one can lock to keep others out. Disposing of it gives it free and removes it, if it was held. */
export interface LockFile extends Disposable {
  /**
   * Tries to lock it. The lock ends with the program, however it ends.
   *
   * @returns `taken`; `held`: by somebody else; `gone`: the file was removed since it was opened, so that a lock of it
   * would keep nobody out
   */
  take(): Promise<"taken" | "held" | "gone">;
  /** Whether the path still stands for this file. */
  holds(): Promise<boolean>;
}

/** What went wrong at a path, and why. */
export interface FileFailure {
  /** A name of POSIX: `ENOENT`. */
  readonly code: string;
  /** What there is to say in place of what the code means, to follow "as". */
  readonly reason?: string;
}

/**
 * The files of the place where the program runs, and what else is the place's: Deno has one, a browser another. Nothing
 * above knows which. Where an operation fails, it throws an error that {@link Files.failureOf} knows.
 */
export interface Files {
  /** How paths are written. */
  readonly paths: "posix" | "windows";
  /** The folder that relative paths count from, as an absolute path. */
  workingFolder(): string;
  /** What is at a path; a link counts as what it leads to. */
  look(path: string): Promise<FileInfo>;
  /** Whether the path itself is a link. */
  isLink(path: string): Promise<boolean>;
  /** The absolute path without any link in it. */
  realPath(path: string): Promise<string>;
  /** What a folder holds, in no order. */
  list(path: string): Promise<FolderEntry[]>;
  /** A whole file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens a file to be read in parts. */
  open(path: string): Promise<OpenFile>;
  /**
   * Writes a file, of bytes or of parts of them one behind the other, so that its name never stands for half of the
   * content: a failure leaves the old one as it was.
   */
  write(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** Makes an empty file; `EEXIST` if there is something of that name. */
  create(path: string): Promise<void>;
  /** Adds bytes to the end of a file, which must be there. */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes a folder, and those around it if `around`; then one that is there is none too many. */
  makeFolder(path: string, around: boolean): Promise<void>;
  /** Gives a file or a folder another name; a file that has it is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all that is in it. */
  remove(path: string): Promise<void>;
  /** Removes an empty folder at once, as something ends that nobody waits for. It may fail, and then says nothing. */
  removeEmptyFolder(path: string): void;
  /** Opens a file that is there to be locked; makes it if it is not. */
  openLock(path: string): Promise<LockFile>;
  /** What an error says of files, whoever threw it; `null` if nothing. */
  failureOf(error: unknown): FileFailure | null;
  /** Why a download failed, and what helps, if the network may not be used; `null` for any other error. */
  networkRefusal(error: unknown, url: string): string | null;
}

/** A failure of files that are no operating system's. */
export class FileError extends Error {
  static {
    this.prototype.name = "FileError";
  }

  /** Fails with a code of POSIX, such as `ENOENT`, at a path. */
  constructor(readonly code: string, path: string) {
    super(`${code}: ${path}`);
  }
}
