import { fromBase64 } from "../../core/byte_texts.ts";
import { AGAINST, FOR } from "../../core/assess/explain/heat.ts";
import type { Shown, ShownPictures, ShownTexts } from "../../core/assess/shown.ts";
import type { AssessReport } from "../assess/report.ts";
import { grouped } from "../support/format.ts";
import { type Child, element, grid, pageOf, section, table } from "./elements.ts";
import { lineChart, seriesColour } from "./plots.ts";
import { pictureAddress } from "./png.ts";
import { reliability } from "./teacher.ts";

/** The page of an assessment by itself. */
export function assessPage(report: AssessReport): string {
  const { version, recipe, subjects, examples, backend, device, settings } = report;
  const names = subjects.map(({ name }) => name).join(", ");
  return pageOf(
    `Assessment of ${names}`,
    element("h1", {}, "Assessment"),
    element(
      "p",
      { class: "faint" },
      `OPDF ${version} · ${backend}: ${device} · ${
        grouped(examples)
      } test examples of ${recipe} · seed ${settings.seed}`,
    ),
    modelsTable(report),
    ...assessSections(report),
  );
}

function modelsTable({ subjects, teacher }: AssessReport): Child {
  return table(
    ["model", "architecture", "parameters"],
    subjects.map(({ name, architecture, parameters }) => [
      name === teacher ? `${name} (teacher)` : name,
      architecture,
      grouped(parameters),
    ]),
  );
}

/** A section for each assessment. */
export function assessSections({ sections }: AssessReport): Child[] {
  return sections.map(({ title, shown }) => section(title, inGrids(shown)));
}

/** Charts that follow each other stand side by side. */
function inGrids(shown: readonly Shown[]): Child[] {
  const parts: Child[] = [];
  let charts: Child[] = [];
  const close = () => {
    if (charts.length > 0) parts.push(grid("charts", ...charts));
    charts = [];
  };
  let series = 0;
  for (const part of shown) {
    if (part.kind === "chart") {
      const lines = part.lines.map(({ name, points }, index) => ({
        name,
        points: points.map(([x, y]) => [x, y ?? NaN] as const),
        colour: seriesColour(index),
      }));
      charts.push(lineChart({ ...part, lines, fromZero: part.format?.endsWith("%") }));
    } else if (part.kind === "reliability") {
      charts.push(reliability(part.title, part.calibration, seriesColour(series++)));
    } else {
      close();
      parts.push(single(part));
    }
  }
  close();
  return parts;
}

function single(part: Exclude<Shown, { readonly kind: "chart" | "reliability" }>): Child {
  switch (part.kind) {
    case "table":
      return [element("h3", {}, part.title), table(part.header, part.rows)];
    case "note":
      return element(part.warning ? "div" : "p", part.warning ? { class: "warnings" } : {}, part.text);
    case "pictures":
      return [element("h3", {}, part.title), note(part), pictures(part)];
    case "texts":
      return [element("h3", {}, part.title), note(part), texts(part)];
  }
}

const note = ({ note }: { readonly note?: string }) => note ? element("p", { class: "faint" }, note) : null;

function pictures({ pictures, columns }: ShownPictures): Child {
  return element(
    "div",
    columns === undefined ? { class: "pictures" } : { class: "pictures rows", style: `--columns: ${columns}` },
    pictures.map(({ caption, pixels, ...size }) =>
      element(
        "figure",
        {},
        element("img", { src: pictureAddress({ ...size, pixels: fromBase64(pixels) }), alt: caption, title: caption }),
        element("figcaption", {}, caption),
      )
    ),
  );
}

function texts({ texts }: ShownTexts): Child {
  return texts.map(({ caption, pieces }) =>
    element(
      "blockquote",
      {},
      pieces.map(({ text, weight }) => {
        if (weight === 0) return text;
        // The space before a word has no colour.
        const word = text.trimStart();
        const mark = element("mark", { style: colourOf(weight), title: weight.toFixed(3) }, word);
        return [text.slice(0, text.length - word.length), mark];
      }),
      element("small", {}, caption),
    )
  );
}

/** For the class red, against it blue, the deeper the more: the colours of pictures (core/assess/explain/heat.ts). */
function colourOf(weight: number): string {
  const part = Math.round(70 * Math.min(1, Math.abs(weight)));
  const [red, green, blue] = weight > 0 ? FOR : AGAINST;
  return `background: color-mix(in srgb, rgb(${red} ${green} ${blue}) ${part}%, transparent)`;
}
