import { UserError } from "../../../core/errors.ts";
import type { SkippedExamples } from "../../../core/plugin/dataset.ts";

/** What is done about examples that lack their text or their label. */
export const ON_BAD = ["refuse", "skip"] as const;
export type OnBad = typeof ON_BAD[number];

/** How many of those that were skipped are listed for a file. */
const LISTED = 5;

/** Where an example stands. */
export interface ExamplePlace {
  readonly file: string;
  /** `line 3` */
  readonly place: string;
}

/** An example that cannot be used, though the others of its file can. */
class BadExample extends UserError {
  static {
    this.prototype.name = "UserError"; // to people it is one
  }

  constructor(readonly where: ExamplePlace, readonly reason: string) {
    super(
      `Cannot use ${where.place} of "${where.file}" as ${reason}: mend it, leave it out, or set onBad to skip, which ` +
        "leaves such examples out",
    );
  }
}

/** Says that an example cannot be used. @param reason follows "as": `its text is empty` */
export function badExample(where: ExamplePlace, reason: string): never {
  throw new BadExample(where, reason);
}

/** Keeps count of the bad examples that a data set leaves out, or refuses the first of them. */
export class BadExamples {
  readonly #files = new Map<string, { count: number; first: string[] }>();

  constructor(private readonly onBad: OnBad) {}

  /** What `read` gives, in a list; an empty one for a bad example that is skipped. @throws UserError as `read` does */
  keep<Example>(read: () => Example): Example[] {
    try {
      return [read()];
    } catch (error) {
      this.note(error);
      return [];
    }
  }

  /** Counts a bad example. @throws what was caught, if that is something else or such examples are refused */
  note(error: unknown): void {
    if (!(error instanceof BadExample) || this.onBad === "refuse") throw error;
    const { where: { file, place }, reason } = error;
    const own = this.#files.get(file) ?? { count: 0, first: [] };
    if (own.count++ < LISTED) own.first.push(`${place}: ${reason}`);
    this.#files.set(file, own);
  }

  /** What was skipped so far, by file. */
  get skipped(): SkippedExamples[] {
    return [...this.#files].map(([file, { count, first }]) => ({ file, count, first }));
  }

  /** @throws UserError if a file has no example left */
  checkSome(file: string, examples: readonly unknown[]): void {
    if (examples.length > 0) return;
    const { count, first } = this.#files.get(file) ?? { count: 0, first: [] };
    const why = count === 0 ? "it has no examples" : `none of its ${count} examples can be used: ${first[0]}`;
    throw new UserError(`Cannot use "${file}" as ${why}`);
  }
}
