import type { AssessCall } from "../assessment.ts";
import { percentOf } from "../numbers.ts";
import type { Shown } from "../shown.ts";
import type { Norm } from "./attack_batch.ts";
import type { SubjectRobustness } from "./robustness.ts";

const NORMS: Readonly<Record<Norm, string>> = { linf: "L-infinity", l2: "L2" };

/** Tables and curves of models under attacks and other changes. */
export function showRobustness(
  { subjects: [{ input }], settings: { steps } }: AssessCall,
  all: readonly SubjectRobustness[],
): Shown[] {
  const unit = input.image ? "of pixels from 0 to 1" : "of word vectors, in multiples of their root mean square";
  const attacked = all.filter(({ attacks }) => attacks.length > 0);
  const norms = (["linf", "l2"] as const).flatMap((norm): Shown[] => {
    const of = ({ attacks }: SubjectRobustness) => attacks.filter((point) => point.norm === norm);
    const [first] = attacked.map(of);
    if (!first) return [];
    return [
      {
        kind: "table",
        title: `Accuracy under ${NORMS[norm]} attacks, changes ${unit} up to eps`,
        header: ["", "eps 0", ...first.map(({ eps }) => showEps(eps, input.image !== null && norm === "linf"))],
        rows: attacked.flatMap((own) => [
          [`${own.subject}, FGSM`, percentOf(own.accuracy), ...of(own).map(({ fgsm }) => percentOf(fgsm))],
          [`${own.subject}, PGD-${steps}`, percentOf(own.accuracy), ...of(own).map(({ pgd }) => percentOf(pgd))],
          ...agreementRow(own, of(own)),
        ]),
      },
      {
        kind: "chart",
        title: `Accuracy under PGD-${steps}, ${NORMS[norm]}`,
        xLabel: "eps",
        format: ".0%",
        lines: attacked.map((own) => ({
          name: own.subject,
          points: [[0, own.accuracy], ...of(own).map(({ eps, pgd }) => [eps, pgd] as const)],
        })),
      },
    ];
  });
  const changes = [...new Set(all.flatMap(({ sweeps }) => sweeps.map(({ change }) => change)))];
  const swept = changes.flatMap((change): Shown[] => {
    const of = ({ sweeps }: SubjectRobustness) => sweeps.filter((point) => point.change === change);
    const having = all.filter((own) => of(own).length > 0);
    const [first] = having.map(of);
    const title = `Accuracy under ${change}`;
    return [
      {
        kind: "table",
        title: `${title}, by ${first[0].unit}`,
        header: ["", "none", ...first.map(({ strength }) => String(strength))],
        rows: having.flatMap((own) => [
          [own.subject, percentOf(own.accuracy), ...of(own).map(({ accuracy }) => percentOf(accuracy))],
          ...agreementRow(own, of(own)),
        ]),
      },
      {
        kind: "chart",
        title,
        xLabel: first[0].unit,
        format: ".0%",
        lines: having.map((own) => ({
          name: own.subject,
          points: [[0, own.accuracy], ...of(own).map(({ strength, accuracy }) => [strength, accuracy] as const)],
        })),
      },
    ];
  });
  const isChart = ({ kind }: Shown) => kind === "chart";
  const parts = [...norms, ...swept];
  const notes = all.flatMap(({ subject, notes }) =>
    notes.map((text): Shown => ({ kind: "note", text: `${subject}: ${text}` }))
  );
  return [
    { kind: "note", text: `Of ${all[0].examples} test examples.` },
    ...parts.filter((part) => !isChart(part)),
    ...parts.filter(isChart),
    ...notes,
  ];
}

/** How often a model and the teacher decide alike; none of the teacher itself. */
function agreementRow(
  { subject, agreement }: SubjectRobustness,
  points: readonly { readonly agreement: number | null }[],
): string[][] {
  if (points.every((point) => point.agreement === null)) return [];
  return [[
    `${subject} agrees with the teacher`,
    percentOf(agreement),
    ...points.map(({ agreement }) => percentOf(agreement)),
  ]];
}

/** A bound of pixels as a multiple of the least difference of two bytes, where it is one. */
function showEps(eps: number, inBytes: boolean): string {
  const bytes = Math.round(eps * 255);
  return inBytes && bytes > 0 && Math.abs(eps * 255 - bytes) < 1e-6 ? `${bytes}/255` : String(+eps.toPrecision(4));
}
