import type { z } from "zod";

// `deno doc --lint` takes the types of an npm package for private types of ours (denoland/deno#27364), except internal
// ones.
/** @internal */
type ZodSchema<Output, Input> = z.ZodType<Output, Input>;
/** @internal */
type ZodNumber = z.ZodNumber;

/** A zod schema: it takes an `Input` as it stands in a recipe and gives an `Output` with the defaults filled in. */
export type Schema<Output, Input = unknown> = ZodSchema<Output, Input>;

/** A zod schema of a number, such as `z.number().positive()`. */
export type NumberSchema = ZodNumber;
