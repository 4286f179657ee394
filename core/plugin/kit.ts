import { z } from "zod";
import { dataFile } from "../recipe/data_file.ts";
import { scheduled } from "../recipe/scheduled.ts";
import type { Schema } from "../recipe/zod_schema.ts";

/**
 * What a plug-in describes its options with. It is handed over rather than imported, so that a plug-in file needs no
 * import at run time and works the same in a checkout, with a published package and in a compiled program.
 */
export interface OptionKit {
  /** The zod library. */
  readonly z: typeof z;
  /**
   * Gives the schema of a number that may follow a schedule during training: `scheduled(z.number().positive())`, to
   * which a default and a description are added as to any other.
   */
  readonly scheduled: typeof scheduled;
  /**
   * Gives the schema of a file of a data set, a path or a URL with its SHA-256: `dataFile().describe("The images")`.
   * What it yields, `DatasetSetup.readFile` reads.
   */
  readonly dataFile: typeof dataFile;
}

/** The one kit there is. */
export const optionKit: OptionKit = { z, scheduled, dataFile };

/** Gives the schema of a plug-in's options: a strict zod object. */
export type OptionSchema<Options> = (kit: OptionKit) => Schema<Options>;

/** The description that every plug-in gives of itself. */
export interface PluginDefinition<Kind extends string, Options> {
  /** Which kind of plug-in it is. */
  readonly kind: Kind;
  /** The name that recipes use. */
  readonly name: string;
  /** One line for lists: what it is, without a full stop. */
  readonly description: string;
  /** What it computes, in one line of plain text; built-in losses all have one. */
  readonly equation?: string;
  /** Its source: a paper with its arXiv number, a format's site. All built-in ones name it. */
  readonly source?: string;
  /** The schema of its options in a recipe. */
  readonly options: OptionSchema<Options>;
}
