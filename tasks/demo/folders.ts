import { listWords } from "../../core/recipe/words.ts";
import { unzipSync, zipSync } from "fflate";
import { element, showError, wordsOf } from "./elements.ts";
import type { FolderFile, ModelFacts } from "./messages.ts";
import type { Remote } from "./remote.ts";

/** The third part of the page: the student's folder, to be saved, and folders to be opened. */
export class Folders {
  readonly #download = element("download", HTMLButtonElement);
  readonly #status = element("folder-status", HTMLParagraphElement);
  readonly #error = element("folder-error", HTMLParagraphElement);

  /** @param opened takes a model of the user's as the student */
  constructor(private readonly remote: Remote, private readonly opened: (student: ModelFacts) => void) {
    this.#download.addEventListener("click", () => this.#guarded(() => this.#save()));
    for (const id of ["folder", "files"]) {
      const input = element(id, HTMLInputElement);
      input.addEventListener("change", () => {
        const files = [...input.files ?? []];
        input.value = "";
        if (files.length > 0) void this.#guarded(() => this.#open(files));
      });
    }
  }

  /** There is a student. */
  enable(): void {
    this.#download.disabled = false;
  }

  async #save(): Promise<void> {
    const files = await this.remote.call("student");
    const zip = zipSync(Object.fromEntries(files.map(({ path, bytes }) => [`student/${path}`, bytes])), { level: 6 });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([zip], { type: "application/zip" }));
    link.download = "student.zip";
    link.click();
    // The browser reads it after this turn.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    this.#status.textContent = `Saved student.zip with ${listWords(files.map(({ path }) => path), "and")}.`;
  }

  async #open(chosen: readonly File[]): Promise<void> {
    const parts = await Promise.all(chosen.map(filesOf));
    const student = await this.remote.call("open", nameOf(chosen[0]), parts.flat());
    this.opened(student);
    this.enable();
    this.#status.textContent = `Opened ${student.name} as the student; recipes can name it as ${student.folder}.`;
  }

  async #guarded(body: () => Promise<void>): Promise<void> {
    showError(this.#error, null);
    this.#status.textContent = "";
    try {
      await body();
    } catch (error) {
      showError(this.#error, wordsOf(error));
    }
  }
}

const nameOf = ({ name }: File) => name.replace(/\.[^.]*$/, "") || "model";

/** A file, or those in it if it is a ZIP. @throws Error if that is damaged */
async function filesOf(file: File): Promise<FolderFile[]> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!file.name.endsWith(".zip")) return [{ path: file.webkitRelativePath || file.name, bytes }];
  try {
    return Object.entries(unzipSync(bytes)).filter(([path]) => !path.endsWith("/"))
      .map(([path, bytes]) => ({ path, bytes: new Uint8Array(bytes) }));
  } catch (error) {
    throw new Error(`Cannot unpack "${file.name}": ${wordsOf(error)}`);
  }
}
