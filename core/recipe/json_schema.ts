import { z } from "zod";
import { recipeSchema } from "./schema.ts";

/**
 * The recipe's schema for editors, which complete and check recipes with it (for example by a first line
 * `# yaml-language-server: $schema=recipe.schema.json`).
 *
 * @returns a JSON schema of draft 7, the one that YAML editors know best
 */
export function recipeJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(recipeSchema, { io: "input", target: "draft-7" }), title: "OPDF recipe" };
}
