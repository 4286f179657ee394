import { UserError } from "../errors.ts";
import {
  fileError,
  kindOfPath,
  makeFolder,
  movePath,
  readTextIfThere,
  removePath,
  removeTemporaries,
  writeFileAtomically,
} from "../files.ts";
import { currentFiles } from "../files/current.ts";
import { type FolderLock, lockFolder } from "../lock.ts";
import { CONFIG_FILE } from "../model_folder/config_file.ts";
import { UNVERIFIED_PART } from "../model_folder/replace_folder.ts";
import { WEIGHTS_FILE } from "../model_folder/stored_tensors.ts";
import type { Reporter } from "./progress.ts";
import { eventFile, EVENTS_FOLDER } from "../tensorboard/event_file.ts";
import { STUDENT_ONNX } from "./student/export_onnx.ts";
import { STUDENT, UNVERIFIED } from "./student/export_student.ts";
import { CHECKPOINT_FILE } from "./training/checkpoint.ts";
import { join } from "../paths.ts";

/** What a report shows beside log and summary. */
export const RECORD = "record.json";

/** The page that is drawn of a run folder. */
export const REPORT = "report.html";

/** What a run writes into its folder, the checkpoint last: until it is gone the run before can still be resumed. */
const RESULTS: readonly (readonly [name: string, kind: "file" | "folder"])[] = [
  [REPORT, "file"],
  [RECORD, "file"],
  ["metrics.json", "file"],
  ["failure.json", "file"],
  ["metrics.jsonl", "file"],
  [EVENTS_FOLDER, "folder"],
  [STUDENT, "folder"],
  [STUDENT_ONNX, "folder"],
  ["recipe.yaml", "file"],
  ["checkpoint", "folder"],
];

/** Those that are folders of models, whose config.json says the run. */
const FOLDERS = [STUDENT, STUDENT_ONNX];

/** Folder of the results of the run before, in the run folder. */
export const PREVIOUS = "previous";

/** The same while they are being moved: what is in it belongs to what still stands outside. */
export const MOVING = "previous.moving";

/** How a run comes to its folder. */
export interface FolderClaim {
  /** The folder. */
  readonly folder: string;
  /** Continue from what is there. */
  readonly resume: boolean;
}

/**
 * A run's folder, which nobody else writes to until this is disposed of. All results in it are of one run at every
 * moment, also if the process is killed: those of the run before are moved to `previous/` before the first is written.
 */
export class RunFolder implements Disposable {
  #lock: FolderLock | null;
  /** Whether the folder was made for this run. */
  readonly #made: boolean;
  #claimed = false;

  private constructor(readonly path: string, lock: FolderLock, made: boolean) {
    this.#lock = lock;
    this.#made = made;
  }

  /**
   * Makes and locks the folder, and looks whether everything that a run writes can be written: a training that ends in
   * a name that is taken would be lost. Results that are there stay as they are.
   *
   * @throws UserError if another run has it, or something in it is in the way
   */
  static async open({ folder, resume }: FolderClaim): Promise<RunFolder> {
    const made = await kindOfPath(folder) === null;
    await makeFolder(folder, "the run folder");
    const lock = await lockFolder(folder, "another run writes to it").catch((error) => {
      if (made) currentFiles().removeEmptyFolder(folder);
      throw error;
    });
    const own = new RunFolder(folder, lock, made);
    try {
      await own.#look();
      // The run that moved them ended before it wrote anything.
      if (resume) await moveAll(join(folder, MOVING), folder);
    } catch (error) {
      own[Symbol.dispose]();
      throw error;
    }
    return own;
  }

