import { z } from "zod";
import { bounded } from "./bounds.ts";
import { layerPatterns } from "./layer_patterns.ts";

const onnxPrecision = z.enum(["fp32", "fp16", "int8"]);

/** How the trained student is written. */
export const exportSchema = z.strictObject({
  onnx: z.union([
    z.boolean(),
    z.strictObject({
      precision: z.union([onnxPrecision, z.array(onnxPrecision).min(1)]).default("fp32").describe(
        "What the file computes with: fp32, fp16, int8, or a list of them",
      ),
    }),
  ]).default(false).describe("Whether the student is written as ONNX, too, run by ONNX Runtime and compared"),
  manifest: z.boolean().default(false).describe(
    "Whether student/manifest.json is written: hashes of data, teacher and student, and the error of each chain",
  ),
  keepFactors: z.union([z.boolean(), layerPatterns]).default(false).describe(
    "Whether weights are exported as two factors of lower rank: true: the over-parameterised ones, or patterns of names",
  ),
  rank: bounded(z.number().positive().max(1e6), "no matrix has more").refine(
    (rank) => rank < 1 || Number.isInteger(rank),
    { error: "Expected a whole number, or a part of the full rank below 1" },
  ).nullable().default(null).describe(
    "With keepFactors: singular values that stay of each weight; below 1 the part of them; this or parameters",
  ),
  parameters: bounded(z.int().min(1).max(1e12), "no model has more").nullable().default(null).describe(
    "With keepFactors: numbers of the whole student that are left at most, ranks being chosen for the least error",
  ),
}).superRefine(({ keepFactors, rank, parameters }, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  if (keepFactors === false) {
    for (const [key, value] of Object.entries({ rank, parameters })) {
      if (value !== null) refuse([key], `Cannot use ${key} without keepFactors: true, or patterns of weights`);
    }
  } else if ((rank === null) === (parameters === null)) {
    const given = rank === null ? "neither" : "both";
    refuse(["keepFactors"], `Expected one of rank and parameters with keepFactors: got ${given}`);
  }
});
