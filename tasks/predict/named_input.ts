import type { Input } from "./predictor.ts";

/** What stands for an input in results. */
export interface InputSource {
  /** The text, the words, or the path of the picture. */
  readonly input: string | readonly string[];
  /** The second text of a pair. */
  readonly pair?: string;
  /** The line of the file that it stands on, from 1. */
  readonly line?: number;
}

/** An input and where it comes from. */
export interface NamedInput {
  readonly source: InputSource;
  /** For messages: `line 3 of "texts.csv"`. */
  readonly place: string;
  /** Reads it; pictures are read when their turn comes. @throws UserError if it cannot be read */
  read(): Promise<Input>;
}
