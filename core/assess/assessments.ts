import type { Assessment } from "./assessment.ts";
import { bounds } from "./bounds/bounds.ts";
import { calibration } from "./calibration/calibration.ts";
import { explanation } from "./explain/explanation.ts";
import { overfitting } from "./overfitting/overfitting.ts";
import { robustness } from "./robustness/robustness.ts";

/** All assessments, in the order in which they are made and shown. */
export const ASSESSMENTS: readonly Assessment[] = [calibration, robustness, bounds, explanation, overfitting];
