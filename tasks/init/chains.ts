import { type Entry, line } from "./entries.ts";
import type { ChosenStudent } from "./student.ts";

/** Cores of a chain: more cost time and, beyond the noise, gained nothing (chains.yaml, mail-ablation.yaml). */
const CORES = 3;

/** Which weights are trained as chains, by what was measured. */
export function chainsOf(student: ChosenStudent, isTaught: boolean): { entry: Entry; has: boolean } {
  const value = { layers: student.chainable, cores: CORES };
  const none = (why: string) => ({ entry: line("overParameterise", [], why), has: false });
  if (!isTaught) return none("OPDF is for students with a teacher");
  if (student.use !== "resnet" && !student.starts) {
    return none("chains cost a fresh encoder a point and more under AdamW (vit-ablation.yaml)");
  }
  const why = student.starts
    ? `chains of ${CORES} cores, merged at the end: +${
      student.use === "resnet" ? "0.3" : "0.1"
    } points where it was measured, ` +
      "within noise; [] is plain distillation"
    : `chains of ${CORES} cores, merged at the end: +0.6 points where it was measured, within noise`;
  return { entry: { key: "overParameterise", items: [{ value, why }] }, has: true };
}
