import { z } from "zod";
import type { AssessSettings } from "../../core/assess/assessment.ts";
import type { Shown } from "../../core/assess/shown.ts";
import { readOwnJson } from "../support/own_json.ts";

/** The file of an assessment's numbers. */
export const ASSESSED = "assess.json";

/** What a run of `assess` came to, as a JSON value. */
export interface AssessReport {
  readonly version: string;
  readonly recipe: string;
  readonly backend: string;
  readonly device: string;
  /** Test examples with a label. */
  readonly examples: number;
  readonly settings: AssessSettings;
  /** Name of the teacher among the subjects; `null` without one. */
  readonly teacher: string | null;
  readonly subjects: readonly {
    readonly name: string;
    readonly folder: string;
    readonly architecture: string;
    readonly parameters: number;
    /** Of its weights file; `null` where it has none. */
    readonly sha256: string | null;
  }[];
  readonly sections: readonly AssessSection[];
}

/** One assessment's part of it. */
export interface AssessSection {
  readonly name: string;
  readonly title: string;
  readonly result: object;
  readonly shown: readonly Shown[];
}

const text = z.string();
const bins = z.array(z.looseObject({ count: z.number(), certainty: z.number(), right: z.number() }));
const shown = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("table"),
    title: text,
    header: z.array(text),
    rows: z.array(z.array(text)),
  }),
  z.looseObject({ kind: z.literal("note"), text }),
  z.looseObject({
    kind: z.literal("chart"),
    title: text,
    xLabel: text,
    lines: z.array(z.looseObject({ name: text, points: z.array(z.tuple([z.number(), z.number().nullable()])) })),
  }),
  z.looseObject({
    kind: z.literal("pictures"),
    title: text,
    columns: z.int().positive().optional(),
    pictures: z.array(z.looseObject({
      caption: text,
      height: z.int().positive(),
      width: z.int().positive(),
      channels: z.literal([1, 3]),
      pixels: text,
    })),
  }),
  z.looseObject({
    kind: z.literal("texts"),
    title: text,
    texts: z.array(z.looseObject({
      caption: text,
      pieces: z.array(z.looseObject({ text, weight: z.number() })),
    })),
  }),
  z.looseObject({
    kind: z.literal("reliability"),
    title: text,
    calibration: z.looseObject({ bins, error: z.number() }),
  }),
]);

const schema = z.looseObject({
  version: text,
  recipe: text,
  examples: z.number(),
  subjects: z.array(z.looseObject({ name: text, architecture: text, parameters: z.number(), sha256: text.nullable() })),
  sections: z.array(z.looseObject({ name: text, title: text, result: z.looseObject({}), shown: z.array(shown) })),
});

/** Reads an `assess.json`; `null` if there is none. @throws UserError if it is damaged */
export async function readAssessReport(path: string): Promise<AssessReport | null> {
  const remedy = `remove "${path}", and run assess again`;
  const read = await readOwnJson(path, "the assessment", schema.refine(hasWholePictures), remedy);
  return read as unknown as AssessReport | null;
}

/** Whether each picture has as many bytes as its size says: one that a hand has changed would be drawn at any cost. */
function hasWholePictures({ sections }: z.output<typeof schema>): boolean {
  return sections.every(({ shown }) =>
    shown.every((part) =>
      part.kind !== "pictures" ||
      part.pictures.every(({ height, width, channels, pixels }) => {
        const bytes = height * width * channels;
        return pixels.length === 4 * Math.ceil(bytes / 3) && /^[A-Za-z0-9+/]*={0,2}$/.test(pixels);
      })
    )
  );
}
