import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import type { LockFile } from "../files/files.ts";

/**
 * Node.js cannot lock a file, so who wants it adds a line to it that names the process. The first line of a process
 * that lives has the lock: all who look agree, as lines are added one after the other by the operating system. Who does
 * not get it crosses the own line out. Deno's locks name their process, too, and are kept; Deno itself does not know of
 * these, but takes the lines away, which {@link LockFile.holds} sees.
 */
export function openLock(path: string): Promise<LockFile> {
  const [added, read] = openTwice(path);
  const own = `${process.pid} ${startOf(process.pid) ?? "-"} ${crypto.randomUUID()}`;
  const isThere = () => isSame(added, statSync(path, { bigint: true, throwIfNoEntry: false }));
  let taken = false;
  const take = () => {
    if (!isThere()) return "gone";
    writeSync(added, `\n${own}\n`);
    const owner = claims(read).find(({ line }) => line === own || lives(line));
    taken = owner?.line === own;
    crossOut(read, (line) => line === own ? !taken : taken && !lives(line));
    if (!taken) return "held";
    // The one before may have removed the file after it was opened here.
    if (isThere()) return "taken";
    taken = false;
    return "gone";
  };
  return Promise.resolve({
    take: () => Promise.resolve(take()),
    holds: () => Promise.resolve(isThere() && (!taken || claims(read).some(({ line }) => line === own))),
    [Symbol.dispose]: () => {
      try {
        // Before it is closed: then another may have taken it. A folder moved away may have one in its place.
        if (taken && isThere()) rmSync(path);
      } catch {
        // It went with its folder, or the system keeps open files. It locks nobody out.
      }
      if (taken) crossOut(read, (line) => line === own);
      for (const file of [added, read]) closeSync(file);
    },
  });
}

/** To add to, where the system leaves no choice of the place, and to write within. */
function openTwice(path: string): [added: number, read: number] {
  while (true) {
    const added = openSync(path, "a");
    try {
      const read = openSync(path, "r+");
      if (isSame(added, fstatSync(read, { bigint: true }))) return [added, read];
      closeSync(read);
    } catch (error) {
      // The one before removed it in between.
      if ((error as { code?: string }).code !== "ENOENT") {
        closeSync(added);
        throw error;
      }
    }
    closeSync(added);
  }
}

/** "#" */
const CROSS = 0x23;

/** A line of a lock's file. */
interface Claim {
  readonly line: string;
  /** Where it begins. */
  readonly begin: number;
}

/** The lines of a lock's file that are not crossed out. */
function claims(file: number): Claim[] {
  const bytes = new Uint8Array(fstatSync(file).size);
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0)));
  return Array.from(text.matchAll(/^[^#\n].*$/gm), ({ 0: line, index }) => ({ line, begin: index }));
}

/** Crosses out lines by letters of the same number, so that all others stay where they are. */
function crossOut(file: number, which: (line: string) => boolean): void {
  for (const { line, begin } of claims(file)) {
    if (which(line)) writeSync(file, new Uint8Array(line.length).fill(CROSS), 0, line.length, begin);
  }
}

/** Whether the process of a line is still there. */
function lives(line: string): boolean {
  const [number, start = "-"] = line.split(" ");
  if (!/^\d+$/.test(number)) return false;
  try {
    process.kill(Number(number), 0);
  } catch (error) {
    // Another user's lives, too.
    if ((error as { code?: string }).code !== "EPERM") return false;
  }
  const now = startOf(Number(number));
  return now === null || (start === "-" ? now !== "ended" : start === now);
}

/**
 * When a process began, as Linux counts, by which it is told from a later one of the same number; `ended` if it only
 * waits to be buried, and `null` where there is no telling.
 */
function startOf(process: number): string | null {
  try {
    const fields = readFileSync(`/proc/${process}/stat`, "latin1").replace(/^.*\) /s, "").split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
  } catch {
    return null;
  }
}

/** Whether an open file is what was found. */
function isSame(file: number, there: BigIntStats | undefined): boolean {
  const own = fstatSync(file, { bigint: true });
  return there !== undefined && own.ino === there.ino && own.dev === there.dev;
}
