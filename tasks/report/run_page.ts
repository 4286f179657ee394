import { shownMetrics } from "../../core/evaluate/metrics/show.ts";
import { showBytes } from "../../core/show_bytes.ts";
import { grouped, percent } from "../support/format.ts";
import { answers } from "./answers.ts";
import { assessSections } from "./assessed.ts";
import { cost } from "./cost.ts";
import { curves } from "./curves.ts";
import { type Child, element, pageOf, section } from "./elements.ts";
import { exports } from "./exports.ts";
import { hints } from "./hints.ts";
import { matrices } from "./matrices.ts";
import type { RunFiles } from "./read_run.ts";
import { besideTeacher } from "./teacher.ts";

/** The page of a run: what it came to, how, and what its student does. */
export function runPage(run: RunFiles): string {
  const name = String(run.settings.name ?? "run");
  return pageOf(
    `${name}: report of a run`,
    element("h1", {}, name),
    origin(run),
    unfinished(run),
    tiles(run),
    advice(run),
    curves(run),
    answers(run),
    besideTeacher(run),
    matrices(run),
    cost(run),
    exports(run),
    run.assessment && assessSections(run.assessment),
    section("The recipe", element("p", { class: "faint" }, "As it was run, all defaults filled in."), recipe(run)),
  );
}

function origin({ summary, recipe }: RunFiles): Child {
  const run = summary?.run ?? /^# run (\w+)\n/.exec(recipe)?.[1];
  const parts = summary
    ? [`OPDF ${summary.version}`, `${summary.backend}: ${summary.device}`, `seed ${summary.seed}`]
    : [];
  return element("p", { class: "faint" }, [...(run ? [`run ${run}`] : []), ...parts].join(" · "));
}

function unfinished({ summary, failure, log, canGoOn }: RunFiles): Child {
  if (summary) return null;
  const { step = 0 } = log.at(-1) ?? {};
  const words = failure === null
    ? `This run did not come to its end: the log ends after step ${grouped(step)}. ` +
      (canGoOn ? "--resume goes on from its checkpoint." : "It has no checkpoint to go on from.")
    : `This run failed: ${failure}`;
  return element("div", { class: "warnings" }, words);
}

function tile(value: string, ...words: Child[]): HTMLElement {
  return element("div", { class: "tile" }, element("b", {}, value), element("span", {}, ...words));
}

function tiles({ summary, bytes }: RunFiles): Child {
  if (!summary) return null;
  const { student, teacher, positiveClass, examples, labelled, wrongLabels } = summary;
  const known = labelled?.test ?? examples.test;
  const finite = ({ metrics }: { readonly metrics: Readonly<Record<string, number | null>> }) =>
    Object.fromEntries(Object.entries(metrics).filter((entry): entry is [string, number] => entry[1] !== null));
  const taught = new Map(teacher ? shownMetrics({ metrics: finite(teacher), positiveClass }) : []);
  const own = shownMetrics({ metrics: finite(student), positiveClass });
  const count = student.parametersInference;
  return element(
    "div",
    { class: "tiles" },
    own.slice(0, 3).map(([name, value]) =>
      tile(value, `test ${name}`, taught.has(name) ? element("span", {}, `teacher ${taught.get(name)}`) : null)
    ),
    tile(
      grouped(count),
      "parameters at inference",
      teacher && element("span", {}, `teacher ${grouped(teacher.parameters)}`),
    ),
    student.parameterIncreaseRate > 1
      ? tile(`× ${student.parameterIncreaseRate.toFixed(2)}`, "parameters in training")
      : null,
    bytes === null ? null : tile(showBytes(bytes), "the student's weights"),
    tile(`${summary.seconds.total.toFixed(0)} s`, "the whole run"),
    wrongLabels === undefined ? null : tile(
      grouped(wrongLabels),
      "training labels wrong on purpose",
      element("span", {}, `of ${grouped(labelled.train)}`),
    ),
    tile(
      grouped(examples.test),
      "test examples",
      known < examples.test ? element("span", {}, `${percent(known / examples.test)} with a label`) : null,
    ),
  );
}

function advice(run: RunFiles): Child {
  const list = (lines: readonly string[]) => element("ul", {}, lines.map((line) => element("li", {}, line)));
  const [warned, suggested] = [run.record?.warnings ?? [], run.summary ? hints(run) : []];
  if (warned.length + suggested.length === 0) return null;
  return element(
    "div",
    { class: "warnings" },
    warned.length > 0 ? [element("b", {}, "The run warned:"), list(warned)] : null,
    suggested.length > 0 ? [element("b", {}, "What to try next:"), list(suggested)] : null,
  );
}

const recipe = ({ recipe }: RunFiles) => element("pre", {}, recipe);