  /**
   * Takes what is there out of the way of a new run, or of a resumed one what is of another. To be called before the
   * first result is written; a second call does nothing.
   *
   * @param run the run's id
   * @param goesOn whether a resumed run has steps to do: a page that was drawn of it as it stood is then outdated
   */
  async claim(
    run: string,
    { resume, goesOn }: { readonly resume: boolean; readonly goesOn: boolean },
    reporter: Reporter,
  ): Promise<void> {
    if (this.#claimed) return;
    this.#claimed = true;
    for (const part of ["", "checkpoint", STUDENT]) await removeTemporaries(join(this.path, part));
    await removePath(join(this.path, UNVERIFIED));
    await removePath(join(this.path, STUDENT, UNVERIFIED_PART));
    const drawn = resume && goesOn ? [REPORT, RECORD] : [];
    for (const name of drawn) await removePath(join(this.path, name));
    const kept = resume ? await this.#putAsideOthers(run) : await this.#putAside(RESULTS.map(([name]) => name));
    if (kept) reporter.line(`the results of the run before are in "${join(this.path, PREVIOUS)}"`);
  }

  /** Before the results are written. @throws UserError if the folder was removed or moved since it was opened */
  async check(): Promise<void> {
    if (await this.#lock?.holds()) return;
    throw new UserError(
      `Cannot write to the run folder "${this.path}" as it was moved or removed while the run used it: put it back and ` +
        "--resume, or start anew",
    );
  }

  /** Gives the folder free. */
  [Symbol.dispose](): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
    if (!this.#claimed && this.#made) currentFiles().removeEmptyFolder(this.path); // refused before it wrote anything
  }

  async #look(): Promise<void> {
    const checkpoint = [CHECKPOINT_FILE, "file"] as const;
    for (const [name, wanted] of [...RESULTS, [UNVERIFIED, "folder"] as const, checkpoint]) {
      const path = join(this.path, name);
      const found = await kindOfPath(path);
      if (found === null || found === wanted) continue;
      throw new UserError(
        `Cannot use the run folder "${this.path}" as "${path}" is a ${found}, where the run writes a ${wanted}: move it ` +
          "away, or name another run folder",
      );
    }
    for (const part of ["", "checkpoint", STUDENT]) {
      const path = join(this.path, part);
      if (part !== "" && await kindOfPath(path) === null) continue;
      const probe = join(path, `.probe.${crypto.randomUUID()}.tmp`);
      try {
        await currentFiles().create(probe);
        await currentFiles().remove(probe);
      } catch (error) {
        throw fileError(error, "write into", path);
      }
    }
  }

  /** Of a resumed run: what says that it is of another one than the checkpoint's. Older versions did not say it. */
  async #putAsideOthers(run: string): Promise<boolean> {
    const others: string[] = [];
    for (
      const [name] of RESULTS.filter(([name]) =>
        name.startsWith("metrics") || name === RECORD || FOLDERS.includes(name)
      )
    ) {
      const file = join(this.path, FOLDERS.includes(name) ? join(name, CONFIG_FILE) : name);
      const text = await readTextIfThere(file, "the results");
      const own = text === null ? null : runOf(name.endsWith(".jsonl") ? text.split("\n", 1)[0] : text);
      if (own === null || own === run) continue;
      others.push(name);
      if (name === RECORD) others.push(REPORT);
    }
    if (await kindOfPath(eventFile(this.path, run)) === null) others.push(EVENTS_FOLDER);
    return await this.#putAside(others);
  }

  /**
   * Moves results to `previous/`, in place of those there unless these have a student and the new ones have none: a
   * rerun that fails early, and then another, must not cost the last student.
   *
   * @returns whether there is anything now
   */
  async #putAside(names: readonly string[]): Promise<boolean> {
    const [previous, moving] = [join(this.path, PREVIOUS), join(this.path, MOVING)];
    const there: string[] = [];
    for (const name of names) if (await kindOfPath(join(this.path, name)) !== null) there.push(name);
    if (there.length === 0 && await kindOfPath(moving) === null) return false;
    await makeFolder(moving, "the folder of the run before");
    for (const name of there) await movePath(join(this.path, name), join(moving, name));
    if (await hasStudent(previous) && !await hasStudent(moving)) {
      await removePath(moving);
    } else {
      await removePath(previous);
      await movePath(moving, previous);
    }
    return true;
  }
}

/** Whether a folder of results has a student that was exported: what training was for. */
async function hasStudent(folder: string): Promise<boolean> {
  return await kindOfPath(join(folder, STUDENT, WEIGHTS_FILE)) === "file";
}

/** Moves what is in a folder to another, and removes the folder. */
async function moveAll(from: string, to: string): Promise<void> {
  if (await kindOfPath(from) === null) return;
  for (const [name] of RESULTS.toReversed()) {
    if (await kindOfPath(join(from, name)) === null || await kindOfPath(join(to, name)) !== null) continue;
    await movePath(join(from, name), join(to, name));
  }
  await removePath(from);
}

/** The id of the run that wrote a JSON file; `null` if it says none. */
function runOf(text: string): string | null {
  try {
    return JSON.parse(text).run ?? null;
  } catch {
    return null;
  }
}

/** Puts the run's id at the head of its recipe, as a comment: the recipe is the same with and without. */
export async function writeRunRecipe(folder: string, run: string, text: string): Promise<void> {
  await writeFileAtomically(join(folder, "recipe.yaml"), `# run ${run}\n${text}`);
}

/**
 * Looks whether there is something to resume, when results that a killed run was moving are back in their places.
 *
 * @throws UserError if there is no checkpoint
 */
export async function expectCheckpoint(folder: string): Promise<void> {
  const file = join(folder, CHECKPOINT_FILE);
  if (await kindOfPath(file) !== null) return;
  const previous = join(folder, PREVIOUS);
  const advice = await kindOfPath(join(previous, CHECKPOINT_FILE)) === null
    ? ""
    : `; that of the run before is in "${previous}"`;
  throw new UserError(`Cannot resume as there is no checkpoint "${file}": start anew without --resume${advice}`);
}
