import { nameSchema } from "../../core/recipe/bounds.ts";
import { z } from "zod";

/** A file of stages: recipes of which each is taught by the student of the one before it. */
export const stagesSchema = z.strictObject({
  name: nameSchema.nullable().default(null).describe("Name; null: the file's"),
  base: z.string().min(1).nullable().default(null).describe("Recipe that the stages change, relative to this file"),
  stages: z.record(z.string().min(1), z.union([z.string().min(1), z.looseObject({})]).nullable()).describe(
    "By name, in their order: what a stage changes of the base, maps within maps; or the path of a recipe. The first has " +
      "its own teacher, or none; each further one is taught by the student of the one before it",
  ),
});

/** @internal */
type StagesOutput = {
  readonly name: string | null;
  readonly base: string | null;
  readonly stages: Readonly<Record<string, string | Readonly<Record<string, unknown>> | null>>;
};

/** A file of stages with its defaults filled in. */
export type StagesFile = StagesOutput;
