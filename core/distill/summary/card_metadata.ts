import type { OnnxFile } from "../../onnx/export_model.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunSummary } from "./summary.ts";

/** What Hugging Face calls a task, as its pages and pipelines know it; `null` for one that has no name there. */
export function pipelineTag({ task, image }: Pick<InputDescription, "task" | "image">): string | null {
  if (image) return task === "classification" || task === "multi-label" ? "image-classification" : null;
  if (task === "embedding") return "sentence-similarity";
  return task === "tagging" ? "token-classification" : "text-classification";
}

/** Licences that Hugging Face has a name for; any other is `other` with its name beside it. */
const LICENCES: ReadonlySet<string> = new Set(
  ("apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 " +
    "bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 " +
    "cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 " +
    "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 " +
    "cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 " +
    "gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl openrail++ osl-3.0 " +
    "postgresql ofl-1.1 ncsa unlicense zlib pddl gemma llama2 llama3 llama3.1 llama3.2 llama3.3 unknown").split(" "),
);

function licence(name: string | null): Record<string, string> {
  if (name === null) return {};
  const known = name.trim().toLowerCase();
  return LICENCES.has(known) ? { license: known } : { license: "other", license_name: name.trim() };
}

/** The names that Hugging Face's `evaluate` has for metrics, with what they are called with. */
const METRICS: Readonly<Record<string, string>> = {
  f1: "f1",
  precision: "precision",
  recall: "recall",
  auc: "roc_auc",
  matthews: "matthews_correlation",
  mAP: "average_precision",
  pearson: "pearsonr",
  spearman: "spearmanr",
};

interface CardMetric {
  readonly type: string;
  readonly value: number;
  readonly name: string;
  readonly args?: Readonly<Record<string, string>>;
}

function metricEntry(name: string, value: number, positiveClass: string | null): CardMetric {
  const [, score = name, average] = /^(f1|precision|recall)(Macro|Micro|Weighted)$/.exec(name) ?? [];
  const type = METRICS[score] ?? name;
  if (average) {
    return { type, value, name: `${score}, ${average.toLowerCase()}`, args: { average: average.toLowerCase() } };
  }
  const isOfClass = positiveClass !== null && ["f1", "precision", "recall"].includes(name);
  if (isOfClass) return { type, value, name: `${name} of ${positiveClass}`, args: { pos_label: positiveClass } };
  return { type, value, name };
}

/** What a data set is called: what the recipe says it is, or the name of its plug-in with that of its files. */
export function datasetName({ dataset, card }: Pick<Recipe, "dataset" | "card">): string {
  if (card.dataset !== null) return card.dataset;
  const use = lastPart(dataset.use);
  if (typeof dataset.task === "string") return `${use} ${dataset.task}`;
  const place = [dataset.folder, dataset.train].find((value) => typeof value === "string");
  return place === undefined ? use : `${use} (${lastPart(place)})`;
}

/** The last part of a path or an address: folders tell of the machine, and are nobody else's business. */
export function lastPart(path: string): string {
  return path.split(/[?#]/, 1)[0].split(/[/\\]+/).findLast((part) => part !== "") ?? path;
}

/**
 * The metadata of a student's card, by Hugging Face's keys. `model-index` has what was measured on the test examples,
 * and the SHA-256 of each data file; nothing of it where no test example has a label.
 *
 * @param folder whether transformers loads it, and the files of its ONNX export; `null` for the student itself
 */
export function cardMetadata(
  recipe: Recipe,
  input: InputDescription,
  summary: RunSummary,
  { transformers, onnx }: { readonly transformers: boolean; readonly onnx: readonly OnnxFile[] | null },
): Record<string, unknown> {
  const { card: { license, baseModel, dataset } } = recipe;
  const tag = pipelineTag(input);
  const { metrics, loss } = summary.student;
  const measured = [
    ...Object.entries(metrics).filter(([name]) => name !== "agreement"),
    ...(loss === null ? [] : [["loss", loss] as const]),
  ].map(([name, value]) => metricEntry(name, value, summary.positiveClass));
  const hashes = Object.entries(summary.dataSha256).map(([name, hash]) => ({ file: lastPart(name), sha256: hash }));
  const result = {
    task: { type: tag ?? input.task, name: input.task },
    dataset: {
      type: dataset ?? lastPart(recipe.dataset.use),
      name: datasetName(recipe),
      split: "test",
      args: { files: hashes },
    },
    metrics: measured,
  };
  // Of an export that is less precise only, these are another's numbers.
  const isMeasured = onnx === null || onnx.some(({ precision }) => precision === "fp32");
  return {
    ...licence(license),
    ...(onnx
      ? { library_name: "transformers.js" }
      : input.task === "embedding"
      ? { library_name: "sentence-transformers" }
      : transformers && { library_name: "transformers" }),
    ...(tag && { pipeline_tag: tag }),
    ...(baseModel !== null && { base_model: baseModel }),
    ...(dataset !== null && { datasets: [dataset] }),
    tags: [...(summary.teacher ? ["knowledge-distillation"] : []), "opdf"],
    metrics: [...new Set(measured.map(({ type }) => type))].filter((type) => type !== "loss"),
    ...(measured.length > 0 && isMeasured && { "model-index": [{ name: recipe.name, results: [result] }] }),
  };
}
