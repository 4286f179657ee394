import { z } from "zod";

/** Choosing weights by the pattern of their names. */
export const layerPatterns = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
