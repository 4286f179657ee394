import type { WeightProvider } from "../../overparameterise/weight_provider.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunSummary } from "./summary.ts";

/** What a student's card is made of. */
export interface CardFacts {
  readonly recipe: Recipe;
  readonly input: InputDescription;
  readonly summary: RunSummary;
  /** Name of the student's plug-in. */
  readonly architecture: string;
  /** What the plug-in says of itself, a line; `null` if nothing. */
  readonly description: string | null;
  /** The student's own entries of its config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The over-parameterised weights, as they were trained. */
  readonly overParameterised: ReadonlyMap<string, Pick<WeightProvider, "chain" | "heldAs" | "source" | "use">>;
  /** SHA-256 of the teacher's weights; `null` without one. */
  readonly teacherSha256: string | null;
}
