import type { ExportedStudent } from "../export_student.ts";

/** A line about weights that were cut to factors. */
export function describeFactors({ weights, difference, largest }: NonNullable<ExportedStudent["factors"]>): string {
  const cuts = Object.entries(weights);
  const errors = cuts.map(([, { error }]) => error);
  const ranks = cuts.slice(0, SHOWN).map(([name, { rank, fullRank }]) => `${name} ${rank} of ${fullRank}`);
  const more = cuts.length > SHOWN ? [`and ${cuts.length - SHOWN} more weights`] : [];
  return `kept as factors, by singular values: ${[...ranks, ...more].join(", ")}; this changes them by up to ` +
    `${(100 * Math.max(...errors)).toPrecision(3)} % and logits of up to ${largest.toPrecision(3)} by up to ` +
    `${difference.toPrecision(3)}`;
}

/** How many are named of many. */
const SHOWN = 4;
