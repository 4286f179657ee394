import { groupBy } from "../../group_by.ts";
import type { HostTensor } from "../../plugin/dataset.ts";
import type { Shown, ShownPicture, ShownTexts } from "../shown.ts";
import type { Subject } from "../subject.ts";
import type { ExplainedSubject, MethodResult } from "./explanation.ts";
import { heatOf, keptPicture, pictureOf, scaleOf } from "./heat.ts";
import { type MethodName, METHODS } from "./methods.ts";
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

const methodNames = Object.keys(METHODS) as MethodName[];

/** Examples that are drawn. */
const MOST_DRAWN = 6;

const COLOURS = "red speaks for the class, blue against it; the deeper, the more";

/** Tables of what adds up and of who agrees, then pictures, or texts. */
export async function showExplanations(call: ShownExplanations): Promise<Shown[]> {
  const { results, first, indices } = call;
  const methods = methodNames.filter((name) => results.some(({ methods }) => !("refused" in methods[name])));
  const header = ["model", ...methods.map((name) => METHODS[name].title)];
  const rows = (cell: (result: Exclude<MethodResult, { refused: string }>) => string, of = results) =>
    of.map(({ subject, methods: own }) => [
      subject,
      ...methods.map((name) => {
        const result = own[name];
        return "refused" in result ? "-" : cell(result);
      }),
    ]);
  const refusals = groupBy(
    results.flatMap(({ subject, methods: own }) =>
      Object.values(own).flatMap((result) => "refused" in result ? [{ subject, sentence: result.refused }] : [])
    ),
    ({ sentence }) => sentence,
  );
  return [
    {
      kind: "note",
      text: `${indices.length} test examples, drawn by the seed; explained is the logit of the class that ` +
        `${first.name} decides for.`,
    },
    {
      kind: "table",
      title:
        "Sums of the parts: largest error, of the largest sum there must be (LRP: the logit with what biases take; " +
        "others: the logit less the background's)",
      header,
      rows: rows(({ error, largest }) => error === null ? "-" : `${error.toExponential(1)} of ${largest!.toFixed(2)}`),
    },
    ...(results.length === 1 ? [] : [
      {
        kind: "table",
        title: `Agreement with ${first.name}: Spearman's rank correlation of the parts from -1 to 1, mean ± standard ` +
          "deviation over the examples",
        header,
        rows: rows(
          ({ agreement }) => agreement?.mean == null ? "-" : shownAgreement(agreement.mean, agreement.deviation),
          results.filter(({ subject }) => subject !== first.name),
        ),
      } as const,
    ]),
    ...[...refusals].map(([sentence, of]): Shown => (
      { kind: "note", text: `${of.map(({ subject }) => subject).join(", ")}: ${sentence}.` }
    )),
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
    const methods = methodNames.filter((name) => explained.some(({ methods }) => !("refused" in methods[name])));
    for (const own of explained) {
      await own.subject.examples.fetch?.(one);
      pictures.push(...picturesOf(own, methods, example, own.subject.examples.batch(one).image));
    }
    const columns = 1 + methods.length;
    shown.push({ kind: "pictures", title, ...(example === 0 && { note: COLOURS }), columns, pictures });
  }
  return shown;
}

/** The image as a model sees it, then a picture of each method; of one that it is not explained by the image again. */
function picturesOf(
  { subject, methods: own }: ExplainedSubject,
  methods: readonly MethodName[],
  example: number,
  image: HostTensor,
): ShownPicture[] {
  const picture = pictureOf(image, subject.input.image!);
  const heats = methods.map((name): ShownPicture => {
    const found = own[name];
    if ("refused" in found) return { caption: `no ${METHODS[name].title}`, ...keptPicture(picture) };
    const values = found.values[example];
    const atPixel = found.patches ? atPixels(values, found.patches) : values;
    return { caption: METHODS[name].title, ...keptPicture(heatOf(atPixel, picture)) };
  });
  return [{ caption: lastPart(subject.name), ...keptPicture(picture) }, ...heats];
}

/** A text by each method, the models one below the other. */
function textsOf(explained: readonly ExplainedSubject[], example: number): ShownTexts["texts"] {
  return methodNames.flatMap((name) =>
    explained.flatMap(({ subject, methods, words }) => {
      const found = methods[name];
      if ("refused" in found) return [];
      const values = found.values[example];
      const largest = scaleOf(values);
      const pieces = words![example].map(({ text }, word) => ({
        text,
        weight: largest === 0 ? 0 : Math.max(-1, Math.min(1, values[word] / largest)),
      }));
      return [{ caption: `${METHODS[name].title}: ${lastPart(subject.name)}`, pieces }];
    })
  );
}

/** What tells a folder from its neighbours, without the way there. */
const lastPart = (name: string) => name.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
