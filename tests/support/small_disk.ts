import "../../core/deno/install.ts";
const run = (command: string, ...args: string[]) =>
  new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;

/** Mounts a file system of so many bytes, in memory. */
function mount(folder: string, bytes: number): boolean {
  try {
    return run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder);
  } catch {
    return false; // no such program
  }
}

/** Whether this machine lets a test mount a file system: root on Linux, as a rule. Without, such tests are ignored. */
export const CAN_MOUNT = (() => {
  const folder = Deno.makeTempDirSync();
  const mounted = mount(folder, 2 ** 16);
  if (mounted) run("umount", folder);
  Deno.removeSync(folder);
  return mounted;
})();

/** A file system of its own. */
export interface SmallDisk {
  readonly folder: string;
  /** Bytes and names in use, and bytes that are free. */
  usage(): { readonly bytes: number; readonly names: number; readonly free: number };
  /** Gives it another size. */
  resize(bytes: number): void;
  /** Lets so many files and folders be on it, itself included. */
  limitNames(count: number): void;
  /** Lets nothing be written to it. */
  makeReadOnly(): void;
}

/**
 * Runs `body` with a disk of so many bytes; a page is 4 KiB, and each file takes whole ones.
 *
 * @param at an empty folder to mount it on; one of its own by default
 */
export async function withSmallDisk<Result>(
  bytes: number,
  body: (disk: SmallDisk) => Promise<Result>,
  at?: string,
): Promise<Result> {
  const folder = at ?? await Deno.makeTempDir();
  if (!mount(folder, bytes)) throw new Error("cannot mount");
  const remount = (options: string) => {
    if (!run("mount", "-o", `remount,${options}`, folder)) throw new Error(`cannot remount: ${options}`);
  };
  try {
    return await body({
      folder,
      usage() {
        const args = ["-f", "-c", "%S %b %f %c %d", folder];
        const { stdout } = new Deno.Command("stat", { args, stdout: "piped" }).outputSync();
        const [block, blocks, free, names, freeNames] = new TextDecoder().decode(stdout).split(" ").map(Number);
        return { bytes: block * (blocks - free), names: names - freeNames, free: block * free };
      },
      resize: (bytes) => remount(`size=${bytes}`),
      limitNames: (count) => remount(`nr_inodes=${count}`),
      makeReadOnly: () => remount("ro"),
    });
  } finally {
    run("umount", folder);
    if (at === undefined) await Deno.remove(folder);
  }
}
