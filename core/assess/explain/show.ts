import type { HostTensor } from "../../plugin/dataset.ts";
import type { Shown, ShownPicture } from "../shown.ts";
import type { Subject } from "../subject.ts";
import type { ExplainedSubject, MethodResult } from "./explanation.ts";
import { heatOf, keptPicture, pictureOf, scaleOf } from "./heat.ts";
import { type Explanation, type MethodName, METHODS } from "./methods.ts";
import { atPixels } from "./patches.ts";

/** What an assessment of explanations shows. */
export interface ShownExplanations {
  readonly explained: readonly ExplainedSubject[];
  readonly results: readonly {
    readonly subject: string;
    readonly methods: Readonly<Record<MethodName, MethodResult>>;
  }[];
  /** The model whose decisions are explained, and that the others are held against. */
  readonly first: Subject;
  readonly indices: Uint32Array;
  readonly targets: readonly number[];
}

/** Examples that are drawn. */
const MOST_DRAWN = 6;

const COLOURS = "red speaks for the class, blue against it; the deeper, the more";

/** Tables of what adds up and of who agrees, then pictures, or texts. */
export async function showExplanations(call: ShownExplanations): Promise<Shown[]> {
  const { results, first, indices } = call;
  const methods = (Object.keys(METHODS) as MethodName[]).filter((name) =>
    results.some(({ methods }) => !("refused" in methods[name]))
  );
  const header = ["", ...methods.map((name) => METHODS[name].title)];
  const rows = (cell: (result: Exclude<MethodResult, { refused: string }>) => string, of = results) =>
    of.map(({ subject, methods: own }) => [
      subject,
      ...methods.map((name) => {
        const result = own[name];
        return "refused" in result ? "-" : cell(result);
      }),
    ]);
  const refused = results.flatMap(({ subject, methods: own }) =>
    Object.values(own).flatMap((result): Shown[] =>
      "refused" in result ? [{ kind: "note", text: `${subject}: ${result.refused}.` }] : []
    )
  );
  return [
    {
      kind: "note",
      text: `${indices.length} test examples at equal distances; explained is the logit of the class that ` +
        `${first.name} decides for.`,
    },
    {
      kind: "table",
      title: "By how much the parts' numbers do not add up to the logit (LRP) or to its distance from the background's",
      header,
      rows: rows(({ error, largest }) => error === null ? "-" : `${error.toExponential(1)} of ${largest!.toFixed(2)}`),
    },
    ...(results.length === 1 ? [] : [
      {
        kind: "table",
        title: `Agreement with ${first.name}: Spearman's rank correlation of the parts, mean ± deviation over examples`,
        header,
        rows: rows(
          ({ agreement }) => agreement?.mean == null ? "-" : shownAgreement(agreement.mean, agreement.deviation),
          results.filter(({ subject }) => subject !== first.name),
        ),
      } as const,
    ]),
    ...refused,
    ...await examplesOf(call),
  ];
}

function shownAgreement(mean: number, deviation: number | null): string {
  return deviation === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}

async function examplesOf({ explained, first, indices, targets }: ShownExplanations): Promise<Shown[]> {
  const shown: Shown[] = [];
  for (const [example, index] of indices.subarray(0, MOST_DRAWN).entries()) {
    const one = Uint32Array.of(index);
    await first.examples.fetch?.(one);
    const { label: { data: [truth] } } = first.examples.batch(one);
    const { classes } = first.input;
    const decided = classes[targets[example]];
    const title = `Test example ${index + 1}: ${decided}${
      targets[example] === truth ? "" : `, and truly ${classes[truth]}`
    }`;
    if (first.input.text) {
      shown.push({ kind: "texts", title, ...(example === 0 && { note: COLOURS }), texts: textsOf(explained, example) });
      continue;
    }
    const pictures: ShownPicture[] = [];
    for (const [number, own] of explained.entries()) {
      await own.subject.examples.fetch?.(one);
      pictures.push(...picturesOf(own, example, own.subject.examples.batch(one).image, number === 0));
    }
    shown.push({ kind: "pictures", title, ...(example === 0 && { note: COLOURS }), pictures });
  }
  return shown;
}

function picturesOf(
  { subject, methods }: ExplainedSubject,
  example: number,
  image: HostTensor,
  withImage: boolean,
): ShownPicture[] {
  const picture = pictureOf(image, subject.input.image!);
  const heats = explanationsIn(methods).map(({ title, found }): ShownPicture => {
    const values = found.values[example];
    return {
      caption: `${lastPart(subject.name)}: ${title}`,
      ...keptPicture(heatOf(found.patches ? atPixels(values, found.patches) : values, picture)),
    };
  });
  return withImage ? [{ caption: "the image", ...keptPicture(picture) }, ...heats] : heats;
}

function textsOf(explained: readonly ExplainedSubject[], example: number) {
  return explained.flatMap(({ subject, methods, words }) =>
    explanationsIn(methods).map(({ title, found }) => {
      const values = found.values[example];
      const largest = scaleOf(values);
      return {
        caption: `${lastPart(subject.name)}: ${title}`,
        pieces: words![example].map(({ text }, word) => ({
          text,
          weight: largest === 0 ? 0 : Math.max(-1, Math.min(1, values[word] / largest)),
        })),
      };
    })
  );
}

/** The methods that a model was explained by. */
function explanationsIn(
  methods: ExplainedSubject["methods"],
): { readonly title: string; readonly found: Explanation }[] {
  return (Object.keys(METHODS) as MethodName[]).flatMap((name) => {
    const found = methods[name];
    return "refused" in found ? [] : [{ title: METHODS[name].title, found }];
  });
}

/** What tells a folder from its neighbours, without the way there. */
const lastPart = (name: string) => name.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
